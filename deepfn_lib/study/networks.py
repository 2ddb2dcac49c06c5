"""The steps that train normalisers' networks: one for everybody, or one for each person."""

import json
import time
from pathlib import Path

import numpy as np

from ..artefacts import write_json
from ..faces import images
from ..normaliser.per_person import DESCRIPTION, train_person, transfer
from .steps import step

COST, TEMPLATE_MEDIAN, FACES = "cost.json", "template-median.npy", "faces.npy"
PERSON, REFERENCE = "normaliser.per_person", "normaliser.reference"


def cost(folder: Path) -> dict[str, float]:
    """What a network took: images through the encoder, core_seconds, parameters, networks (1)."""
    return json.loads((folder / COST).read_text())


@step("readers", rooms=("normaliser.reader", "faces.images"), settings=("seed",))
def reader(folder, chosen, pairs, size):
    """The reader of action units that the supervised network is trained with, of the pairs' exact answers."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.reader import keep

    answers = images.prepare(np.load(pairs / "truth.npy", mmap_mode="r"), size)
    keep(folder, answers, np.load(pairs / "labels.npy"), chosen.seed)


@step("networks", rooms=(REFERENCE,))
def on_pairs(folder, pairs, reader, recipe):
    """The reference network on rendered pairs, with labels and exact answers of other people."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.examples import pairs_from
    from ..normaliser.reference import train_reference

    train_reference(folder, pairs_from(pairs, recipe), recipe, "reference network on rendered pairs", reader)


@step("networks", rooms=(REFERENCE,))
def on_transplants(folder, faces, template, recipe):
    """The reference network on the template's expressions, transplanted: no label, no exact answer."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.examples import transplants_from
    from ..normaliser.reference import train_reference

    source = transplants_from(faces.images, faces.names, template.name, recipe)
    train_reference(folder, source, recipe, f"reference network on {template.name}'s transplants")


def own_differences(faces: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """One person's faces less their median, around middle grey: uint8 (len(rows), size, size)."""
    frames = images.prepare(faces, size, rows)
    return images.difference(frames, images.median_face(frames))


def on_template(network: Path, differences: np.ndarray) -> np.ndarray:
    """Differences (`own_differences`) through a network on such, added to the template's median: the same shape."""
    changed, base = transfer(network, differences), np.load(network / TEMPLATE_MEDIAN)
    return images.difference(changed, np.uint8(images.MIDDLE), base)


@step("networks", rooms=(PERSON,))
def shared_autoencoder(folder, faces, template, shared):
    """The paper's networks and Eq. 1, with everybody but the template as the one "person", on differences."""
    size, own = shared.size, faces.rows(template.name)
    np.save(folder / TEMPLATE_MEDIAN, images.median_face(images.prepare(faces.images, size, own)))
    others = [rows for who, rows in images.by_person(faces.names) if who != template.name]
    seen = [own_differences(faces.images, rows, size) for rows in (own, *others)]
    _timed(folder, seen[0], np.concatenate(seen[1:]), shared, label="everyone's differences")


@step("networks", rooms=(PERSON,))
def own_network(folder, faces, template, person, autoencoder, start):
    """One person's own network (section 3.2), with the person's faces on the template, (n, size, size)."""
    size = autoencoder.size
    rows, truth = faces.rows(person), None
    if faces.truth is not None:
        truth = images.prepare(faces.truth, size, rows)
    seen = [images.prepare(faces.images, size, some) for some in (faces.rows(template.name), rows)]
    _timed(folder, *seen, autoencoder, truth=truth, label=person)
    np.save(folder / FACES, transfer(folder, seen[1]))


@step("networks", rooms=(PERSON,))
def tuned_network(folder, faces, template, person, autoencoder, start):
    """The same on differences, from the weights of a shared network `start`, in a tenth of the iterations."""
    from dataclasses import replace

    how = replace(autoencoder, iterations=max(1, autoencoder.iterations // 10))
    seen = [own_differences(faces.images, faces.rows(name), how.size) for name in (template.name, person)]
    _timed(folder, *seen, how, initial=start, label=person)
    np.save(folder / TEMPLATE_MEDIAN, np.load(start / TEMPLATE_MEDIAN))
    np.save(folder / FACES, on_template(folder, seen[1]))


def _timed(folder: Path, template_faces, person_faces, recipe, **more) -> None:
    """Train an autoencoder and write its cost beside it (core seconds of this call, if it was not interrupted)."""
    began = time.process_time()
    train_person(folder, template_faces, person_faces, recipe, **more)
    parameters = json.loads((folder / DESCRIPTION).read_text())["parameters"]
    seen = {"images": 2 * recipe.iterations * recipe.batch, "core_seconds": time.process_time() - began}
    write_json(folder / COST, {**seen, "parameters": parameters, "networks": 1})
