"""The rooms of the library as their sources say: who imports whom, and which version of its results a room makes."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parent


def code_versions(rooms: Iterable[str]) -> dict[str, int]:
    """CODE_VERSION of these modules and of every one that they import, near or far, by name ("faces.crops").

    A module raises its CODE_VERSION when the same inputs would give other results, and whatever was made through it
    is made anew. Sources are read and nothing is imported, so asking does not start TensorFlow. Raises KeyError for
    a name that no module has.
    """
    found: dict[str, int] = {}
    waiting, seen = list(rooms), set()
    while waiting:
        room = waiting.pop()
        if room in seen:
            continue
        seen.add(room)
        version, imported = read_room(room)
        waiting += imported
        if version is not None:
            found[room] = version
    return dict(sorted(found.items()))


@cache
def read_room(room: str) -> tuple[int | None, tuple[str, ...]]:
    """A module's CODE_VERSION, None where it has none, and the modules of the library that it imports anywhere."""
    path = source(room)
    tree, version = ast.parse(path.read_text()), None
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "CODE_VERSION":
                version = ast.literal_eval(node.value)
    return version, tuple(sorted(set(_imports(tree, room, path.name == "__init__.py")) - {room}))


def source(room: str) -> Path:
    """The file of a module, by its name below `deepfn_lib`. Raises KeyError where there is none."""
    path = HOUSE.joinpath(*room.split(".")) if room else HOUSE
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    raise KeyError(f"the library has no module {room!r}")


def everyone() -> list[str]:
    """The names of all modules of the library but its own `__init__`."""
    files = (path.relative_to(HOUSE).with_suffix("").parts for path in sorted(HOUSE.rglob("*.py")))
    return [".".join(parts).removesuffix(".__init__") for parts in files if parts != ("__init__",)]


def _imports(tree: ast.AST, room: str, is_package: bool) -> Iterator[str]:
    package = room.split(".") if is_package else room.split(".")[:-1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ())]
        inside = [".".join([*base, alias.name]) for alias in node.names]
        modules = [name for name in inside if _is_module(name)]
        yield from modules
        if base and len(modules) < len(inside):
            yield ".".join(base)


def _is_module(name: str) -> bool:
    try:
        source(name)
    except KeyError:
        return False
    return True
