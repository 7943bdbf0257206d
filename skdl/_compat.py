"""The only file that touches scikit-learn's privates, version differences and types.

scikit-learn has no annotations: for a type checker its classes are of any type, and so
is everything that derives from them. What skdl's users see of its base classes is
written down here, so that a checker knows what ``fit`` returns, and that a mistyped
method does not exist. At run time they are scikit-learn's own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples
from sklearn.utils.validation import validate_data as _validate_data

from skdl._tables import as_frame, as_table, check_no_times, column_named

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeVar

    from skdl._runs import KeptRun, TrainingRun
    from skdl._typing import Array

    F = TypeVar("F", bound=Callable[..., Any])
    K = TypeVar("K", bound=KeptRun)
    Request = bool | str | None

    class BaseEstimator:
        """Parameters, routing and representation."""

        _parameter_constraints: dict[str, Any]

        @classmethod
        def _get_param_names(cls) -> list[str]: ...
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def get_metadata_routing(self) -> Any: ...
        def _repr_html_(self) -> str: ...
        def _html_repr(self) -> str: ...
        def _get_params_html(self, deep: bool = ..., doc_link: str = ...) -> Any: ...
        def __getstate__(self) -> dict[str, Any]: ...
        def __setstate__(self, state: dict[str, Any]) -> None: ...
        def __sklearn_tags__(self) -> Any: ...
        def __sklearn_clone__(self) -> Self: ...

    class _Predictor:
        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
        def set_fit_request(self, **requests: Request) -> Self: ...
        def set_score_request(self, *, sample_weight: Request = None) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin(_Predictor):
        """Accuracy as score."""

        _estimator_type: str

    class RegressorMixin(_Predictor):
        """R² as score."""

        _estimator_type: str

    class TransformerMixin:
        """Fit and transform at once, into the container of choice."""

        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any: ...
        def set_output(self, *, transform: str | None = None) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassNamePrefixFeaturesOutMixin:
        """Names of output features from the name of the class."""

        def get_feature_names_out(self, input_features: Any = None) -> Array: ...

    class MetaEstimatorMixin:
        """Holds another estimator."""

    class CallbackSupportMixin:
        """Callbacks of `sklearn.callback`."""

        def set_callbacks(self, *callbacks: Any) -> Self: ...
        def _init_callback_context(self, **settings: Any) -> Any: ...

    def sklearn_fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
        """Check the parameters before `fit`, as scikit-learn does."""

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        MetaEstimatorMixin,
        RegressorMixin,
        TransformerMixin,
    )
    from sklearn.base import _fit_context as sklearn_fit_context
    from sklearn.callback import CallbackSupportMixin

__all__ = [
    "CALLBACK_ATTRIBUTES",
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassNamePrefixFeaturesOutMixin",
    "ClassifierMixin",
    "HasMethods",
    "Integral",
    "Interval",
    "MetaEstimatorMixin",
    "Options",
    "Real",
    "RealNotInt",
    "RegressorMixin",
    "StrOptions",
    "TransformerMixin",
    "VisualBlock",
    "call_hooks",
    "callbacks_of",
    "check_sample_weight",
    "keeps_runs",
    "kept_run",
    "sklearn_fit_context",
    "takes_sparse",
    "unchanged_if_fails",
    "validate_data",
    "validate_parameter_constraints",
    "with_weight",
    "without_callbacks",
]


# Attributes that scikit-learn's callback machinery keeps on an estimator during `fit`.
CALLBACK_ATTRIBUTES = (
    "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
    "_parent_callback_ctx",
)


def takes_sparse(*parts: Any) -> bool:
    """Return whether estimators take sparse X.

    Parameters
    ----------
    *parts : estimator, str or None
        What is no estimator takes it.

    Returns
    -------
    takes : bool
        False if one of them says that it does not.
    """
    return all(
        not hasattr(part, "fit") or get_tags(part).input_tags.sparse for part in parts
    )


def validate_data(
    estimator: Any, X: Any = "no_validation", y: Any = "no_validation", **settings: Any
) -> Any:
    """Check data as scikit-learn does, with a clear error for a lazy table.

    Parameters
    ----------
    estimator : estimator
        Gets, or is compared with, the number and names of features.
    X : array-like or DataFrame
        Rows.
    y : array-like
        Targets.
    **settings : object
        Those of `sklearn.utils.validation.validate_data`.

    Returns
    -------
    checked : ndarray, sparse matrix or tuple
        What scikit-learn returns.

    Raises
    ------
    TypeError
        If X is a query whose rows are not there yet.
    ValueError
        If the data are wrong; of a column of words the error says which.
    """
    X = as_table(X)
    frame = as_frame(X)
    if not settings.get("skip_check_array"):
        check_no_times(X, frame)
    with column_named(X):
        return _validate_data(estimator, X, y, **settings)


@contextmanager
def unchanged_if_fails(estimator: Any) -> Iterator[None]:
    """Give a fitted estimator its attributes back if the block raises.

    `fit` only assigns attributes and never changes the objects behind the old ones, so
    the old dictionary is the old model. An estimator that was not fitted before keeps
    what the block has left, such as the last finite weights of a diverging run.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.

    Yields
    ------
    None
    """
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        if any(name.endswith("_") and not name.startswith("_") for name in before):
            now = estimator.__dict__
            kept = {k: now[k] for k in CALLBACK_ATTRIBUTES if k in now}
            now.clear()
            now.update(before)
            now.update(kept)
        raise


def with_weight(X: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Return the rows that count: those of weight 0 are left out.

    Parameters
    ----------
    X : array-like, DataFrame or list
        Rows.
    sample_weight : array-like of shape (n,) or None
        Weights. What is no such thing is returned as it is, for a later check.

    Returns
    -------
    X, sample_weight : object
        The rows whose weight is not 0; all of them, if it is 0 everywhere.
    """
    if sample_weight is None:
        return X, None
    weight = np.asarray(sample_weight)
    if weight.ndim != 1 or _num_samples(X) != len(weight):
        return X, sample_weight
    counts = np.flatnonzero(weight != 0)
    if len(counts) in (0, len(weight)):
        return X, sample_weight
    return _safe_indexing(X, counts), weight[counts]


