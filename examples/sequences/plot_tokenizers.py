"""
Characters, words, or something in between
==========================================

A language model reads whole numbers. How a text becomes numbers decides how long its
sequences are, how many symbols there are to choose from, and what is unknown. The
tokenizers of ``skdl.text`` stand before ``RNNLanguageModel``, and can be used alone.
"""

# %%
# One sentence, four ways
# -----------------------
# The tokenizers learn their vocabulary from Python's documentation. Byte pair encoding
# begins with bytes and merges the most frequent pair of neighbours, again and again.

import tempfile
import warnings
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator

from skdl import RNNLanguageModel
from skdl.optimizers import Adam
from skdl.schedules import Cosine
from skdl.text import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    SymbolTokenizer,
    UnknownTokenWarning,
    WordTokenizer,
)

texts = [topics[name] for name in sorted(topics)]
train, test = texts[::3], texts[1::6]  # half of them will do
sentence = "The del statement unbinds names."
tokenizers = {
    "characters": CharTokenizer(),
    "bytes": ByteTokenizer(),
    "byte pairs, 1,000": BPETokenizer(max_vocabulary=1000),
    "words": WordTokenizer(min_frequency=2),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UnknownTokenWarning)  # words of the other texts
    for name, tokenizer in tokenizers.items():
        (ids,) = tokenizer.fit(train).transform([sentence])
        pieces = [tokenizer.inverse_transform([[i]])[0] for i in ids]
        n = sum(map(len, tokenizer.transform(test)))
        print(f"{name}: {len(tokenizer.vocabulary_)} symbols; the other texts", end=" ")
        print(f"are {n:,} tokens\n    {'|'.join(pieces)}")
print("first merges:", tokenizers["byte pairs, 1,000"].merges_[4:10])

# %%
# What was not in the texts that a tokenizer was fitted to is unknown, which a warning
# counts. Bytes, and pairs of bytes, know every text.

for name in ("words", "byte pairs, 1,000"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ids = tokenizers[name].transform(["A walrus: x := 3 \N{EURO SIGN}"])
    print(f"{name}: {[str(warning.message) for warning in caught]}")
    print("    ", tokenizers[name].inverse_transform(ids))

# %%
# Not only texts: each element of a list is a symbol for ``SymbolTokenizer``, which the
# model takes by itself for lists and arrays.

chords = [["C", "F", "G", "C"], ["C", "Am", "F", "G"]]
print(SymbolTokenizer().fit_transform(chords))

# %%
# Which one makes a better model?
# -------------------------------
# Perplexities per token cannot be compared, as tokens differ in length; bits for each
# character of the text can. Pairs of bytes make shorter sequences, so that a state
# reaches further back; the softmax gets wider, and the tables of symbols hold most of
# the parameters. ``tie_embeddings=True`` has one table for both ends.

choices = {
    "characters": (CharTokenizer(), False),
    "3,000 byte pairs": (BPETokenizer(max_vocabulary=3000), False),
    "3,000 byte pairs, one table": (BPETokenizer(max_vocabulary=3000), True),
}
n_characters = sum(map(len, test))
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (tokenizer, tied) in choices.items():
    model = RNNLanguageModel(
        tokenizer,
        hidden_layer_sizes=96,
        tie_embeddings=tied,
        batch_size=16,
        optimizer=Adam(Cosine(8e-3), clip_norm=1.0),
        max_iter=4,
        random_state=0,
    )
    model.fit(train, X_val=test)
    bits = -np.array(model.history_["val_score"]) / n_characters / np.log(2)
    ax.plot(range(1, 5), bits, "o-", label=name)
    print(f"{name}: {bits[-1]:.2f} bits, {model.network_.params.size:,} parameters")
ax.set(
    xlabel="epoch",
    xticks=range(1, 5),
    ylabel="bits per character, held out",
    title="The same texts, as different symbols",
)
ax.legend()
plt.show()

# %%
# The pairs are ahead at first: which letters make a word is in them already, while the
# model of characters has to find it out. On a text as small as this one it catches up.
# One table for both ends has half the parameters, and pays a little for that here.
#
# Texts that do not fit in memory
# -------------------------------
# ``write`` turns texts into a file of numbers, one text at a time. NumPy maps the file
# into memory, and ``partial_fit`` reads of it what a batch needs. The tokenizer comes
# fitted, inside ``FrozenEstimator``.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "topics.npy"
    n_ids = tokenizers["byte pairs, 1,000"].write(train, path)
    ids = np.load(path, mmap_mode="r")
    print(f"{n_ids:,} ids of type {ids.dtype}, {path.stat().st_size:,} bytes")
    model = RNNLanguageModel(
        FrozenEstimator(tokenizers["byte pairs, 1,000"]),
        hidden_layer_sizes=64,
        optimizer=Adam(1e-2),
        batch_size=8,
        random_state=0,
    )
    for _ in range(3):
        model.partial_fit(ids)
    del ids
print("loss of each pass:", np.round(model.loss_curve_, 2))
print(model.generate("The statement", 20, temperature=0.5, random_state=0))
