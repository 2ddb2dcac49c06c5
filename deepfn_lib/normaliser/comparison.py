"""Methods side by side: each arm's quality and cost, participant by participant (chapter 10)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from .. import study
from ..artefacts import Store
from ..errors import StudyError
from ..frames import BP4D_ACTION_UNITS
from ..measures import quality
from ..settings import Settings
from . import methods

CODE_VERSION = 1  # raise when the same faces would be measured otherwise
PER_PERSON = "one network per person"


def budget(settings: Settings, share: float) -> Settings:
    """The settings with that share of the shared networks' iterations."""
    return settings.model_copy(update={"shared_iterations": max(1, round(settings.shared_iterations * share))})


def compared_rows(settings: Settings, store: Store, dataset: str = "BP4D") -> np.ndarray:
    """The rows that are measured: evenly spaced frames of every participant of a dataset but the template.

    Raises StudyError where there is no exact answer to measure against.
    """
    data, template = study.faces(settings, store), study.template(settings, store)
    if data.truth is None:
        raise StudyError("normalisation can be measured on the rendered corpora only: leave bp4d and disfa empty")
    names = data.person_names()
    wanted = (data.frames["dataset"] == dataset).to_numpy() & (names != template.name)
    rows = np.flatnonzero(wanted)
    return rows[quality.evenly(names[rows])]


def measured(settings: Settings, store: Store, arms: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    """Every arm's quality on `compared_rows`: tables `fidelity`, `expression` and `identity`, each with a column `arm`.

    `arms` maps a name to the file of an arm's array. Columns as of the functions in `quality`.
    """
    tables = {"fidelity": [], "expression": [], "identity": []}
    exact = cache(lambda: _exact(settings, store))  # the readers are trained once for all arms, if for any
    for name, path in arms.items():
        folder = _measured(settings, store, path, exact)
        for kind, found in tables.items():
            found.append(pd.read_parquet(folder / f"{kind}.parquet").assign(arm=name))
    return {kind: pd.concat(found, ignore_index=True) for kind, found in tables.items()}


@dataclass(frozen=True)
class Exact:
    """What every arm is measured against, on `compared_rows`: answers, who and what is on them, and their readers."""

    rows: np.ndarray
    answers: np.ndarray
    people: np.ndarray
    tasks: np.ndarray
    labels: np.ndarray
    readers: list


def _exact(settings: Settings, store: Store) -> Exact:
    rows, frames = compared_rows(settings, store), study.faces(settings, store).frames
    answers = study.arm(settings, store, "oracle")[rows]
    people, tasks = (frames[name].astype(str).to_numpy()[rows] for name in ("participant", "task"))
    labels = frames[list(BP4D_ACTION_UNITS)].to_numpy()[rows]
    return Exact(rows, answers, people, tasks, labels, quality.train_readers(answers, labels, people, settings.seed))


def _measured(settings: Settings, store: Store, path: Path, exact: Callable[[], Exact]) -> Path:
    data = study.faces(settings, store)
    inputs = {"code": CODE_VERSION, "arm": path.parent.name, "faces": data.key, "seed": settings.seed}

    def make(folder: Path) -> None:
        one = exact()
        pictures = np.load(path, mmap_mode="r")[one.rows]
        quality.fidelity(pictures, one.answers, one.people).to_parquet(folder / "fidelity.parquet")
        kept = quality.expression_kept(pictures, one.answers, one.labels, one.people, BP4D_ACTION_UNITS, one.readers)
        kept.to_parquet(folder / "expression.parquet")
        quality.identity_left(pictures, one.people, one.tasks).to_parquet(folder / "identity.parquet")

    return store.get("quality", inputs, make)


def summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row an arm: psnr and ssim of the face, psnr of the mouth, correlation, auc, nearest, linear; means."""
    fidelity = tables["fidelity"].pivot_table(index="arm", columns="region", values=["psnr", "ssim"], sort=False)
    kept = tables["expression"].groupby("arm", sort=False)[["correlation", "auc"]].mean()
    left = tables["identity"].groupby("arm", sort=False)[["nearest", "linear"]].mean()
    wanted = {"psnr": ("psnr", "face"), "ssim": ("ssim", "face"), "mouth_psnr": ("psnr", "mouth")}
    faces = pd.DataFrame({name: fidelity[column] for name, column in wanted.items()})
    return faces.join(kept).join(left).reset_index()


def is_trained(settings: Settings, store: Store, name: str, share: float) -> bool:
    """Whether a shared method's network is there already at that share of its budget."""
    return methods.is_trained(budget(settings, share), store, name)


def budget_arms(settings: Settings, store: Store, name: str, shares: Sequence[float]) -> dict[float, Path]:
    """A shared method's arms at several budgets, each trained from the start: share to file."""
    return {share: methods.normalised(budget(settings, share), store, name) for share in shares}


def shared_curve(settings: Settings, store: Store, name: str, shares: Sequence[float]) -> pd.DataFrame:
    """A shared method at several budgets: share, images, core_seconds, psnr, correlation, auc (means over people)."""
    lines, arms = [], budget_arms(settings, store, name, shares)
    found = summary(measured(settings, store, {f"{share:g}": path for share, path in arms.items()})).set_index("arm")
    for share, path in arms.items():
        row = found.loc[f"{share:g}"]
        cost = json.loads((path.parent / methods.COST).read_text())
        lines.append(
            {
                "share": share,
                "images": cost["images"],
                "core_seconds": cost["core_seconds"],
                "psnr": row["psnr"],
                "correlation": row["correlation"],
                "auc": row["auc"],
            }
        )
    return pd.DataFrame(lines)


def own_networks(
    settings: Settings, store: Store, people: Sequence[str], share: float = 1.0, name: str = "deepfn"
) -> pd.DataFrame:
    """The own networks of some people (`dataset/participant`): person, share, images, core_seconds, psnr.

    `share` is that of `normaliser_iterations`; `name` "deepfn", the paper's way, or "deepfn-fine-tuned", of which the
    cost is counted without that of the shared network it starts from.
    """
    from ..faces import images
    from .per_person import prepare

    iterations = max(1, round(settings.normaliser_iterations * share))
    smaller = settings.model_copy(update={"normaliser_iterations": iterations})
    data, lines = study.faces(settings, store), []
    names = data.person_names()
    for person in people:
        folder = methods.person_folder(smaller, store, person, name)
        rows = np.flatnonzero(names == person)
        faces = images.resize(np.load(folder / "faces.npy"), study.RECOGNISER_SIZE)
        found = quality.fidelity(faces, prepare(data.truth, study.RECOGNISER_SIZE, rows), names[rows])
        cost = json.loads((folder / methods.COST).read_text())
        psnr = float(found.loc[found["region"] == "face", "psnr"].iloc[0])
        lines.append(
            {"person": person, "share": share, "psnr": psnr, **{k: cost[k] for k in ("images", "core_seconds")}}
        )
    return pd.DataFrame(lines)


def times_cheaper(curve: pd.DataFrame, own: pd.DataFrame, people: int) -> float:
    """How many times less one shared network costs for each of `people` than their own ones, at equal PSNR or better.

    `curve` from `shared_curve`, `own` from `own_networks`. NaN where no budget of the curve reaches the own networks.
    """
    enough = curve[curve["psnr"] >= own["psnr"].mean()]
    if enough.empty:
        return float("nan")
    return float(own["core_seconds"].mean() / (enough["core_seconds"].min() / people))