def callbacks_of(estimator: Any) -> list[Any]:
    """Return the callbacks that `set_callbacks` has put on an estimator.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    callbacks : list
        The callbacks; empty if there are none.
    """
    return list(getattr(estimator, "_skl_callbacks", []))


def keeps_runs(callback: Any) -> bool:
    """Return whether a callback saves runs and gives them back, as a checkpoint does.

    Parameters
    ----------
    callback : callback
        Any callback.

    Returns
    -------
    keeps : bool
        Whether it has `resume_run`.
    """
    return hasattr(callback, "resume_run")


def kept_run(estimator: Any, kind: type[K]) -> K | None:
    """Return the run that a callback of the estimator has kept, if there is one.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    kind : type
        The class of its runs.

    Returns
    -------
    run : KeptRun or None
        Where to go on.

    Raises
    ------
    TypeError
        If the callback gives something else.
    """
    for callback in filter(keeps_runs, callbacks_of(estimator)):
        run = callback.resume_run(estimator)
        if run is not None and not isinstance(run, kind):
            raise TypeError(
                f"{type(callback).__name__}.resume_run must return a {kind.__name__}, "
                f"or None, got {run!r}."
            )
        return run
    return None


def call_hooks(estimator: Any, hook: str, run: TrainingRun) -> None:
    """Call one of skdl's own hooks, of those callbacks that have it.

    Besides scikit-learn's protocol a callback may define `on_training_begin` and
    `on_training_end` with (estimator, run).

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    hook : str
        Name of the hook.
    run : TrainingRun
        The trainer of a network, or the run of a booster.
    """
    # A checkpoint comes last: it saves what the others have done.
    for callback in sorted(callbacks_of(estimator), key=keeps_runs):
        if hasattr(callback, hook):
            getattr(callback, hook)(estimator, run)


def without_callbacks(estimator: Any) -> Any:
    """Return a shallow copy without callbacks, fit to be stored.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    copy : estimator
        The copy.
    """
    new = copy.copy(estimator)
    for name in ("_skl_callbacks", *CALLBACK_ATTRIBUTES):
        new.__dict__.pop(name, None)
    return new
