"""Sequences as users have them: in lists, in padded arrays, or in rows of numbers."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_X_y

from skdl._compat import validate_data
from skdl._ragged import Ragged
from skdl._typing import Array
from skdl.neural_network._rows import are_given

_HOW = (
    "a list of arrays of shape (length, n_features) or (length,), an array of shape "
    "(n_sequences, n_steps, n_features) padded with NaN or masked, or an array whose "
    "rows are sequences of numbers"
)


class Form(NamedTuple):
    """What the sequences of the first call were like.

    Attributes
    ----------
    rows : bool
        Whether they were the rows of a table: others then have as many columns.
    n_features : int
        Numbers, or symbols, at a step.
    """

    rows: bool
    n_features: int


class ReadsSequences(Protocol):
    """An estimator for sequences.

    Attributes
    ----------
    n_features_in_ : int
        Numbers at a step; of tables the columns.
    """

    n_features_in_: int
    _form: Form


def read_sequences(
    estimator: ReadsSequences, X: Any, y: Any, reset: bool
) -> tuple[Any, Any]:
    """Check sequences, and one target for each.

    Parameters
    ----------
    estimator : estimator
        Gets the number and names of features and `_form`, or has them, unless `reset`.
    X : list or array-like
        Sequences: a list (or an array of objects) of arrays of shape (length,
        n_features) or (length,) or of strings; a numeric array of shape (n, n_steps,
        n_features), with NaN in all features or masked behind the end of each
        sequence; or one of shape (n, n_steps), of one feature, likewise.
    y : array-like or "no_validation"
        Targets.
    reset : bool
        Whether the form is learned, and not compared.

    Returns
    -------
    X : ndarray of shape (n, n_steps, n_features) or Ragged
        Sequences, `Ragged` if they differ in length; elements of the type they came in.
    y : ndarray or "no_validation"
        Targets.

    Raises
    ------
    ValueError
        If these are no sequences, one of them is empty, or they differ in features.
    """
    X = _container(X, reset)
    masked = X if isinstance(X, np.ma.MaskedArray) else None
    if masked is not None:
        X = masked.filled(0)
    is_table = not isinstance(X, list) and getattr(X, "ndim", 2) <= 2
    if is_table:
        X, y = _read_table(estimator, X, y, reset)
        sequences = X[:, :, None]
    else:
        sequences, y = _read_steps(estimator, X, y)
    form = Form(is_table, sequences.shape[2])
    if reset:
        estimator._form = form
        if not is_table:
            estimator.n_features_in_ = form.n_features
            estimator.__dict__.pop("feature_names_in_", None)
    elif form.n_features != estimator._form.n_features:
        _other_features(estimator, form)
    if isinstance(sequences, Ragged):
        return sequences, y
    if masked is not None:
        own = ~np.ma.getmaskarray(masked).reshape(*sequences.shape[:2], -1)
        return without_padding(sequences, own), y
    if sequences.dtype.kind in "fO":
        missing = _missing(sequences)
        if missing.any():
            return without_padding(sequences, ~missing), y
    return sequences, y


def is_list(X: Any) -> bool:
    """Return whether X holds sequences one by one.

    Parameters
    ----------
    X : object
        What the user passed.

    Returns
    -------
    is_list : bool
        False for arrays and tables of numbers, and for nested lists in their place.
    """
    return isinstance(_container(X, False), list)


def is_table(X: Any) -> bool:
    """Return whether X has rows and columns.

    Parameters
    ----------
    X : object
        What the user passed.

    Returns
    -------
    is_table : bool
        True for arrays of two dimensions, DataFrames, and nested lists in their place.
    """
    X = _container(X, True)
    return not isinstance(X, list) and getattr(X, "ndim", 2) == 2


def _container(X: Any, reset: bool) -> Any:
    """Return lists for what holds objects, arrays and tables for what holds numbers."""
    if reset and _is_table_in_lists(X):
        return np.asarray(X)
    if isinstance(X, np.ma.MaskedArray) or sparse.issparse(X):
        return X
    if isinstance(X, tuple):
        return list(X)
    if isinstance(X, list) or hasattr(X, "columns"):
        return X
    X = np.asarray(X)
    holds_objects = X.ndim == 1 and X.dtype.kind in "OUS"
    return list(X) if holds_objects and len(X) else X


def _is_table_in_lists(X: Any) -> bool:
    """Whether X is what ``tolist()`` makes of an array of two dimensions."""
    if not isinstance(X, (list, tuple)) or not all(
        isinstance(row, (list, tuple)) and len(row) == len(X[0]) for row in X
    ):
        return False
    return len(X) > 0 and len(X[0]) > 0 and all(np.ndim(e) == 0 for e in X[0])


def _read_table(
    estimator: ReadsSequences, X: Any, y: Any, reset: bool
) -> tuple[Array, Any]:
    """Check rows that are sequences of numbers, or of symbols."""
    options: dict[str, Any] = {"dtype": None, "ensure_all_finite": "allow-nan"}
    with_y = are_given(y)
    if reset or estimator._form.rows:
        options["reset"] = reset
        if with_y:
            return validate_data(estimator, X, y, multi_output=True, **options)
        return validate_data(estimator, X, **options), y
    if with_y:
        return check_X_y(X, y, multi_output=True, estimator=estimator, **options)
    return check_array(X, input_name="X", estimator=estimator, **options), y


def _read_steps(estimator: ReadsSequences, X: Any, y: Any) -> tuple[Any, Any]:
    """Check a list of sequences, or an array of three dimensions."""
    if isinstance(X, list):
        X = joined(X)
    else:
        if X.ndim != 3 or X.dtype.kind not in "iufb":
            raise ValueError(f"X must be {_HOW}; got shape {X.shape} of {X.dtype}.")
        if 0 in X.shape:
            raise ValueError(f"X has no sequences, steps or features: shape {X.shape}.")
        check_array(X, ensure_all_finite="allow-nan", allow_nd=True, input_name="X")
    if are_given(y):
        rows = np.zeros((len(X), 1))
        y = check_X_y(rows, y, multi_output=True, estimator=estimator)[1]
    return X, y


def joined(sequences: list[Any]) -> Any:
    """Check sequences of a list and join them.

    Parameters
    ----------
    sequences : list of array-like of shape (length,) or (length, n_features)
        The sequences; a string is one of characters.

    Returns
    -------
    X : ndarray of shape (n, n_steps, n_features) or Ragged
        A copy; an array if all are of one length.

    Raises
    ------
    ValueError
        If there are none, one of them is empty or no sequence, or they differ in
        features; the message names the first that does.
    """
    if not sequences:
        raise ValueError("X has no sequences: the list is empty (0 samples).")
    arrays: list[Array] = []
    for i, sequence in enumerate(sequences):
        array = _one(sequence, i)
        if array.shape[1] != (
            width := arrays[0].shape[1] if arrays else array.shape[1]
        ):
            raise ValueError(
                "All sequences must have the same features: sequence 0 has "
                f"{width}, sequence {i} has {array.shape[1]}."
            )
        arrays.append(array)
    X = Ragged.of(arrays)
    if X.dtype.kind == "f" and not np.isfinite(X.values).all():
        _not_finite(X)
    same = (X.lengths == X.shape[1]).all()
    return X.values.reshape(X.shape) if same else X


def _one(sequence: Any, i: int) -> Array:
    """Return one sequence with its axis of features."""
    if isinstance(sequence, str):
        array = np.frombuffer(sequence.encode("utf-32-le"), "<U1")
    elif sparse.issparse(sequence):
        raise ValueError(f"Sequence {i} is sparse; use its toarray().")
    else:
        sequence = _unmasked(sequence, i)
        try:
            array = np.asarray(sequence)
        except ValueError as error:
            raise ValueError(
                f"Sequence {i} is no array: its steps have different numbers of "
                "features."
            ) from error
    if array.ndim not in (1, 2):
        kind = "a single number" if array.ndim == 0 else f"of shape {array.shape}"
        hint = " One sequence alone needs a list around it: [X]." if i == 0 else ""
        raise ValueError(f"X must be {_HOW}; sequence {i} is {kind}.{hint}")
    if 0 in array.shape:
        raise ValueError(
            f"Sequence {i} is empty (shape {array.shape}): each needs at least one "
            "step and one feature; leave it out."
        )
    return array[:, None] if array.ndim == 1 else array


def _unmasked(sequence: Any, i: int) -> Any:
    """Return a sequence without its masked end."""
    if not isinstance(sequence, np.ma.MaskedArray) or sequence.ndim == 0:
        return sequence
    hidden = np.ma.getmaskarray(sequence).reshape(len(sequence), -1)
    n = int((~hidden.all(axis=1)).sum())
    if hidden[:n].any():
        raise ValueError(
            f"Sequence {i} has masked numbers between others; only whole steps at its "
            "end may be masked, as padding."
        )
    return sequence.data[:n]


def _missing(sequences: Array) -> Array:
    """Return where numbers are NaN, and objects None or NaN."""
    if sequences.dtype.kind == "f":
        return np.isnan(sequences)
    found = [
        x is None or type(x).__name__ == "NAType" or (isinstance(x, float) and x != x)
        for x in sequences.ravel().tolist()
    ]
    return np.array(found, bool).reshape(sequences.shape)


def as_ragged(X: Any) -> Ragged:
    """Return sequences as `Ragged`, also if all are of one length.

    Parameters
    ----------
    X : ndarray of shape (n, n_steps, ...) or Ragged
        Sequences.

    Returns
    -------
    X : Ragged
        Their elements are not copied.
    """
    if isinstance(X, Ragged):
        return X
    n, n_steps = X.shape[:2]
    offsets = n_steps * np.arange(n + 1)
    return Ragged(X.reshape(n * n_steps, *X.shape[2:]), offsets)


def without_padding(X: Array, own: Array) -> Any:
    """Return padded sequences without what lies behind their ends.

    Parameters
    ----------
    X : ndarray of shape (n, n_steps, n_features)
        Sequences.
    own : ndarray of bool of shape (n, n_steps, n_features) or (n, n_steps, 1)
        False where an element is missing.

    Returns
    -------
    X : ndarray of shape (n, n_steps, n_features) or Ragged
        The array itself if nothing is missing.

    Raises
    ------
    ValueError
        If elements are missing elsewhere than behind the end of a sequence, or in some
        of the features alone.
    """
    steps: Array = np.any(own, axis=2)
    lengths = X.shape[1] - steps[:, ::-1].argmax(axis=1)
    inside = np.arange(X.shape[1]) < lengths[:, None]
    holes = np.argwhere(inside & ~np.all(own, axis=2))
    empty = np.flatnonzero(~np.any(steps, axis=1))
    if len(empty):
        raise ValueError(
            f"Input X contains NaN: sequence {empty[0]} is missing as a whole; leave "
            "it out."
        )
    if len(holes):
        i, step = holes[0]
        raise ValueError(
            f"Input X contains NaN: sequence {i} misses numbers at step {step}, before "
            f"its end at step {lengths[i] - 1}. NaN, or a mask, stands for padding "
            "behind the end, in all features; fill what is missing elsewhere."
        )
    if inside.all():
        return X
    return Ragged(X[inside], np.concatenate([[0], np.cumsum(lengths)]))


def _not_finite(X: Ragged) -> NoReturn:
    step = int(np.argwhere(~np.isfinite(X.values))[0, 0])
    i = int(np.searchsorted(X.offsets, step, side="right")) - 1
    what = "NaN" if np.isnan(X.values[step]).any() else "infinity"
    raise ValueError(
        f"Input X contains {what}: sequence {i}, step {step - X.offsets[i]}. Sequences "
        "in a list need no padding."
    )


def _other_features(estimator: ReadsSequences, form: Form) -> NoReturn:
    known = estimator._form.n_features
    hint = ""
    if form.rows:
        hint = (
            " Rows of numbers are sequences of one feature; one sequence alone needs a "
            "list around it: [X]."
        )
    raise ValueError(
        f"X has {form.n_features} features a step, but {type(estimator).__name__} is "
        f"expecting {known} features as input.{hint}"
    )
