"""How much faster the bank is than `keras.Model.fit`, measured in turn in one run."""

import tempfile
import time
from pathlib import Path

import numpy as np

from ...cluster import Machine
from ...recognition.jobs import Model, train_models
from ...recognition.protocol import Training
from . import entry

TRAIN, VALIDATION, TEST = 960, 480, 240  # frames: four, two and one people of the quick profile


def planted_faces(n: int, action_units: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise in which each action unit brightens a band of its own: faces uint8 (n, 64, 64), labels int8."""
    random = np.random.default_rng(seed)
    labels = (random.random((n, action_units)) < 0.3).astype(np.int8)
    faces = random.integers(0, 60, (n, 64, 64))
    for unit in range(action_units):
        faces[:, 5 * unit : 5 * unit + 5, 20:40] += labels[:, unit, None, None] * 60
    return faces.astype(np.uint8), labels


def classifier_bank_vs_keras_fit(
    repetitions: int = 20, epochs: int = 50, rounds: int = 3, plain_repetitions: int = 1, workers: int = 2
) -> dict:
    """Times faster: one condition's `repetitions` through the bank, against a fresh model and `fit` for each.

    LeNet-5, batch 32, the validation score after each epoch and the best weights in both. In each of `rounds`
    the plain way trains `plain_repetitions` models with all of TensorFlow's default threads, and then the
    bank all repetitions with `workers` processes of one thread. Both start in the first round, and its time counts;
    afterwards TensorFlow is there in both. Returns `value` (the median over rounds of the ratio of seconds per
    training), `low` and `high` (least and largest), `first` (of the first round), `n` rounds, `unit`, and the median
    seconds per training of both.
    """
    faces, labels = planted_faces(TRAIN + VALIDATION + TEST)
    training = Training("lenet-5", epochs, 32)
    with tempfile.TemporaryDirectory() as folder:
        paths = str(Path(folder) / "faces.npy"), str(Path(folder) / "labels.npy")
        np.save(paths[0], faces)
        np.save(paths[1], labels)
        seconds = [
            (_plain(faces, labels, training, plain_repetitions), _bank(paths, training, repetitions, workers))
            for _ in range(rounds)
        ]
    plain, bank = np.array(seconds).T
    ratios = plain / bank
    both = {"plain_seconds": float(np.median(plain)), "bank_seconds": float(np.median(bank))}
    return {**entry(ratios, "times faster"), "first": float(ratios[0]), **both}


def _rows() -> list[np.ndarray]:
    return np.split(np.arange(TRAIN + VALIDATION + TEST, dtype=np.int32), [TRAIN, TRAIN + VALIDATION])


def _plain(faces, labels, training: Training, repetitions: int) -> float:
    """Seconds for each training the plain way, with its predictions for the test frames."""
    from . import plain

    train, validation, test = _rows()
    began = time.perf_counter()
    for seed in range(repetitions):
        arguments = (faces[train], labels[train], faces[validation], labels[validation])
        model, _ = plain.train(training, *arguments, seed=seed)
        model.predict(faces[test, ..., None].astype("float32") / 255, verbose=0)
    return (time.perf_counter() - began) / repetitions


def _bank(paths: tuple[str, str], training: Training, repetitions: int, workers: int) -> float:
    """Seconds for each training through the bank, all of its work counted."""
    train, validation, test = _rows()
    groups = {"test": np.zeros(len(test), np.int32)}
    units, rows = tuple(range(12)), (train, validation, {"test": test}, groups, {"test": 1})
    jobs = [(*paths, training, [Model(f"{seed}", seed, training.epochs, units, *rows)]) for seed in range(repetitions)]
    began = time.perf_counter()
    Machine(workers=workers).run(train_models, jobs, description="bank")
    return (time.perf_counter() - began) / repetitions
