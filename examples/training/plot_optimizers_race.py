"""
All optimizers racing
=====================

Every optimizer of skdl starts from the same point of four functions that each are
difficult in a way of their own: a long narrow bowl, Rosenbrock's curved valley,
Himmelblau's four minima and Beale's plain between steep walls. On two variables the
whole path can be seen.
"""

# %%
# The courses
# -----------
# ``skdl.optimizers.minimize`` runs any optimizer on any function; where the function
# gives no gradient, it takes differences.

import matplotlib.pyplot as plt
import numpy as np

from skdl import optimizers
from skdl.inspection import OptimizationPathDisplay
from skdl.optimizers import minimize


def bowl(theta):
    x, y = theta
    return 0.5 * (x**2 + 25 * y**2)


def rosenbrock(theta):
    x, y = theta
    return (1 - x) ** 2 + 20 * (y - x**2) ** 2


def himmelblau(theta):
    x, y = theta
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def beale(theta):
    x, y = theta
    return sum((c - x * (1 - y**k)) ** 2 for c, k in ((1.5, 1), (2.25, 2), (2.625, 3)))


four = [(3, 2), (-2.805118, 3.131313), (-3.77931, -3.283186), (3.584428, -1.848127)]
courses = {
    # name: function, start, minima, limits of the picture
    "bowl": (bowl, [-9, 2], [(0, 0)], (-10, 4), (-3, 3)),
    "Rosenbrock": (rosenbrock, [-1.5, 2], [(1, 1)], (-2, 2), (-1, 3)),
    "Himmelblau": (himmelblau, [0.5, -0.5], four, (-5, 5), (-5, 5)),
    "Beale": (beale, [-1.5, -1.2], [(3, 0.5)], (-2.5, 4), (-2, 2)),
}

# %%
# The racers
# ----------
# A rate for each course, found by trying a few; those without one need none. Gradients
# longer than 10 are cut, without which Beale's walls throw the plain methods out.

rates = {
    "sgd": (0.07, 0.005, 0.01, 0.01),
    "gd": (0.07, 0.005, 0.01, 0.01),
    "momentum": (0.02, 0.003, 0.003, 0.005),
    "nesterov": (0.02, 0.003, 0.003, 0.005),
    "ema": (0.2, 0.03, 0.03, 0.05),
    "adagrad": (1.0, 0.3, 0.5, 0.3),
    "adadelta": (30.0, 10.0, 10.0, 10.0),
    "rmsprop": (0.05, 0.02, 0.05, 0.02),
    "rprop": (0.1, 0.1, 0.1, 0.1),
    "adam": (0.3, 0.1, 0.3, 0.1),
    "adamw": (0.3, 0.1, 0.3, 0.1),
    "nadam": (0.1, 0.02, 0.05, 0.02),
    "amsgrad": (0.3, 0.1, 0.3, 0.1),
    "lion": (0.03, 0.01, 0.03, 0.01),
}


def racer(name, course):
    """The optimizer of that name, with the rate for the course."""
    optimizer = optimizers.get(name)
    if name in rates:
        rate = rates[name][list(courses).index(course)]
        optimizer.set_params(learning_rate=rate, clip_norm=10.0)
    if name == "adamw":  # its decay would pull the minimum towards 0
        optimizer.set_params(weight_decay=0.0)
    return optimizer


def steps_to_goal(path, minima):
    """The step after which the path stays within 0.01 of a minimum, if it does."""
    gaps = [np.linalg.norm(path - goal, axis=1) for goal in np.array(minima)]
    away = np.flatnonzero(np.min(gaps, axis=0) > 0.01)
    last = away[-1] + 1 if len(away) else 0
    return last if last < len(path) else None


names = [name for name in optimizers.names() if name not in ("jog", "sgd")]
paths, steps = {}, {}
for course, (function, start, minima, *_) in courses.items():
    for name in names:
        optimizer = racer(name, course)
        result = minimize(function, start, optimizer=optimizer, max_iter=2000)
        n = steps_to_goal(result.path, minima)
        paths[course, name] = result.path[: (n or 2000) + 1]
        steps[course, name] = n

print(f"{'steps to a minimum':20}" + "".join(f"{course:>12}" for course in courses))
for name in names:
    cells = "".join(f"{steps[course, name] or 'never':>12}" for course in courses)
    print(f"{name:20}{cells}")

# %%
# ``sgd`` is ``gd`` here, where there are no batches, and ``jog`` is no racer: it
# perturbs another one. A step of ``newton`` costs several gradients, and one of
# ``coordinate`` many values.
#
# In the bowl
# -----------
# Gradient descent bounces between the walls of the short axis and creeps along the long
# one. Momentum averages the bounces out and adds up what they have in common. Nesterov
# looks at the gradient ahead and brakes before the wall. RProp, RMSProp and Adam give
# each coordinate a step of its own, whatever the scale of its gradient. RMSProp and
# Lion take steps about as long as their rate wherever they are, so that they end up
# hovering around the minimum: they need a schedule. Newton knows the curvature and
# needs one step, coordinate descent one along each axis, since the bowl's axes are
# those of the coordinates.


def draw(course):
    function, _, minima, xlim, ylim = courses[course]
    fig, axes = plt.subplots(
        3, 6, figsize=(13, 6.5), sharex=True, sharey=True, layout="constrained"
    )
    for ax, name in zip(axes.flat, names, strict=False):
        OptimizationPathDisplay.from_function(
            function,
            paths[course, name],
            xlim=xlim,
            ylim=ylim,
            n_points=80,
            levels=14,
            ax=ax,
        )
        n = steps[course, name]
        ax.plot(*np.transpose(minima), "kx", ms=6)
        ax.set(title=f"{name}: {n or 'never'}", xlabel="", ylabel="")
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    fig.suptitle(course)
    return fig


draw("bowl")
plt.show()

# %%
# In the valley
# -------------
# Now the difficult direction turns as the path goes on, so that a step size for each
# coordinate is of less help, and moving along one coordinate at a time is a zigzag
# along the floor. Momentum builds up speed. L-BFGS learns the curvature from the
# gradients that it has seen; Newton has it, and follows the bend.

draw("Rosenbrock")
plt.show()

# %%
# Four minima
# -----------
# Where a path ends is a matter of the first steps: from this start near the hilltop,
# methods that begin alike go to one minimum and those that weigh the coordinates
# differently to another. All four are equally deep here; where they are not, see
# :ref:`sphx_glr_auto_examples_training_plot_noise.py`.

draw("Himmelblau")
plt.show()

# %%
# A plain between walls
# ---------------------
# The gradient is enormous on the walls and next to nothing on the plain that leads to
# the minimum. Steps in proportion to it are too long, then too short.

draw("Beale")
plt.show()
