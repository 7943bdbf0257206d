"""Loss and predictions of a network on rows that it is not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._ragged import Ragged, join_steps
from skdl.losses import total_weight
from skdl.networks import Network
from skdl.tasks import Task
from skdl.training import Data, RowBatches


def evaluate(network: Network, task: Task, data: Data) -> tuple[float, Any]:
    """Return the mean loss and the predictions, some rows at a time.

    Parameters
    ----------
    network : Network
        The network.
    task : Task
        Its loss, and what its output means.
    data : Data
        The rows.

    Returns
    -------
    loss : float
        The weighted mean loss.
    predicted : ndarray of shape (n, ...), Ragged or None
        As `Task.decode` gives them; None if a prediction is not finite.
    """
    batches = RowBatches(data, data.n)
    losses, totals, predicted, finite = [], [], [], True
    for rows, raw in network.predict_parts(data.X):
        batch = batches.of(rows)
        total = total_weight(raw, batch.weight)
        if total:
            loss, _ = task.loss.weighted(batch.y, raw, batch.weight, 1.0 / total)
            losses.append(loss)
            totals.append(total)
        prediction = task.loss.inverse_link(raw)
        finite = finite and bool(np.isfinite(prediction).all())
        if finite:
            predicted.append(np.array(task.decode(prediction)))
    loss = losses[0] if len(losses) == 1 else float(np.average(losses, weights=totals))
    if not finite:
        return loss, None
    if isinstance(data.X, Ragged) and network.keeps_steps():
        return loss, join_steps(predicted, data.X)
    return loss, predicted[0] if len(predicted) == 1 else np.concatenate(predicted)
