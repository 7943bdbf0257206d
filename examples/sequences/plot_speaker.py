"""
Who is speaking?
================

Nine men say the Japanese vowels "ae". Each recording is a sequence of 7 to 29 moments,
of which twelve numbers describe the sound (Kudo et al. 1999); no two need be of one
length. :class:`~skdl.RNNClassifier` takes them as a list, also in a grid search.
"""

# %%
# Sequences in a list
# -------------------
# The recordings come with the package ``aeon``, whose data files are enough
# (``pip install --no-deps aeon``). Without it nine voices are made up: each has a sound
# that it begins with and one that it ends with, and the way between them trembles.

from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV

from skdl import RNNClassifier
from skdl.optimizers import Adam


def recorded(part):
    """Return the recordings of a part of the data, and their speakers."""
    folder = Path(find_spec("aeon").submodule_search_locations[0]) / "datasets" / "data"
    path = folder / "JapaneseVowels" / f"JapaneseVowels_{part}.ts"
    X, y = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#@":
            *channels, speaker = line.split(":")
            columns = [np.array(c.split(","), np.float32) for c in channels]
            X.append(np.stack(columns, axis=1))
            y.append(int(speaker))
    return X, np.array(y)


def made_up(n, seed):
    """Return n voices that take the place of recordings, and their speakers."""
    sounds = np.random.default_rng(0).normal(scale=0.25, size=(9, 2, 12))
    rng = np.random.default_rng(seed)
    X, y = [], np.arange(n) % 9 + 1
    for speaker in y:
        n_steps = rng.integers(7, 30)
        turn = rng.uniform(0.3, 0.7)
        late = 1 / (1 + np.exp(-12 * (np.linspace(0, 1, n_steps) - turn)))[:, None]
        first, last = sounds[speaker - 1] + 0.12 * rng.normal(size=(2, 12))
        trembling = 0.06 * rng.normal(size=(n_steps, 12)).cumsum(axis=0)
        X.append(((1 - late) * first + late * last + trembling).astype(np.float32))
    return X, y


if find_spec("aeon") is None:
    print("made-up voices")
    X_train, y_train = made_up(270, 1)
    X_test, y_test = made_up(370, 2)
else:
    print("recorded voices")
    X_train, y_train = recorded("TRAIN")
    X_test, y_test = recorded("TEST")

fig, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
for ax, speaker in zip(axes, [1, 4, 8], strict=True):
    for sequence in [X_train[i] for i in np.flatnonzero(y_train == speaker)[:12]]:
        ax.plot(sequence[:, 0], color="tab:blue", alpha=0.5, lw=1)
        ax.plot(sequence[:, 1], color="tab:orange", alpha=0.5, lw=1)
    ax.set(title=f"speaker {speaker}", xlabel="step")
axes[0].set_ylabel("the first two features")
fig.suptitle("Twelve recordings of three speakers")

# %%
# Which network?
# --------------
# Lists go through `GridSearchCV` as arrays do. The grid has three kinds of cells, and
# three ways from a sequence to one row: its last state, or the mean or the maximum of
# the states.

grid = {"cell": ["lstm", "gru", "rnn"], "pooling": ["last", "mean", "max"]}
net = RNNClassifier(
    48,
    optimizer=Adam(5e-3, clip_norm=1.0),
    batch_size=32,
    max_iter=30,
    n_iter_no_change="never",
    random_state=0,
)
search = GridSearchCV(net, grid, cv=3).fit(X_train, y_train)
best = search.best_estimator_
print("best:", search.best_params_)
print(f"accuracy of the best on other recordings: {best.score(X_test, y_test):.3f}")

scores = search.cv_results_["mean_test_score"].reshape(3, 3)
fig, ax = plt.subplots(figsize=(4.5, 3.4), layout="constrained")
image = ax.imshow(scores, cmap="Blues")
ax.set_xticks(range(3), grid["pooling"])
ax.set_yticks(range(3), grid["cell"])
ax.set(xlabel="pooling", ylabel="cell", title="Accuracy, three folds")
for (i, j), score in np.ndenumerate(scores):
    dark = score > scores.min() + 0.6 * np.ptp(scores)
    ax.text(j, i, f"{score:.3f}", ha="center", color="white" if dark else "black")
fig.colorbar(image)

# %%
# Who is taken for whom
# ---------------------

fig, ax = plt.subplots(figsize=(4.8, 4.2), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    best, X_test, y_test, ax=ax, cmap="Blues", colorbar=False
)
ax.set_title("Other recordings of the nine")

# %%
# How soon does it know?
# ----------------------
# The beginnings of recordings are sequences, too. The network was trained on whole ones
# and is given the first moments alone.

steps = np.arange(1, 21)
right = [best.score([x[:n] for x in X_test], y_test) for n in steps]
sure = [best.predict_proba([x[:n] for x in X_test]).max(axis=1).mean() for n in steps]
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(steps, right, "o-", label="accuracy")
ax.plot(steps, sure, "s--", label="mean of the largest probability")
ax.set(xlabel="moments heard", ylim=(0, 1.02), title="How soon it knows the speaker")
ax.set_xticks(steps[::2])
ax.legend()
plt.show()
