"""Networks with targets of their own, for checks that know labels and numbers alone."""

import numpy as np
from sklearn.utils.validation import column_or_1d, validate_data

from skdl import ObjectLocalizer, SegmentationClassifier, StrokeGenerator
from skdl._ragged import Ragged


class LocalizerOfNumbers(ObjectLocalizer):
    """Finds boxes that a number a sample stands for; none for numbers up to 0."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, self.targets(y), sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        return super().partial_fit(X, self.targets(y), sample_weight)

    def score(self, X, y, sample_weight=None):
        return super().score(X, self.targets(y), sample_weight)

    @staticmethod
    def targets(y):
        if y is None:
            return None
        y = np.asarray(y).ravel()
        if y.dtype.kind == "c" or not np.isfinite(y.astype(float)).all():
            return np.column_stack([y] * 5)  # must be refused
        y = y.astype(float)
        share = 0.5 + 0.5 * np.tanh(y / 10)
        present = y > 0 if (y > 0).any() else np.ones(len(y))
        return np.column_stack([present, share, 1 - share, 0.2 + share, 1 - share / 2])


class SegmentationOfLabels(SegmentationClassifier):
    """Each label a whole label map; the pixels vote."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, self.targets(X, y), sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return super().partial_fit(X, self.targets(X, y), classes, sample_weight)

    def predict_proba(self, X):
        p = super().predict_proba(X)
        return p.mean(axis=(1, 2))

    def predict(self, X):
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        return np.average(self.predict(X) == y, weights=sample_weight)

    @staticmethod
    def targets(X, y):
        shape = np.asarray(X).shape
        if y is None or len(shape) != 2:
            return y
        return np.repeat(column_or_1d(y, warn=True)[:, None], shape[1], axis=1)


class StrokesOfNumbers(StrokeGenerator):
    """Draws lines through the numbers of rows."""

    def _points(self, X, reset):
        rows = validate_data(self, X, dtype=[np.float64, np.float32], reset=reset)
        values = rows.ravel()
        points = np.stack([values, np.tanh(values), values > 0], axis=1)
        offsets = rows.shape[1] * np.arange(len(rows) + 1)
        return Ragged(points.astype(rows.dtype), offsets)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


# What stands for labels, by the name of the class.
TARGETS = {
    "ObjectLocalizer": lambda X, y: LocalizerOfNumbers.targets(y),
    "SegmentationClassifier": SegmentationOfLabels.targets,
}
