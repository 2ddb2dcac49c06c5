"""The steps that make arms: everybody's faces as one arm shows them, uint8 (n, 64, 64), row by row with the faces."""

from pathlib import Path

import numpy as np

from ..faces import images
from .networks import on_template, own_differences
from .steps import step

FILE = "faces.npy"


def new_arm(folder: Path, n: int) -> np.memmap:
    """An arm's array in `folder`, uint8 (n, 64, 64) of zeros, to be filled and flushed."""
    shape = (n, images.SIZE, images.SIZE)
    return np.lib.format.open_memmap(folder / FILE, mode="w+", dtype=np.uint8, shape=shape)


def fill(out: np.memmap, pictures: np.ndarray, people: np.ndarray, change) -> None:
    """`change(faces, person)` of every person's pictures uint8 (n, h, w), a part at a time, into `out`."""
    for person, rows in images.by_person(people):
        for start in range(0, len(rows), images.CHUNK):
            some = rows[start : start + images.CHUNK]
            out[some] = images.resize(change(np.asarray(pictures[some]), person))
    out.flush()


@step("arms", rooms=("faces.images",))
def pictured(folder, faces, change, template):
    """An arm without a network: `change` is a function of `faces.images`; `template` None where nobody wears it."""
    worn = None if template is None else template.face_among(faces)

    def changed(pictures: np.ndarray, person: str) -> np.ndarray:
        return change.function(pictures, faces.medians[person], worn)

    fill(new_arm(folder, len(faces.images)), faces.images, faces.names, changed)


@step("arms", rooms=("faces.images",))
def exact(folder, faces):
    """The exact answers, equalised as the normaliser's faces are."""
    fill(new_arm(folder, len(faces.images)), faces.truth, faces.names, lambda pictures, _: images.equalise(pictures))


@step("arms", rooms=("normaliser.reference",))
def by_reference(folder, faces, network, recipe):
    """Everybody's faces through a reference network."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.reference import Reference

    out = new_arm(folder, len(faces.images))
    Reference.kept(network, recipe).normalise_everyone(faces.images, faces.names, out)
    out.flush()


@step("arms", rooms=("normaliser.per_person", "faces.images"))
def by_differences(folder, faces, network, shared):
    """Everybody's differences from their own median through the shared autoencoder, one person at a time."""
    out = new_arm(folder, len(faces.images))
    for _, rows in images.by_person(faces.names):
        moved = on_template(network, own_differences(faces.images, rows, shared.size))
        out[rows] = images.resize(moved)
    out.flush()


@step("arms", rooms=("normaliser.per_person",))
def joined(folder, faces, template, networks):
    """Each person's faces as their own network gives them, in their rows; the template's own are what they are."""
    out, names = new_arm(folder, len(faces.images)), faces.names
    own = np.flatnonzero(names == template.name)
    out[own] = images.prepare(faces.images, images.SIZE, own)
    for person, folder_of_one in networks.items():
        out[names == person] = images.resize(np.load(folder_of_one / FILE))
    out.flush()
