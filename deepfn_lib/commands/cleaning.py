"""From an executed notebook to one that may be published: no run metadata, no machine paths, no progress bars."""

import copy
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..artefacts import project_root
from ..page.card import CARD_METADATA

PATH_SETTINGS = ("bp4d", "disfa", "disfa_frames", "groups")


def used_artefacts(notebook) -> list[list[str]]:
    """The artefacts that a chapter's card says it read: [[step, digest], ...]."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            found += [list(pair) for pair in output.get("metadata", {}).get(CARD_METADATA, ())]
    return found


def clean_notebook(notebook, artefacts: Path) -> Any:
    """A copy without papermill's metadata, standard error and execution times, its machine paths replaced by words."""
    notebook = copy.deepcopy(notebook)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata.clear()
    notebook.metadata.update(kernelspec=kernel, language_info={"name": "python"})
    replaced = _paths(artefacts)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("papermill")]
        kept = {name: value for name, value in cell.metadata.items() if name in ("mystnb", "editable")}
        cell.metadata.clear()
        cell.metadata.update(kept)
        if tags:
            cell.metadata["tags"] = tags
        if cell.cell_type != "code":
            continue
        cell["source"] = _hide_paths(
            _hide_data_folders(cell["source"]) if "injected-parameters" in tags else cell["source"], replaced
        )
        cell["outputs"] = [_clean_output(o, replaced) for o in cell["outputs"] if o.get("name") != "stderr"]
    return notebook


def _clean_output(output, replaced):
    output.get("metadata", {}).pop(CARD_METADATA, None)
    for holder, keys in (
        (output, ("text", "traceback")),
        (output.get("data", {}), ("text/plain", "text/html", "text/markdown")),
    ):
        for key in keys:
            if key in holder:
                holder[key] = _hide(holder[key], replaced)
    return output


def _hide(value, replaced):
    if isinstance(value, list):
        return [_hide_paths(line, replaced) for line in value]
    return _hide_paths(value, replaced)


def _paths(artefacts: Path) -> list[tuple[re.Pattern, str]]:
    """Patterns of this machine's folders, the longest first, and the words that stand for them."""
    words = {
        str(artefacts): "artefacts",
        str(project_root()): ".",
        sys.prefix: "<environment>",
        sys.base_prefix: "<python>",
        tempfile.gettempdir(): "<temporary>",
        str(Path.home()): "~",
    }
    long_enough = {path: word for path, word in words.items() if len(path) > 3}
    ordered = sorted(long_enough, key=len, reverse=True)
    return [(re.compile(rf"(?<![\w.~>/]){re.escape(path)}(?![\w-])"), long_enough[path]) for path in ordered]


def _hide_paths(text: str, replaced) -> str:
    for pattern, word in replaced:
        text = pattern.sub(word, text)
    return text


def _hide_data_folders(source: str) -> str:
    """The cell that papermill injected, its data folders named but not located."""
    for name in PATH_SETTINGS:
        source = re.sub(rf"(['\"]{name}['\"]: ?)(['\"])[^'\"]+\2", rf'\1"<your {name} folder>"', source)
    return source
