"""What an estimator takes from a network that was trained before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.networks import Network, set_rates, take_weights
from skdl.tasks import Task

if TYPE_CHECKING:
    from skdl.layers import Layer
    from skdl.neural_network._trainable import Trainable


def rate_layers(estimator: Trainable, body: list[Layer], input_shape: Any) -> None:
    """Let layers learn as `freeze` and `layer_rates` say, in place.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    body : list of Layer
        All layers in front of the output layer.
    input_shape : tuple of int
        Shape of one sample.

    Raises
    ------
    TypeError, ValueError
        If there are no such layers, or a factor is negative.
    """
    set_rates(
        body,
        input_shape,
        estimator.freeze,
        estimator.layer_rates,
        estimator._n_added_layers(),
    )


def start_from(estimator: Trainable, network: Network, task: Task) -> None:
    """Take over the weights of `init_from`, in place.

    Parameters
    ----------
    estimator : Trainable
        The estimator that is being fitted.
    network : Network
        Its network.
    task : Task
        What it is trained for.

    Raises
    ------
    TypeError
        If `init_from` is no network.
    NotFittedError
        If it is an estimator that was not fitted.
    ValueError
        If its layers do not fit.
    """
    source = estimator.init_from
    if source is None:
        return
    n_body = len(estimator._body_layers())  # the head is the task's
    if isinstance(source, FrozenEstimator):
        source = source.estimator
    if isinstance(source, Network):
        take_weights(network, source, n_body, head=True)
        return
    if not hasattr(source, "_body_layers"):
        raise TypeError(
            "init_from takes a fitted skdl network (MLPClassifier, CNNClassifier, …) "
            f"or a skdl.networks.Network, got {source!r}."
        )
    check_is_fitted(source, "network_")
    same = _are_same(task.classes, source._task.classes)
    take_weights(network, source.network_, n_body, head=same)


def _are_same(classes: Array | None, others: Array | None) -> bool:
    if classes is None or others is None:
        return classes is others
    return np.array_equal(classes, others)
