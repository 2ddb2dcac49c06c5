"""Building the book: Jupyter Book on the executed notebooks, strict, offline, scanned before it is called built."""

import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ..artefacts import digest, file_digest, project_root
from ..errors import StudyError
from .runner import library_digest
from .scan import scan_book

CODE_VERSION = 1
STATE = ".deepfn-book.txt"  # in the site: the digest of what it was made from
CHAPTERS = "book/chapters/"


def build_book(notebooks: Path | None = None, output: Path | None = None, *, partial: bool = False) -> Path:
    """Build the book from executed notebooks and return its first page, `<output>/_build/html/index.html`.

    `notebooks` defaults to `book/chapters/`, `output` to the project's root. Every chapter of `_toc.yml` must have
    its notebook, unless `partial` leaves the others out. Any warning of Sphinx, and any picture that cannot be traced
    to people who may be shown, fails the build; the pages are then in `_build/html-refused`. Nothing is built again
    when nothing changed. Raises StudyError.
    """
    root = project_root()
    notebooks, output = notebooks or root / "book" / "chapters", output or root
    build = output / "_build"
    site, stage = build / "html", build / "source"
    contents, missing = _contents(notebooks)
    if missing and not partial:
        raise StudyError(
            f"not executed yet: {', '.join(missing)}; `deepfn run` first, or `deepfn book --partial` without them"
        )
    key = _stage(stage, contents, notebooks)
    first = site / "index.html"
    if first.exists() and (site / STATE).exists() and (site / STATE).read_text() == key:
        return first
    shutil.rmtree(site, ignore_errors=True)
    _sphinx(stage, output)
    _vendor(site)
    problems = scan_book(site, notebooks).problems
    if problems:
        refused = site.with_name("html-refused")
        shutil.rmtree(refused, ignore_errors=True)
        os.replace(site, refused)
        count = len(problems)
        raise StudyError(
            f"the book was refused, {count} pictures are not traced to showable people: {_first_three(problems)}"
        )
    (site / STATE).write_text(key)
    return first


def _contents(notebooks: Path) -> tuple[dict[str, Any], list[str]]:
    """The table of contents without the chapters that have no notebook, and their names."""
    toc, missing = yaml.safe_load((project_root() / "_toc.yml").read_text()), []
    for part in toc["parts"]:
        for entry in list(part["chapters"]):
            name = entry["file"].removeprefix(CHAPTERS)
            if name != entry["file"] and not (notebooks / f"{name}.ipynb").exists():
                part["chapters"].remove(entry)
                missing.append(name)
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    return toc, missing


def _stage(stage: Path, toc: dict[str, Any], notebooks: Path) -> str:
    """Lay out exactly what the book is made of; a digest of it all. Nothing else of the checkout can get in."""
    root = project_root()
    shutil.rmtree(stage, ignore_errors=True)
    (stage / CHAPTERS).mkdir(parents=True)
    shutil.copyfile(root / "_config.yml", stage / "_config.yml")
    (stage / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    for path in sorted((root / "book").glob("*.md")):
        shutil.copyfile(path, stage / "book" / path.name)
    shutil.copytree(root / "book" / "_static", stage / "book" / "_static")
    for name in (entry["file"] for part in toc["parts"] for entry in part["chapters"]):
        if name.startswith(CHAPTERS):
            notebook = name.removeprefix(CHAPTERS) + ".ipynb"
            shutil.copyfile(notebooks / notebook, stage / CHAPTERS / notebook)
    laid_out = {p.relative_to(stage).as_posix(): file_digest(p) for p in sorted(stage.rglob("*")) if p.is_file()}
    return digest({"code": CODE_VERSION, "library": library_digest(), "files": laid_out})


def _sphinx(stage: Path, output: Path) -> None:
    """Run Jupyter Book; its whole output goes to `_build/book.log`, its warnings into the StudyError."""
    program = "from jupyter_book.cli.main import main; main()"
    options = ["--path-output", str(output), "-W", "-n", "--keep-going", "--all", "--quiet"]
    command = [sys.executable, "-c", program, "build", str(stage), *options]
    variables = {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})
    text = done.stdout + done.stderr
    (output / "_build" / "book.log").write_text(text)
    if done.returncode:
        warnings = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|SEVERE", line)]
        told = [line.replace(str(stage) + os.sep, "") for line in warnings] or text.strip().splitlines()[-1:]
        raise StudyError(f"the book was not built: {_first_three(told)} (all of it: {output / '_build' / 'book.log'})")


def _vendor(site: Path) -> None:
    """Copy plotly.js and MathJax from the installed packages; the pages load them from here and from nowhere else."""
    for package, inside, name in (
        ("plotly", "package_data/plotly.min.js", "plotly.min.js"),
        ("mathjax", "static/mathjax/es5/tex-svg-full.js", "tex-svg-full.js"),
    ):
        target = site / "_static" / "vendor" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((files(package) / inside).read_bytes())


def _first_three(lines: list[str]) -> str:
    return "; ".join(lines[:3]) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else "")
