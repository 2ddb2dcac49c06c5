"""The chapters of results on the reference run's committed tables: nothing is rendered or trained, and all is told."""

import re

import nbformat
import pytest

from deepfn_lib.artefacts import Store
from deepfn_lib.commands.runner import ON_TABLES, run_chapters

pytestmark = [pytest.mark.chapters, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A fresh store, and the executed notebooks by number."""
    place = tmp_path_factory.mktemp("reference")
    store = Store(str(place / "store"))
    runs = run_chapters("reference", store=store, destination=place / "pages")
    assert [one.error for one in runs] == [""] * len(ON_TABLES)
    return store, {path.name[:2]: nbformat.read(path, as_version=4) for path in sorted((place / "pages").iterdir())}


def texts(notebook):
    """All that a reader can read in a notebook's outputs."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            yield re.sub(r"<[^>]+>", " ", data.get("text/html") or data.get("text/markdown") or output.get("text", ""))


def test_nothing_is_made_but_pages(run):
    store, notebooks = run
    assert {path.name.split("-")[0] for path in store.root.iterdir() if path.is_dir()} == {"chapter"}
    assert sorted(notebooks) == sorted(number.zfill(2) for number in ON_TABLES)


def test_every_page_of_results_says_that_its_numbers_are_the_reference_runs(run):
    for number in ("05", "06", "07", "08", "09", "17"):
        said = " ".join(texts(run[1][number]))
        assert "These numbers are the reference run's" in said, number
        assert "reference run" in said and "Traceback" not in said


def test_no_number_is_missing_from_a_sentence(run):
    for number, notebook in run[1].items():
        for text in texts(notebook):
            assert not re.search(r"\bnan\b", text, re.IGNORECASE), (number, text[:200])
