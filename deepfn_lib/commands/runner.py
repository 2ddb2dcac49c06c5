"""Running the study: every chapter in a process of its own, checked before, timed, kept, and cleaned for the book.

A chapter's result is an artefact like any other, keyed by its source, its settings, the licensed data, the library's
code and what may be shown; it is executed again when one of these changes or when an artefact it read is gone.
"""

import csv
import html
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from ..artefacts import Store, digest, environment, file_digest, project_root, write_json
from ..errors import StudyError
from ..settings import PATH_SETTINGS, load_settings
from ..study.data import DATASETS, licensed
from .chapters import Chapter, chapter_paths, choose_paths, read_chapter, sort_values
from .cleaning import clean_notebook, used_artefacts
from .screen import Screen, clock

CODE_VERSION = 1
ON_TABLES = ("5", "6", "7", "8", "9", "14", "17")  # chapters that read the committed tables of the reference run
LIMIT_MINUTES = {"smoke": 30, "quick": 60}  # each chapter; other profiles: a week, for the paper's sizes
WEEK = 7 * 24 * 60
DIED = "its kernel died"
PERHAPS = {"SIGKILL": "; too little memory?", "SIGBUS": "; a full disk?"}


@dataclass(frozen=True)
class ChapterRun:
    """How one chapter went: seconds, whether an earlier run's result was taken, and one line of error or nothing."""

    name: str
    seconds: float
    reused: bool
    error: str = ""


class ChapterFailed(Exception):
    """One line of what went wrong in a chapter's kernel."""


def run_chapters(
    profile: str = "quick",
    parameters: Mapping[str, Any] | None = None,
    chapters: Sequence[str] = (),
    store: Store | None = None,
    *,
    sources: Path | None = None,
    destination: Path | None = None,
    limit_minutes: float | None = None,
    again: bool = False,
) -> list[ChapterRun]:
    """Execute chapters under a profile and write their notebooks, ready for the book, to `destination`.

    `parameters` maps names of settings or of chapters' own parameters to values (text is converted). `chapters` are
    names or numbers; empty: all, or under "reference" those that read its committed tables. `sources` and `destination`
    default to the project's `chapters/` and `book/chapters/`. A chapter may take `limit_minutes`. `again` executes even
    what is unchanged.

    Raises StudyError before anything runs for unknown names and wrong values. A chapter that fails is reported in the
    result, its notebook kept as `<name>.failed.ipynb`; the others go on, unless the same error comes twice in a row. A
    kernel's death is no such error: each may have its own cause.
    """
    store = store or Store()
    destination = destination or project_root() / "book" / "chapters"
    if not chapters and profile == "reference":
        chapters = ON_TABLES
    paths = choose_paths(chapter_paths(sources), list(chapters))
    if not paths:
        raise StudyError(f"there is no chapter in {sources or 'chapters/'}; chapters are called NN_name.py")
    read = [read_chapter(path) for path in paths]
    overrides, own = sort_values(dict(parameters or {}), read)
    settings = load_settings(profile, overrides)
    _check_folders(settings)
    # A chapter runs in its own folder: it is told where everything is.
    overrides |= {name: path for name in PATH_SETTINGS if (path := getattr(settings, name))}
    destination.mkdir(parents=True, exist_ok=True)
    limit = 60 * (limit_minutes or LIMIT_MINUTES.get(profile, WEEK))
    common = {
        "code": CODE_VERSION,
        "library": library_digest(),
        "settings": settings.model_dump(mode="json"),
        "versions": environment()["versions"],
    }
    if data := licensed(settings):
        common["data"] = data.key
    runs: list[ChapterRun] = []
    names = [chapter.name for chapter in read]
    with Screen(names, earlier_seconds(store, profile), typical_seconds(profile)) as screen:
        for chapter in read:
            given = {"profile": profile, "overrides": _plain(overrides), **_plain(own[chapter.name])}
            inputs = {**common, "source": file_digest(chapter.path), "given": given}
            screen.begin(chapter.name)
            try:
                run = _one_chapter(chapter, given, inputs, store, destination, screen, limit, again)
            except KeyboardInterrupt:
                screen.end(chapter.name, "stopped")
                raise StudyError(
                    f"stopped in {chapter.name}, {len(runs)} of {len(read)} chapters done; "
                    "what is finished is kept: the same command goes on from here"
                ) from None
            screen.end(chapter.name, run.error or ("unchanged" if run.reused else clock(run.seconds)), not run.reused)
            runs.append(run)
            if run.error and len(runs) > 1 and runs[-2].error == run.error and not run.error.startswith(DIED):
                break  # the same cause, most likely: no reason to meet it in every chapter
    return runs


