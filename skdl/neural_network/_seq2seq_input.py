"""Pairs of sequences: what is read, and what is to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdl._compat import validate_data
from skdl._ragged import Ragged
from skdl.neural_network._fitted_tokenizer import fitted_tokenizer
from skdl.targets import same_form, sequence_form
from skdl.text import Tokenizer

if TYPE_CHECKING:
    from skdl.neural_network._seq2seq_base import BaseSeq2Seq


def read_source(estimator: BaseSeq2Seq, X: Any, reset: bool) -> Ragged:
    """Check what is read and return its ids, the end behind each sequence.

    Parameters
    ----------
    estimator : BaseSeq2Seq
        Has `tokenizer_` and `_source_form`, or gets them with `reset`.
    X : object
        Sequences in any of the forms that the estimator takes.
    reset : bool
        Whether this is the first call.

    Returns
    -------
    ids : Ragged
        The sequences.

    Raises
    ------
    ValueError, TypeError
        If X is of no such form, or not of that of the first call, or empty.
    """
    form, X = sequence_form(X, "X")
    if form == "column":  # whose error says more
        form = "table"
    if form == "table":
        X = validate_data(estimator, X, dtype=None, reset=reset)
    elif reset:
        for name in ("n_features_in_", "feature_names_in_"):
            estimator.__dict__.pop(name, None)
    if reset:
        estimator.tokenizer_ = fitted_tokenizer(estimator.tokenizer, form, X)
        estimator._source_form = form
    same_form(form, estimator._source_form, "X")
    rows = map(np.asarray, estimator.tokenizer_.transform(X))
    ends = [np.append(row, np.asarray(Tokenizer.END, row.dtype)) for row in rows]
    return Ragged.of(ends)
