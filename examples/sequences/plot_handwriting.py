"""
A network that writes by hand
=============================

:class:`~skdl.StrokeGenerator` sees the points of a pen so far and says where the next
one may be: as a mixture of Gaussians, and a probability that the pen is lifted (Graves
2013). Drawn from point by point, that is handwriting.
"""

# %%
# Handwriting, and its hand
# -------------------------
# Seven letters, each a few points that a smooth curve goes through. A writer has a
# slant, a width and a wobble; a word is five random letters of one writer. Of the curve
# the network gets the moves from point to point, and where the pen is lifted.

import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import splev, splprep

from skdl import StrokeGenerator
from skdl.optimizers import Adam

LETTERS = {
    "e": [[(0.05, 0.45), (0.7, 0.6), (0.4, 1.0), (0.05, 0.4), (0.45, 0), (0.8, 0.2)]],
    "l": [[(0, 0.3), (0.5, 1.5), (0.35, 2.0), (0.15, 1.4), (0.25, 0.1), (0.6, 0.2)]],
    "o": [[(0.5, 1), (0.05, 0.5), (0.45, 0), (0.9, 0.5), (0.5, 1), (0.9, 0.95)]],
    "u": [
        [(0, 1), (0.05, 0.3), (0.4, 0), (0.7, 0.5), (0.75, 1)],
        [(0.75, 1), (0.78, 0.4), (0.85, 0.1), (1.0, 0)],
    ],
    "n": [
        [(0.05, 1), (0.05, 0.5), (0.05, 0)],
        [(0.05, 0.6), (0.4, 1), (0.7, 0.6), (0.75, 0)],
    ],
    "s": [[(0.7, 0.85), (0.4, 1), (0.1, 0.75), (0.4, 0.5), (0.65, 0.2), (0.05, 0.1)]],
    "t": [
        [(0.4, 1.7), (0.38, 0.9), (0.42, 0.2), (0.7, 0.1)],
        [(0.05, 1.1), (0.4, 1.12), (0.8, 1.1)],
    ],
}


def curve(points, spacing=0.17):
    """Return equally spaced points on a smooth curve."""
    x, y = np.transpose(points)
    spline, _ = splprep([x, y], s=0, k=min(3, len(x) - 1))
    fine = np.transpose(splev(np.linspace(0, 1, 200), spline))
    way = np.r_[0, np.hypot(*np.diff(fine, axis=0).T).cumsum()]
    at = np.linspace(0, way[-1], max(3, round(way[-1] / spacing)))
    return np.transpose([np.interp(at, way, column) for column in fine.T])


def word(rng, slant=None, length=5):
    """Return the moves of a word of random letters."""
    slant = rng.uniform(-0.3, 0.6) if slant is None else slant
    width, wobble = rng.uniform(0.8, 1.2), rng.uniform(0.005, 0.02)
    points, lifted, left = [np.zeros((1, 2))], [[1.0]], 0.3
    for letter in rng.choice(list(LETTERS), length):
        for stroke in LETTERS[letter]:
            way = curve(stroke) * [width, 1] + [left, 0]
            points.append(way + wobble * rng.normal(size=way.shape))
            lifted.append(np.arange(len(way)) == len(way) - 1)
        left += width * 1.15
    places = np.concatenate(points) @ [[1, 0], [slant, 1]]
    return np.c_[np.diff(places, axis=0), np.concatenate(lifted)[1:]]


def draw(ax, moves, **style):
    """Draw strokes: the pen moves without ink to the first point of each."""
    places = moves[:, :2].cumsum(axis=0)
    ends = np.flatnonzero(moves[:, 2]) + 1
    for stroke in np.split(places, ends):
        ax.plot(*stroke.T, **{"color": "tab:blue", "lw": 1.5} | style)
    ax.set(aspect="equal", xticks=[], yticks=[], ylim=(-1.6, 2.4))
    ax.spines[:].set_visible(False)


rng = np.random.default_rng(0)
words = [word(rng) for _ in range(500)]

fig, axes = plt.subplots(2, 3, figsize=(9, 3), layout="constrained")
for ax, moves in zip(axes.flat, words, strict=False):
    draw(ax, moves)
fig.suptitle("Six of the 500 words to learn from")

# %%
# Learning to write
# -----------------
# A layer of 100 LSTM cells reads the moves. Its loss is the negative logarithm of the
# density of the next point. Gradients are clipped.

pen = StrokeGenerator(
    100,
    n_components=8,
    optimizer=Adam(5e-3, clip_norm=1.0),
    batch_size=25,
    max_iter=50,
    n_iter_no_change="never",
    dtype="float32",
    random_state=0,
)
pen.fit(words[:450], X_val=words[450:])

fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot(pen.history_["loss"], label="450 words to learn from")
ax.plot(pen.history_["val_loss"], label="50 other words")
ax.set(xlabel="epoch", ylabel="loss of a point (nats)", title="How it learns")
ax.legend()

# %%
# What it writes
# --------------
# Nobody has told it about letters. A bias draws from narrower distributions: the hand
# becomes neater, and varies less.

fig, axes = plt.subplots(4, 3, figsize=(9, 7), layout="constrained")
for row, bias in zip(axes, [0.0, 0.5, 1.0, 3.0], strict=True):
    for ax, moves in zip(
        row, pen.sample(3, 90, bias=bias, random_state=4), strict=True
    ):
        draw(ax, moves)
    row[0].set_ylabel(f"bias {bias:g}")
fig.suptitle("Drawn from the network, point by point")

# %%
# In somebody's hand
# ------------------
# The network goes on from the beginning of a drawing, in its style: it has remembered
# the slant.

fig, axes = plt.subplots(3, 1, figsize=(9, 5), layout="constrained")
for ax, slant in zip(axes, [-0.3, 0.15, 0.6], strict=True):
    begun = word(np.random.default_rng(5), slant=slant, length=3)
    (rest,) = pen.sample(1, 80, bias=1.0, prime=begun, random_state=1)
    draw(ax, np.r_[begun, rest])
    draw(ax, begun, color="black")
    ax.set_title(f"slant {slant:g}", fontsize=9)
fig.suptitle("Black: written by a hand; blue: how the network goes on")

# %%
# How probable is a hand?
# -----------------------
# `score_samples` tells words of other hands, and scribbles, from those of the kind it
# has learned: their points are less probable.

fresh = np.random.default_rng(9)
kinds = {
    "words": [word(fresh) for _ in range(40)],
    "upside down": [word(fresh) * [1, -1, 1] for _ in range(40)],
    "backwards": [word(fresh)[::-1] * [-1, -1, 1] for _ in range(40)],
}
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for name, drawings in kinds.items():
    n_points = [len(moves) for moves in drawings]
    ax.hist(
        pen.score_samples(drawings) / n_points, bins=np.linspace(-15, 6, 64), label=name
    )
ax.set(xlabel="mean log-likelihood of a point (nats)", ylabel="drawings")
ax.legend()
ax.set_title("What the network finds probable")
plt.show()
