"""
Names that nobody has
=====================

A density over sequences can be sampled. Here are 20,000 of the surnames of the census
of the United States, one character at a time, and what a model of them makes up.
"""

# %%
# Learning
# --------
# Each name is a sequence of its own, with an end that is foretold like any other
# symbol: so names have the lengths of names.

from pathlib import Path

import matplotlib.pyplot as plt
import names
import numpy as np

from skdl import RNNLanguageModel
from skdl.optimizers import Adam
from skdl.schedules import Cosine

lines = Path(names.FILES["last"]).read_text().splitlines()
known = [line.split()[0].title() for line in lines]
order = np.random.default_rng(0).permutation(len(known))
train, test = ([known[i] for i in part] for part in (order[:20000], order[20000:22000]))

model = RNNLanguageModel(
    hidden_layer_sizes=96,
    embedding=24,
    batch_size=100,
    optimizer=Adam(Cosine(8e-3)),
    max_iter=3,
    random_state=0,
)
model.fit(train)
print(f"Perplexity of names that it has not seen: {model.perplexity(test):.1f}")

# %%
# Making up
# ---------
# Some of what it draws exists, though the model may never have read it.

drawn = model.sample(1000, random_state=0)
new = [name for name in drawn if name not in set(known)]
print("new:", *new[:16])
print("exist:", *[name for name in drawn if name in set(known)][:8])
print(f"{len(new) / len(drawn):.0%} of the names are new.")

# %%
# A prompt says how they begin, ``top_p`` leaves the improbable out, and a search finds
# the most probable of all.

print("drawn:", *(model.generate("Mc", top_p=0.8, random_state=i) for i in range(6)))
print("most probable:", *model.beam_search("Mc", n_beams=10)[0][:6])

# %%
# The lengths are those of the data, though nothing was said about lengths.

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
lengths = np.arange(2, 15)
for shift, (label, some) in zip(
    (-0.2, 0.2), {"surnames": known, "made up": drawn}.items(), strict=True
):
    counts = np.bincount([len(name) for name in some], minlength=16)
    ax.bar(lengths + shift, counts[lengths] / len(some), 0.4, label=label)
ax.set(
    xlabel="characters of a name",
    ylabel="share of names",
    xticks=lengths,
    title="Made-up names are as long as real ones",
)
ax.legend()
plt.show()

# %%
# How odd is a name?
# ------------------
# ``score_samples`` is the logarithm of the probability of a whole name. Turned
# backwards, names keep their letters and their lengths, but hardly sound like names.

back = [name[::-1].title() for name in test]
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
bins = np.linspace(-50, -5, 46)
for label, some in (("held-out names", test), ("the same, backwards", back)):
    scores = model.score_samples(some)
    ax.hist(scores, bins, alpha=0.6, label=f"{label}: mean {scores.mean():.1f}")
ax.set(
    xlabel="log-probability of the name",
    ylabel="names",
    title="What sounds like a name",
)
ax.legend()
plt.show()
