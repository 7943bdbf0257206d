"""
Five upper bounds of the 0/1 loss
=================================

The number of errors has no gradient to descend. What classifiers minimise instead lies
above it everywhere, is smooth or nearly so, and small only where errors are few.
"""

# %%
# With classes −1 and +1 and a classifier sign f(x), the margin m = y f(x) is positive
# where the answer is right. The 0/1 loss is the step [m < 0]. Each of these functions
# is at least as large as that step at any margin:

import matplotlib.pyplot as plt
import numpy as np

bounds = {
    r"exponential, $e^{-m}$: AdaBoost": lambda m: np.exp(-m),
    r"logistic, $\log_2(1+e^{-m})$: log loss": lambda m: np.log2(1 + np.exp(-m)),
    r"hinge, $(1-m)_+$: support vectors": lambda m: np.maximum(1 - m, 0),
    r"squared, $(1-m)^2$: least squares": lambda m: (1 - m) ** 2,
    r"sigmoid, $2/(1+e^m)$: tangent-free": lambda m: 2 / (1 + np.exp(m)),
}
m = np.linspace(-2.5, 3, 1101)
step = (m < 0).astype(float)
for name, bound in bounds.items():
    assert np.all(bound(m) >= step), name

_, ax = plt.subplots(figsize=(8.5, 5.2), layout="constrained")
ax.fill_between(m, step, color="0.92", lw=0)
ax.plot([-2.5, 0], [1, 1], "k", lw=2.5, label="0/1 loss, [m < 0]")
ax.plot([0, 3], [0, 0], "k", lw=2.5)
ax.plot([0, 0], [0, 1], "k:", lw=1)
for name, bound in bounds.items():
    ax.plot(m, bound(m), lw=1.8, label=name)
ax.set(xlim=(-2.5, 3), ylim=(-0.08, 4), xlabel="margin m = y f(x)", ylabel="loss")
ax.set_title("Losses of classification, and the one that is meant")
ax.legend()
plt.show()
