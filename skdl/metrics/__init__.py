"""How good predicted label maps, boxes, pictures and spans of sequences are."""

from skdl.metrics._boxes import box_iou, mean_box_iou
from skdl.metrics._labels import class_iou, mean_iou, pixel_accuracy
from skdl.metrics._pictures import psnr
from skdl.metrics._spans import SpanScores, label_spans, span_scores

__all__ = [
    "SpanScores",
    "box_iou",
    "class_iou",
    "label_spans",
    "mean_box_iou",
    "mean_iou",
    "pixel_accuracy",
    "psnr",
    "span_scores",
]
