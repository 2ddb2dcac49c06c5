"""Cameras, lights and backdrops of the two rendered corpora, and the moments they see."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np


@dataclass(frozen=True)
class Camera:
    """Where the camera is. The head's origin is the point between the eyes at rest.

    size (width, height) pixels · scale: pixels per decimetre at the head · distance, decimetres · elevation: degrees
    above the eyes, negative for a camera that looks up · eyes: the origin's place, as shares of width and height.
    """

    size: tuple[int, int]
    scale: float
    distance: float
    elevation: float
    eyes: tuple[float, float]


@dataclass(frozen=True)
class Light:
    """lamps: directions (x to the person's left, y up, z to the camera) and strengths · ambient light · gloss."""

    lamps: tuple[tuple[float, float, float, float], ...]
    ambient: float
    gloss: float
    backdrop: float  # brightness of the background, 0..1


@dataclass(frozen=True)
class Moment:
    """What a face does at one instant, whoever's face it is.

    units: action unit -> (left, right) activation in 0..1 · extra: expression unit -> strength, for movement that
    carries no label · yaw, pitch, roll: of the head, degrees · shift: of the head (x, y, z), decimetres · gaze: yaw and
    pitch of the eyes, degrees.
    """

    units: dict[int, tuple[float, float]] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)


# Portrait frames, face on, near; landscape frames, from below, nearer with a shorter lens.
BP4D_CAMERA = Camera((256, 320), 98.0, 16.0, 0.0, (0.5, 0.44))
DISFA_CAMERA = Camera((320, 240), 82.0, 9.0, -9.0, (0.5, 0.43))
# Two soft lamps at the front; one strong lamp at the side.
BP4D_LIGHT = Light(((-0.55, 0.45, 0.75, 0.46), (0.60, 0.30, 0.75, 0.34)), 0.30, 0.16, 0.42)
DISFA_LIGHT = Light(((0.75, 0.70, 0.60, 0.74), (-0.6, 0.1, 0.7, 0.20)), 0.27, 0.22, 0.26)
SCENES = {"BP4D": (BP4D_CAMERA, BP4D_LIGHT), "DISFA": (DISFA_CAMERA, DISFA_LIGHT)}


def vary_light(light: Light, generator: np.random.Generator, amount: float) -> Light:
    """The light with its lamps turned and dimmed at random; `amount` 1 for one session to another."""
    lamps = []
    for x, y, z, strength in light.lamps:
        turned = np.array([x, y, z]) + 0.10 * amount * generator.standard_normal(3)
        lamps.append((*turned.tolist(), strength * float(np.exp(0.07 * amount * generator.standard_normal()))))
    ambient = light.ambient * float(np.exp(0.06 * amount * generator.standard_normal()))
    backdrop = float(np.clip(light.backdrop + 0.03 * amount * generator.standard_normal(), 0.05, 0.9))
    return replace(light, lamps=tuple(lamps), ambient=ambient, backdrop=backdrop)


def backdrop(light: Light, size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """An out-of-focus wall, (height, width) float32 in 0..1."""
    width, height = size
    blobs = cv2.resize(generator.standard_normal((5, 5)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    fall = np.linspace(0.05, -0.05, height, dtype=np.float32)[:, None]
    return np.clip(light.backdrop * (1 + 0.10 * blobs + fall), 0, 1)
