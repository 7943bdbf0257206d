"""Looking at fitted models."""

from skdl.inspection._idle import IdleDirections, idle_directions
from skdl.inspection._loss_curve import LossCurveDisplay

__all__ = ["IdleDirections", "LossCurveDisplay", "idle_directions"]
