"""The sources as they lie in git: chapters of the agreed shape, definitions once, nothing generated."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache

import jupytext
import numpy as np
import pytest
import yaml

from deepfn_lib.artefacts import project_root
from deepfn_lib.commands.chapters import COMMON_PARAMETERS, chapter_paths, read_chapter
from deepfn_lib.statistics import OUTCOMES

ROOT = project_root()
CHAPTERS = chapter_paths()
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
LONGEST_CELL, MEDIAN_CELL, MOST_CELLS = 40, 6, 20
BINARY = {"deepfn_lib/rendering/head.npz"}
# The reference run's small tables, with their card, and the picture of its rendered people.
REFERENCE = {
    f"data_manifests/reference/{name}"
    for name in (
        "scores.parquet",
        "constants.parquet",
        "frames.parquet",
        "scans/scores.parquet",
        "scans/constants.parquet",
        "scans/faces.png",
    )
}


@cache
def notebook(path):
    return jupytext.read(path)


def code_cells(path):
    return [cell for cell in notebook(path).cells if cell.cell_type == "code"]


def length(cell):
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@cache
def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@each_chapter
def test_a_chapter_begins_with_its_title_and_its_parameters(path):
    cells = notebook(path).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    tagged = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [1]
    parameters = read_chapter(path).parameters  # raises where a value is no literal
    assert tuple(parameters)[:3] == COMMON_PARAMETERS
    assert (parameters["profile"], parameters["overrides"], parameters["artefacts"]) == ("quick", {}, "")
    body = ast.parse(cells[1].source).body
    assert all(isinstance(node, ast.Assign) for node in body)
    lines = cells[1].source.splitlines()
    for node in body:
        assert "  # " in lines[node.end_lineno - 1], f"{lines[node.lineno - 1]}: what is it?"


@each_chapter
def test_a_chapter_has_one_title_ends_with_its_card_and_parses(path):
    cells = notebook(path).cells
    assert cells[-1].source.strip() == "page.card(study)"
    titles = [c for c in cells if c.cell_type == "markdown" and re.search(r"^# ", c.source, re.M)]
    assert len(titles) == 1
    assert re.search(r"\?", cells[0].source), "the first cell asks the chapter's question"
    assert notebook(path).metadata.kernelspec["name"] == "python3"
    assert notebook(path).metadata.kernelspec["language"] == "python"
    for cell in code_cells(path):
        ast.parse(cell.source)


@each_chapter
def test_cells_are_small(path):
    sizes = [length(cell) for cell in code_cells(path)]
    assert np.median(sizes) <= MEDIAN_CELL
    assert np.percentile(sizes, 90) <= MOST_CELLS
    assert max(sizes) <= LONGEST_CELL


@each_chapter
def test_code_fits_a_page(path):
    """A page's column holds 88 characters, and what formats it leaves no marks on it."""
    for cell in code_cells(path):
        for line in cell.source.splitlines():
            assert len(line) <= 88 and "fmt: skip" not in line, line


@each_chapter
def test_a_chapter_downloads_nothing_runs_no_shell_and_imports_no_chapter(path):
    stems = {other.stem for other in CHAPTERS}
    for cell in code_cells(path):
        assert not re.search(r"^\s*[!%]", cell.source, re.M)
        for node in ast.walk(ast.parse(cell.source)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert not set(name.split(".")) & (stems | {"chapters", "urllib", "requests", "subprocess"}), name


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_makes_no_verdict_of_its_own(path):
    """The paper's sentences are judged once, by `Study.claims`; the audit of its numbers has words of its own."""
    code = "\n".join(cell.source for cell in code_cells(path))
    assert "statistics.judge" not in code and "OUTCOMES" not in code
    for outcome in OUTCOMES:
        assert f'"{outcome}"' not in code, outcome


def definitions(text):
    """Functions and classes at the top level of a source: name -> node."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    return {node.name: node for node in ast.parse(text).body if isinstance(node, kinds)}


def test_a_definition_lives_once():
    """In one chapter or in the library; a chapter may derive a library function whose docstring says so."""
    where = defaultdict(list)
    for path in CHAPTERS:
        for cell in code_cells(path):
            for name in definitions(cell.source):
                where[name].append(path.stem)
    twice = {name: chapters for name, chapters in where.items() if len(chapters) > 1}
    for path in sorted((ROOT / "deepfn_lib").rglob("*.py")):
        for name, node in definitions(path.read_text()).items():
            if name in where:
                named = f"Defined in chapter {where[name][0][:2]}" in (ast.get_docstring(node) or "")
                if not named:
                    twice[name] = [where[name][0], path.relative_to(ROOT).as_posix()]
    assert not twice


def test_the_contents_list_every_chapter_and_nothing_else():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    listed = [name.removeprefix("book/chapters/") for name in files if name.startswith("book/chapters/")]
    assert sorted(listed) == [path.stem for path in CHAPTERS]
    assert [name for name in listed if name[:2] != "18"] == [path.stem for path in CHAPTERS if path.stem[:2] != "18"]
    for name in files:
        assert name.startswith("book/chapters/") or (ROOT / f"{name}.md").is_file(), name
    assert len(files) == len(set(files))


def test_every_page_of_text_has_one_title():
    for path in sorted((ROOT / "book").glob("*.md")):
        outside_code = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M)
        assert len(re.findall(r"^# ", outside_code, re.M)) == 1, path.name


def test_nothing_generated_and_no_large_or_binary_file_is_in_git():
    generated = re.compile(r"\.(ipynb|npy|h5|keras|parquet|pyc|pkl|png|jpe?g|mp4|avi|html)$|^(_build|artefacts)/")
    for name in tracked():
        assert not generated.search(name) or name in REFERENCE, name
        data = (ROOT / name).read_bytes()
        if b"\0" in data[:4096]:
            assert name in BINARY | REFERENCE, f"{name} is binary"
        assert len(data) < 2 * 2**20, f"{name} is large"


def machine_names():
    """What would betray a machine: put together here, so that this file does not hold it."""
    folders = [f"/{top}/" for top in ("root", "work", "tmp")]
    return re.compile(r"(?<![\w.<~$}*/])(" + "|".join(folders) + r"|/home/\w+/)\w")


def test_no_source_names_a_machine_or_a_package_registry():
    paths = machine_names()
    hosts = re.compile(r"(?:pypi\.org|pythonhosted\.org|index-url|conda\.anaconda\.org)", re.I)
    here = "tests/test_sources.py", "tests/test_setup.py"
    for name in tracked():
        if name in BINARY | REFERENCE or name in here:
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            assert not paths.search(line), f"{name}:{number}: {line.strip()}"
            assert not hosts.search(line), f"{name}:{number}: {line.strip()}"


def test_the_library_starts_without_notebooks_and_without_training():
    """Every module is imported without IPython, TensorFlow or a chapter: a worker or a reader pays for what it uses."""
    outer = {"IPython", "chapters"}
    for path in sorted((ROOT / "deepfn_lib").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            assert not {name.split(".")[0] for name in names} & outer, path.name
    code = "import sys, deepfn_lib.commands.cli, deepfn_lib.study, deepfn_lib.page; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not set(loaded.stdout.split()) & {"IPython", "tensorflow", "keras", "matplotlib"}


def test_no_file_is_unfinished():
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")))
    for name in tracked():
        if name.endswith((".py", ".md", ".yml", ".toml")) and name != "tests/test_sources.py":
            assert not marks.search((ROOT / name).read_text()), name
