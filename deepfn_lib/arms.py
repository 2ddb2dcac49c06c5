"""The arms: every way in which a face is shown to a classifier. The table is arms.yml; nothing else knows their names.

A new arm is an entry there and the function that it names: a change of one person's faces, as in `faces.images`, or
steps (`study.steps`) of which the maker leaves `faces.npy`, uint8 (n, 64, 64), row by row with the study's faces.
Settings, tables, figures and exports read this table.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from .errors import StudyError


class Arm(BaseModel):
    """One arm, an entry of arms.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="in settings, scores and files")
    label: str = Field(description="in legends and tables")
    what: str = Field(description="in a sentence")
    colour: str = Field(pattern="^#[0-9A-F]{6}$", description="in every figure")
    maker: str = Field(description="the step that makes it, module:function below deepfn_lib")
    change: str = Field("", description="without a network: what becomes of one person's faces, module:function")
    network: str = Field("", description="the step that trains what the maker applies")
    each: bool = Field(False, description="everybody has a network of their own")
    how: dict[str, Any] = Field({}, description="what the maker is to do otherwise than usual, by name")
    strangers: str = Field("", description="how its network serves people it was not trained on, module:function")
    exact: bool = Field(False, description="it is an exact answer, which rendered corpora alone have")
    labels: bool = Field(False, description="it has seen labels or exact answers; the others are self-supervised")
    wears_template: bool = Field(True, description="people in it wear the template's face")
    studied: bool = Field(False, description="one of the arms that `settings.arms` has by default")
    normaliser: bool = Field(False, description="the one that `settings.normaliser_arm` has by default")
    ours: bool = Field(False, description="our own self-supervised network, whose claims stand beside the paper's")
    paper: str = Field("", description="the arm of the paper's Table 5 beside which it stands")


ARMS = tuple(Arm(**entry) for entry in yaml.safe_load(Path(__file__).with_suffix(".yml").read_text()))
ORIGINAL = next(arm.name for arm in ARMS if arm.paper)  # faces as filmed: what every gain is measured from
ORACLE = next(arm.name for arm in ARMS if arm.exact)  # the first one: what gains are shares of
# What a network has to beat: nothing but equalised, less the median, the same with the head still, movement untrained.
EQUALISED, SUBTRACTED, STABILISED, UNTRAINED = (
    next(arm.name for arm in ARMS if arm.change.endswith(change))
    for change in ("images:equalised", "images:median_subtracted", "motion:stabilised", "motion:transferred")
)
PAPERS = next(arm.name for arm in ARMS if arm.each)  # the paper's own method
OURS = next(arm.name for arm in ARMS if arm.ours)
STUDIED = tuple(arm.name for arm in ARMS if arm.studied)
NORMALISER = next(arm.name for arm in ARMS if arm.normaliser)
SPARE_COLOURS = ("#3C8D93", "#B6425B", "#5A7D2A", "#9A6A8F", "#A0522D", "#4C72B0")


def find(name: str) -> Arm:
    """The arm called `name`. Raises StudyError for a name that no arm has."""
    for arm in ARMS:
        if arm.name == name:
            return arm
    raise StudyError(f"arm {name!r} is unknown; choose one of {', '.join(arm.name for arm in ARMS)}")


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """The names in the table's order, each once. Raises StudyError for one that no arm has."""
    wanted = {find(name).name for name in names}
    return tuple(arm.name for arm in ARMS if arm.name in wanted)


def label(name: str) -> str:
    """An arm's name in legends and tables; another name with spaces for its hyphens."""
    return next((arm.label for arm in ARMS if arm.name == name), name.replace("-", " "))


def colour(name: str, other: str | None = None) -> str:
    """An arm's colour, the same in every chapter; a name that is no arm gets `other`, or a spare one by its name."""
    spare = SPARE_COLOURS[sum(name.encode()) % len(SPARE_COLOURS)] if other is None else other
    return next((arm.colour for arm in ARMS if arm.name == name), spare)
