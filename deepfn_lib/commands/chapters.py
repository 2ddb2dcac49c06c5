"""Chapters as the runner sees them: percent sources, their declared parameters, and values for them."""

import ast
import difflib
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from ..artefacts import project_root
from ..errors import StudyError
from ..settings import Settings

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
    import nbformat
    from papermill import inspect_notebook

    try:
        notebook = jupytext.read(path)
    except (OSError, ValueError, SyntaxError) as problem:
        raise StudyError(f"chapter {path.name} cannot be read: {problem}") from None
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / (path.stem + ".ipynb")
        nbformat.write(notebook, copy)
        declared = inspect_notebook(str(copy))
    missing = [name for name in COMMON_PARAMETERS if name not in declared]
    if missing:
        raise StudyError(f"chapter {path.name} has no parameter {missing[0]!r} in a cell tagged 'parameters'")
    try:
        parameters = {name: ast.literal_eval(entry["default"]) for name, entry in declared.items()}
    except (ValueError, SyntaxError):
        raise StudyError(f"chapter {path.name}: its parameters cell may hold literals only") from None
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
            close = difflib.get_close_matches(name, [*Settings.model_fields, *declared], n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise StudyError(
                f"no setting or chapter parameter is called {name!r}{hint}; `deepfn settings` lists them all"
            )
        for chapter in owners:
            default = chapter.parameters[name]
            own[chapter.name][name] = convert(f"parameter {name} of {chapter.name}", text, type(default))
    return settings, own


def convert(what: str, text: Any, kind: Any) -> Any:
    """`text` as a value of the type `kind`; a value that is not text must have that type already.

    Text stays text where text is wanted, so that "007" is not 7. Raises StudyError naming `what`.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        kind = next(option for option in get_args(kind) if option is not type(None))
        origin = get_origin(kind)
    if origin is Literal:
        choices = get_args(kind)
        for choice in choices:
            if text == choice or text == str(choice):
                return choice
        raise StudyError(f"{what} is one of {', '.join(map(str, choices))}, got {text!r}")
    base = origin or kind
    if not isinstance(text, str):
        if isinstance(text, base) and not (isinstance(text, bool) and base is not bool):
            return text
        if base is float and isinstance(text, int) and not isinstance(text, bool):
            return float(text)
        raise StudyError(f"{what} is {KINDS.get(base, base.__name__)}, got {text!r}")
    if base is str:
        return text
    if base is tuple and not text.startswith(("(", "[")):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        if base is bool:
            return {"true": True, "false": False}[text.lower()]
        if base in (int, float):
            return base(text)
        value = ast.literal_eval(text)
        if base is tuple and isinstance(value, list):
            value = tuple(value)
        if isinstance(value, base):
            return value
    except (ValueError, KeyError, SyntaxError):
        pass
    raise StudyError(f"{what} is {KINDS.get(base, f'a {base.__name__}')}, got {text!r}")
