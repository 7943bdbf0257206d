"""
Optimizers racing
=================

Seven optimizers start from the same point of two functions that each are difficult in a
way of their own: a long narrow bowl, and Rosenbrock's curved valley. On two variables
the whole path can be seen.
"""

# %%
# The courses
# -----------
# ``skdl.optimizers.minimize`` runs any optimizer of skdl on any function that returns
# its value and its gradient. In the bowl ½(x² + 25y²), the step that is right for the
# long axis is far too large for the short one. Rosenbrock's (1−x)² + 20(y−x²)² has a
# valley that is easy to find and slow to follow.

import matplotlib.pyplot as plt
import numpy as np

from skdl.optimizers import (
    GD,
    LBFGS,
    Adam,
    Momentum,
    Nesterov,
    RMSProp,
    RProp,
    minimize,
)


def bowl(theta):
    x, y = theta
    return 0.5 * (x**2 + 25 * y**2), np.array([x, 25 * y])


def rosenbrock(theta):
    x, y = theta
    value = (1 - x) ** 2 + 20 * (y - x**2) ** 2
    return value, np.array([-2 * (1 - x) - 80 * x * (y - x**2), 40 * (y - x**2)])


# %%
# The racers
# ----------
# The rates are sensible ones for each course, not the best that can be found. L-BFGS
# needs none.

racers = {
    "bowl": {
        "gradient descent": GD(0.07),
        "momentum": Momentum(0.02, momentum=0.8),
        "Nesterov": Nesterov(0.02, momentum=0.8),
        "RProp": RProp(0.1),
        "RMSProp": RMSProp(0.05),
        "Adam": Adam(0.3),
        "L-BFGS": LBFGS(),
    },
    "rosenbrock": {
        "gradient descent": GD(0.005),
        "momentum": Momentum(0.003, momentum=0.9),
        "Nesterov": Nesterov(0.003, momentum=0.9),
        "RProp": RProp(0.1),
        "RMSProp": RMSProp(0.02),
        "Adam": Adam(0.1),
        "L-BFGS": LBFGS(),
    },
}


def race(function, optimizer, start, goal, max_iter=3000):
    """The path until it stays within 0.01 of the goal, and the steps it took."""
    path = [np.array(start)]
    minimize(
        function, start, optimizer=optimizer, max_iter=max_iter, callback=path.append
    )
    path = np.array(path)
    away = np.linalg.norm(path - goal, axis=1) > 0.01
    steps = np.flatnonzero(away)[-1] + 1  # the last point that is away, and one more
    return path[: steps + 1], steps if steps < len(path) else None


courses = {
    "bowl": (bowl, [-9.0, 2.0], [0.0, 0.0]),
    "rosenbrock": (rosenbrock, [-1.5, 2.0], [1.0, 1.0]),
}
paths, steps = {}, {}
for course, (function, start, goal) in courses.items():
    for name, optimizer in racers[course].items():
        paths[course, name], steps[course, name] = race(
            function, optimizer, start, goal
        )

print(f"{'steps to the goal':20}{'bowl':>8}{'Rosenbrock':>13}")
for name in racers["bowl"]:
    print(f"{name:20}", end="")
    for course, width in [("bowl", 8), ("rosenbrock", 13)]:
        print(f"{steps[course, name] or 'never':>{width}}", end="")
    print()

# %%
# In the bowl
# -----------
# Gradient descent bounces between the walls of the short axis and creeps along the long
# one. Momentum averages the bounces out and adds up what they have in common. Nesterov
# looks at the gradient ahead and brakes before the wall. RProp, RMSProp and Adam give
# each coordinate a step of its own, whatever the scale of its gradient, and head for
# the goal at once. RMSProp's steps are about as long as its rate wherever it is, so
# that it ends up hovering around the minimum: it needs a schedule.


def draw(course, xlim, ylim):
    function, start, goal = courses[course]
    xs, ys = np.linspace(*xlim, 200), np.linspace(*ylim, 200)
    values = np.array([[function((x, y))[0] for x in xs] for y in ys])
    levels = np.quantile(values, np.linspace(0, 1, 14) ** 2)
    fig, axes = plt.subplots(
        2, 4, figsize=(11, 5), sharex=True, sharey=True, layout="constrained"
    )
    for ax, name in zip(axes.flat, racers[course], strict=False):
        n_steps = steps[course, name]
        ax.contour(xs, ys, values, levels, colors="C0", linewidths=0.7, alpha=0.5)
        ax.plot(*paths[course, name].T, "o-", color="C1", lw=1, ms=2.5)
        ax.plot(*start, "ko", ms=6, label="start")
        ax.plot(*goal, "k*", ms=10, label="goal")
        ax.set_title(f"{name}: {f'{n_steps} steps' if n_steps else 'hovers'}")
        ax.set(xlim=xlim, ylim=ylim)
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(*axes.flat[0].get_legend_handles_labels(), loc="center")
    return fig


draw("bowl", (-10, 4), (-3, 3))
plt.show()

# %%
# In the valley
# -------------
# Now the difficult direction turns as the path goes on, so that a step size for each
# coordinate is of less help. Momentum is: it builds up speed along the floor. L-BFGS
# learns the curvature from the gradients that it has seen, and wins by far on both
# courses. On a network it needs the whole sample for each step, which is why it is the
# choice for small data, and the others for large.

draw("rosenbrock", (-2, 2), (-1, 3))
plt.show()
