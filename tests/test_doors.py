"""The two doors: chapters show through the page, users start commands, and nothing inside the house uses a door."""

import ast
from pathlib import Path

import pytest

from deepfn_lib.artefacts import project_root
from deepfn_lib.commands.chapters import chapter_paths

HOUSE = project_root() / "deepfn_lib"
MODULES = sorted(HOUSE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """What a source imports anywhere in it, by absolute name: modules, and what is taken from them."""
    found = set()
    package = path.relative_to(project_root()).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def uses(path: Path, room: str) -> bool:
    return any(f"{name}.".startswith(f"deepfn_lib.{room}.") for name in imported(path))


def name_of(path: Path) -> str:
    return path.relative_to(project_root()).as_posix()


@pytest.mark.parametrize("path", chapter_paths(), ids=name_of)
def test_no_chapter_starts_commands(path):
    assert not uses(path, "commands")


@pytest.mark.parametrize("path", [path for path in MODULES if HOUSE / "commands" not in path.parents], ids=name_of)
def test_nothing_outside_commands_uses_them(path):
    assert not uses(path, "commands")


@pytest.mark.parametrize("path", sorted((HOUSE / "page").rglob("*.py")), ids=name_of)
def test_the_page_is_handed_a_study_and_imports_none(path):
    assert not uses(path, "study")


def test_imports_are_read_whatever_their_form():
    commands = HOUSE / "commands"
    assert {"deepfn_lib.page.gate", "deepfn_lib.page.gate.read_people"} <= imported(commands / "scan.py")
    assert "deepfn_lib.commands.bench.autoencoder" in imported(commands / "bench" / "measures.py")
    assert uses(commands / "cli.py", "commands") and uses(commands / "cli.py", "study")
    assert any(uses(path, "page") for path in chapter_paths())
