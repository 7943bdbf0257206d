"""Training runs of an estimator: where they start, how they go, which one is kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import check_scoring

from skdl._compat import call_hooks
from skdl._warn import warn
from skdl.layers import build_chain
from skdl.networks import Network
from skdl.neural_network._plan import Plan
from skdl.neural_network._tasks import EpochTasks
from skdl.neural_network._transfer import rate_layers, start_from
from skdl.ops._blas import one_blas_thread
from skdl.optimizers import Optimizer
from skdl.training import (
    Batches,
    Best,
    DivergenceError,
    Objective,
    Report,
    Trainer,
    TrainingState,
)

if TYPE_CHECKING:
    from skdl.neural_network._base import BaseNetwork

Result = tuple[TrainingState, str]


def scores_by_loss(estimator: BaseNetwork) -> bool:
    """Return whether the validation metric is the loss."""
    return isinstance(estimator.scoring, str) and estimator.scoring == "loss"


def monitored(estimator: BaseNetwork) -> str:
    """Return the entry of the history that decides which epoch is best."""
    if not estimator.early_stopping:
        return "loss"
    return "val_loss" if scores_by_loss(estimator) else "val_score"


# ---- where runs start


def starting_states(
    estimator: BaseNetwork, plan: Plan, previous: TrainingState | None
) -> list[TrainingState]:
    """Return where each restart begins.

    Parameters
    ----------
    estimator : BaseNetwork
        The estimator that is being fitted.
    plan : Plan
        What to do.
    previous : TrainingState or None
        The run to go on with; there are no restarts then.

    Returns
    -------
    states : list of TrainingState
        One a restart; nothing in them is shared with `previous`.

    Raises
    ------
    ValueError
        If the layers do not fit, or not those of `previous`.
    """
    if previous is not None:
        states = [_continued(previous, build(estimator, plan), plan.optimizer)]
    else:
        n_init = 1 if plan.incremental else estimator.n_init
        sequences = np.random.SeedSequence(plan.seed).spawn(n_init)
        states = [_first(estimator, plan, sequence) for sequence in sequences]
    for state in states:
        state.best = _best(estimator, plan, state)
        state.finished = state.stopped_early = False
    return states


def build(estimator: BaseNetwork, plan: Plan) -> Network:
    """Return the network, its arrays all zero."""
    X = plan.train.X
    body = [layer.with_head(plan.task.head) for layer in estimator._body_layers()]
    shapes, _ = build_chain(body, X.shape[1:])
    rate_layers(estimator, body, X.shape[1:])
    layers = [*body, *plan.task.head(shapes[-1])]
    network = Network(layers, X.shape[1:], plan.dtype, estimator.initializer)
    network.check_input(X)
    return network


def _first(
    estimator: BaseNetwork, plan: Plan, sequence: np.random.SeedSequence
) -> TrainingState:
    rng = np.random.default_rng(sequence)
    network = build(estimator, plan)
    network.initialize(rng)
    plan.task.start(network, plan.train.y, plan.train.weight)
    start_from(estimator, network, plan.task)
    optimizer_state = plan.optimizer.init(network.params.n_active, network.dtype)
    return TrainingState(network, optimizer_state, rng, plan.seed)


def _continued(
    previous: TrainingState, network: Network, optimizer: Optimizer
) -> TrainingState:
    """Go on from a run with a network of the same arrays and perhaps other settings."""
    old, new = previous.network.params.shapes, network.params.shapes
    # A dropout layer that came or went changes names alone.
    if list(old.values()) != list(new.values()):
        raise ValueError(
            "Training cannot go on: the network's arrays were "
            f"{old} and now are {new}. "
            "Keep the architecture, or fit anew with warm_start=False."
        )
    state = previous.copy()
    if not network.take(state.network):  # vectors in the old order mean nothing now
        state.optimizer_state.owner, state.best = "", None
    state.network = network
    state.optimizer_state = optimizer.resumed(
        state.optimizer_state, network.params.n_active, network.dtype
    )
    return state


def _best(estimator: BaseNetwork, plan: Plan, state: TrainingState) -> Best:
    """Return what follows the best epoch, with the memory of an earlier run."""
    patience = estimator.n_iter_no_change
    endless = patience in ("never", np.inf) or (
        (plan.incremental or plan.optimizer.leaves_minima)
        and not estimator.early_stopping
    )
    best = Best(
        np.inf if endless else patience,
        tol=estimator.tol,
        higher_is_better=monitored(estimator) == "val_score",
        keep_weights=estimator.early_stopping,
        measure=_measure(estimator),
    )
    old = state.best
    if old is not None and best.follows_like(old):
        best.value, best.epoch, best.weights = old.value, old.epoch, old.weights
        best.waiting = 0 if state.finished else old.waiting
    return best


def _measure(estimator: BaseNetwork) -> str:
    """Name what early stopping looks at, the same in every process."""
    scoring, loss = estimator.scoring, getattr(estimator, "loss", None)
    names = [monitored(estimator)]
    names.append(getattr(scoring, "__qualname__", None) or repr(scoring))
    names.append(loss if isinstance(loss, str) else type(loss).__name__)
    return ", ".join(names)


# ---- how they go


def train(
    estimator: BaseNetwork,
    plan: Plan,
    state: TrainingState,
    n_epochs: int,
    context: Any,
    label: str = "",
) -> Result:
    """Train one network.

    Parameters
    ----------
    estimator : BaseNetwork
        The estimator that is being fitted.
    plan : Plan
        What to do.
    state : TrainingState
        Where it starts; changed in place.
    n_epochs : int
        At most so many epochs.
    context : CallbackContext
        The callbacks' context of this run.
    label : str, default=""
        What to call the run in print.

    Returns
    -------
    state : TrainingState
        The end of the run.
    reason : str
        Why it ended.

    Raises
    ------
    DivergenceError
        If the loss stops being finite; the estimator has the last finite weights.
    """
    state.network.check_trainable()
    tasks = EpochTasks(
        estimator,
        context,
        plan.train,
        lambda: estimator._fitted_attributes(state.copy()),
    )
    batches = estimator._batches(plan)
    report = _report(estimator, plan, state, batches, label)
    trainer = Trainer(
        state,
        Objective(state.network, plan.task.loss, estimator.alpha, estimator.l1),
        plan.optimizer,
        plan.train,
        batches,
        validate=_validator(estimator, plan, state.network),
        monitor=monitored(estimator),
        begin_epoch=tasks.begin,
        end_epoch=tasks.end,
        report=report,
    )
    trainer.task = context
    call_hooks(estimator, "on_training_begin", trainer)
    try:
        if n_epochs > 0:
            rows_a_step = -(-trainer.batches.n_rows // trainer.n_batches)
            with state.network.computing(rows_a_step):
                trainer.run(n_epochs, 0 if plan.incremental else n_epochs)
    except DivergenceError:
        estimator._set_fitted(state)
        raise
    state.stopped_early = trainer.stop_reason == "no_improvement"
    ended = not plan.incremental or state.stopped_early
    if estimator.early_stopping and ended and state.best and state.best.weights:
        state.network.restore(state.best.weights)
    state.finished = ended and trainer.stop_reason != "interrupted"
    call_hooks(estimator, "on_training_end", trainer)
    if not (plan.incremental and trainer.stop_reason == "max_iter"):
        report.end(_why(estimator, trainer))
    return state, trainer.stop_reason


def train_restarts(
    estimator: BaseNetwork,
    plan: Plan,
    starts: list[TrainingState],
    n_epochs: int,
    root: Any,
) -> list[Result]:
    """Train several networks, in parallel where `n_jobs` says so.

    Parameters
    ----------
    estimator : BaseNetwork
        The estimator that is being fitted.
    plan : Plan
        What to do.
    starts : list of TrainingState
        Where they start.
    n_epochs : int
        At most so many epochs each.
    root : CallbackContext
        The callbacks' context of the fit.

    Returns
    -------
    results : list of (TrainingState, str)
        In the order of `starts`, as far as they were run: an interruption ends them.
    """
    jobs = [
        delayed(_train_alone)(
            estimator,
            plan,
            start,
            n_epochs,
            root.subcontext(task_name="restart", task_id=i, max_subtasks=n_epochs),
            f", restart {i + 1} of {len(starts)}",
        )
        for i, start in enumerate(starts)
    ]
    results: list[Result] = []
    try:
        for result in Parallel(n_jobs=estimator.n_jobs, return_as="generator")(jobs):
            results.append(result)
            if result[1] == "interrupted":
                break
    except KeyboardInterrupt:  # other processes are gone, with what they had
        if not results:
            raise
        warn(
            f"Training was interrupted; the best of {len(results)} restarts that had "
            "ended is kept."
        )
    return results


def _train_alone(
    estimator: BaseNetwork,
    plan: Plan,
    state: TrainingState,
    n_epochs: int,
    context: Any,
    label: str,
) -> Result:
    with one_blas_thread():  # this may be another process
        return train(estimator, plan, state, n_epochs, context, label)


def rank(result: Result) -> float:
    """Return what the kept restart has least of: the loss, or minus the score."""
    state = result[0]
    best = state.best
    if best is not None and best.keep_weights and best.epoch:
        return -best.sign * best.value
    return state.loss if state.history else np.inf


def _validator(
    estimator: BaseNetwork, plan: Plan, network: Network
) -> Callable[[Network], dict[str, float]] | None:
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


# ---- what is printed


def _report(
    estimator: BaseNetwork,
    plan: Plan,
    state: TrainingState,
    batches: Batches,
    label: str,
) -> Report:
    n = batches.n_batches
    title = (
        f"{type(estimator).__name__}{label}: {state.network.params.size:,} parameters, "
        f"{plan.train.n:,} samples in batches of {plan.batch_size} "
        f"({n} update{'s' * (n > 1)} an epoch)"
    )
    return Report(title, int(estimator.verbose), header=state.epoch == 0)


def _why(estimator: BaseNetwork, trainer: Trainer) -> str:
    epoch, best = trainer.state.epoch, trainer.state.best
    monitor = {
        "loss": "training loss",
        "val_loss": "validation loss",
        "val_score": "validation score",
    }[trainer.monitor]
    text = {
        "max_iter": f"Done: {epoch} epoch{'s' * (epoch > 1)}.",
        "converged": f"Done: the optimizer converged after {epoch} iterations.",
        "callback": f"Stopped after epoch {epoch} by a callback.",
        "interrupted": f"Interrupted after epoch {epoch}.",
        "no_improvement": (
            f"Stopped after epoch {epoch}: the {monitor} did not improve by "
            f"{estimator.tol:g} for {estimator.n_iter_no_change} epochs."
        ),
        "": f"Nothing left to do after epoch {epoch}.",
    }[trainer.stop_reason]
    if best is not None and best.epoch:
        text += f" Best {monitor} {best.value:.5g} in epoch {best.epoch}"
        text += ", whose weights are kept." if estimator.early_stopping else "."
    return text
