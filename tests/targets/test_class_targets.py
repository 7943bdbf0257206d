"""Class labels as losses take them, and back."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning

from skdl import losses
from skdl.targets import ClassTargets, as_vector


@pytest.mark.parametrize("labels", [["b", "a"], [3, 1, 2], [True, False]], ids=str)
def test_labels_and_codes(labels):
    y = np.array(labels)[[0, 1, -1, 1, 0]]
    targets = ClassTargets.of(y)
    np.testing.assert_array_equal(targets.classes, np.unique(labels))
    codes = targets.codes(y)
    np.testing.assert_array_equal(targets.classes[codes], y)
    loss = losses.get("log_loss").for_classes(len(labels), False)
    encoded = targets.encode(y, loss, np.float64)
    np.testing.assert_array_equal(encoded, targets.encode_codes(codes, loss, float))
    one_column = len(labels) == 2
    assert encoded.shape == ((5, 1) if one_column else (5,))
    assert encoded.dtype == (np.float64 if one_column else np.intp)
    np.testing.assert_array_equal(encoded.reshape(-1), codes)


def test_classes_that_these_rows_lack():
    targets = ClassTargets.of(["a", "b"], classes=["c", "b", "a"])
    assert targets.codes(np.array(["b", "b"])).tolist() == [1, 1]


@pytest.mark.parametrize("hint", ["", " Name them all."])
def test_unknown_labels(hint):
    targets = ClassTargets.of(np.array(["a", "c"]), hint=hint)
    with pytest.raises(ValueError, match=r"labels \['b', 'd'\]") as caught:
        targets.codes(np.array(["a", "d", "b", "d"]))
    assert str(caught.value).endswith(f"['a', 'c'] of the first fit.{hint}")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0.5, 1.2, 3.1], "Unknown label type"),
        (np.array([[0, 3], [1, 2], [2, 2]]), "Several outputs of several classes"),
    ],
    ids=["real", "outputs"],
)
def test_targets_that_are_no_classes(y, words):
    with pytest.raises(ValueError, match=words):
        ClassTargets.of(y)


def test_weights_of_classes_and_rows():
    y = np.array(["a", "b", "b", "b"])
    targets = ClassTargets.of(y)
    rows = np.array([1.0, 2.0, 0.5, 1.0])
    balanced = np.array([2.0, 2 / 3, 2 / 3, 2 / 3])  # n / (n_classes · count)
    np.testing.assert_allclose(targets.weights("balanced", y), balanced)
    np.testing.assert_allclose(targets.weights("balanced", y, rows), balanced * rows)
    for wrong in ({"a": -1.0}, {"a": 0.0, "b": 0.0}):
        with pytest.raises(ValueError, match="negative weights, or none but zeros"):
            targets.weights(wrong, y)


@pytest.mark.parametrize(
    "column", [[[3], [1]], pd.DataFrame({"y": [3, 1]}), pl.DataFrame({"y": [3, 1]})]
)
def test_a_column_becomes_a_vector_with_a_warning(column):
    for y in (column, np.asarray(column)):
        with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
            np.testing.assert_array_equal(as_vector(y), [3, 1])
