"""The steps that make arms: everybody's faces as one arm shows them, uint8 (n, 64, 64), row by row with the faces."""

from pathlib import Path

import numpy as np

from ..faces import images
from .steps import step

FILE = "faces.npy"
# Our own arm with one thing changed, by name: `by_motion`'s `how`.
MOTION_VARIANTS: dict[str, dict] = {
    "pose kept": {"keep_pose": True},
    "no residual": {"clip": 0.0},
    "movement alone": {"clip": 0.0, "shaded": False},
    "the whole residual": {"clip": 255.0},
    "on the own face, not the template's": {"own_face": True},
    "on the own face, less its median": {"own_face": True, "less_median": True},
}


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
def pictured(folder, pictures, change, template):
    """An arm without a network: `change` is a function of `faces.images`; `template` None where nobody wears it."""
    worn = None if template is None else template.face_among(pictures)

    def changed(some: np.ndarray, person: str) -> np.ndarray:
        return change.function(some, pictures.medians[person], worn)

    fill(new_arm(folder, len(pictures.images)), pictures.images, pictures.names, changed)


@step("arms", rooms=("faces.images",))
def exact(folder, faces):
    """The exact answers, equalised as the normaliser's faces are."""
    fill(new_arm(folder, len(faces.images)), faces.truth, faces.names, lambda pictures, _: images.equalise(pictures))


@step("arms", rooms=("faces.images",))
def exact_still(folder, faces, still):
    """The exact answers with the head held still, equalised likewise."""
    answers = np.load(still / FILE, mmap_mode="r")
    fill(new_arm(folder, len(faces.images)), answers, faces.names, lambda pictures, _: images.equalise(pictures))


@step("arms", rooms=("normaliser.reference",))
def by_reference(folder, pictures, network, recipe):
    """Everybody's faces through a reference network."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.reference import Reference

    out = new_arm(folder, len(pictures.images))
    Reference.kept(network, recipe).normalise_everyone(pictures.images, pictures.names, out)
    out.flush()


@step("arms", rooms=("normaliser.motion", "faces.motion"))
def by_motion(folder, pictures, template, network, motion, how):
    """Everybody's movement on the template by the motion network; the template's own frames like everybody's.

    `how` as of `faces.motion.carried`, and `own_face` True: each person's movement stays on their own median, which
    `less_median` then subtracts.
    """
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.motion import Motion

    trained, out = Motion.kept(network, motion), new_arm(folder, len(pictures.images))
    carry = {name: value for name, value in how.items() if name not in ("own_face", "less_median")}
    target = images.resize(template.face_among(pictures)[None], motion.size)[0]
    for name, rows in pictures.of_everybody().items():
        median = images.resize(pictures.medians[name][None], motion.size)[0]
        worn = median if how.get("own_face") else target
        for start in range(0, len(rows), images.CHUNK):
            some = rows[start : start + images.CHUNK]
            frames = images.prepare(pictures.images, motion.size, some)
            moved = trained.transfer(frames, median, worn, **carry)
            out[some] = images.resize(images.difference(moved, worn) if how.get("less_median") else moved)
    out.flush()


@step("arms", rooms=("faces.images",))
def combined(folder, pictures, parts):
    """Some people from one arm, some from another: `parts`, pairs of an arm's file and names; nobody else has faces."""
    out = new_arm(folder, len(pictures.images))
    for path, names in parts:
        wanted = np.isin(pictures.names, names)
        out[wanted] = np.load(path, mmap_mode="r")[wanted]
    out.flush()


@step("arms", rooms=("normaliser.per_person",))
def joined(folder, pictures, template, networks, file):
    """Each person's faces as their own network gives them (in a `file` of its folder), in their rows; the template's
    own are what they are."""
    out, names = new_arm(folder, len(pictures.images)), pictures.names
    own = np.flatnonzero(names == template.name)
    out[own] = images.prepare(pictures.images, images.SIZE, own)
    for person, folder_of_one in networks.items():
        out[names == person] = images.resize(np.load(folder_of_one / file))
    out.flush()


@step("arms", rooms=("normaliser.per_person", "faces.images"))
def by_joint(folder, pictures, template, network):
    """Everybody's faces by the joint network's encoder and the template's decoder, before anybody's own training."""
    from ..normaliser.per_person import described, transfer

    out, size = new_arm(folder, len(pictures.images)), described(network)["size"]
    for _, rows in images.by_person(pictures.names):
        out[rows] = images.resize(transfer(network, images.prepare(pictures.images, size, rows)))
    out.flush()
