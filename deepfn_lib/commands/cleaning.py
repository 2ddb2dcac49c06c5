"""From an executed notebook to one that may be published: no run metadata, no machine paths, no progress bars."""

import copy
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import from_dict

from ..artefacts import project_root
from ..page.card import CARD_METADATA

TOLD = {"text", "traceback", "text/plain", "text/html", "text/markdown"}  # where an output has words
PATH_SETTINGS = ("bp4d", "disfa", "disfa_frames", "groups")


def used_artefacts(notebook) -> list[list[str]]:
    """The artefacts that a chapter's card says it read: [[step, digest], ...]."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return [list(pair) for output in outputs for pair in output.get("metadata", {}).get(CARD_METADATA, ())]


def clean_notebook(notebook, artefacts: Path) -> Any:
    """A copy without papermill's metadata, standard error and execution times, its machine paths replaced by words."""
    notebook = copy.deepcopy(notebook)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    hide = _path_hider(artefacts)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("papermill")]
        kept = {name: value for name, value in cell.metadata.items() if name in ("mystnb", "editable")}
        cell.metadata = from_dict({**kept, **({"tags": tags} if tags else {})})
        if cell.cell_type != "code":
            continue
        if "injected-parameters" in tags:
            cell["source"] = _hide_data_folders(cell["source"])
        cell["source"] = hide(cell["source"])
        cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
        for output in cell["outputs"]:
            output.get("metadata", {}).pop(CARD_METADATA, None)
            _hide_in(output, hide)
            _hide_in(output.get("data", {}), hide)
    return notebook


def _hide_in(holder, hide: Callable[[str], str]) -> None:
    for name in TOLD.intersection(holder):
        told = holder[name]
        holder[name] = [hide(line) for line in told] if isinstance(told, list) else hide(told)


def _path_hider(artefacts: Path) -> Callable[[str], str]:
    """A function that puts words in the place of this machine's folders."""
    words = {
        str(artefacts): "artefacts",
        str(project_root()): ".",
        sys.prefix: "<environment>",
        sys.base_prefix: "<python>",
        tempfile.gettempdir(): "<temporary>",
        str(Path.home()): "~",
    }
    folders = sorted((path for path in words if len(path) > 3), key=len, reverse=True)  # within others: the inner one
    pattern = re.compile(rf"(?<![\w.~>/])({'|'.join(map(re.escape, folders))})(?![\w-])")
    return lambda text: pattern.sub(lambda found: words[found[0]], text)


def _hide_data_folders(source: str) -> str:
    """The cell that papermill injected, its data folders named but not located."""
    for name in PATH_SETTINGS:
        source = re.sub(rf"(['\"]{name}['\"]: ?)(['\"])[^'\"]+\2", rf'\1"<your {name} folder>"', source)
    return source
