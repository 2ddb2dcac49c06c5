"""Steps: functions that leave one artefact, with a key that cannot forget what went in.

    @step("faces", rooms=("faces.crops",), settings=("alignment", "crop_size"))
    def cut_faces(folder, chosen, machine, corpora): ...

A step sees nothing but its parameters: the folder to fill; `chosen`, the settings it names; `machine`, where its jobs
run; and its inputs, each called like the attribute of `Study` that gives it, or given at the call. Its key is made of
all of these but the folder and the machine, and of the versions of the rooms it names and of all that they import.
What is not in the key the function cannot have, but for the lines and constants of its own module: one that gives
another result than before has, or gets, a CODE_VERSION, which counts too.
"""

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import StudyError
from ..rooms import code_versions
from ..settings import Settings

HOUSE, _, ROOM = __package__.partition(".")


@dataclasses.dataclass(frozen=True)
class Named:
    """A function or step by its name in a table, "module:function" below `deepfn_lib`; imported when it is called."""

    path: str

    @property
    def module(self) -> str:
        """The module's name, below `deepfn_lib`."""
        return self.path.partition(":")[0]

    @property
    def function(self) -> Any:
        """What is called so. Raises StudyError where nothing is."""
        try:
            return getattr(import_module(f"{HOUSE}.{self.module}"), self.path.partition(":")[2])
        except (ImportError, AttributeError, ValueError) as problem:
            raise StudyError(f"the table of arms or of datasets names {self.path!r}: {problem}") from None

    @property
    def key(self) -> dict[str, Any]:
        return {"function": self.path, "code": code_versions([self.module])}


NO_INPUTS = ("folder", "chosen", "machine")


@dataclasses.dataclass(frozen=True)
class Step:
    """A function that fills a folder, the kind of artefact that is, and the rooms and settings that it runs through."""

    function: Callable[..., None]
    artefact: str
    rooms: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what goes in, as the function's parameters say."""
        return tuple(name for name in inspect.signature(self.function).parameters if name not in NO_INPUTS)

    def chosen(self, settings: Settings) -> dict[str, Any]:
        """The values of the settings that the step names."""
        return {name: getattr(settings, name) for name in self.settings}

    def key(self, settings: Settings, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What tells this artefact from every other, as JSON."""
        return {
            "made_by": self.function.__name__,
            "code": {**code_versions(self.rooms), **self._own_versions()},
            "settings": key_of(self.chosen(settings)),
            **{name: key_of(value) for name, value in inputs.items() if value is not self._usual(name)},
        }

    def _usual(self, name: str) -> Any:
        """An input's default: a step that is given something new keeps the keys of what was made without it."""
        return inspect.signature(self.function).parameters[name].default

    def _own_versions(self) -> dict[str, int]:
        """CODE_VERSION, where they have one, of the step's own module and of those of this room that it imports."""
        house, _, module = self.function.__module__.partition(".")
        found = code_versions([module]) if house == HOUSE else {}
        return {name: version for name, version in found.items() if name.startswith(f"{ROOM}.")}

    def fill(self, folder: Path, settings: Settings, machine: Any, inputs: Mapping[str, Any]) -> None:
        """Call the function with exactly what it asks for."""
        given = {"chosen": SimpleNamespace(**self.chosen(settings)), "machine": machine}
        asked = inspect.signature(self.function).parameters
        self.function(folder, **{name: value for name, value in given.items() if name in asked}, **inputs)


def step(artefact: str, *, rooms: Iterable[str], settings: Iterable[str] = ()) -> Callable[[Callable[..., None]], Step]:
    """Make a function a step that leaves an artefact of this kind (its folder in the store)."""
    return lambda function: Step(function, artefact, tuple(rooms), tuple(settings))


def key_of(value: Any) -> Any:
    """An input as it stands in a key: what it says of itself, an artefact's digest for a path, else its content.

    Raises TypeError for what has no content that could be told.
    """
    if hasattr(value, "key"):
        return key_of(value.key)
    if isinstance(value, Path):
        return value.name if value.is_dir() else f"{value.parent.name}/{value.name}"
    if isinstance(value, Mapping):
        return {str(name): key_of(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [key_of(one) for one in value]
    if isinstance(value, np.ndarray):
        return hashlib.sha256(str((value.shape, value.dtype)).encode() + value.tobytes()).hexdigest()[:16]
    if isinstance(value, pd.DataFrame):
        return key_of(pd.util.hash_pandas_object(value).to_numpy())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: key_of(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} cannot stand in a key")
