"""Small networks under other augmentations (chapter 11), and the paper's method step by step (chapter 10)."""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from ..faces import images
from ..measures.nearness import moved_faces
from .steps import step

SWEEP = "sweep.parquet"


@step("augmentation", rooms=("normaliser.per_person", "measures.nearness"))
def swept(folder, machine, faces, template, people, variants, autoencoder):
    """One network for each person and variant; nothing but the numbers is kept.

    `variants`: (what is varied, its value, the augmentation). All networks of a person start from the same weights and
    see the same batches, so that only the augmentation differs.
    """
    from dataclasses import replace

    jobs = [
        (str(folder / f"network-{number}"), str(faces.folder), template.name, person, what, value, how)
        for number, (person, what, value, how) in enumerate(
            (person, what, value, replace(autoencoder, augmentation=augmentation))
            for person in people
            for what, value, augmentation in variants
        )
    ]
    rows = machine.run(one_variant, jobs, description="augmentation", unit="network")
    pd.DataFrame(rows).to_parquet(folder / SWEEP, index=False)


def one_variant(place: str, faces_folder: str, template: str, person: str, varied: str, value: float, recipe) -> dict:
    """One job: train one network and measure its faces."""
    from ..device import configure_tensorflow

    configure_tensorflow(threads=1)
    from ..normaliser.per_person import train_person, transfer
    from .data import read_faces

    faces, folder = read_faces(Path(faces_folder), {}), Path(place)
    rows, size = faces.rows(person), recipe.size
    given, exact = (images.prepare(some, size, rows) for some in (faces.images, faces.answers))
    target = images.prepare(faces.images, size, faces.rows(template))
    every = max(1, recipe.iterations // 4)
    train_person(folder, target, given, recipe, label=person, checkpoint_every=every)
    moved = transfer(folder, given)
    shutil.rmtree(folder)
    return {"varied": varied, "value": value, "person": person, **moved_faces(given, moved, exact)}


COURSE = "course.csv"


@step("courses", rooms=("normaliser.per_person",))
def course(folder, pictures, template, person, autoencoder, marks):
    """One person's own network from random weights, as in the paper, and what it makes of them at some iterations.

    Leaves `faces-<iteration>.npy` uint8 (n, size, size) for each of `marks`, and `course.csv`: iteration, images,
    core_seconds (at the speed of the last call, if there were several), reconstruction (the person's mean loss over
    the last tenth before the mark, none of it before the mark before).
    """
    from ..normaliser.per_person import train_person

    target, own = (
        images.prepare(pictures.images, autoencoder.size, pictures.rows(name)) for name in (template.name, person)
    )
    began, done = time.process_time(), []

    def keep(trainee, step: int) -> None:
        done.append(step)
        if step in marks:
            np.save(folder / f"faces-{step}.npy", trainee.transfer(own))

    history = train_person(folder, target, own, autoencoder, label=person, on_step=keep)
    seconds = (time.process_time() - began) / max(1, len(done))
    lines = []
    for earlier, mark in zip((0, *marks), marks):
        error = history["person"][earlier:mark].tail(max(1, mark // 10)).mean()
        seen = 2 * mark * autoencoder.batch
        lines.append({"iteration": mark, "images": seen, "core_seconds": seconds * mark, "reconstruction": error})
    pd.DataFrame(lines).to_csv(folder / COURSE, index=False)
