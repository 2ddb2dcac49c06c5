"""The way in: the lock, the two package lists, the Makefile and CI say the same."""

import re
import subprocess
import tomllib
from functools import cache

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from deepfn_lib.artefacts import project_root

ROOT = project_root()


@cache
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@cache
def locked():
    """The lock's entries: normalised name -> [Requirement, ...] (several where a marker chooses)."""
    entries = {}
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line.split("--hash")[0].strip())
            entries.setdefault(plain(requirement.name), []).append(requirement)
    return entries


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_line_of_the_lock_is_one_version_with_hashes_and_no_host():
    text = (ROOT / "requirements.lock").read_text()
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        assert re.match(r"^[A-Za-z0-9._\[\]-]+==[^\s;]+", line), line[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line[:60]
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def direct():
    optional = project()["optional-dependencies"]
    return [Requirement(text) for text in project()["dependencies"] + optional["dev"]]


@pytest.mark.parametrize("wanted", direct(), ids=str)
def test_a_direct_dependency_is_locked_at_a_version_that_satisfies_it(wanted):
    found = locked().get(plain(wanted.name))
    assert found, f"{wanted.name} is not in the lock"
    for entry in found:
        (specifier,) = entry.specifier
        assert wanted.specifier.contains(specifier.version, prereleases=True), entry


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_the_lock_has_one_version_of_each_package_for_each_python(python):
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
    }
    for name, entries in locked().items():
        valid = [entry for entry in entries if entry.marker is None or entry.marker.evaluate(machine)]
        assert len(valid) <= 1, name
    for wanted in direct():
        if wanted.marker is None or wanted.marker.evaluate(machine):
            valid = [e for e in locked()[plain(wanted.name)] if e.marker is None or e.marker.evaluate(machine)]
            assert valid, f"{wanted.name} for Python {python}"


def test_both_pythons_and_no_others_are_claimed():
    claimed = SpecifierSet(project()["requires-python"])
    assert [version for version in ("3.10", "3.11", "3.12", "3.13") if version in claimed] == ["3.11", "3.12"]


def test_the_conda_environment_is_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == "deepfn"
    plain_entries = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock"]
    assert "pip" in plain_entries
    (python,) = [entry for entry in plain_entries if entry.startswith("python")]
    assert SpecifierSet(python.removeprefix("python").strip()) == SpecifierSet(project()["requires-python"])


def test_the_console_script_is_there():
    assert project()["scripts"] == {"deepfn": "deepfn_lib.commands.cli:main"}
    from deepfn_lib.commands.cli import deepfn

    assert {"render", "check", "run", "book", "status", "settings", "bench", "clean"} <= set(deepfn.commands)


def targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))


def test_the_makefile_has_what_the_readme_names():
    assert {"help", "setup", "book", "test", "check", "format", "clean"} <= targets()
    readme = (ROOT / "README.md").read_text()
    for path in ("README.md", *(f"book/{page.name}" for page in (ROOT / "book").glob("*.md"))):
        named = re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / path).read_text(), re.M)
        assert set(named) <= targets(), path
    assert "make book" in readme and "make test" in readme


def test_commands_in_the_book_exist():
    from deepfn_lib.commands.cli import deepfn

    for path in (ROOT / "README.md", *sorted((ROOT / "book").glob("*.md"))):
        text = path.read_text()
        for line in re.findall(r"(?:`|^)deepfn ([^`\n]+)", text, re.M):
            words = line.split("#")[0].split()
            if words[0] == "--help":
                continue
            assert words[0] in deepfn.commands, f"{path.name}: deepfn {line}"
            options = {o for p in deepfn.commands[words[0]].params for o in p.opts}
            for word in words[1:]:
                if word.startswith("-"):
                    assert word.split("=")[0] in options | {"--help"}, f"{path.name}: deepfn {line}"


def test_make_help_lists_the_targets():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make book" in shown and "make test" in shown


def test_ci_runs_the_readmes_test_command_with_a_browser():
    script = ROOT / ".ci" / "run"
    text = script.read_text()
    assert re.search(r"^(?:[A-Z_]+=\S+ )*make test$", text, re.M)
    assert "DEEPFN_NEED_BROWSER=1" in text
    assert script.stat().st_mode & 0o111, ".ci/run must be executable"
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0


def test_set_up_installs_the_locked_uv():
    (uv,) = locked()["uv"]
    assert str(uv.specifier).startswith("==")
    assert "s/^uv==" in (ROOT / "Makefile").read_text()
