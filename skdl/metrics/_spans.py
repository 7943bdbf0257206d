"""Spans of labelled steps: entities, words, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class SpanScores(NamedTuple):
    """How good predicted spans are.

    Attributes
    ----------
    precision : float
        Share of the predicted spans that are right.
    recall : float
        Share of the true spans that were found.
    f1 : float
        Their harmonic mean.

    Examples
    --------
    >>> from skdl.metrics import span_scores
    >>> scores = span_scores([["B-x", "I-x", "O"]], [["B-x", "O", "O"]])
    >>> scores.precision, scores.f1
    (0.0, 0.0)
    """

    precision: float
    recall: float
    f1: float


def label_spans(labels: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """Return the spans that the labels of a sequence make up.

    "B-NAME" begins a span of kind NAME and "I-NAME" goes on with it (Ramshaw & Marcus
    1995); "O" is in none. As in the evaluation of CoNLL-2000, "I-NAME" also begins a
    span where none of its kind goes on. Labels without a prefix, or that are no
    strings, are kinds by themselves: equal neighbours are one span.

    Parameters
    ----------
    labels : sequence of shape (length,)
        Labels of the steps.

    Returns
    -------
    spans : list of (int, int, object)
        Start, end (the step behind the last one) and kind of each, in their order.

    Examples
    --------
    >>> from skdl.metrics import label_spans
    >>> label_spans(["O", "B-NAME", "I-NAME", "B-NAME", "O", "B-OP"])
    [(1, 3, 'NAME'), (3, 4, 'NAME'), (5, 6, 'OP')]
    """
    spans: list[tuple[int, int, Any]] = []
    start, kind = 0, None
    for step, label in enumerate(labels):
        begins, now = _parts(label)
        if kind is not None and (begins or now != kind):
            spans.append((start, step, kind))
            kind = None
        if now is not None and kind is None:
            start, kind = step, now
    if kind is not None:
        spans.append((start, len(labels), kind))
    return spans


def _parts(label: Any) -> tuple[bool, Any]:
    """Return whether a label always begins a span, and its kind; None for no span."""
    if not isinstance(label, str):
        return False, label.item() if hasattr(label, "item") else label
    if label == "O":
        return False, None
    if label[:2] in ("B-", "I-"):
        return label[0] == "B", str(label[2:])
    return False, str(label)


def span_scores(
    y_true: Sequence[Any],
    y_pred: Sequence[Any],
    *,
    kind: Any = None,
) -> SpanScores:
    """Compare predicted with true spans: both ends and the kind must be right.

    Parameters
    ----------
    y_true, y_pred : sequence of sequences of labels
        Labels of the steps of each sequence, true and predicted, see `label_spans`.
    kind : object, default=None
        Count spans of this kind alone; None counts all.

    Returns
    -------
    scores : SpanScores
        Precision, recall and F1 over the spans of all sequences; 0 where there is no
        span to count, and all 1 where there is none in either.

    Raises
    ------
    ValueError
        If there are different numbers of sequences or of labels.

    Examples
    --------
    >>> from skdl.metrics import span_scores
    >>> y_true = [["B-NAME", "I-NAME", "O"], ["B-OP", "O"]]
    >>> y_pred = [["B-NAME", "I-NAME", "O"], ["O", "B-OP"]]
    >>> span_scores(y_true, y_pred)
    SpanScores(precision=0.5, recall=0.5, f1=0.5)
    """
    if len(y_true) != len(y_pred):
        raise ValueError(
            "y_true and y_pred must have the labels of the same sequences, got "
            f"{len(y_true)} and {len(y_pred)} sequences."
        )
    n_true = n_pred = n_right = 0
    for i, (true, predicted) in enumerate(zip(y_true, y_pred, strict=True)):
        if len(true) != len(predicted):
            raise ValueError(
                f"Sequence {i} has {len(true)} labels in y_true, {len(predicted)} in "
                "y_pred."
            )
        a, b = set(label_spans(true)), set(label_spans(predicted))
        if kind is not None:
            a, b = ({s for s in spans if s[2] == kind} for spans in (a, b))
        n_true, n_pred, n_right = n_true + len(a), n_pred + len(b), n_right + len(a & b)
    if not n_true and not n_pred:
        return SpanScores(1.0, 1.0, 1.0)
    precision, recall = n_right / max(n_pred, 1), n_right / max(n_true, 1)
    return SpanScores(precision, recall, 2 * n_right / (n_true + n_pred))