def failures(runs: Sequence[ChapterRun]) -> str:
    """One line naming the chapters that failed; empty where none did."""
    failed = [run.name for run in runs if run.error]
    if not failed:
        return ""
    kept = "its notebook is" if len(failed) == 1 else "their notebooks are"
    count = f"{len(failed)} of {len(runs)} chapters failed ({', '.join(failed)})"
    return f"{count}; {kept} kept as book/chapters/*.failed.ipynb"


def library_digest(root: Path | None = None) -> str:
    """One digest of the library's code and data and of the manifests: when it changes, chapters run again."""
    root = root or project_root()
    suffixes = {".py", ".npz", ".yml", ".json", ".csv", ".parquet"}
    found = [
        p for name in ("deepfn_lib", "data_manifests") for p in sorted((root / name).rglob("*")) if p.suffix in suffixes
    ]
    return digest({p.relative_to(root).as_posix(): file_digest(p) for p in found})


def _one_chapter(chapter, given, inputs, store, destination, screen, limit, again) -> ChapterRun:
    step = f"chapter-{chapter.name}"
    folder = store.folder(step, inputs)
    published, failed = destination / f"{chapter.name}.ipynb", destination / f"{chapter.name}.failed.ipynb"
    if folder.exists() and (again or not _sources_whole(store, folder)):
        store.remove(folder)
    reused, began = folder.exists(), time.monotonic()

    def make(partial: Path) -> None:
        executed = partial / "executed.ipynb"
        try:
            notebook = execute(chapter, given, executed, store, screen, limit)
        except (ChapterFailed, KeyboardInterrupt) as problem:
            if isinstance(problem, ChapterFailed):
                _replace(executed, failed, 0o600)
            shutil.rmtree(partial)
            raise
        executed.unlink()
        hide_data_folders(notebook, given["overrides"])
        nbformat.write(clean_notebook(notebook, store.root), partial / "notebook.ipynb")
        write_json(partial / "uses.json", used_artefacts(notebook))

    try:
        folder = store.get(step, inputs, make)
    except ChapterFailed as problem:
        published.unlink(missing_ok=True)  # a page from before the failure would look like this run's
        return ChapterRun(chapter.name, time.monotonic() - began, False, str(problem))
    failed.unlink(missing_ok=True)
    source = folder / "notebook.ipynb"
    if not published.exists() or published.read_bytes() != source.read_bytes():
        _replace(source, published)
    return ChapterRun(chapter.name, time.monotonic() - began, reused)


def execute(chapter: Chapter, given: Mapping[str, Any], output: Path, store: Store, screen, limit: float):
    """Execute a chapter with papermill in a kernel of this very Python; the executed notebook, saved to `output`.

    `given` are its parameters; only those that differ from the chapter's own values are injected. `limit` is in
    seconds, for the whole chapter. Raises ChapterFailed with one line: a StudyError's message alone.
    """
    import logging

    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook
    from traitlets.config import Config

    from .kernel import ThisPython

    logging.getLogger("papermill").setLevel(logging.ERROR)
    # Else it tells at exit what became of an interrupted kernel.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    nbformat.write(chapter.notebook, output)
    ThisPython.ended_by = ""
    deadline = time.monotonic() + limit
    path = re.sub(r"[{}]", r"\g<0>\g<0>", str(output))  # papermill puts parameters in the place of {names}
    try:
        return execute_notebook(
            path,
            path,
            parameters={name: value for name, value in given.items() if chapter.parameters[name] != value},
            kernel_name="python3",
            progress_bar=False,
            stderr_file=screen,
            cwd=chapter.path.parent,
            start_timeout=180,
            kernel_manager_class=ThisPython,
            config=Config(ThisPython={"artefacts": str(store.root)}),
            timeout_func=lambda cell: max(1, int(deadline - time.monotonic())),
        )
    except PapermillExecutionError as problem:
        raise ChapterFailed(_one_line(problem)) from None
    except CellTimeoutError:
        raise ChapterFailed(f"stopped after its limit of {clock(limit)}; give more with --limit MINUTES") from None
    except (DeadKernelError, RuntimeError) as problem:
        reason = ThisPython.ended_by or _first_line(problem)
        raise ChapterFailed(store.full() or f"{DIED} ({reason}){PERHAPS.get(reason, '')}") from None


