"""Augmentation: random changes of pictures while a network is trained."""

from skdl.augment._place import CropResize, Flip, Rotate, Shift
from skdl.augment._transform import Transform, get, names, register, registry, resolve
from skdl.augment._value import Brightness, Cutout, Mixup

__all__ = [
    "Brightness",
    "CropResize",
    "Cutout",
    "Flip",
    "Mixup",
    "Rotate",
    "Shift",
    "Transform",
    "get",
    "names",
    "register",
    "registry",
    "resolve",
]
