"""Section 3.2: the template is the participant who shows the most, by the median over the action units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .errors import StudyError
from .frames import BP4D_ACTION_UNITS


@dataclass(frozen=True)
class Template:
    """The chosen participant and the whole ranking (see `rank_participants`)."""

    participant: str
    ranking: pd.DataFrame
    dataset: str = "BP4D"

    @property
    def name(self) -> str:
        """The participant among those of both datasets: dataset/participant."""
        return f"{self.dataset}/{self.participant}"

    @property
    def key(self) -> str:
        return self.name

    def face_among(self, faces: Any) -> np.ndarray:
        """Their median face, uint8 (side, side), from `faces.medians` by name."""
        return faces.medians[self.name]


@dataclass(frozen=True)
class MeanFace:
    """Nobody as a template: the mean of everybody's median face (chapter 12)."""

    name: str = "mean face"

    @property
    def key(self) -> str:
        return self.name

    def face_among(self, faces: Any) -> np.ndarray:
        """The mean of `faces`' medians, uint8 (side, side)."""
        return faces.mean_face


def count_activations(frames: pd.DataFrame, action_units: Sequence[str] = BP4D_ACTION_UNITS) -> pd.DataFrame:
    """Frames on which each participant shows each action unit: index `participant`, one int column a unit.

    Missing codes (-1) count as not shown, as no one saw them.
    """
    shown = frames[list(action_units)] == 1
    return shown.groupby(frames["participant"].to_numpy()).sum().rename_axis("participant").astype(np.int64)


def rank_participants(counts: pd.DataFrame) -> pd.DataFrame:
    """Rank participants by the median of their counts over action units, highest first.

    `counts` is participants x action units. Returns it with the columns `rank` (1, 2, …), `median` and `tied`
    (True where another participant has the same median) in front. Ties go to the first identifier.
    """
    table = counts.sort_index()
    median = table.median(axis=1)
    table.insert(0, "median", median)
    table = table.sort_values("median", ascending=False, kind="stable")
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table.insert(2, "tied", table["median"].duplicated(keep=False))
    return table


def choose_template(frames: pd.DataFrame, dataset: str = "BP4D", action_units: Sequence[str] | None = None) -> Template:
    """The template by the paper's rule (section 3.2) over the frames of `dataset`.

    Where BP4D is absent (a licensee of DISFA alone) the only dataset there is takes its place.
    Raises StudyError for an empty table.
    """
    if not len(frames):
        raise StudyError("no frames to choose a template from; `deepfn check` says what is in the folders")
    present = frames["dataset"].unique()
    if dataset not in present:
        dataset = str(present[0])
    frames = frames[frames["dataset"] == dataset]
    if action_units is None:
        coded = [unit for unit in BP4D_ACTION_UNITS if (frames[unit] >= 0).any()]
        action_units = coded or BP4D_ACTION_UNITS
    ranking = rank_participants(count_activations(frames, action_units))
    return Template(str(ranking.index[0]), ranking, dataset)
