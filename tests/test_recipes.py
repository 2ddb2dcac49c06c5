"""CONTRIBUTING.md's recipes, followed to the letter on a copy of the project."""

import os
import re
import shlex
import subprocess
import sys

import cv2
import nbformat
import pandas as pd
import pytest

from deepfn_lib.artefacts import project_root
from deepfn_lib.rendering.toys import render_moment

ROOT = project_root()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
HEADS = {
    "append": re.compile(r"# append to (\S+)\n"),
    "new": re.compile(r"# new file (\S+)\n"),
    "after": re.compile(r"# in (\S+), after '([^\n]+)'\n"),
    "replace": re.compile(r"# in (\S+), replace '([^\n]+)' by\n"),
}


def blocks(title: str) -> list[tuple[str, str]]:
    """The fenced blocks of one recipe: (language, text)."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    part = text.split(f"### {title}\n")[1]
    return BLOCK.findall(re.split(r"^##", part, flags=re.M)[0])


@pytest.fixture
def copy(tmp_path):
    """The project's tracked files, and new ones that git does not ignore, elsewhere."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def edit(folder, text: str) -> None:
    """Do what a block's first line says with the rest of it."""
    (kind, head), *_ = [(kind, found) for kind, pattern in HEADS.items() if (found := pattern.match(text))]
    path, body = folder / head[1], text[head.end() :]
    if kind == "new":
        assert not path.exists()
        path.write_text(body)
        return
    before = path.read_text()
    if kind == "append":
        path.write_text(before + body)
        return
    assert before.count(head[2]) == 1, head[2]
    wanted = f"{head[2]}\n{body.rstrip()}" if kind == "after" else body.rstrip()
    path.write_text(before.replace(head[2], wanted))


def follow(title: str, folder, store) -> str:
    """Make all edits of a recipe and run its command; what that printed. `deepfn` and `python` are this Python's."""
    *edits, (language, command) = blocks(title)
    assert language == "sh" and len(edits) >= 2
    for _, text in edits:
        edit(folder, text)
    words = shlex.split(command)
    if words[0] == "deepfn":
        words = [sys.executable, "-m", "deepfn_lib.commands.cli", *words[1:]]
    words = [sys.executable if word == "python" else word for word in words]
    kept = {"DEEPFN_ARTEFACTS": str(store.root), "DEEPFN_TEST_ARTEFACTS": str(store.root)}
    variables = {**os.environ, "PYTHONPATH": str(folder), **kept}
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def shown(folder, name: str) -> str:
    """The text and HTML of all outputs of an executed chapter."""
    notebook = nbformat.read(folder / "book" / "chapters" / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(str(output.get("data", output.get("text", ""))) for output in outputs)


def test_add_an_arm(copy, session_store):
    follow("Add an arm", copy, session_store)
    page = shown(copy, "09_all_conditions")
    assert "mirrored" in page and "#2F4F4F" in page


def test_add_a_dataset(copy, session_store):
    folder, rows = copy / "tiny-folder", []
    for number, person in enumerate(("F001", "M001")):
        (folder / person).mkdir(parents=True)
        for picture, strength in enumerate((0.0, 1.0)):
            face = render_moment(person, {12: strength}, seed=number, size=128)
            wide = cv2.copyMakeBorder(face, 60, 60, 60, 60, cv2.BORDER_REPLICATE)
            cv2.imwrite(str(folder / person / f"{picture}.png"), wide)
            rows.append({"person": person, "picture": f"{picture}.png", "AU12": picture})
    rows.append({"person": "M001", "picture": "lost.png", "AU12": 0})
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    printed = follow("Add a dataset", copy, session_store)
    assert "TINY" in printed and "F001" in printed and "M001" in printed


def test_add_a_chapter(copy, session_store):
    follow("Add a chapter", copy, session_store)
    assert re.search(r"There are [\d,]+ faces", shown(copy, "19_counting"))
    checked = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_sources.py",
        "-k",
        "19_counting or contents",
    ]
    done = subprocess.run(
        checked, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_add_a_setting(copy, session_store):
    printed = follow("Add a setting", copy, session_store)
    assert "passed" in printed and "failed" not in printed


def test_the_map_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|yml|md))`", text):
        assert any((ROOT / place / name).exists() for place in ("", "deepfn_lib", "deepfn_lib/study")), name
