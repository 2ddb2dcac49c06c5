"""The book as a reader gets it: every chapter executed under `smoke`, built strictly, looked at in Chromium.

The chapters run once a session. DEEPFN_TEST_ARTEFACTS keeps their artefacts for the next.
"""

import os
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from deepfn_lib import arms
from deepfn_lib.artefacts import project_root
from deepfn_lib.commands.chapters import chapter_paths
from deepfn_lib.commands.scan import scan_book
from deepfn_lib.page import face_grid, gate
from deepfn_lib.statistics import OUTCOMES, sentences

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = 390, 1280
CHAPTERS = [path.stem for path in chapter_paths()]
pytestmark = [pytest.mark.chapters, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session")
def executed(session_store, tmp_path_factory):
    """Every chapter executed under `smoke`: (the notebooks' folder, runs by name)."""
    from deepfn_lib.commands.runner import run_chapters

    folder = tmp_path_factory.mktemp("notebooks")
    runs = run_chapters("smoke", {"run": "this"}, store=session_store, destination=folder)
    return folder, {run.name: run for run in runs}


@pytest.fixture(scope="session")
def site(executed, tmp_path_factory):
    """The pages of the book made from them."""
    from deepfn_lib.commands.book import build_book

    notebooks, runs = executed
    failed = any(run.error for run in runs.values()) or len(runs) < len(CHAPTERS)
    return build_book(notebooks, tmp_path_factory.mktemp("book"), partial=failed).parent


def pages():
    """Paths of all pages in the table of contents, below the site."""
    toc = yaml.safe_load((project_root() / "_toc.yml").read_text())
    files = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [f"{name}.html" for name in files]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_chapter_runs(executed, name):
    notebooks, runs = executed
    assert name in runs, "not reached: two chapters before it failed with the same error"
    assert not runs[name].error
    assert (notebooks / f"{name}.ipynb").is_file()


def test_a_budget_counts_as_trained_once_its_network_is_there(executed, session_store):
    from deepfn_lib.study import Study

    study = Study.open("smoke", artefacts=str(session_store.root))
    for share, there in ((1.0, True), (7.0, False)):
        assert study.at_budget(share).has_network(arms.OURS) is there


def test_every_page_of_the_contents_is_built(site):
    missing = [page for page in pages() if not (site / page).is_file()]
    assert missing == []


def test_every_picture_is_traced(site, executed):
    report = scan_book(site, executed[0])
    assert report.problems == []
    assert report.traced
    assert {person.split("/")[0] for person in report.people} <= {
        "rendered-bp4d",
        "rendered-disfa",
        "scanned-bp4d",
        "orl",
    }


VERDICTS = ("05_cross_person", "06_cross_gender", "07_cross_skin", "08_cross_dataset", "17_discussion")


@pytest.mark.parametrize("name", VERDICTS)
def test_every_verdict_is_one_of_the_list_and_every_number_is_one(site, name):
    """A line for each sentence of the paper's, in each page's tables; none of them empty."""
    page = BeautifulSoup((site / "book" / "chapters" / f"{name}.html").read_text(), "html.parser")
    texts = {sentence.text.format(arm=arms.label(arm)) for sentence in sentences() for arm in (arms.PAPERS, arms.OURS)}
    told = []
    for table in page.find_all("table"):
        headings = [cell.get_text() for cell in table.find_all("th")]
        if "verdict" not in headings or "claim" not in headings:
            continue
        for line in table.find("tbody").find_all("tr"):
            told.append(dict(zip(headings, [cell.get_text() for cell in line.find_all(["th", "td"])])))
    for line in told:
        assert line["claim"] in texts and line["verdict"].removesuffix(" at this budget") in OUTCOMES
    assert len(told) >= 10 and not [cell for cell in page.find_all("td") if cell.get_text().strip() == "nan"]


def test_no_page_names_another_host_as_a_source(site):
    import re

    loads = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"((?:https?:)?//[^\"]+)\"[^>]*>")
    for path in site.rglob("*.html"):
        for match in loads.finditer(path.read_text()):
            assert 'rel="canonical"' in match[0], f"{path.name}: {match[1]}"


