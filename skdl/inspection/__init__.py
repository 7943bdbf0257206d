"""Looking at fitted models."""

from skdl.inspection._boxes import BoxesDisplay
from skdl.inspection._feature_maps import FeatureMapsDisplay
from skdl.inspection._filters import FiltersDisplay
from skdl.inspection._gradient_flow import gradient_flow
from skdl.inspection._gradient_flow_display import GradientFlowDisplay
from skdl.inspection._idle import IdleDirections, idle_directions
from skdl.inspection._importance import FeatureImportanceDisplay
from skdl.inspection._learning_rate_finder import LearningRateFinderDisplay
from skdl.inspection._loss_curve import LossCurveDisplay
from skdl.inspection._path import OptimizationPathDisplay
from skdl.inspection._receptive_field import receptive_field
from skdl.inspection._reconstruction import ReconstructionDisplay
from skdl.inspection._saliency import SaliencyDisplay
from skdl.inspection._schedule import ScheduleDisplay
from skdl.inspection._segmentation import SegmentationDisplay
from skdl.inspection._surface import LossSurfaceDisplay
from skdl.inspection._tree_display import TreeDisplay
from skdl.inspection._tree_text import export_text

__all__ = [
    "BoxesDisplay",
    "FeatureImportanceDisplay",
    "FeatureMapsDisplay",
    "FiltersDisplay",
    "GradientFlowDisplay",
    "IdleDirections",
    "LearningRateFinderDisplay",
    "LossCurveDisplay",
    "LossSurfaceDisplay",
    "OptimizationPathDisplay",
    "ReconstructionDisplay",
    "SaliencyDisplay",
    "ScheduleDisplay",
    "SegmentationDisplay",
    "TreeDisplay",
    "export_text",
    "gradient_flow",
    "idle_directions",
    "receptive_field",
]
