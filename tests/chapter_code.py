"""A chapter's own functions, for tests: what the page defines is what is tested."""

import ast
from functools import cache
from types import ModuleType

import jupytext

from deepfn_lib.commands.chapters import chapter_paths

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


@cache
def chapter_code(number: str) -> ModuleType:
    """The imports, functions, classes and constants (names in capitals) of chapter "14" as a module; no cell runs."""
    (path,) = (path for path in chapter_paths() if path.stem.startswith(number))
    module = ModuleType(path.stem)
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            kept = [node for node in ast.parse(cell.source).body if isinstance(node, DEFINITIONS) or is_constant(node)]
            exec(compile(ast.Module(kept, []), path.name, "exec"), vars(module))
    return module


def is_constant(node: ast.stmt) -> bool:
    """Whether a statement gives values to names in capitals only."""
    if not isinstance(node, ast.Assign):
        return False
    names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return all(name.isupper() for name in names)
