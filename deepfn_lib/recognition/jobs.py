"""What a worker process does: train the models of a list of splits on one arm and judge them."""

import os
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..device import configure_tensorflow
from ..measures import score
from .protocol import Training


@dataclass(frozen=True)
class Model:
    """One training and its tests, as rows of an arm's array.

    `columns` are the columns of the label array that it recognises; `groups` gives each test row a participant's
    number, `sizes` how many participants each test has. `frames_seen` is epochs × training frames.
    """

    name: str
    seed: int
    epochs: int
    columns: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    tests: dict[str, np.ndarray]
    groups: dict[str, np.ndarray]
    sizes: dict[str, int]
    keep_predictions: bool = False

    @property
    def frames_seen(self) -> int:
        return self.epochs * len(self.train)


@dataclass(frozen=True)
class Result:
    """What a model's training came to: its course, `score.evaluate` of each test, and the predictions if kept."""

    name: str
    losses: np.ndarray
    validation_f1: np.ndarray
    best_epoch: int
    tests: dict[str, dict[str, np.ndarray]]
    predictions: dict[str, np.ndarray] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _bank(training, action_units: int):
    """This process's compiled network for so many action units."""
    from .bank import Bank

    return Bank(training, action_units)


def train_models(arm_path: str, labels_path: str, training: Training, models: list[Model]) -> list[Result]:
    """Train and judge `models` one after another with one thread.

    `arm_path` names an array uint8 (frames, 64, 64), `labels_path` one int8 (frames, action units). Only the rows that
    a model asks for are read.
    """
    # oneDNN's convolutions are planned once and not at every step; the plans of so small a network take no memory.
    os.environ.setdefault("TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE", "false")
    configure_tensorflow(threads=1)
    images, labels = np.load(arm_path, mmap_mode="r"), np.load(labels_path, mmap_mode="r")
    return [_train_one(images, labels, training, model) for model in models]


def _train_one(images, labels, training, model: Model) -> Result:
    bank = _bank(training, len(model.columns))

    def of(rows):
        return images[rows], labels[rows][:, model.columns]

    course = bank.train(*of(model.train), *of(model.validation), model.seed, epochs=model.epochs)
    tests, predictions = {}, {}
    for test_group, rows in model.tests.items():
        faces, truth = of(rows)
        # Rounded first, so that the stored predictions give the very scores.
        probabilities = bank.predict(faces).astype(np.float16)
        groups, size = model.groups[test_group], model.sizes[test_group]
        tests[test_group] = score.evaluate(truth, probabilities, groups, size, training.empty_f1)
        if model.keep_predictions:
            predictions[test_group] = probabilities
    return Result(model.name, course.losses, course.validation_f1, course.best_epoch, tests, predictions)
