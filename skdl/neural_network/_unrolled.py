"""A language model as one chain: embedding, recurrent layers, output layer."""

from __future__ import annotations

from skdl._typing import Tree
from skdl.layers import Dense, Embedding, Layer, TiedEmbedding
from skdl.networks import Network


def unrolled(network: Network) -> tuple[list[Layer], Tree]:
    """Return layers and arrays, those inside a `TiedEmbedding` one after another.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    layers : list of Layer
        They do in prediction what the network's do.
    tree : dict
        Their arrays, views into the network.
    """
    tied, tree = network.layers[0], network.tree(network.params)
    if not isinstance(tied, TiedEmbedding):
        return network.layers, tree
    arrays = tree["0"]
    ends = Embedding(tied.vocabulary, tied.units), Dense(tied.vocabulary)
    layers = [ends[0], *tied.chain, ends[1]]
    parts = [arrays.get(str(i), {}) for i in range(len(tied.chain))]
    output = {"W": arrays["E"].T, "b": arrays["b"]}
    parts = [{"E": arrays["E"]}, *parts, output]
    return layers, {str(i): part for i, part in enumerate(parts)}
