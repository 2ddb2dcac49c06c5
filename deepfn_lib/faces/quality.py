"""What a way of aligning is worth, where the renderer knows the truth: how still a face's points lie in its crop."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import StudyError
from .alignment import MODES, POINT_COLUMNS, transforms

_KEYS = ["dataset", "participant", "task", "frame"]


def alignment_quality(frames: pd.DataFrame, points: np.ndarray, landmarks: Path, side: int = 64) -> pd.DataFrame:
    """Scatter of the exact points in crops of `side` pixels, for each mode of alignment.

    `frames` is the frame table of a faces artefact and `points` its (n, 14) array of tracked points and boxes, so no
    image is read and nothing detected anew. `landmarks` is the renderer's file. Returns one row a dataset and mode:
    `within` (pixels, root mean square distance of a point from its person's mean: pose, jitter and expression) and
    `between` (of the persons' means from the mean over persons: identity, which alignment cannot take away).
    Raises StudyError where the points do not belong to the frames.
    """
    if len(points) != len(frames):
        raise StudyError(f"{len(points)} rows of points for {len(frames)} frames; make the faces artefact anew")
    exact = pd.read_parquet(landmarks, filters=[("identity", "==", "self")])
    exact = frames[_KEYS].astype({"frame": "int64"}).merge(exact.astype({"frame": "int64"}), on=_KEYS, how="left")
    known = exact["x0"].notna().to_numpy()
    true = exact.loc[known, POINT_COLUMNS].to_numpy(float).reshape(-1, 5, 2)
    people = (frames["dataset"].astype(str) + "/" + frames["participant"].astype(str)).to_numpy()[known]
    tracked, boxes = points[known, :10].reshape(-1, 5, 2), points[known, 10:]
    rows = []
    for mode in MODES:
        matrix = transforms(tracked, boxes, side, mode)
        placed = np.einsum("nij,nkj->nki", matrix[:, :, :2], true) + matrix[:, None, :, 2]
        table = pd.DataFrame(placed.reshape(len(placed), 10))
        means = table.groupby(people).transform("mean").to_numpy()
        within = (((placed.reshape(len(placed), 10) - means) ** 2).reshape(-1, 5, 2)).sum(-1).mean(-1)
        for dataset in pd.unique(frames["dataset"]):
            own = np.char.startswith(people.astype(str), f"{dataset}/")
            if own.any():
                persons = table[own].groupby(people[own]).mean().to_numpy().reshape(-1, 5, 2)
                between = ((persons - persons.mean(0)) ** 2).sum(-1).mean()
                rows.append((dataset, mode, float(np.sqrt(within[own].mean())), float(np.sqrt(between))))
    return pd.DataFrame(rows, columns=["dataset", "alignment", "within", "between"])
