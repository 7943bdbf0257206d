"""
Strings backwards, and dates in one form
========================================

``Seq2Seq`` writes one sequence from another. An encoder reads the first, symbol by
symbol; what it has in mind at the end is all that the decoder gets, which writes the
second (Sutskever, Vinyals & Le 2014). Nothing is said about strings or dates here but
pairs of examples.
"""

# %%
# Backwards
# ---------
# Words of three to eight letters, most of which the network has not seen: there are
# 26⁸ of the longest alone. It must remember every letter and its place.

import numpy as np

from skdl import Seq2Seq
from skdl.optimizers import Adam
from skdl.schedules import Cosine

rng = np.random.default_rng(0)
letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def words(n):
    """Return random words, and each of them backwards."""
    found = ["".join(rng.choice(letters, rng.integers(3, 9))) for _ in range(n)]
    return found, [word[::-1] for word in found]


X, y = words(4000)
X_test, y_test = words(500)
model = Seq2Seq(
    96,
    cell="gru",
    embedding=32,
    optimizer=Adam(Cosine(0.01), clip_norm=1.0),
    batch_size=64,
    max_iter=20,
    n_iter_no_change="never",
    random_state=0,
)
model.fit(X, y)


def show(model, X, y, n=6):
    """Print the scores, and some answers with what was asked."""
    print(f"right from end to end: {model.score(X, y):.3f}")
    print(f"right symbols:         {model.token_accuracy(X, y):.3f}\n")
    answers = model.predict(X)
    wrong = [i for i, answer in enumerate(answers) if answer != y[i]]
    right = [i for i, answer in enumerate(answers) if answer == y[i]]
    width = max(map(len, X))
    for i in right[:n] + wrong[:n]:
        note = "" if answers[i] == y[i] else f"   not {y[i]}"
        print(f"{X[i]:>{width}} → {answers[i]}{note}")


show(model, X_test, y_test)

# %%
# The words that go wrong are the long ones: the state of 96 numbers has to hold them.

import matplotlib.pyplot as plt

lengths = np.array([len(word) for word in X_test])
answers = np.array(model.predict(X_test), object)
right = answers == np.array(y_test, object)
_, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.bar(range(3, 9), [right[lengths == n].mean() for n in range(3, 9)])
ax.set(xlabel="letters", ylabel="right from end to end", title="New words, backwards")
plt.show()

# %%
# Several answers
# ---------------
# ``predict`` is greedy: it takes the most probable symbol each time. With ``n_beams``
# it follows several beginnings side by side, and answers what is most probable as a
# whole. ``predict_n_best`` tells all that it has found, with log-probabilities, and
# ``score_samples`` how probable an answer is: those that the model is less sure of are
# more often wrong.

greedy = np.array(model.predict(X_test), object) == np.array(y_test, object)
sure = np.exp(model.score_samples(X_test))
order = np.argsort(sure)
print(f"right among the 50 least sure answers: {greedy[order[:50]].mean():.2f}")
print(f"right among the others:                {greedy[order[50:]].mean():.2f}\n")

word = X_test[order[0]]
for answer, log_p in model.predict_n_best([word], n=4)[0]:
    print(f"{word} → {answer}  with probability {np.exp(log_p):.3f}")

print(f"\ngreedy:  {greedy.mean():.3f} right")
model.set_params(n_beams=5)
print(f"5 beams: {model.score(X_test, y_test):.3f} right")

# %%
# Dates
# -----
# Dates as people write them, to be written as machines sort them. The network has to
# read words and numbers, know the months by name, and put the parts in another order.

import datetime

FORMS = [
    "{d.day} {d:%B} {d.year}",
    "{d:%B} {d.day}, {d.year}",
    "{d:%a} {d.day} {d:%b} {d.year}",
]


def dates(n):
    """Return dates of two centuries in one of three forms, and in ISO's."""
    first, last = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
    days = rng.integers(first.toordinal(), last.toordinal() + 1, n)
    found = [datetime.date.fromordinal(int(day)) for day in days]
    written = [FORMS[rng.integers(len(FORMS))].format(d=d) for d in found]
    return written, [d.isoformat() for d in found]


X, y = dates(4000)
X_test, y_test = dates(500)
model.set_params(n_beams=1).fit(X, y)
print("3 March 2021 →", model.predict(["3 March 2021"])[0], "\n")
show(model, X_test, y_test)
