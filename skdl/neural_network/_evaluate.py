"""Loss, predictions and score of a network on rows that it is not trained on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.metrics import check_scoring

from skdl._ragged import Ragged, join_steps
from skdl._typing import Array
from skdl.losses import total_weight
from skdl.networks import Network
from skdl.tasks import Task
from skdl.training import Data, RowBatches

if TYPE_CHECKING:
    from skdl.neural_network._fitted import FittedNetwork
    from skdl.neural_network._plan import Plan
    from skdl.neural_network._trainable import Trainable


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
    batches = RowBatches(data, data.n, made=task.of_batch)
    losses, totals, predicted, finite = [], [], [], True
    parts = np.zeros(len(task.loss.parts))
    for rows, raw in network.predict_parts(data.X):
        y, weight = batches.answers(rows)
        total = total_weight(raw, weight)
        if total:
            loss, _ = task.loss.weighted(y, raw, weight, 1.0 / total)
            if len(parts):
                parts += task.loss.part_sums(y, raw, weight, 1.0)
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


def scores_by_loss(estimator: FittedNetwork) -> bool:
    """Return whether the validation metric is the loss.

    Parameters
    ----------
    estimator : FittedNetwork
        Has the setting `scoring`.

    Returns
    -------
    by_loss : bool
        Lower is better then.
    """
    return isinstance(estimator.scoring, str) and estimator.scoring == "loss"


def monitored(estimator: FittedNetwork) -> str:
    """Return the entry of the history that decides which epoch is best.

    Parameters
    ----------
    estimator : FittedNetwork
        Has the settings `early_stopping` and `scoring`.

    Returns
    -------
    name : str
        "loss", "val_loss" or "val_score".
    """
    if not estimator.early_stopping:
        return "loss"
    return "val_loss" if scores_by_loss(estimator) else "val_score"


def validator(
    estimator: Trainable, plan: Plan, network: Network
) -> Callable[[Network], dict[str, float]] | None:
    """Return what measures a network after each epoch.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted; it has the setting `scoring`.
    plan : Plan
        Has the rows to validate with.
    network : Network
        The network that is to be trained.

    Returns
    -------
    validate : callable or None
        ``validate(network)`` gives "val_loss", its parts and "val_score"; None if there
        are no rows to validate with.

    Raises
    ------
    ValueError
        If the network does not take the rows, or there is no such scorer.
    """
    data, task = plan.validation, plan.task
    if data is None:
        return None
    if isinstance(data.X, np.ndarray):
        network.at(data.X.shape[1:])  # raises before any work is lost
    scoring, scorer = estimator.scoring, None
    metric: Callable[[Any, Any, Any], float] = task.score
    if isinstance(scoring, str) and scoring in task.metrics:
        metric = task.metrics[scoring]
    elif scoring is not None and not scores_by_loss(estimator):
        scorer = check_scoring(estimator, scoring)
    weight = {} if data.weight is None else {"sample_weight": data.weight}

    def validate(network: Network) -> dict[str, float]:
        loss, predicted, parts = estimator._evaluate(network, data)
        row = {"val_loss": loss} | task.loss.named_parts("val_loss", parts)
        if predicted is None:
            row["val_score"] = np.nan  # metrics refuse predictions that are not finite
        elif scorer is not None:
            probe = copy.copy(estimator)
            probe.network_ = network
            probe.__dict__.pop("feature_names_in_", None)  # the rows are arrays by now
            row["val_score"] = float(scorer(probe, data.X, data.target, **weight))
        else:
            row["val_score"] = metric(data.target, predicted, data.weight)
        return row

    return validate