def test_rendered_people_taken_off_the_list_become_grey_cards(monkeypatch):
    nobody = gate._manifest("rendered-bp4d").model_copy(update={"showable": ()})
    monkeypatch.setattr(gate, "_manifest", lambda name: nobody)
    shown = face_grid([[np.zeros((8, 8), np.uint8)]], [["rendered-bp4d/F001"]])
    assert "grey-card" in shown.markup and "base64" not in shown.markup


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("DEEPFN_NEED_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        yield started
        started.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@contextmanager
def opened(browser, where, width=1280):
    """A page with its complaints: foreign requests (refused), failed ones, console and page errors."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page, complaints = context.new_page(), []
    page.set_default_timeout(60_000)

    def route(request):
        if request.request.url.startswith((where.split("/book/")[0].split("/index")[0], "data:", "blob:")):
            request.continue_()
        else:
            complaints.append(f"asked another host: {request.request.url}")
            request.abort()

    context.route("**/*", route)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.goto(where, wait_until="load")
    try:
        yield page, complaints
    finally:
        context.close()


def draw_figures(page):
    """Scroll to every plotly figure and wait until it is drawn; how many there are."""
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")  # folded solutions
    boxes = page.locator(".deepfn-plotly-box")
    for number in range(boxes.count()):
        boxes.nth(number).scroll_into_view_if_needed()
        boxes.nth(number).locator(".main-svg").first.wait_for(state="attached")
    return boxes.count()


def extent(page):
    """How wide the page is, pixels; more than the window, and it scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth")


def cut_names(page):
    """The names in figures' legends that end outside their legend, where they are cut off."""
    return page.evaluate("""() => [...document.querySelectorAll('.legend')].flatMap(legend => {
        const edge = legend.querySelector('.bg').getBoundingClientRect().right + 1
        const names = [...legend.querySelectorAll('.legendtext')]
        return names.filter(name => name.getBoundingClientRect().right > edge).map(name => name.textContent)
    })""")


def cut_code(page):
    """First lines of code cells of which something lies beyond the right edge."""
    return page.evaluate("""() => [...document.querySelectorAll('div.highlight pre')]
        .filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent.split('\\n')[0])""")


@pytest.mark.site
@pytest.mark.parametrize("path", pages())
def test_a_page_is_whole_in_a_browser(browser, address, site, path):
    if not (site / path).is_file():
        pytest.fail(f"{path} was not built")
    with opened(browser, address + path, PHONE) as (page, complaints):
        draw_figures(page)
        assert cut_names(page) == [] and cut_code(page) == []
        widths = {PHONE: extent(page)}
        page.set_viewport_size({"width": DESKTOP, "height": 900})
        page.wait_for_timeout(300)  # figures follow the window
        widths[DESKTOP] = extent(page)
        assert cut_code(page) == []
        assert all(found <= wanted for wanted, found in widths.items()), widths
        assert page.get_by_text("Share chart").count() == 0
        assert page.locator("[data-title*='Share'], [data-title*='cloud']").count() == 0
        formulas = page.locator("span.math, div.math")
        if formulas.count():
            page.wait_for_function("document.querySelectorAll('mjx-container svg').length > 0")
            assert page.locator("mjx-container svg").count() >= formulas.count()
        assert page.locator("mjx-container [data-mml-node=merror]").count() == 0
        assert page.locator("article img:not([alt]), article img[alt='']").count() == 0
        assert page.locator("article h1").count() == 1
        assert complaints == []


@pytest.mark.site
def test_a_page_opens_from_the_disk(browser, site):
    with opened(browser, (site / "index.html").as_uri()) as (page, complaints):
        page.wait_for_url("**/book/*.html")  # the root page leads to the first one
        page.locator("article h1").wait_for()
        assert complaints == []
    chapters = [site / page for page in pages() if "/chapters/" in page and (site / page).is_file()]
    with_figures = next(path for path in chapters if "deepfn-plotly-box" in path.read_text())
    with opened(browser, with_figures.as_uri()) as (page, complaints):
        assert draw_figures(page)
        assert complaints == []
