"""The paper's published numbers, from data_manifests/published.csv: each with its section and place."""

from collections.abc import Callable
from functools import cache
from math import nan
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from ..arms import ARMS
from ..artefacts import project_root
from ..errors import StudyError

FILE = "published.csv"
Row = TypeVar("Row")


class Published(BaseModel):
    """One published number. `value` and `sd` are in `unit`; `half_unit` is half of the last digit printed, so the
    number before rounding lies within it of `value`; `printed` is the number as the paper shows it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    value: float
    sd: float = nan
    n: int = 0
    unit: Literal[
        "percent", "points", "p", "participants", "repetitions", "epochs", "iterations", "images", "thousand", "level"
    ]
    relation: Literal["", "=", "<", "<="] = ""
    first: str = ""
    second: str = ""
    section: str
    pointer: str
    half_unit: float
    printed: str


def checked_rows(path: Path, what: str, build: Callable[[dict[str, str]], Row]) -> list[Row]:
    """The rows of a CSV file of ours, each made by `build` from its texts and checked by its model.

    Raises StudyError for a file that cannot be read, and names the line and the field of a wrong row.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as problem:
        raise StudyError(f"cannot read the {what} in {path.name}: {problem}") from None
    rows = []
    for line, row in enumerate(raw.to_dict("records"), start=2):
        try:
            rows.append(build(row))
        except ValidationError as problem:
            first = problem.errors()[0]
            raise StudyError(f"{path.name}, line {line}: {first['loc'][0]}: {first['msg']}") from None
    return rows


def _published(row: dict[str, str]) -> Published:
    printed = row["value"]
    decimals = len(printed.partition(".")[2])
    given: dict[str, Any] = {
        name: text for name, text in row.items() if text or name in ("relation", "first", "second")
    }
    return Published(**given, half_unit=0.5 * 10.0**-decimals, printed=printed)


@cache
def published_table(path: Path | None = None) -> pd.DataFrame:
    """All published numbers, checked, indexed by key.

    Raises StudyError for a file that cannot be read, a wrong or repeated row, or a pair of keys that is not there.
    """
    rows = checked_rows(path or project_root() / "data_manifests" / FILE, "published numbers", _published)
    frame = pd.DataFrame([r.model_dump() for r in rows]).set_index("key")
    name = (path or Path(FILE)).name
    if not frame.index.is_unique:
        raise StudyError(f"{name}: key {frame.index[frame.index.duplicated()][0]!r} appears twice")
    missing = sorted({*frame["first"], *frame["second"]} - {*frame.index, ""})
    if missing:
        raise StudyError(f"{name}: {missing[0]!r} is compared but has no row of its own")
    return frame


def published(key: str) -> Published:
    """The published number called `key`. Raises StudyError for a key that is not in the file."""
    frame = published_table()
    if key not in frame.index:
        raise StudyError(f"no published number is called {key!r}; data_manifests/{FILE} lists them")
    return Published(key=key, **frame.loc[key].to_dict())


def published_score(condition: str, arm: str) -> Published | None:
    """Table 5's mean and SD of a condition, for the arms that stand beside one of its columns; None for the others."""
    column = next((one.paper for one in ARMS if one.name == arm), "")
    key = f"{condition}.{column}"
    return published(key) if column and key in published_table().index else None
