"""Chapters as the runner sees them: percent sources, their declared parameters, and values for them."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter

from ..artefacts import project_root
from ..errors import StudyError
from ..settings import Settings, meant

COMMON_PARAMETERS = ("profile", "overrides", "artefacts")
KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Chapter:
    """One chapter: its file, its notebook (not executed) and the parameters it declares, with their defaults."""

    path: Path
    notebook: Any
    parameters: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.stem


def chapter_paths(folder: Path | None = None) -> list[Path]:
    """The chapter sources in reading order: `NN_name.py` in `folder` (default: the project's)."""
    return sorted((folder or project_root() / "chapters").glob("[0-9][0-9]_*.py"))


def choose_paths(paths: list[Path], wanted: list[str]) -> list[Path]:
    """Those of `paths` that `wanted` names: by number ("5", "05"), name ("05_cross_person"), end ("cross_person").

    An empty `wanted` is all. Raises StudyError for a name that no chapter has.
    """
    if not wanted:
        return paths
    chosen = set()
    for word in wanted:
        stem = Path(word).name.removesuffix(".py")
        numbered = f"{int(stem):02d}" if stem.isdigit() else None
        found = [p for p in paths if p.stem == stem or p.stem[3:] == stem or p.stem[:2] == numbered]
        if not found:
            raise StudyError(f"no chapter {word!r}; there are {', '.join(p.stem for p in paths) or 'none'}")
        chosen.update(found)
    return [path for path in paths if path in chosen]


def read_chapter(path: Path) -> Chapter:
    """Read a percent source and its parameters cell. Raises StudyError where the cell is missing or not of literals."""
    import jupytext

    try:
        notebook = jupytext.read(path)
    except (OSError, ValueError, SyntaxError) as problem:
        raise StudyError(f"chapter {path.name} cannot be read: {problem}") from None
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    parameters = {}
    try:
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", ()):
                for line in ast.parse(cell.source).body:
                    parameters[line.targets[0].id] = ast.literal_eval(line.value)
    except (AttributeError, ValueError, SyntaxError):
        raise StudyError(f"chapter {path.name}: its parameters cell may hold assignments of literals only") from None
    missing = [name for name in COMMON_PARAMETERS if name not in parameters]
    if missing:
        raise StudyError(f"chapter {path.name} has no parameter {missing[0]!r} in a cell tagged 'parameters'")
    return Chapter(path, notebook, parameters)


def sort_values(pairs: dict[str, str], chapters: list[Chapter]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Values from the command line, as text by name -> (settings for all chapters, own parameters by chapter name).

    A setting's name wins over a chapter's own. Raises StudyError for a name nobody has or a value of another type.
    """
    settings: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {chapter.name: {} for chapter in chapters}
    declared = sorted({name for chapter in chapters for name in chapter.parameters} - set(COMMON_PARAMETERS))
    for name, text in pairs.items():
        if name in COMMON_PARAMETERS:
            raise StudyError(f"parameter {name!r} is not set with -p; use --profile, -p with a setting, or --artefacts")
        if name in Settings.model_fields and name != "profile":
            settings[name] = convert(f"setting {name}", text, Settings.model_fields[name].annotation)
            continue
        owners = [chapter for chapter in chapters if name in chapter.parameters]
        if not owners:
            hint = meant(name, [*Settings.model_fields, *declared])
            raise StudyError(
                f"no setting or chapter parameter is called {name!r}{hint}; `deepfn settings` lists them all"
            )
        for chapter in owners:
            default = chapter.parameters[name]
            own[chapter.name][name] = convert(f"parameter {name} of {chapter.name}", text, type(default))
    return settings, own


def convert(what: str, value: Any, kind: Any) -> Any:
    """`value` as the type `kind`: text as the command line gives it; what is not text must have that type already.

    Text stays text where text is wanted, so that "007" is not 7. Raises StudyError naming `what`.
    """
    adapter = TypeAdapter(kind)
    try:
        if not isinstance(value, str):
            return adapter.validate_python(value, strict=True)
        if (get_origin(kind) or kind) is tuple and not value.startswith(("(", "[")):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if (get_origin(kind) or kind) in (tuple, list, dict):
            return adapter.validate_python(ast.literal_eval(value))
        return adapter.validate_strings(value)
    except (ValueError, SyntaxError):  # pydantic's ValidationError is a ValueError
        raise StudyError(f"{what} is {_wanted(kind)}, got {value!r}") from None


def _wanted(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    plain = get_origin(kind) or kind
    return KINDS.get(plain, f"a {plain.__name__}")
