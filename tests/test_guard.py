"""The guard on a whole book: everybody taken off the lists, and a picture planted around the gate.

A copy of the project is changed as a licensee's would be; the commands are the user's own. By default it has two
chapters; `pytest -m slow tests/test_guard.py` takes all, and then not even a rendered face is left in the book.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys

import cv2
import nbformat
import numpy as np
import pytest

from deepfn_lib.artefacts import project_root
from deepfn_lib.commands.chapters import chapter_paths
from deepfn_lib.commands.scan import scan_book

CHAPTERS = ("00_question", "03_template_selection")  # rendered for the occasion; from the corpora
pytestmark = [pytest.mark.chapters, pytest.mark.timeout(1200)]


def deepfn(project, store, *words):
    variables = {**os.environ, "PYTHONPATH": str(project), "DEEPFN_ARTEFACTS": str(store.root)}
    return subprocess.run(
        [sys.executable, "-m", "deepfn_lib.commands.cli", *words],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory, session_store):
    return without_anybody(tmp_path_factory.mktemp("project"), session_store, CHAPTERS, "--partial")


def without_anybody(copy, store, chapters, *options):
    """A copy in which nobody rendered may be shown, those chapters executed and its book built."""
    for name in ("deepfn_lib", "data_manifests", "chapters", "book"):
        shutil.copytree(
            project_root() / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb", "[01]*.py")
        )
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(project_root() / name, copy / name)
    for name in chapters:
        shutil.copyfile(project_root() / "chapters" / f"{name}.py", copy / "chapters" / f"{name}.py")
    changed = 0
    for path in (copy / "data_manifests").glob("rendered-*.yml"):
        text, times = re.subn(r"^showable: all$", "showable: []", path.read_text(), flags=re.M)
        text = re.sub(r"^smallest_mean: \d+", "smallest_mean: 0", text, flags=re.M)  # nor any mean, as with BP4D
        path.write_text(text)
        changed += times
    assert changed == 2
    ran = deepfn(copy, store, "run", "--profile", "smoke")
    assert ran.returncode == 0, ran.stderr
    built = deepfn(copy, store, "book", *options)
    assert built.returncode == 0, built.stderr
    assert str(copy / "_build" / "html" / "index.html") in built.stdout
    return copy


def test_with_nobody_showable_the_book_builds_without_a_pixel_of_anybody(project):
    site, notebooks = project / "_build" / "html", project / "book" / "chapters"
    report = scan_book(site, notebooks)
    assert report.problems == [] and report.traced == []
    for name in CHAPTERS:
        page = (site / "book" / "chapters" / f"{name}.html").read_text()
        assert "grey-card" in page and "may not be shown: data_manifests/rendered-bp4d.yml" in page
        for text in (page, (notebooks / f"{name}.ipynb").read_text()):
            assert "data:image" not in text and "iVBORw0KGgo" not in text and '"image/' not in text


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_book_builds_without_a_pixel_of_anybody_rendered(tmp_path, session_store):
    chapters = [path.stem for path in chapter_paths()]
    copy = without_anybody(tmp_path, session_store, chapters)
    report = scan_book(copy / "_build" / "html", copy / "book" / "chapters")
    assert report.problems == []
    assert {person.split("/")[0] for person in report.people} <= {"orl"}
    cards = [name for name in chapters if "grey-card" in (copy / "book" / "chapters" / f"{name}.ipynb").read_text()]
    assert len(cards) > len(chapters) // 2


def test_a_planted_leak_fails_the_build(project, session_store):
    path = project / "book" / "chapters" / f"{CHAPTERS[0]}.ipynb"
    before = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    face = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    data = base64.b64encode(cv2.imencode(".png", face)[1].tobytes()).decode()
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("display_data", data={"image/png": data, "text/plain": "an image"})]
    path.write_text(json.dumps(notebook))
    try:
        built = deepfn(project, session_store, "book", "--partial")
        assert built.returncode == 2
        assert "refused" in built.stderr and "did not come through the gate" in built.stderr
        assert built.stderr.count("\n") == 1
        assert not (project / "_build" / "html").exists() and (project / "_build" / "html-refused").is_dir()
    finally:
        path.write_bytes(before)
    assert deepfn(project, session_store, "book", "--partial").returncode == 0
