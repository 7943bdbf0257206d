"""Loss and predictions of a network on rows that it is not trained on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdl._ragged import Ragged, join_steps
from skdl._typing import Array
from skdl.losses import total_weight
from skdl.networks import Network
from skdl.tasks import Task
from skdl.training import Data, RowBatches


class Evaluation(NamedTuple):
    """What a network makes of rows.

    Attributes
    ----------
    loss : float
        The weighted mean loss.
    predicted : ndarray of shape (n, ...), Ragged or None
        As `Task.decode` gives them; None if a prediction is not finite.
    parts : ndarray of shape (n_parts,)
        The parts of the loss, if it has some.
    """

    loss: float
    predicted: Any
    parts: Array


def evaluate(network: Network, task: Task, data: Data) -> Evaluation:
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
    evaluation : Evaluation
        Loss and predictions.
    """
    batches = RowBatches(data, data.n)
    losses, totals, predicted, finite = [], [], [], True
    parts = np.zeros(len(task.loss.parts))
    for rows, raw in network.predict_parts(data.X):
        batch = batches.of(rows)
        y = task.of_batch(batch.X, batch.y)
        total = total_weight(raw, batch.weight)
        if total:
            loss, _ = task.loss.weighted(y, raw, batch.weight, 1.0 / total)
            if len(parts):
                parts += task.loss.part_sums(y, raw, batch.weight, 1.0)
            losses.append(loss)
            totals.append(total)
        prediction = task.loss.inverse_link(raw)
        finite = finite and bool(np.isfinite(prediction).all())
        if finite:
            predicted.append(np.array(task.decode(prediction)))
    loss = losses[0] if len(losses) == 1 else float(np.average(losses, weights=totals))
    parts /= sum(totals) or 1.0
    if not finite:
        return Evaluation(loss, None, parts)
    if isinstance(data.X, Ragged) and network.keeps_steps():
        return Evaluation(loss, join_steps(predicted, data.X), parts)
    whole = predicted[0] if len(predicted) == 1 else np.concatenate(predicted)
    return Evaluation(loss, whole, parts)
