"""The proof after the gate: every picture in the built book is traced to the people it shows, or the build fails.

Looked at are all files of the site and the notebooks beside it: image files, pictures embedded in HTML, scripts,
styles and notebooks, and plotly figures that hold an image or a heatmap fine enough to be one. A picture passes when
the gate's text chunk names people who may all be shown, or when it is a file that an installed theme or library
carries. What is of no known kind does not pass.
"""

import base64
import html
import importlib.util
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..page.gate import everyone, read_people, reason_to_refuse
from ..page.plotly_mime import MIME_TYPE

# Packages whose own static files may be in the site, byte for byte.
THEMES = (
    "sphinx",
    "pydata_sphinx_theme",
    "sphinx_book_theme",
    "jupyter_book",
    "sphinx_design",
    "sphinx_togglebutton",
    "sphinx_copybutton",
    "sphinx_thebe",
    "sphinx_comments",
    "myst_nb",
    "plotly",
)
TEXT = {".html", ".js", ".css", ".json", ".svg", ".txt", ".map", ".xml", ".ipynb", ".py", ".md", ".scss", ".mjs"}
HARMLESS = {".woff", ".woff2", ".ttf", ".eot", ".otf", ".inv", ".buildinfo"}
RASTER = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ico", ".avif"}
# How the bytes of images begin once they are in base64, whatever is written around them.
EMBEDDED = re.compile(r"(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|Qk0|SUkqA|TU0AK)[A-Za-z0-9+/=\s]{60,}")
DATA_URI = re.compile(r"data:image/(?!svg)[\w.+-]+(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=\s]+)")
SVG_URI = re.compile(r"data:image/svg\+xml(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=\s]+)")
FIGURE_JSON = re.compile(r'<script type="application/json">(.*?)</script>', re.S)
FIELD_TRACES = {"heatmap", "heatmapgl", "contour", "surface", "contourcarpet", "histogram2d"}
FINEST_FIELD = 24  # a heatmap with this many rows and columns could be a face


@dataclass
class Report:
    """What a scan found: `traced` pictures with their people, `static` files of themes, `problems` in a line each."""

    traced: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    static: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def people(self) -> list[str]:
        return sorted({person for _, people in self.traced for person in people})


def scan_book(site: Path, notebooks: Path | None = None) -> Report:
    """Scan a built site (a folder of HTML) and, if given, the folder of notebooks that it was made from."""
    report = Report()
    for root in filter(None, (site, notebooks)):
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            _scan_file(path, path.relative_to(root).as_posix(), report)
    return report


def _scan_file(path: Path, name: str, report: Report) -> None:
    data = path.read_bytes()
    suffix = path.suffix.lower() or path.name
    if _of_a_theme(path, data):
        report.static += 1
    elif suffix in RASTER:
        _scan_raster(data, name, report)
    elif suffix == ".ipynb":
        _scan_notebook(data, name, report)
    elif suffix in TEXT:
        _scan_text(data.decode("utf-8", "replace"), name, report)
    elif suffix not in HARMLESS:
        report.problems.append(f"{name}: a file of a kind that the book has no use for ({suffix})")


def _scan_raster(data: bytes, name: str, report: Report) -> None:
    shown = read_people(data)
    if shown is None:
        report.problems.append(f"{name}: a picture that did not come through the gate ({len(data)} bytes)")
    else:
        _trace(shown, name, report)


def _trace(shown: Any, name: str, report: Report) -> None:
    refusal = reason_to_refuse(shown)
    if refusal:
        report.problems.append(f"{name}: {refusal}")
    else:
        report.traced.append((name, tuple(everyone(shown))))


def _scan_text(text: str, name: str, report: Report) -> None:
    found = [_decoded(match[1]) for match in DATA_URI.finditer(text)]
    found += filter(_is_raster, (_decoded(match[0]) for match in EMBEDDED.finditer(text)))
    for data in dict.fromkeys(found):  # most are found both ways
        _scan_raster(data, f"{name} (embedded)", report)
    for match in SVG_URI.finditer(text):
        _scan_text(_decoded(match[1]).decode("utf-8", "replace"), f"{name} (SVG)", report)
    for match in FIGURE_JSON.finditer(text):
        _scan_figure(_parsed(html.unescape(match[1])) or _parsed(match[1]), name, report)


def _scan_notebook(data: bytes, name: str, report: Report) -> None:
    notebook = _parsed(data.decode("utf-8", "replace"))
    if not isinstance(notebook, dict):
        report.problems.append(f"{name}: not a readable notebook")
        return
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            for kind, content in output.get("data", {}).items():
                text = "".join(content) if isinstance(content, list) else content
                if kind == MIME_TYPE:
                    _scan_figure(content, name, report)
                if kind.startswith("image/") and kind != "image/svg+xml":
                    _scan_raster(_decoded(str(text)), f"{name} (output)", report)
                else:
                    _scan_text(text if isinstance(text, str) else json.dumps(text), name, report)
        _scan_text(json.dumps(cell.get("attachments", {})), name, report)


def _scan_figure(figure: Any, name: str, report: Report) -> None:
    """A plotly figure's traces: one that shows a picture, or could, declares its people in `layout.meta.people`.

    Pictures given by their source, in traces, layouts or frames, are found in the text that the figure is.
    """
    if not isinstance(figure, dict) or "data" not in figure:
        return
    layout = figure.get("layout") or {}
    meta = layout.get("meta")
    people = meta.get("people") if isinstance(meta, dict) else None
    for trace in figure["data"]:
        kind = trace.get("type", "scatter")
        if kind == "image" or (kind in FIELD_TRACES and min(_shape(trace)) >= FINEST_FIELD):
            if people is None:
                size = " x ".join(map(str, _shape(trace)))
                report.problems.append(f"{name}: a plotly {kind} of {size} names no people in layout.meta.people")
            else:
                _trace(people, f"{name}: plotly {kind}", report)


def _shape(trace: dict) -> tuple[int, int]:
    z = trace.get("z", trace.get("source"))
    if isinstance(z, dict) and "shape" in z:  # plotly's typed arrays
        sides = [int(part) for part in str(z["shape"]).split(",")]
        return sides[0], sides[1] if len(sides) > 1 else 0
    if isinstance(z, list) and z and isinstance(z[0], (list, dict)):
        return len(z), len(z[0]) if isinstance(z[0], list) else FINEST_FIELD
    return (FINEST_FIELD, FINEST_FIELD) if z is not None else (0, 0)


def _is_raster(data: bytes) -> bool:
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    bitmap = data[:2] == b"BM" and data[6:10] == b"\0\0\0\0" and 26 <= int.from_bytes(data[10:14], "little") < 2000
    return data.startswith(starts) or webp or bitmap


def _decoded(text: str) -> bytes:
    """What base64 holds, however it is wrapped, padded or cut."""
    text = re.sub(r"[^A-Za-z0-9+/]", "", text)
    whole = len(text) - (len(text) % 4 == 1)
    return base64.b64decode(text[:whole] + "==")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _of_a_theme(path: Path, data: bytes) -> bool:
    return any(
        known.stat().st_size == len(data) and known.read_bytes() == data for known in _theme_files().get(path.name, ())
    )


@cache
def _theme_files() -> dict[str, list[Path]]:
    """Static files of the installed themes, by file name."""
    files = defaultdict(list)
    for package in THEMES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            for path in Path(folder).rglob("*"):
                if path.suffix.lower() not in {".py", ".pyc"} and path.is_file():
                    files[path.name].append(path)
    return files
