"""Training runs of an estimator: where they start, how they go, which one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from skdl._compat import call_hooks
from skdl._warn import warn
from skdl.layers import build_chain
from skdl.networks import Network
from skdl.neural_network._epochs import EpochTasks
from skdl.neural_network._evaluate import monitored, validator
from skdl.neural_network._plan import Plan
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
    from skdl.neural_network._trainable import Trainable

Result = tuple[TrainingState, str]


# ---- where runs start


def starting_states(
    estimator: Trainable, plan: Plan, previous: TrainingState | None
) -> list[TrainingState]:
    """Return where each restart begins.

    Parameters
    ----------
    estimator : Trainable
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
        plan.task.go_on(states[0].network, plan.train.y, plan.train.weight)
    else:
        n_init = 1 if plan.incremental else estimator.n_init
        sequences = np.random.SeedSequence(plan.seed).spawn(n_init)
        states = [_first(estimator, plan, sequence) for sequence in sequences]
    for state in states:
        state.best = _best(estimator, plan, state)
        state.finished = state.stopped_early = False
    return states


def build(estimator: Trainable, plan: Plan) -> Network:
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
    estimator: Trainable, plan: Plan, sequence: np.random.SeedSequence
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


def _best(estimator: Trainable, plan: Plan, state: TrainingState) -> Best:
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


def _measure(estimator: Trainable) -> str:
    """Name what early stopping looks at, the same in every process."""
    scoring, loss = estimator.scoring, getattr(estimator, "loss", None)
    names = [monitored(estimator)]
    names.append(getattr(scoring, "__qualname__", None) or repr(scoring))
    names.append(loss if isinstance(loss, str) else type(loss).__name__)
    return ", ".join(names)


# ---- how they go


def train(
    estimator: Trainable,
    plan: Plan,
    state: TrainingState,
    n_epochs: int,
    context: Any,
    label: str = "",
) -> Result:
    """Train one network.

    Parameters
    ----------
    estimator : Trainable
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
        validate=validator(estimator, plan, state.network),
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
    estimator: Trainable,
    plan: Plan,
    starts: list[TrainingState],
    n_epochs: int,
    root: Any,
) -> list[Result]:
    """Train several networks, in parallel where `n_jobs` says so.

    Parameters
    ----------
    estimator : Trainable
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
    estimator: Trainable,
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


# ---- what is printed


def _report(
    estimator: Trainable,
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


def _why(estimator: Trainable, trainer: Trainer) -> str:
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
