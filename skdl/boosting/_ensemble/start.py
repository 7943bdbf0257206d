"""Where boosting starts: a constant, a model, or the rounds already done."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.boosting._ensemble.ensemble import Ensemble
from skdl.boosting._ensemble.first_model import FirstModel
from skdl.boosting._inputs.data import TrainingData
from skdl.losses import Loss, NotFiniteError
from skdl.optimizers import FirstOrder


def first_ensemble(
    init: Any, loss: Loss, rule: FirstOrder, problem: TrainingData, n_raw: int
) -> Ensemble:
    """Return the ensemble before the first round.

    Parameters
    ----------
    init : None, "zero" or estimator
        What the user wants to start from; None is the best constant.
    loss : Loss
        The loss.
    rule : FirstOrder
        The step rule.
    problem : TrainingData
        The data.
    n_raw : int
        Number of raw predictions.

    Returns
    -------
    ensemble : Ensemble
        Without learners.

    Raises
    ------
    ValueError
        If there are weights and `init` takes none, or its predictions are no start.
    """
    baseline, model = np.zeros(n_raw), None
    if init is None:
        baseline = start_constant(loss, problem, n_raw)
    elif init != "zero":
        model = FirstModel(init, loss, n_raw)
        model.fit(problem.X, problem.y, problem.weight)
    return Ensemble(loss, baseline, model, rule, [], [])


def continued(
    old: Ensemble, loss: Loss, rule: FirstOrder, n_raw: int, shared: bool | None
) -> Ensemble:
    """Return a fitted ensemble with perhaps other settings, to go on from.

    Parameters
    ----------
    old : Ensemble
        The fitted one; it is not changed.
    loss : Loss
        The loss of the rounds to come.
    rule : FirstOrder
        Their step rule.
    n_raw : int
        Number of raw predictions now.
    shared : bool or None
        Whether one tree serves all raw predictions; None where the learners of the
        rounds to come are no trees.

    Returns
    -------
    ensemble : Ensemble
        Shares the learners.

    Raises
    ------
    ValueError
        If the rounds to come do not fit those that are done.
    """
    if type(rule) is not type(old.rule) or n_raw != old.n_raw:
        raise ValueError(
            f"warm_start cannot go on from {type(old.rule).__name__} with "
            f"{old.n_raw} outputs to {type(rule).__name__} with {n_raw}; set "
            "warm_start=False to start anew."
        )
    changed = _changed_settings(old.rule, rule)
    if changed:
        raise ValueError(
            f"warm_start cannot go on with another {' and '.join(changed)} of "
            f"{type(rule).__name__}: the rounds that are done would change. Leave it, "
            "or set warm_start=False to start anew."
        )
    if shared is not None and n_raw > 1 and old.has_trees and old.rounds:
        was_shared = old.rounds[0].shared
        if was_shared != shared:
            raise ValueError(
                f"warm_start cannot go on from shared_trees={was_shared} to "
                f"shared_trees={shared}; set warm_start=False to start anew."
            )
    if not _same_link(old.loss, loss, n_raw):
        raise ValueError(
            f"warm_start cannot go on from {type(old.loss).__name__} to "
            f"{type(loss).__name__}: their raw predictions mean different "
            "things. Set warm_start=False to start anew."
        )
    ensemble = old.truncated(len(old.rounds))
    ensemble.loss, ensemble.rule = loss, rule
    return ensemble


def _changed_settings(one: FirstOrder, other: FirstOrder) -> list[str]:
    """Name what differs between two step rules of a class, but for the rates."""
    before, now = one.get_params(deep=False), other.get_params(deep=False)
    return [
        f"{name} ({before[name]!r} before, {now[name]!r} now)"
        for name in before
        if name != "learning_rate" and before[name] != now[name]
    ]


def _same_link(one: Loss, other: Loss, n_raw: int) -> bool:
    """Whether two losses turn the same raw predictions into the same predictions."""
    raw = np.linspace(-2.0, 2.0, 5 * n_raw).reshape(5, n_raw)
    return np.allclose(one.inverse_link(raw), other.inverse_link(raw))


def start_constant(loss: Loss, problem: TrainingData, n_raw: int) -> Array:
    """Return the constant that boosting starts from.

    Parameters
    ----------
    loss : Loss
        The loss.
    problem : TrainingData
        The data.
    n_raw : int
        Number of raw predictions.

    Returns
    -------
    baseline : float64 ndarray of shape (n_raw,)
        The best constant; zeros for a custom loss of classes.

    Raises
    ------
    ValueError
        If no constant gives a loss that is finite.
    """
    if loss.task == "any" and problem.y.ndim == 1:
        return np.zeros(n_raw)
    try:
        best = loss.init_raw(problem.y, problem.weight)
    except NotFiniteError as error:
        raise ValueError(
            f'{error} Pass init="zero" or an estimator as init, or scale the targets.'
        ) from error
    baseline = np.asarray(best, dtype=np.float64)
    if problem.y.ndim == 1 and len(baseline) < n_raw:  # the last classes have no rows
        absent = np.full(n_raw - len(baseline), np.log(np.finfo(np.float64).eps))
        return np.concatenate([baseline, absent])
    return np.broadcast_to(baseline, (n_raw,)).copy()
