"""Symbols of sequences: characters, words or numbers that stand for things."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._ragged import Ragged
from skdl.neural_network._sequences import as_ragged
from skdl.text import SymbolTokenizer


def learn_symbols(X: Any) -> SymbolTokenizer:
    """Return what numbers the symbols that occur.

    Parameters
    ----------
    X : ndarray of shape (n, n_steps, 1) or Ragged
        Sequences.

    Returns
    -------
    tokenizer : SymbolTokenizer
        Fitted to them.

    Raises
    ------
    ValueError
        If there are several symbols at a step.
    """
    return SymbolTokenizer().fit(part.tolist() for part in one_a_step(X))


def encode_symbols(tokenizer: SymbolTokenizer, X: Any) -> Ragged:
    """Return the numbers of symbols.

    Parameters
    ----------
    tokenizer : SymbolTokenizer
        Numbers them; a warning counts those that it does not know.
    X : ndarray of shape (n, n_steps, 1) or Ragged
        Sequences.

    Returns
    -------
    ids : Ragged
        The numbers.

    Raises
    ------
    ValueError
        If there are several symbols at a step.
    """
    steps = one_a_step(X)
    ids = tokenizer.transform(part.tolist() for part in steps)
    return Ragged(np.concatenate(ids), steps.offsets)


def one_a_step(X: Any) -> Ragged:
    """Return sequences of one symbol at a step without the axis of features.

    Parameters
    ----------
    X : ndarray of shape (n, n_steps, 1) or Ragged
        Sequences.

    Returns
    -------
    X : Ragged
        The same, of any length.

    Raises
    ------
    ValueError
        If there are several symbols at a step.
    """
    if X.shape[2] != 1:
        raise ValueError(
            f"An embedding takes one symbol at a step, got {X.shape[2]} numbers."
        )
    X = as_ragged(X)
    return Ragged(X.values[:, 0], X.offsets)
