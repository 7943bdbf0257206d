"""Bounds and standard deviations against torch.nn.init.

PyTorch keeps the output axis first, skdl last.
"""

import numpy as np
import pytest

from skdl import initializers

pytestmark = pytest.mark.reference

# name -> (function of torch.nn.init, its arguments)
PAIRS = {
    "xavier_uniform": ("xavier_uniform_", {}),
    "xavier_normal": ("xavier_normal_", {}),
    "he_uniform": ("kaiming_uniform_", {"nonlinearity": "relu"}),
    "he_normal": ("kaiming_normal_", {"nonlinearity": "relu"}),
    "lecun_uniform": ("kaiming_uniform_", {"nonlinearity": "linear"}),
    "lecun_normal": ("kaiming_normal_", {"nonlinearity": "linear"}),
    "orthogonal": ("orthogonal_", {}),
}
SHAPES = [(300, 200), (3, 5, 40, 50), (7, 30, 60)]


def both(name, shape):
    """Return values of skdl and of PyTorch, in skdl's order of axes."""
    torch = pytest.importorskip("torch")
    function, arguments = PAIRS[name]
    # (*kernel, in, out) -> (out, in, *kernel)
    theirs = torch.empty(shape[-1], shape[-2], *shape[:-2], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    getattr(torch.nn.init, function)(theirs, generator=generator, **arguments)
    axes = [*range(2, theirs.ndim), 1, 0]
    ours = initializers.get(name)(shape, np.random.default_rng(0))
    return ours, theirs.permute(axes).numpy()


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "orthogonal"])
@pytest.mark.parametrize("shape", SHAPES)
def test_bounds_and_deviation(name, shape):
    ours, theirs = both(name, shape)
    assert ours.shape == theirs.shape
    # Six standard errors of the ratio of two standard deviations.
    assert ours.std() == pytest.approx(theirs.std(), rel=6 / np.sqrt(ours.size))
    if name.endswith("uniform"):
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (3, 3, 2, 10), (3, 3, 2, 25)])
def test_orthogonal(shape):
    grams = []
    for values in both("orthogonal", shape):
        q = values.reshape(-1, shape[-1])
        grams.append(q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T)
    np.testing.assert_allclose(grams[0], grams[1], atol=1e-12)
