"""
From Taylor's series to descent and to Newton
=============================================

Near a point, a smooth function is nearly a line, and more nearly a parabola. Whoever
trusts the line goes down the gradient; whoever trusts the parabola goes to its minimum.
How far to trust either is the rest of the story.
"""

# %%
# A line and a parabola
# ---------------------
# f(x₀ + p) ≈ f(x₀) + ∇f(x₀)ᵀp: of all short steps p of one length, the one along −∇f
# makes this smallest, which gives gradient descent, p = −η∇f. The line has no minimum,
# so η has to come from elsewhere. The next term, ½pᵀHp with the matrix H of second
# derivatives, bends the line into a parabola, and where H is positive the parabola has
# a minimum: p = −H⁻¹∇f, Newton's step, which knows its own length.

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize as scipy_minimize
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

from skdl.inspection import OptimizationPathDisplay
from skdl.optimizers import (
    GD,
    LBFGS,
    Armijo,
    Momentum,
    Newton,
    TrustRegion,
    Wolfe,
    minimize,
)


def f(x):
    return np.log(np.cosh(x - 1)) + 0.1 * x**2


def slope(x):
    return np.tanh(x - 1) + 0.2 * x


def curvature(x):
    return 1 / np.cosh(x - 1) ** 2 + 0.2


x0, xs = 2.2, np.linspace(-2, 4, 200)
p = xs - x0
line = f(x0) + slope(x0) * p
parabola = line + 0.5 * curvature(x0) * p**2
newton = x0 - slope(x0) / curvature(x0)

_, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
ax.plot(xs, f(xs), "k", label="f")
ax.plot(xs, line, "C0", label="Taylor, first order")
ax.plot(xs, parabola, "C1", label="Taylor, second order")
ax.plot(x0, f(x0), "ko")
ax.annotate("$x_0$", (x0, f(x0)), (5, 5), textcoords="offset points")
ax.plot(newton, f(newton), "C1*", ms=12, label="after Newton's step")
for rate in (0.5, 1.5, 3.0):
    x = x0 - rate * slope(x0)
    ax.plot(x, f(x), "C0o", ms=5)
    ax.annotate(f"η={rate}", (x, f(x)), (-4, -14), textcoords="offset points")
ax.set(ylim=(-0.4, 2.4), xlabel="x", title="One step from $x_0$")
ax.legend()
plt.show()

# %%
# Trusting the parabola too far
# -----------------------------
# Where the curvature is small, Newton's step is long. On √(1 + x²) it maps x to −x³:
# from inside ±1 it converges faster than any descent, from outside it flies away. This
# is why Newton's method is *damped*: a line search shortens the step until the function
# falls by a share of what the slope promised (Armijo), or until the slope has flattened
# too (Wolfe). A trust region is the other answer: it lets the parabola choose among
# steps up to a radius, which grows and shrinks with its success.


def root(x):
    return float(np.sqrt(1 + x**2).sum()), x / np.sqrt(1 + x**2)


x, pure = 1.2, [1.2]
for _ in range(3):
    x = -(x**3)
    pure.append(x)
print("pure Newton: ", " ".join(f"{x:9.3g}" for x in pure))
for search in (Armijo(), Wolfe(), TrustRegion()):
    path = minimize(root, [1.2], optimizer=Newton(search)).path[:, 0]
    name = type(search).__name__
    print(f"{name:12}:", " ".join(f"{x:9.3g}" for x in path))

# %%
# Between the gradient and Newton
# -------------------------------
# With a small radius the step is that of gradient descent, with a large one Newton's.
# Between them it bends from one to the other. The equations Hp = −∇f are solved by
# conjugate gradients, whose first direction is the gradient and whose last iterate is
# Newton's step, and which leave off at the edge of the region (Steihaug). They ask for
# H only in products H·v, and those are differences of gradients: no Hessian is formed.


def bowl(theta):
    return 0.5 * (theta[0] ** 2 + 8 * theta[1] ** 2)


def valley(theta):
    x, y = theta
    value = (1 - x) ** 2 + 5 * (y - x**2) ** 2
    return value, np.array([-2 * (1 - x) - 20 * x * (y - x**2), 10 * (y - x**2)])


def one_step(start, radius):
    optimizer = Newton(TrustRegion(radius))
    return minimize(bowl, start, optimizer=optimizer, max_iter=1).x


fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
start = [-4.0, 1.5]
OptimizationPathDisplay.from_function(
    bowl,
    [[start, *(one_step(start, radius) for radius in np.linspace(0.2, 4.4, 22))]],
    name="after one step, by radius",
    xlim=(-5, 1.5),
    ylim=(-1.5, 2),
    ax=left,
)
left.set_title("Growing radius")
OptimizationPathDisplay.from_optimizers(
    valley,
    [-1.0, 0.1],
    {"trust region": Newton(TrustRegion(0.3)), "line search": Newton("armijo")},
    xlim=(-1.6, 1.6),
    ylim=(-0.8, 1.6),
    ax=right,
)
right.set_title("Newton in a curved valley")
plt.show()

# %%
# What it buys
# ------------
# Logistic regression on real data. Each step of gradient descent multiplies the error
# by a factor near 1, momentum by a better one; near the minimum, Newton squares it, so
# that the number of right digits doubles. A step of Newton costs several gradients,
# which is what the second picture counts: there L-BFGS, which learns the curvature from
# the gradients it has seen anyway, keeps up.

X, y = load_breast_cancer(return_X_y=True)
A, sign = np.c_[scale(X), np.ones(len(y))], 2.0 * y - 1


class Loss:
    """The penalised mean loss, which counts how often it is asked."""

    def __init__(self):
        self.n, self.seen, self.values = 0, [], []

    def __call__(self, w):
        self.n += 1
        margin = sign * (A @ w)
        value = np.logaddexp(0, -margin).mean() + 0.005 * w @ w
        self.seen.append(self.n)
        self.values.append(value)
        return value, -A.T @ (sign / (1 + np.exp(margin))) / len(y) + 0.01 * w


w0 = np.zeros(A.shape[1])
best = scipy_minimize(Loss(), w0, jac=True, method="BFGS", options={"gtol": 1e-10}).fun
racers = {
    "gradient descent": GD(0.25),
    "momentum": Momentum(0.1, momentum=0.9),
    "L-BFGS": LBFGS(gtol=1e-9, ftol=0),
    "Newton": Newton(gtol=1e-9),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name, optimizer in racers.items():
    loss = Loss()
    result = minimize(loss, w0, optimizer=optimizer, max_iter=150, gtol=1e-9)
    left.semilogy(result.path_fun - best + 1e-16, label=name)
    lowest = np.minimum.accumulate(loss.values) - best + 1e-16
    right.semilogy(loss.seen, lowest, label=name)
    print(f"{name:>16}: {result.nit:3} steps, {loss.n:3} gradients")
left.set(xlabel="step", ylabel="loss above the minimum", ylim=(1e-14, 1))
right.set(xlabel="gradients computed", ylim=(1e-14, 1), xlim=(0, 200))
left.legend()
plt.show()
