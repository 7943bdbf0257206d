"""Deep learning and boosting that is scikit-learn all the way through."""

from __future__ import annotations

import importlib
import pkgutil
import typing

from skdl._compile import compile
from skdl._config import config_context, get_config, set_config
from skdl._registry import did_you_mean as _did_you_mean
from skdl.boosting import (
    AdaBoost,
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from skdl.neural_network import (
    Autoencoder,
    CNNClassifier,
    CNNRegressor,
    MLPClassifier,
    MLPRegressor,
    NetworkFeatures,
    ObjectLocalizer,
    RNNClassifier,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
    SegmentationClassifier,
    Seq2Seq,
    StrokeGenerator,
    SuperResolution,
)

__version__ = "0.1.0"

__all__ = [
    "AdaBoost",
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "Autoencoder",
    "CNNClassifier",
    "CNNRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkFeatures",
    "ObjectLocalizer",
    "RNNClassifier",
    "RNNLanguageModel",
    "RNNRegressor",
    "RNNTagger",
    "SegmentationClassifier",
    "Seq2Seq",
    "StrokeGenerator",
    "SuperResolution",
    "compile",
    "config_context",
    "get_config",
    "set_config",
]

# Packages are imported when they are first asked for, as `skdl.callbacks`.
if typing.TYPE_CHECKING:
    from skdl import (
        activations as activations,
    )
    from skdl import (
        augment as augment,
    )
    from skdl import (
        boosting as boosting,
    )
    from skdl import (
        callbacks as callbacks,
    )
    from skdl import (
        datasets as datasets,
    )
    from skdl import (
        initializers as initializers,
    )
    from skdl import (
        inspection as inspection,
    )
    from skdl import (
        io as io,
    )
    from skdl import (
        layers as layers,
    )
    from skdl import (
        losses as losses,
    )
    from skdl import (
        metrics as metrics,
    )
    from skdl import (
        networks as networks,
    )
    from skdl import (
        neural_network as neural_network,
    )
    from skdl import (
        optimizers as optimizers,
    )
    from skdl import (
        schedules as schedules,
    )
    from skdl import (
        testing as testing,
    )
    from skdl import (
        text as text,
    )
    from skdl import (
        training as training,
    )
    from skdl import (
        tree as tree,
    )
else:
    _PACKAGES = frozenset(
        module.name
        for module in pkgutil.iter_modules(__path__)
        if module.ispkg and not module.name.startswith("_")
    )

    def __getattr__(name: str) -> typing.Any:
        if name in _PACKAGES:
            return importlib.import_module(f"skdl.{name}")
        hint = _did_you_mean(name, [*__all__, *_PACKAGES])
        raise AttributeError(f"module 'skdl' has no attribute {name!r}.{hint}")

    def __dir__() -> list[str]:
        special = {name for name in globals() if name.startswith("__")}
        return sorted({*__all__, *_PACKAGES, *special})
