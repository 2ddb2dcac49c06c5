"""The steps that train normalisers' networks: one for everybody, or one for each person.

The self-supervised ones are given `pictures` (`data.Pictures`), which have neither labels nor exact answers.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..artefacts import write_json
from ..faces import images
from ..normaliser.per_person import DESCRIPTION, train_joint, train_person, transfer
from .steps import step

SELDOM = 200  # iterations between checkpoints of a person's network: a shorter training is as soon done again
COST, FACES, MATCHED = "cost.json", "faces.npy", "matched.npy"
PERSON, REFERENCE, MOTION = "normaliser.per_person", "normaliser.reference", "normaliser.motion"


def cost(folder: Path) -> dict[str, float]:
    """What a network took: images through the encoder, core_seconds, parameters, networks (1)."""
    return json.loads((folder / COST).read_text())


@step("networks", rooms=(PERSON,))
def joint_network(folder, pictures, template, joint):
    """Eq. 1 summed over everybody: where each person's own network starts from (the paper's section 6)."""
    of = {name: images.prepare(pictures.images, joint.size, rows) for name, rows in pictures.of_everybody().items()}
    own = of.pop(template.name)
    _timed(folder, joint, lambda: train_joint(folder, own, of, joint))


@step("networks", rooms=(PERSON,))
def own_network(folder, pictures, template, person, autoencoder, start):
    """One person's own network (section 3.2), with the person's faces on the template, uint8 (n, size, size): as Eq. 2
    has it (FACES), and with codes matched (MATCHED).

    `start`: the folder of the joint network, or None: from random weights, as in the paper.
    """
    target, own = (
        images.prepare(pictures.images, autoencoder.size, pictures.rows(name)) for name in (template.name, person)
    )
    how = {"label": person, "initial": start, "checkpoint_every": max(SELDOM, autoencoder.iterations // 20)}
    _timed(folder, autoencoder, lambda: train_person(folder, target, own, autoencoder, **how))
    np.save(folder / FACES, transfer(folder, own))
    np.save(folder / MATCHED, transfer(folder, own, target))


@step("networks", rooms=(MOTION,))
def motion_network(folder, pictures, motion, trained_on):
    """The one network of DeepFN by motion, trained on some people's frames (names), or on everybody's (None)."""
    from ..device import configure_tensorflow

    configure_tensorflow()
    from ..normaliser.motion import train_motion

    train_motion(folder, pictures.images, pictures.of_everybody(trained_on), motion, "motion network")


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


def _timed(folder: Path, recipe, train: Callable) -> None:
    """Train an autoencoder and write its cost beside it (core seconds of this call, if it was not interrupted)."""
    began = time.process_time()
    train()
    parameters = json.loads((folder / DESCRIPTION).read_text())["parameters"]
    seen = {"images": 2 * recipe.iterations * recipe.batch, "core_seconds": time.process_time() - began}
    write_json(folder / COST, {**seen, "parameters": parameters, "networks": 1})
