"""The receptive fields of a network."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from skdl.inspection._names import fitted_part
from skdl.networks import Network, ReceptiveField, receptive_fields


def receptive_field(network: Any) -> list[ReceptiveField]:
    """Return which pixels the positions of each layer see.

    Parameters
    ----------
    network : Network or estimator
        A network; or a fitted estimator that has one, a Pipeline that ends with such or
        a search for one.

    Returns
    -------
    fields : list of ReceptiveField
        One a layer, those inside a layer behind it: size, jump from position to
        position and offset of the first one, down and across. Of paths side by side
        the largest counts for the layer around them.

    Raises
    ------
    TypeError
        If it is neither a network nor an estimator that has one.
    ValueError
        If a layer does not say what it looks at, see `skdl.layers.Layer.windows`.

    See Also
    --------
    skdl.networks.receptive_fields : The same for a list of layers.
    skdl.networks.describe : A table with the sizes.

    Examples
    --------
    >>> from skdl.inspection import receptive_field
    >>> from skdl.networks import Network, named_layers
    >>> shape = (28, 28, 1)
    >>> fields = receptive_field(Network(named_layers("lenet", shape), shape))
    >>> field = fields[5]  # the second pooling
    >>> field.layer, field.size, field.jump, field.positions
    ('MaxPool2D', (16, 16), (4, 4), (5, 5))
    >>> field.of(0, 4)
    (slice(0, 14, None), slice(14, 28, None))
    """
    if not isinstance(network, Network):
        model = fitted_part(network)
        if not hasattr(model, "fit"):
            raise TypeError(
                "receptive_field takes a network or a fitted estimator that has one, "
                f"got {network!r}; for a list of layers there is "
                "skdl.networks.receptive_fields."
            )
        check_is_fitted(model)
        network = getattr(model, "network_", None)
        if network is None:
            raise TypeError(f"{type(model).__name__} has no network.")
    return receptive_fields(network.layers, network.input_shape)
