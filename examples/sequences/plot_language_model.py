"""
A language model of Python's documentation
==========================================

A language model says of each character how probable it is after those before it. That
is all that ``RNNLanguageModel`` learns, and it is enough to score texts and to write
new ones. The text is what ``help()`` knows about Python's syntax, which comes with
every interpreter: 465,000 characters, of which the last tenth is held out.
"""

# %%
# Training
# --------
# One long text is cut into pieces that are read side by side, 64 characters at a time;
# the state goes on from window to window, the gradient does not. The loss is in nats a
# character. Its exponential is the perplexity: among how many characters the model is
# as good as unsure.

from pydoc_data.topics import topics

import matplotlib.pyplot as plt
import numpy as np

from skdl import RNNLanguageModel
from skdl.optimizers import Adam
from skdl.schedules import Cosine

text = "\n".join(topics[name] for name in sorted(topics))
n = int(0.9 * len(text))
train, test = text[:n], text[n:]

model = RNNLanguageModel(
    hidden_layer_sizes=128,
    optimizer=Adam(Cosine(6e-3), clip_norm=1.0),
    max_iter=5,
    random_state=0,
)
model.fit([train], X_val=[test])
print(f"{len(model.vocabulary_)} symbols, held-out {model.perplexity([test]):.2f}")

# %%
# Who knows nothing is unsure among all symbols; who knows how frequent each is, among
# 25. Each epoch of reading the other nine tenths narrows it down.

counts = np.array([train.count(symbol) for symbol in set(train)])
share = counts / counts.sum()
by_frequency = np.exp(-(share * np.log(share)).sum())

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
epochs = np.arange(1, model.n_iter_ + 1)
ax.plot(
    epochs, np.exp(model.history_["loss"]), "o-", label="training, during the epoch"
)
ax.plot(epochs, np.exp(model.history_["val_loss"]), "s-", label="held out, after it")
ax.axhline(by_frequency, color="grey", ls=":", label="frequencies alone")
ax.set(
    xlabel="epoch",
    ylabel="perplexity per character",
    yscale="log",
    xticks=epochs,
    yticks=(ticks := [3, 4, 6, 10, 25]),
    yticklabels=ticks,
    title="How many characters the model hesitates between",
)
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# Text at three temperatures
# --------------------------
# The temperature divides the logarithms of the probabilities. A low one repeats what is
# most frequent; at 1 the model writes as it has learned; above that it stammers. Words,
# indentation and quotation marks are all made up character by character.

for temperature in (0.3, 0.7, 1.2):
    written = model.generate("The ", 400, temperature=temperature, random_state=3)
    print(f"---- temperature {temperature}\n{written}\n")

# %%
# Where a text is surprising
# --------------------------
# A line that the model has not read, and how many bits each character told it. The
# first letters of words are news; the rest follows.

line = 'Return the number of items in the object, or raise "TypeError".'
p = model.predict_proba([line[:i] for i in range(len(line))])
columns = [model.vocabulary_[symbol] for symbol in line]
bits = -np.log2(p[np.arange(len(line)), columns])

fig, ax = plt.subplots(figsize=(11, 3.2), layout="constrained")
begins = np.array([i == 0 or not line[i - 1].isalpha() for i in range(len(line))])
colors = np.where(begins, "C1", "C0")
ax.bar(range(len(line)), bits, color=colors)
ax.set(
    xticks=range(len(line)),
    xticklabels=list(line.replace(" ", "\u2423")),
    ylabel="bits",
    title="What each character tells the model (orange: where a word begins)",
)
plt.show()
print(f"Mean of first letters {bits[begins].mean():.1f} bits, others", end=" ")
print(f"{bits[~begins].mean():.1f}")

# %%
# What is probable next
# ---------------------
# ``beam_search`` follows several continuations at once and gives the most probable.

texts, log_p = model.beam_search("This is a li", 6, n_beams=8)
for found, logarithm in zip(texts[:4], log_p, strict=False):
    print(f"{np.exp(logarithm):6.3f}  {found!r}")
