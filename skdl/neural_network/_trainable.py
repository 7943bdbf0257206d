"""What training asks of an estimator: its settings, its layers, its task, its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from skdl._compat import Integral, Interval, Options, Real, StrOptions, validate_data
from skdl._tables import column_named
from skdl.layers import Layer
from skdl.losses import Loss
from skdl.networks import Network
from skdl.neural_network._evaluate import Evaluation, evaluate
from skdl.neural_network._fitted import FittedNetwork
from skdl.neural_network._plan import Plan, batch_size_of, split_rows
from skdl.neural_network._rows import NO_TARGETS, are_given, rounded
from skdl.optimizers import Optimizer
from skdl.tasks import Task
from skdl.training import Batches, Data, RowBatches

_FLOATS = (np.float64, np.float32)


class Trainable(FittedNetwork):
    """All that a training run asks of an estimator.

    A subclass says which layers it has (`_body_layers`), what it is trained for
    (`_new_task`, `_same_task`) and, if its rows are not tables, how they are read
    (`_read`). The other methods have answers that hold for most.
    """

    # ---- settings

    layers: Any
    optimizer: Any
    initializer: Any
    loss: Any
    alpha: float
    l1: float
    batch_size: Any
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool | int
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: Any
    scoring: Any
    n_init: int
    n_jobs: int | None
    dtype: str | None
    init_from: Any
    freeze: Any
    layer_rates: Any

    _parameter_constraints: dict[str, Any] = {
        # An unknown name of a part lists those of its registry.
        "loss": "no_validation",
        "optimizer": "no_validation",
        "layers": [list, tuple, None],
        "initializer": "no_validation",
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
            StrOptions({"never"}),
        ],
        "scoring": [str, callable, None],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "init_from": "no_validation",  # checked where it is used
        "freeze": "no_validation",
        "layer_rates": [Interval(Real, 0, None, closed="neither"), dict, None],
    }

    # ---- what a subclass defines

    def _body_layers(self) -> list[Layer]:
        """Return the layers in front of the task's head."""
        raise TypeError(f"{type(self).__name__} must define _body_layers.")

    def _n_added_layers(self) -> int:
        """Return how many layers come before those that the user has chosen."""
        return 0

    def _new_task(self, y: Any, classes: Any, dtype: DTypeLike) -> Task:
        """Return the task for targets that are seen for the first time."""
        raise TypeError(f"{type(self).__name__} must define _new_task.")

    def _same_task(self, classes: Any) -> Task:
        """Return the task of the last fit, with the loss that is set now."""
        raise TypeError(f"{type(self).__name__} must define _same_task.")

    def _loss_as_set(self) -> Loss:
        """Return the loss that is set, with checked settings."""
        return self._registries["loss"].get(self.loss).settled()

    def _read(self, X: Any, y: Any = NO_TARGETS, *, reset: bool = False) -> Any:
        """Check input and return it as it is to be kept: integers stay what they are.

        Parameters
        ----------
        X : array-like
            Input.
        y : array-like, default="no_validation"
            Targets, if there are to be some.
        reset : bool, default=False
            Whether the number of features is learned, and not compared.

        Returns
        -------
        X : {ndarray, sparse matrix} of shape (n, ...) or Ragged
            Rows: floating numbers in the network's precision, others as they came.
        y : ndarray of shape (n, ...)
            Cleaned targets, if there are some.
        """
        options = {"accept_sparse": "csr", "dtype": None, "reset": reset}
        if not are_given(y):
            return self._in_precision(validate_data(self, X, **options))
        X, y = validate_data(self, X, y, multi_output=True, **options)
        return self._in_precision(X), self._clean_target(y)

    def _is_table(self, X: Any) -> bool:
        """Return whether the columns of X are features, as in the first call."""
        nested = isinstance(X, (list, tuple))
        return (np.ndim(X) if nested else getattr(X, "ndim", 2)) == 2

    def _clean_target(self, y: Any) -> Any:
        return y

    def _rows_as_given(self, data: Data) -> Any:
        """Return rows that the estimator's own methods take, for callbacks."""
        return data.X

    def _batches(self, plan: Plan) -> Batches:
        """Return the steps of an epoch."""
        return RowBatches(plan.train, plan.batch_size, self.shuffle, plan.task.of_batch)

    def _rows_in_batch(
        self, optimizer: Optimizer, train: Data, incremental: bool
    ) -> int:
        """Return the rows of a step."""
        return batch_size_of(self, optimizer, train.n, incremental)

    def _held_out(self, task: Task, data: Data, seed: int) -> tuple[Data, Data]:
        """Divide the rows into those to train on and those to validate with."""
        return split_rows(self, task, data, seed)

    def _evaluate(self, network: Network, data: Data) -> Evaluation:
        """Return the mean loss on rows, and predictions for `Task.score`."""
        return evaluate(network, self._task, data)

    def _task_for(self, y: Any, classes: Any, dtype: DTypeLike, fresh: bool) -> Task:
        return self._new_task(y, classes, dtype) if fresh else self._same_task(classes)

    # ---- precision

    def _dtype_for(self, X: Any) -> np.dtype[Any]:
        """Return the precision of a new network that is fitted to these rows."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)

    def _in_precision(self, X: Any) -> Any:
        """Return floating rows in the precision they are trained in."""
        if X.dtype.kind in "iub" and not sparse.issparse(X):
            return X  # cast batch by batch
        if self.dtype is None and X.dtype in _FLOATS:
            return X
        with column_named(X, getattr(self, "feature_names_in_", None)):
            return rounded(X, self._dtype_for(X))
