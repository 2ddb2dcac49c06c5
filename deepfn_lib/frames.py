"""The frame table: one row per labelled frame, the same columns whatever the dataset.

Columns: `dataset`, `participant`, `task`, `frame` (the label's frame number), `source` (path relative to the
dataset's root), `source_index` (-1 for an image file, else the 0-based frame of a video), one int8 column for
each action unit's occurrence (1, 0, -1 = missing) and one for each coded intensity (0-5, -1 = missing).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

# The twelve of the paper's section 4.2 for BP4D, the twelve that DISFA codes, and the five shared (section 5.4).
BP4D_ACTION_UNITS = ("AU01", "AU02", "AU04", "AU06", "AU07", "AU10", "AU12", "AU14", "AU15", "AU17", "AU23", "AU24")
DISFA_ACTION_UNITS = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU09", "AU12", "AU15", "AU17", "AU20", "AU25", "AU26")
SHARED_ACTION_UNITS = ("AU01", "AU02", "AU04", "AU06", "AU12")
BP4D_INTENSITIES = ("AU06", "AU10", "AU12", "AU14", "AU17")

# Who is in the datasets, and in which sessions, by official names.
BP4D_PARTICIPANTS = (*(f"F{n:03d}" for n in range(1, 24)), *(f"M{n:03d}" for n in range(1, 19)))
BP4D_TASKS = tuple(f"T{n}" for n in range(1, 9))
DISFA_PARTICIPANTS = tuple(f"SN{n:03d}" for n in (*range(1, 14), 16, 17, 18, 21, *range(23, 33)))
DISFA_TASK = "video"
# Fitzpatrick's types as the paper's section 4.1 groups them: I and II lighter, V and VI darker, the rest in neither.
SKIN_GROUPS = {1: "lighter", 2: "lighter", 5: "darker", 6: "darker"}

OCCURRENCES = tuple(sorted({*BP4D_ACTION_UNITS, *DISFA_ACTION_UNITS}))
INTENSITIES = tuple(f"{unit}_intensity" for unit in sorted({*BP4D_INTENSITIES, *DISFA_ACTION_UNITS}))
KEYS = ("dataset", "participant", "task", "frame")
COLUMNS = (*KEYS, "source", "source_index", *OCCURRENCES, *INTENSITIES)

MISSING = -1
EXCLUSION_COLUMNS = ("dataset", "participant", "task", "reason", "frames")
PARTICIPANT_COLUMNS = ("participant", "dataset", "gender", "skin_type", "skin_group")


@dataclass(frozen=True)
class Loaded:
    """What a loader returns.

    `frames` is the frame table; `exclusions` counts every labelled frame (or unlabelled session) left out, with its
    reason; `participants` has one row a person; `notices` are one-line sentences about what was odd and kept.
    """

    frames: pd.DataFrame
    exclusions: pd.DataFrame
    participants: pd.DataFrame
    notices: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        dataset: str,
        sessions: Iterable[pd.DataFrame],
        excluded: Iterable[tuple[str, str, str, int]],
        participants: Iterable[str],
        notices: Iterable[str],
    ) -> "Loaded":
        """One dataset from its sessions' rows and from (participant, task, reason, frames) of what was left out."""
        exclusions = exclusion_table([(dataset, *row) for row in excluded])
        return cls(join_sessions(sessions), exclusions, participant_table(dataset, participants), list(notices))


def labels(frames: pd.DataFrame, action_units: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Occurrences as a classifier wants them: `y` float32 (n, a) in {0, 1} and `known` bool (n, a).

    Where `known` is False the label is missing and `y` is 0: mask it in every loss and metric.
    Raises KeyError for an action unit that the table does not have.
    """
    codes = frames[list(action_units)].to_numpy(np.int8)
    return (codes == 1).astype(np.float32), codes != MISSING


def evenly(n: int, most: int) -> np.ndarray:
    """At most `most` row numbers, evenly spaced over 0 … n - 1 and rounded to the nearest: int64, ascending."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(int))


def locate(numbers: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `wanted` (n,) is in `numbers`, which ascend: positions int64 (n,), and bool (n,), False where it
    is not among them (its position then means nothing)."""
    if not len(numbers):
        return np.zeros(len(wanted), int), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return at, numbers[at] == wanted


def session_frames(
    dataset: str,
    participant: str,
    task: str,
    frame: np.ndarray,
    source: str | Sequence[str],
    source_index: int | np.ndarray,
    codes: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """The rows of one session. `codes` maps occurrence and intensity columns to int8 (n,); the rest are missing."""
    n = len(frame)
    absent = np.full(n, MISSING, np.int8)
    rows = {
        "dataset": dataset,
        "participant": participant,
        "task": task,
        "frame": np.asarray(frame, np.int32),
        "source": source,
        "source_index": np.broadcast_to(np.asarray(source_index, np.int32), n),
    }
    return pd.DataFrame(rows | {name: codes.get(name, absent) for name in (*OCCURRENCES, *INTENSITIES)})


def join_sessions(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One frame table of many sessions', sorted by dataset, participant, task, frame."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return session_frames("", "", "", np.empty(0), [], -1, {})
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(list(KEYS), kind="stable", ignore_index=True)[list(COLUMNS)]


def join(loaded: Sequence[Loaded]) -> Loaded:
    """Several datasets' tables as one."""
    return Loaded(
        join_sessions(part.frames for part in loaded),
        pd.concat([part.exclusions for part in loaded], ignore_index=True),
        pd.concat([part.participants for part in loaded], ignore_index=True),
        [notice for part in loaded for notice in part.notices],
    )


def exclusion_table(rows: Sequence[tuple]) -> pd.DataFrame:
    """(dataset, participant, task, reason, frames) rows as the exclusions table."""
    table = pd.DataFrame(list(rows), columns=list(EXCLUSION_COLUMNS))
    return table.astype({"frames": np.int64, **dict.fromkeys(EXCLUSION_COLUMNS[:-1], "str")})


def participant_table(dataset: str, participants: Iterable[str]) -> pd.DataFrame:
    """One row a person. BP4D's identifiers begin with F or M; for other datasets gender is left empty."""
    people = sorted(set(participants))
    genders = {"F": "female", "M": "male"} if dataset == "BP4D" else {}
    return pd.DataFrame(
        {
            "participant": people,
            "dataset": dataset,
            "gender": [genders.get(person[0], "") for person in people],
            "skin_type": np.full(len(people), -1, np.int8),
            "skin_group": "",
        },
        columns=list(PARTICIPANT_COLUMNS),
    ).astype({"participant": "str", "dataset": "str", "gender": "str", "skin_group": "str"})