def hide_data_folders(notebook, overrides: Mapping[str, Any]) -> None:
    """Put words in the place of the data's folders, wherever an executed notebook has them: in the cell that papermill
    wrote, which is written anew, and in all that was said."""
    from papermill.translators import PythonTranslator

    words = {overrides[name]: f"<your {name} folder>" for name in PATH_SETTINGS if name in overrides}
    if not words:
        return
    forms = {form: word for path, word in words.items() for form in (path, html.escape(path), repr(path)[1:-1])}
    longest_first = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w.~>/<])({longest_first})(?![\w-])")
    given = notebook.metadata.papermill.parameters
    hidden = {name: words[value] for name, value in given["overrides"].items() if name in PATH_SETTINGS}
    named = {**given, "overrides": {**given["overrides"], **hidden}}
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell["source"] = PythonTranslator.codify(named).strip()
        for output in cell.get("outputs", ()):
            output.update(_reworded(output, lambda text: pattern.sub(lambda found: forms[found[0]], text)))


def _reworded(value: Any, change: Callable[[str], str]) -> Any:
    """All texts in lists and mappings changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_reworded(one, change) for one in value]
    return {name: _reworded(one, change) for name, one in value.items()} if isinstance(value, Mapping) else value


def _one_line(problem) -> str:
    message = _first_line(problem.evalue)
    if problem.ename == "StudyError":
        return message
    return f"{problem.ename} in cell {problem.exec_count}: {message}"


def _first_line(problem: Any) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__


def _sources_whole(store: Store, folder: Path) -> bool:
    """Whether every artefact that this chapter's result read is still there. Raises StudyError for a damaged one."""
    try:
        uses = json.loads((folder / "uses.json").read_text())
    except (OSError, ValueError):
        return False
    for step, name in uses:
        used = store.root / step / name
        if not used.exists():
            return False
        store.check(used)
    return True


def earlier_seconds(store: Store, profile: str) -> dict[str, float]:
    """Seconds that chapters took before, by name, under this profile: another's would promise minutes for a night."""
    return {
        folder.parent.name.removeprefix("chapter-"): card["seconds"]
        for folder, card in store.cards()
        if card and "seconds" in card and card.get("inputs", {}).get("given", {}).get("profile") == profile
    }


def typical_seconds(profile: str) -> dict[str, float]:
    """Seconds of each chapter in one fresh run on two cores, by name; empty for a profile that is not in the table.

    So that the first run on a machine knows from the start which chapters are the long ones. Only the time left is
    told from it. The table is `commands/typical_seconds.csv`, copied from the cards of that run.
    """
    with Path(__file__).with_name("typical_seconds.csv").open(newline="") as table:
        return {row["chapter"]: float(row["seconds"]) for row in csv.DictReader(table) if row["profile"] == profile}


def _check_folders(settings) -> None:
    for name in (*(dataset.folder_setting for dataset in DATASETS), "disfa_frames"):
        folder = getattr(settings, name)
        if folder and not Path(folder).is_dir():
            raise StudyError(f"setting {name}: there is no folder {folder}; give the folder that holds the dataset")
    if settings.groups and not Path(settings.groups).is_file():
        raise StudyError(f"setting groups: there is no file {settings.groups}")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tuples as lists: papermill would write a tuple as text."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _replace(source: Path, target: Path, mode: int = 0o666) -> None:
    temporary = target.with_name(target.name + ".tmp")
    temporary.touch(mode)
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)
