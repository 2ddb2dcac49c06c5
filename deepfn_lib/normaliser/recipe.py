"""How the normalisers' networks are trained: everything that makes one training another, in one value.

What a recipe says of itself is what stands in keys and checkpoints. Apart from the networks, so that who only asks
whether one is there need not import TensorFlow.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from .augmentation import Augmentation
from .precision import Precision

NUISANCE = Augmentation(rotation=3.0, scale=0.05, shift=0.02, flip=0.0, warp_pixels=2.0)
MISALIGNED = 0.6  # pixels of the 256-pixel face, SD: frame against median
# Weights of what a reader of action units sees differently in output and answer, and of how well it reads the labels in
# the output, where labels exist to train one. Chosen by LeNet-5's score on development people, rendered with seed 7.
READING, NAMING = 0.1, 0.3
EDGES = 1.0  # weight of the gradients' error against the grey levels'


class Described:
    """What both recipes can: say all of themselves."""

    precision: Precision

    def described(self) -> dict[str, Any]:
        """All of it as JSON, for keys and checkpoints; the precision as its own key says."""
        told: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        del told["precision"]
        return {**told, **self.precision.key}

    @property
    def key(self) -> dict[str, Any]:
        return self.described()


@dataclass(frozen=True)
class AutoencoderRecipe(Described):
    """How the paper's network is trained (section 3.2); `width` is the share of the paper's filters and units.

    An iteration is one batch of the template and one of the person. `loss`: "mae" (Eq. 1) or "rmse" (the text).
    """

    size: int = 128
    width: float = 1.0
    seed: int = 0
    batch: int = 64
    iterations: int = 50_000
    learning_rate: float = 5e-5
    loss: str = "mae"
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: Precision = Precision()


@dataclass(frozen=True)
class ReferenceRecipe(Described):
    """How the reference network is trained: frames at `detail` times `size` pixels, faces of `size` come out."""

    size: int = 64
    detail: int = 2
    base: int = 24
    seed: int = 0
    batch: int = 32
    iterations: int = 4000
    learning_rate: float = 2e-3
    edges: float = EDGES
    reading: float = READING
    naming: float = NAMING
    nuisance: Augmentation = field(default_factory=lambda: NUISANCE)
    misaligned: float = MISALIGNED
    precision: Precision = Precision()


SHARED_NUISANCE = Augmentation(rotation=5.0, scale=0.05, shift=0.02, flip=0.5, warp_pixels=0.0)


@dataclass(frozen=True)
class MotionRecipe(Described):
    """How DeepFN by motion is trained. `code`: numbers that start as movements; `shades`: further ones that start as
    changes of grey. `smooth`: the cost of rough motion; `follow`: of each pixel by which it is not the dense flow's,
    which needs no training; `sparing`: of each share of the grey range that is changed.
    """

    size: int = 128
    code: int = 48
    shades: int = 32
    seed: int = 0
    batch: int = 32
    iterations: int = 8000
    learning_rate: float = 1e-3
    smooth: float = 0.08
    follow: float = 0.3
    sparing: float = 0.2
    nuisance: Augmentation = field(default_factory=lambda: SHARED_NUISANCE)
    precision: Precision = Precision()
