"""How good predicted label maps, boxes and pictures are."""

from skdl.metrics._boxes import box_iou, mean_box_iou
from skdl.metrics._labels import class_iou, mean_iou, pixel_accuracy
from skdl.metrics._pictures import psnr

__all__ = [
    "box_iou",
    "class_iou",
    "mean_box_iou",
    "mean_iou",
    "pixel_accuracy",
    "psnr",
]
