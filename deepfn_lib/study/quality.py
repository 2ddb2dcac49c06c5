"""Arms side by side: each one's nearness, expression and identity, participant by participant (chapter 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..frames import BP4D_ACTION_UNITS
from ..measures import expression, identity, nearness
from .data import Faces
from .steps import step

KINDS = ("fidelity", "expression", "identity")


@dataclass(frozen=True)
class Exact:
    """What every arm is measured against: the exact answers in some rows, and probes trained on them by the seed."""

    faces: Faces
    oracle: np.memmap
    rows: np.ndarray
    seed: int
    answers_key: str

    @property
    def key(self) -> dict[str, Any]:
        return {"answers": self.answers_key, "rows": self.rows, "seed": self.seed}

    @cached_property
    def answers(self) -> np.ndarray:
        """The exact answers, uint8 (len(rows), 64, 64)."""
        return np.asarray(self.oracle[self.rows])

    @cached_property
    def people(self) -> np.ndarray:
        """The participant of each row."""
        return self.faces.frames["participant"].astype(str).to_numpy()[self.rows]

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels int8 (len(rows), 12) of 1, 0, -1."""
        return self.faces.frames[list(BP4D_ACTION_UNITS)].to_numpy()[self.rows]

    @cached_property
    def probes(self) -> list:
        """Two probes, each of one half of the participants; trained once, for all arms."""
        return expression.train_probes(self.answers, self.labels, self.people, self.seed)


def compared_rows(faces: Faces, template: str, dataset: str = "BP4D") -> np.ndarray:
    """The rows that are measured: evenly spaced frames of every participant of a dataset but the template."""
    rows = np.flatnonzero((faces.frames["dataset"] == dataset).to_numpy() & (faces.names != template))
    return rows[expression.evenly(faces.names[rows])]


@step("quality", rooms=("measures.nearness", "measures.expression", "measures.identity"))
def measured(folder, arm, exact):
    """One arm against the exact answers: a table for each of KINDS. `arm` is the arm's file."""
    pictures = np.load(arm, mmap_mode="r")[exact.rows]
    tasks = exact.faces.frames["task"].astype(str).to_numpy()[exact.rows]
    answers, people, labels = exact.answers, exact.people, exact.labels
    read = expression.expression_kept(pictures, answers, labels, people, BP4D_ACTION_UNITS, exact.probes)
    nearness.fidelity(pictures, answers, people).to_parquet(folder / "fidelity.parquet")
    read.to_parquet(folder / "expression.parquet")
    identity.identity_left(pictures, people, tasks).to_parquet(folder / "identity.parquet")


def summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row an arm: psnr and ssim of the face, psnr of the mouth, correlation, auc, nearest, linear; means.

    `tables`: KINDS, each with a column `arm`, as `Study.quality` gives them.
    """
    fidelity = tables["fidelity"].pivot_table(index="arm", columns="region", values=["psnr", "ssim"], sort=False)
    kept = tables["expression"].groupby("arm", sort=False)[["correlation", "auc"]].mean()
    left = tables["identity"].groupby("arm", sort=False)[["nearest", "linear"]].mean()
    wanted = {"psnr": ("psnr", "face"), "ssim": ("ssim", "face"), "mouth_psnr": ("psnr", "mouth")}
    faces = pd.DataFrame({name: fidelity[column] for name, column in wanted.items()})
    return faces.join(kept).join(left).reset_index()


def times_cheaper(curve: pd.DataFrame, own: pd.DataFrame, people: int) -> float:
    """How many times less one shared network costs for each of `people` than their own ones, at equal PSNR or better.

    `curve` from `Study.curve`, `own` from `Study.own_networks`. NaN where no budget of the curve reaches those.
    """
    enough = curve[curve["psnr"] >= own["psnr"].mean()]
    if enough.empty:
        return float("nan")
    return float(own["core_seconds"].mean() / (enough["core_seconds"].min() / people))
