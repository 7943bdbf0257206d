"""From what the user passes to what a training run needs: all checks come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdl import optimizers
from skdl._ragged import Ragged
from skdl._request import Request
from skdl._warn import warn
from skdl.neural_network._rows import rows_for
from skdl.optimizers import Optimizer
from skdl.tasks import Task
from skdl.training import Data

if TYPE_CHECKING:
    from skdl.neural_network._trainable import Trainable


class Plan(NamedTuple):
    """Everything a training run needs that does not change while it runs."""

    task: Task
    optimizer: Optimizer
    dtype: np.dtype[Any]
    train: Data
    validation: Data | None
    batch_size: int
    seed: int
    incremental: bool


def make_plan(
    estimator: Trainable, request: Request, fresh: bool, seed: int | None
) -> Plan:
    """Check all input and settings.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    request : Request
        What the user passed.
    fresh : bool
        Whether training starts anew: the kind of targets and the number of features
        are then learned from the data, and else checked against them.
    seed : int or None
        Where the randomness comes from; None asks `random_state`.

    Returns
    -------
    plan : Plan
        What to do.

    Raises
    ------
    ValueError, TypeError
        If anything is out of range.
    """
    optimizer = optimizers.get(estimator.optimizer).settled()
    incremental = request.incremental
    _check_request(estimator, optimizer, request)
    X, y = estimator._read(request.X, request.y, reset=fresh)
    goes_on = not fresh and estimator.dtype is None
    dtype = estimator.network_.dtype if goes_on else estimator._dtype_for(X)
    X = rows_for(dtype, X)
    task = estimator._task_for(y, request.classes, dtype, fresh)
    train = make_data(task, X, y, request.sample_weight, dtype)
    train = with_classes(task, train, dtype, incremental)
    validation = None
    if request.X_val is not None:
        X, y = estimator._read(request.X_val, request.y_val, reset=False)
        X = rows_for(dtype, X)
        validation = make_data(task, X, y, request.sample_weight_val, dtype)
    if seed is None:
        seed = draw_seed(estimator)
    if estimator.early_stopping and validation is None:
        train, validation = estimator._held_out(task, train, seed)
    batch_size = estimator._rows_in_batch(optimizer, train, incremental)
    plan = Plan(
        task, optimizer, dtype, train, validation, batch_size, seed, incremental
    )
    n_batches = estimator._batches(plan).n_batches
    optimizer.check(0 if incremental else estimator.max_iter, n_batches)
    return plan


def draw_seed(estimator: Trainable) -> int:
    """Return an integer from the estimator's `random_state`.

    Parameters
    ----------
    estimator : Trainable
        The estimator.

    Returns
    -------
    seed : int
        The same for the same integer `random_state`.
    """
    random_state = check_random_state(estimator.random_state)
    return int(random_state.randint(np.iinfo(np.int32).max))


def _check_request(
    estimator: Trainable, optimizer: Optimizer, request: Request
) -> None:
    request.check()
    if request.incremental and not optimizer.incremental:
        raise ValueError(
            "partial_fit needs an optimizer that takes one batch at a time, got "
            f"{type(optimizer).__name__}; use fit, or another optimizer."
        )
    if request.incremental and estimator.early_stopping and request.X_val is None:
        raise ValueError(
            "early_stopping=True under partial_fit needs validation data: pass X_val "
            "and y_val."
        )


def make_data(task: Task, X: Any, y: Any, weight: Any, dtype: DTypeLike) -> Data:
    """Return rows with their targets encoded and their weights checked.

    Parameters
    ----------
    task : Task
        Encodes the targets.
    X, y : object
        Rows and targets as the estimator has read them.
    weight : array-like of shape (n,) or None
        Weights as the user passed them.
    dtype : dtype
        Type of the encoded targets and of the weights.

    Returns
    -------
    data : Data
        The rows.

    Raises
    ------
    ValueError
        If weights or targets are out of range.
    """
    if weight is not None:
        weight = task.check_weight(weight, X, y, dtype)
        if not weight.any():
            raise ValueError("All sample weights are zero: no row would count.")
    encoded = task.encode(y, dtype)
    task.loss.check_targets(encoded.values if isinstance(encoded, Ragged) else encoded)
    elements = task.element_weight(y, weight, dtype)
    numbers = elements.values if isinstance(elements, Ragged) else elements
    if numbers is not None and not numbers.any():
        raise ValueError(
            "No target would count: all have a weight of zero, that of their row or "
            "as they are to be left out."
        )
    return Data(X, encoded, elements, y, weight)


def with_classes(
    task: Task, data: Data, dtype: DTypeLike, incremental: bool = False
) -> Data:
    """Return rows to train on, the weights of their classes included.

    Parameters
    ----------
    task : Task
        Has the weights of classes.
    data : Data
        The rows, from `make_data`.
    dtype : dtype
        Type of the weights.
    incremental : bool, default=False
        Whether they are a piece of a stream.

    Returns
    -------
    data : Data
        The rows.

    Raises
    ------
    ValueError
        If weights of classes are out of range, or need all rows.
    """
    weight = task.training_weight(data.target, data.weight, dtype, incremental)
    return data._replace(weight=weight)


def split_rows(
    estimator: Trainable, task: Task, data: Data, seed: int
) -> tuple[Data, Data]:
    """Divide rows at random into those to train on and those to validate with.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    task : Task
        Says what both parts must have in proportion.
    data : Data
        The rows.
    seed : int
        Where the randomness comes from.

    Returns
    -------
    train, validation : Data
        The parts.

    Raises
    ------
    ValueError
        If a part is too small, or has no weight.
    """
    n = data.n
    try:
        train, test = train_test_split(
            np.arange(n),
            test_size=estimator.validation_fraction,
            random_state=seed,
            stratify=task.strata(data.target),
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot split {n} samples with "
            f"validation_fraction={estimator.validation_fraction}: {error} Pass X_val "
            "and y_val, or more samples."
        ) from error
    parts = data.rows(train), data.rows(test)
    if len(test) < 2 or any(part.counts_nothing for part in parts):
        raise ValueError(
            f"early_stopping=True split {n} samples into {len(train)} for training and "
            f"{len(test)} for validation, of which one part is too small or has no "
            "weight. Pass X_val and y_val, raise validation_fraction, or give more "
            "samples."
        )
    return parts


def batch_size_of(
    estimator: Trainable, optimizer: Optimizer, n: int, incremental: bool
) -> int:
    """Return the rows of a step.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    optimizer : Optimizer
        Says whether it needs all rows.
    n : int
        Number of rows.
    incremental : bool
        Whether this is a piece of a stream.

    Returns
    -------
    batch_size : int
        From 1 to n.

    Raises
    ------
    ValueError
        If the optimizer needs all rows and is to have some.
    """
    wanted, name = estimator.batch_size, type(optimizer).__name__
    if wanted == "auto":
        return n if optimizer.full_batch else min(200, n)
    if wanted > n and not incremental:  # a stream's pieces may be of any size
        warn(
            f"batch_size={wanted} is larger than the {n} samples; all of them are one "
            "batch."
        )
    elif optimizer.full_batch and wanted < n:
        if not optimizer.incremental:
            raise ValueError(
                f"{name} works on the whole sample, got batch_size={wanted} for {n} "
                'samples; use batch_size="auto".'
            )
        warn(
            f"{name} is meant for the gradient of the whole sample and does poorly on "
            f'mini-batches of {wanted} of {n} samples; use batch_size="auto".'
        )
    return min(wanted, n)
