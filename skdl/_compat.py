"""The only file that touches scikit-learn's privates and version differences."""

from __future__ import annotations

from numbers import Integral, Real

from sklearn.base import _fit_context as fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import validate_data

__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Integral",
    "Interval",
    "Real",
    "StrOptions",
    "check_sample_weight",
    "fit_context",
    "validate_data",
]
