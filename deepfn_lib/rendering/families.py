"""Families of faces: each a mesh with shape targets, and what action units are in it. All else is shared.

The first is the head asset (`head`). Another is a folder with `head.npz` and `units.json`, an artefact (`scans` writes
one): its mesh is its own, but every vertex says which place of the first family's base mesh it is, so that skin, brows,
lips, hair, creases and landmarks, which are functions of place, fit both.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from .head import ASSET, Head, load_head

HEAD_FILE, UNITS_FILE = "head.npz", "units.json"
COMPONENT = "identity"  # targets with such names are drawn as independent components, of SD 1

# Action unit -> expression units of one side ("*" stands for Left or Right) and their strength at full activation.
ACTION_UNITS: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.2},
    2: {"browOuterUp*": 1.15},
    4: {"browDown*": 1.1},
    5: {"eyeWide*": 0.8},
    6: {"cheekSquint*": 1.0, "eyeSquint*": 0.25},
    7: {"eyeSquint*": 1.0},
    9: {"noseSneer*": 1.0, "browDown*": 0.2},
    10: {"mouthUpperUp*": 0.9, "noseSneer*": 0.25},
    12: {"mouthSmile*": 0.9},
    14: {"mouthDimple*": 1.0},
    15: {"mouthFrown*": 1.0},
    17: {"mouthShrugLower": 1.1, "mouthShrugUpper": 0.6},
    20: {"mouthStretch*": 0.9},
    23: {"mouthRollLower": 0.55, "mouthRollUpper": 0.6, "mouthPucker": 0.15},
    24: {"mouthPress*": 0.9, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    25: {"mouthLowerDown*": 0.7, "mouthUpperUp*": 0.15},
    26: {"jawOpen": 0.45},
    43: {"eyeBlink*": 1.0},
}


@dataclass(frozen=True)
class Family:
    """asset: the file of its head · units: as ACTION_UNITS."""

    asset: Path
    units: dict[int, dict[str, float]]

    @property
    def head(self) -> Head:
        return load_head(self.asset)

    @cached_property
    def components(self) -> list[str]:
        """The names of its components of identity; none where its identity targets have meanings (the first's)."""
        return [name for name in self.head.names if name.startswith(COMPONENT)]


FIRST_FAMILY = Family(ASSET, ACTION_UNITS)


@cache
def family_of(folder: str) -> Family:
    """The family in an artefact's folder, or the first one (empty)."""
    if not folder:
        return FIRST_FAMILY
    units = json.loads((Path(folder) / UNITS_FILE).read_text())
    return Family(Path(folder) / HEAD_FILE, {int(unit): made for unit, made in units.items()})
