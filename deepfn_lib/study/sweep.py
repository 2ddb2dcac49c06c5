"""One small network after another under other augmentations, for chapter 11."""

import shutil
from pathlib import Path

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


@step("arms", rooms=("normaliser.reference",))
def bent_arm(folder, faces, pairs, reader, recipe):
    """A reference network on rendered pairs under another recipe, and BP4D's faces through it; the others are black."""
    from ..device import configure_tensorflow

    configure_tensorflow(threads=1)
    from ..normaliser.examples import pairs_from
    from ..normaliser.reference import Reference, train_reference
    from .makers import new_arm

    train_reference(folder, pairs_from(pairs, recipe), recipe, "reference network, other augmentation", reader)
    out, wanted = new_arm(folder, len(faces.images)), (faces.frames["dataset"] == "BP4D").to_numpy()
    Reference.kept(folder, recipe).normalise_everyone(faces.images, faces.names, out, wanted)
    out.flush()
