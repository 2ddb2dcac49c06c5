"""How the reference network is trained. Apart from the network itself, so that who only asks whether it is there need
not import TensorFlow.
"""

from dataclasses import asdict, dataclass, field

from .augmentation import Augmentation
from .precision import Arithmetic

NUISANCE = Augmentation(rotation=3.0, scale=0.05, shift=0.02, flip=0.0, warp_pixels=2.0)
MISALIGNED = 0.6  # pixels of the 256-pixel face, SD: frame against median
# Weights of what a reader of action units sees differently in output and answer, and of how well it reads the labels in
# the output, where labels exist to train one. Chosen by LeNet-5's score on development people, rendered with seed 7.
READING, NAMING = 0.1, 0.3
EDGES = 1.0  # weight of the gradients' error against the grey levels'


@dataclass(frozen=True)
class Recipe:
    """How the reference network is trained."""

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
    arithmetic: Arithmetic = Arithmetic()

    def described(self) -> dict:
        """All of it as JSON, for keys and checkpoints; the arithmetic as its own key says."""
        told = asdict(self)
        del told["arithmetic"]
        return {**told, **self.arithmetic.key()}
