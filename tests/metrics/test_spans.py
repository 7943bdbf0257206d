"""Spans of labelled steps, and how good predicted ones are."""

import re

import numpy as np
import pytest

from skdl.metrics import label_spans, span_scores

CASES = {
    "none": ("", []),
    "outside": ("O O", []),
    "two kinds": ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")]),
    "neighbours": ("B-A B-A I-A", [(0, 1, "A"), (1, 3, "A")]),
    "another kind goes on": ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")]),
    "no beginning": ("O I-A I-A O I-A", [(1, 3, "A"), (4, 5, "A")]),
    "no prefix": ("a a b O b", [(0, 2, "a"), (2, 3, "b"), (4, 5, "b")]),
    "dashes": ("B-x-y I-x-y", [(0, 2, "x-y")]),
}


@pytest.mark.parametrize("case", CASES)
def test_spans(case):
    labels, expected = CASES[case]
    assert label_spans(labels.split()) == expected


def test_numbers_are_kinds():
    assert label_spans(np.array([3, 3, 5])) == [(0, 2, 3), (2, 3, 5)]


def test_spans_of_one_kind_against_a_pattern():
    # With one kind a span is B or I, and the I that follow.
    rng = np.random.default_rng(0)
    for _ in range(50):
        letters = "".join(rng.choice(list("BIO"), 12))
        labels = [letter if letter == "O" else f"{letter}-A" for letter in letters]
        expected = [(*m.span(), "A") for m in re.finditer("[BI]I*", letters)]
        assert label_spans(labels) == expected


def test_scores_by_hand():
    y_true = [["B-A", "I-A", "O", "B-B"], ["B-A", "O"]]
    y_pred = [["B-A", "I-A", "O", "B-A"], ["B-A", "I-A"]]
    # Of three true spans one was found, of three predicted ones one is right.
    assert span_scores(y_true, y_pred) == (1 / 3, 1 / 3, 1 / 3)
    assert span_scores(y_true, y_pred, kind="A") == (1 / 3, 1 / 2, 2 / 5)
    assert span_scores(y_true, y_pred, kind="B") == (0.0, 0.0, 0.0)
    assert span_scores(y_true, y_true) == (1.0, 1.0, 1.0)
    assert span_scores([["O"]], [["O"]]) == (1.0, 1.0, 1.0)


def test_wrong_lengths():
    with pytest.raises(ValueError, match="got 2 and 1 sequences"):
        span_scores([["O"], ["O"]], [["O"]])
    with pytest.raises(ValueError, match="Sequence 1 has 2 labels in y_true, 1 in"):
        span_scores([["O"], ["O", "O"]], [["O"], ["O"]])
