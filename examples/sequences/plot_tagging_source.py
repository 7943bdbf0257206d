"""
Tagging the tokens of Python source
===================================

Which characters of a program belong together, and what are they? The standard library
is full of examples, and its module ``tokenize`` knows the answers.
:class:`~skdl.RNNTagger` learns to give a label to each character.
"""

# %%
# Characters and labels
# ---------------------
# A piece of source is a sequence of characters. In the BIO notation the first one of a
# number has the label ``B-number``, those behind it ``I-number``, and what is between
# the tokens ``O``. The texts are cut into pieces of whole lines, so that a piece may
# begin inside a string.

import io
import keyword
import sysconfig
import tokenize
import warnings
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skdl import RNNTagger
from skdl.metrics import span_scores
from skdl.optimizers import Adam
from skdl.text import UnknownTokenWarning

KINDS = {
    tokenize.NAME: "name",
    tokenize.NUMBER: "number",
    tokenize.STRING: "string",
    tokenize.COMMENT: "comment",
    tokenize.OP: "operator",
}
LIBRARY = Path(sysconfig.get_path("stdlib"))


def labelled(text):
    """Return a label for each character."""
    starts = np.r_[0, np.cumsum([len(line) for line in text.splitlines(True)])]
    labels = np.full(len(text), "O", dtype="<U10")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = KINDS.get(token.type)
        if kind is None:
            continue
        if keyword.iskeyword(token.string):
            kind = "keyword"
        (row, column), (last_row, last) = token.start, token.end
        begin, end = starts[row - 1] + column, starts[last_row - 1] + last
        labels[begin:end] = f"I-{kind}"
        labels[begin] = f"B-{kind}"
    return labels


def pieces(name, size=160):
    """Return pieces of about so many characters of a module, and their labels."""
    text = (LIBRARY / f"{name}.py").read_text()
    labels = labelled(text)
    cuts = [0]
    for end in np.cumsum([len(line) for line in text.splitlines(True)]):
        if end - cuts[-1] >= size:
            cuts.append(end)
    return [(text[a:b], labels[a:b]) for a, b in pairwise(cuts)]


MODULES = [
    "heapq",
    "shlex",
    "fnmatch",
    "string",
    "queue",
    "sched",
    "random",
    "fractions",
    "statistics",
]
X, y = zip(*[piece for name in MODULES for piece in pieces(name)], strict=True)
X_test, y_test = zip(*pieces("bisect"), *pieces("colorsys"), strict=True)
print(f"{len(X)} pieces of {sum(map(len, X)):,} characters to learn from")
print(f"{len(X_test)} pieces of {sum(map(len, X_test)):,} characters to be tested on")

# %%
# In one direction, and in both
# -----------------------------
# A name can be told from a keyword only at its end: ``in`` goes on as ``index``, or it
# does not. A network that reads forwards alone has to guess; one of both directions
# knows what comes. Strings are given as they are: ``embedding=16`` learns 16 numbers
# that stand for a character.


def tagger(bidirectional):
    """Return a tagger before it is fitted."""
    return RNNTagger(
        48,
        cell="gru",
        bidirectional=bidirectional,
        embedding=16,
        optimizer=Adam(5e-3, clip_norm=1.0),
        batch_size=16,
        max_iter=12,
        n_iter_no_change="never",
        random_state=0,
    )


warnings.simplefilter("ignore", UnknownTokenWarning)  # a sign or two
nets = {
    "forwards": tagger(bidirectional=False).fit(X, y),
    "both directions": tagger(bidirectional=True).fit(X, y),
}
kinds = ["keyword", "name", "number", "string", "comment", "operator"]
fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for i, (name, net) in enumerate(nets.items()):
    predicted = net.predict(X_test)
    scores = [span_scores(y_test, predicted, kind=kind).f1 for kind in kinds]
    print(
        f"{name}: {net.score(X_test, y_test):.1%} of the characters are right, "
        f"F1 of tokens {net.score_spans(X_test, y_test):.3f}"
    )
    ax.bar(np.arange(6) + 0.4 * i - 0.2, scores, 0.38, label=name)
ax.set_xticks(range(6), kinds)
ax.set(ylabel="F1 of tokens", title="Found as a whole, and of the right kind")
ax.legend()

# %%
# What it sees
# ------------
# Pieces of modules that it has not seen, in the colours of what it predicts; what is
# wrong stands on red. Whether a piece begins inside a docstring can only be guessed
# from its words.

COLOURS = {
    "keyword": "tab:purple",
    "name": "black",
    "number": "tab:green",
    "string": "tab:orange",
    "comment": "tab:gray",
    "operator": "tab:blue",
    "O": "black",
}


def show(ax, text, labels, predicted):
    """Print a text in the colours of its predicted labels."""
    row, column = 0, 0
    for c, right, label in zip(text, labels, predicted, strict=True):
        kind = label.partition("-")[2] or "O"
        wrong = {"facecolor": "#ffb0b0", "edgecolor": "none", "pad": 1.2}
        ax.text(
            column,
            -row,
            c if c.strip() else " ",
            color=COLOURS[kind],
            family="monospace",
            fontsize=9,
            bbox=None if label == right else wrong,
        )
        row, column = (row + 1, 0) if c == "\n" else (row, column + 1)
    ax.set(xlim=(-1, 80), ylim=(-row, 1))
    ax.set_axis_off()


net = nets["both directions"]
shown = [1, 4, len(X_test) - 6, len(X_test) - 2]
fig, axes = plt.subplots(len(shown), 1, figsize=(8, 7.5), layout="constrained")
for ax, i in zip(axes, shown, strict=True):
    show(ax, X_test[i], y_test[i], net.predict([X_test[i]])[0])
fig.legend(
    handles=[plt.Line2D([], [], lw=6, color=COLOURS[k], label=k) for k in kinds],
    loc="outside lower center",
    ncols=6,
)
fig.suptitle("Four pieces in the colours of predicted labels; red: wrong")

# %%
# How sure is it?
# ---------------
# `predict_proba` says it for each character.

text = "for index in range(10): print('in', index)  # for"
(p,) = net.predict_proba([text])
shares = np.stack(
    [
        p[:, [c.endswith(kind) for c in net.classes_.tolist()]].sum(axis=1)
        for kind in (*kinds, "O")
    ]
)
fig, ax = plt.subplots(figsize=(9, 2.6), layout="constrained")
image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(text)), list(text), family="monospace", fontsize=8)
ax.set_yticks(range(7), [*kinds, "none"])
ax.set_title("Probability of the kinds, character by character")
fig.colorbar(image)
plt.show()
