"""
What a language model has read, as features
===========================================

To foretell the next character a language model has to sum up those before it. Its state
behind a text is a fixed number of features, whatever the length of the text, and
learning it needs no labels. ``RNNLanguageModel`` is a transformer that gives it to any
other estimator.
"""

# %%
# First names of women and of men (those that both have are left out). All 4,832 names
# may be read, but only some have labels: the language model learns from all names, the
# classifier from those with a label.

from pathlib import Path

import matplotlib.pyplot as plt
import names
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import RNNLanguageModel
from skdl.optimizers import Adam
from skdl.schedules import Cosine


def read(kind):
    lines = Path(names.FILES[kind]).read_text().splitlines()
    return {line.split()[0].lower() for line in lines}


men, women = read("first:male"), read("first:female")
X = sorted(men ^ women)
y = np.array([name in women for name in X])

model = RNNLanguageModel(
    hidden_layer_sizes=64,
    embedding=16,
    dropout=0.1,
    batch_size=50,
    optimizer=Adam(Cosine(8e-3)),
    max_iter=20,
    random_state=0,
).set_output(transform="pandas")
states = model.fit_transform(X)
print(states.iloc[:3, :3].set_axis(X[:3]).round(2).to_string())

# %%
# The other features are counts of one to three characters in a row, the usual choice.
# Both go to a logistic regression, whose penalty suits them best of three.

counts = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3)).fit_transform(X)


def logistic(C):
    return LogisticRegression(C=C, max_iter=2000, class_weight="balanced")


features = {
    "states of a language model": (
        states, make_pipeline(StandardScaler(), logistic(0.003))
    ),
    "counts of n-grams": (counts, logistic(0.1)),
}  # fmt: skip
n_labels = [30, 60, 120, 250, 500, 1000, 2000]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, (rows, classifier)), marker in zip(features.items(), "os", strict=True):
    means, errors = [], []
    for n in n_labels:
        cv = StratifiedShuffleSplit(20, train_size=n, test_size=1000, random_state=0)
        scores = cross_val_score(
            classifier, rows, y, cv=cv, scoring="balanced_accuracy"
        )
        means.append(scores.mean())
        errors.append(scores.std())
    ax.errorbar(n_labels, means, errors, marker=marker, capsize=3, label=name)
    print(f"{name}: {means[1]:.2f} with {n_labels[1]} labels, {means[-1]:.2f}", end=" ")
    print(f"with {n_labels[-1]}")
ax.set(
    xscale="log",
    xticks=n_labels,
    xticklabels=n_labels,
    xlabel="names with a label",
    ylabel="balanced accuracy on 1,000 others",
    title="A woman's name or a man's? Twenty random splits each",
)
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# With few labels the model that has read all names without a label is ahead: it knows
# which endings are alike. With many, counts that are made for the question win.
