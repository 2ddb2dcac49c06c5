"""What a dataset is, on what terms it is to be had, who may be shown, how people are grouped: data_manifests/*.yml."""

import csv
import io
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..artefacts import project_root
from ..errors import StudyError
from ..frames import SKIN_GROUPS
from .files import read_text

CODE_VERSION = 1  # raise when the same files would be read otherwise

EVERYONE = "all"
People = Literal["all"] | tuple[str, ...]

_FEMALE, _MALE = ("f", "female", "w", "woman"), ("m", "male", "man")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Strict):
    """The published size of a group."""

    people: int = Field(ge=0)
    female: int = Field(ge=0)


class Groups(_Strict):
    """Where each person's gender and skin group come from, and the published sizes as their check."""

    gender: str
    skin: str
    expected: dict[str, Group] = {}


class TemplateRank(_Strict):
    """One line of the published template ranking: the participant and the median of their counts."""

    participant: str
    median: float


class Manifest(_Strict):
    """One dataset. `showable` and `template_consent` are "all" or a list of participants, empty by default.

    `smallest_mean` is the least number of people in a mean face that may be shown; 0: no mean may be.
    """

    name: str
    title: str
    source: str
    licence: str
    access: str
    citation: str
    showable: People = ()
    showable_reason: str
    smallest_mean: int = Field(0, ge=0)
    template_consent: People = ()
    groups: Groups
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    template_ranking: tuple[TemplateRank, ...] = ()
    regenerate: str = ""

    @field_validator("showable", "template_consent", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


@cache
def load_manifest(name: str, folder: Path | None = None) -> Manifest:
    """The manifest `data_manifests/<name>.yml`. Raises StudyError where it is missing or breaks the schema."""
    path = (folder or project_root() / "data_manifests") / f"{name}.yml"
    if not path.is_file():
        raise StudyError(f"dataset {name!r} has no manifest; write {path.name} beside the others in data_manifests/")
    try:
        manifest = Manifest(**(yaml.safe_load(path.read_text(encoding="utf-8")) or {}))
    except yaml.YAMLError as problem:
        raise StudyError(f"data_manifests/{path.name} is not YAML: {' '.join(str(problem).split())}") from None
    except (ValidationError, TypeError) as problem:
        first = problem.errors()[0] if isinstance(problem, ValidationError) else {"loc": (), "msg": str(problem)}
        place = ".".join(map(str, first["loc"])) or "the file"
        raise StudyError(f"data_manifests/{path.name}: {place}: {first['msg']}") from None
    if manifest.name != name:
        raise StudyError(f"data_manifests/{path.name} names itself {manifest.name!r}; name and file must agree")
    return manifest


def template_notice(manifest_name: str, participant: str) -> str:
    """What must be said where this participant is the template; empty where their consent is on record.

    The analysis runs on anyone's machine with the licence they signed; without consent nothing that holds the
    template's face (pictures, means, decoder weights) leaves it: see `page.gate.require_template_consent`.
    """
    manifest = load_manifest(manifest_name)
    if manifest.template_consent == EVERYONE or participant in manifest.template_consent:
        return ""
    return (
        f"The template is {manifest_name}/{participant}, whose consent is not recorded in "
        f"data_manifests/{manifest_name}.yml: results may be computed here, but the template's face and anything that "
        "can draw it stay on this machine."
    )


def read_groups(path: str | Path, participants: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The participants table with gender and skin filled in from a licensee's CSV, and notices of what did not fit.

    Columns: `participant`, and any of `dataset`, `gender` (female/male), `skin_type` (1-6 or I-VI), `skin_group`
    (lighter/darker). Where only the type is given the group follows it (I-II lighter, V-VI darker, section 4.1).
    Raises StudyError for a missing file or column, a value that means nothing, or two rows of one person.
    """
    path, table = Path(path), participants.copy()
    given, unknown = pd.Series(False, table.index), []
    for line, values in enumerate(_group_rows(path), start=2):
        person, where = values["participant"].upper(), f"groups file {path}, line {line}"
        at = table["participant"] == person
        if values.get("dataset"):
            at &= table["dataset"] == values["dataset"]
        if not at.any():
            unknown.append(person)
            continue
        if given[at].iloc[0]:
            raise StudyError(f"{where}: {person} has two rows; keep one")
        given |= at
        for column, value in _group_values(values, where).items():
            own = table.loc[at, column]
            if column == "gender" and (own != "").any() and (own != value).any():
                raise StudyError(f"{where}: {person} is {value} here, {own.iloc[0]} by identifier")
            table.loc[at, column] = value
    notices = []
    if unknown:
        some = ", ".join(sorted(unknown)[:3])
        notices.append(f"groups file: {len(unknown)} people are in no dataset here ({some}, …)")
    if not given.all():
        without = sorted(table["participant"][~given])
        notices.append(f"groups file: {len(without)} participants have no row ({', '.join(without[:3])}, …)")
    return table, notices


def _group_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a groups file by its columns' names in small letters."""
    if not path.is_file():
        raise StudyError(f"groups file {path} does not exist; give a CSV with participant, gender, skin_group")
    rows = list(csv.DictReader(io.StringIO(read_text(path)), skipinitialspace=True))
    columns = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    if "participant" not in columns or not columns.keys() & {"gender", "skin_group", "skin_type"}:
        raise StudyError(
            f"groups file {path}: columns are {', '.join(columns) or 'none'}; expected participant and gender, "
            "skin_group or skin_type"
        )
    return [{name: (row[given] or "").strip() for name, given in columns.items()} for row in rows]


def _group_values(values: dict[str, str], where: str) -> dict[str, str | np.int8]:
    """What one row of a groups file says: columns of the participants table and their values."""
    found: dict[str, str | np.int8] = {}
    gender = values.get("gender", "").lower()
    if gender:
        if gender not in (*_FEMALE, *_MALE):
            raise StudyError(
                f"{where}: gender {values['gender']!r} is unknown; write female or male, or leave it empty"
            )
        found["gender"] = "female" if gender in _FEMALE else "male"
    kind = values.get("skin_type", "").lower()
    if kind and kind not in ("-1", "unknown"):
        number = _ROMAN.get(kind) or (int(kind) if kind.isdigit() else 0)
        if not 1 <= number <= 6:
            raise StudyError(f"{where}: skin type {kind!r} is unknown; write 1 to 6 (Fitzpatrick), or leave it empty")
        found["skin_type"] = np.int8(number)
        found["skin_group"] = SKIN_GROUPS.get(number, "")
    group = values.get("skin_group", "").lower()
    if group:
        if group not in ("lighter", "darker"):
            raise StudyError(f"{where}: skin group {group!r} is unknown; write lighter or darker, or leave it empty")
        found["skin_group"] = group
    return found


def check_groups(participants: pd.DataFrame, manifest: Manifest, template: str = "") -> list[str]:
    """How the groups of one dataset differ from the published sizes (Table 4, where the template is out already).

    Returns one line a difference; the sizes are a check, not a rule, as the paper does not list its groups' members.
    """
    people = participants[participants["participant"] != template]
    notices = []
    for name, expected in manifest.groups.expected.items():
        rows = people if name == "everyone" else people[people["skin_group"] == name]
        found = Group(people=len(rows), female=int((rows["gender"] == "female").sum()))
        if found != expected:
            notices.append(
                f"{manifest.name}, {name}: {found.people} people, {found.female} female; "
                f"the paper has {expected.people}, {expected.female} female"
            )
    return notices
