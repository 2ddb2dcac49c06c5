"""When does person-specific data pay? The person-dependent condition with fewer and fewer frames to train on.

The paper fixes four tasks of a person, some 1,800 frames, and reads the score as what recognition could reach. Here
the number of training frames is the question (chapter 13).
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from .protocol import Sizes, Split, draw_splits, generator, rows_of
from .scores import assemble, names_of, train_and_judge

CODE_VERSION = 1


def fewer_frames(split: Split, n: int, seed: int) -> Split:
    """The same model with `n` of its training frames; a smaller `n` takes part of what a larger one takes."""
    order = generator(seed, "frames", split.train_group, split.repetition).permutation(len(split.train))
    return replace(split, train=np.sort(split.train[order[:n]]), label=f"-{n:05d}")


def equal_steps(n_frames: int, of_frames: int, epochs: int, batch: int) -> int:
    """Epochs on `n_frames` that make at least as many optimiser steps as `epochs` on `of_frames`."""
    steps = epochs * -(-of_frames // batch)
    return -(-steps // -(-n_frames // batch))


def person_specific_curve(
    folder: Path,
    frames: pd.DataFrame,
    splits: pd.DataFrame,
    arms: Mapping[str, str | Path],
    *,
    frames_per_person: Sequence[int],
    seed: int,
    training: Mapping,
    people: int = 0,
    cluster: str = "local",
    workers: int | None = None,
    gpus_per_worker: int = 0,
) -> None:
    """Leave `curve.parquet` in `folder`: the columns of scores.parquet and `frames_per_person`.

    `splits`: a table of `protocol.draw_splits`, of which the person-dependent part is used; `people`: only so many
    participants, drawn by the seed (0: all). A participant with fewer frames than a point asks for is left out of
    that point. Validation and test tasks are those of the full condition, and every point makes at least as many
    optimiser steps as the full one, so that the curve shows data and not training time. Other arguments as of
    `scores.run_protocol`.
    """
    splits = splits[splits["family"] == "person"]
    chosen = np.sort(splits["train_group"].unique())
    if people:
        chosen = generator(seed, "people of the curve").permutation(chosen)[:people]
    whole = rows_of(splits[splits["train_group"].isin(chosen)], frames)
    points = {n: [fewer_frames(split, n, seed) for split in whole if len(split.train) >= n] for n in frames_per_person}
    epochs = {
        short.name: equal_steps(len(short.train), len(full.train), training["epochs"], training["batch"])
        for variants in points.values()
        for short in variants
        for full in whole
        if (full.train_group, full.repetition) == (short.train_group, short.repetition)
    }
    train_and_judge(
        folder,
        frames,
        [split for variants in points.values() for split in variants],
        arms,
        seed=seed,
        training=training,
        epochs=epochs,
        cluster=cluster,
        workers=workers,
        gpus_per_worker=gpus_per_worker,
        description="person-specific classifiers",
    )
    names = names_of(frames)
    tables = [
        assemble(folder, variants, list(arms), names)[0].assign(frames_per_person=np.int32(n))
        for n, variants in points.items()
        if variants
    ]
    pd.concat(tables, ignore_index=True).to_parquet(folder / "curve.parquet")
    shutil.rmtree(folder / "parts")


def of_study(settings, store, *, frames_per_person: Sequence[int], people: int, arms: Sequence[str]) -> pd.DataFrame:
    """The curve of a study's settings, made if it is not there: `person_specific_curve` with the faces, arms and
    splits of `deepfn_lib.study`.
    """
    from .. import study
    from .scores import CODE_VERSION as SCORES_VERSION

    data, template = study.faces(settings, store), study.template(settings, store)
    paths = {name: study.arm_path(settings, store, name) for name in arms}
    training = study.classifier_training(settings) | {"epochs": settings.person_epochs or settings.epochs}
    drawing = {
        "template": template.participant,
        "repetitions": settings.person_repetitions or settings.repetitions,
        "seed": settings.seed,
    }
    tasks = {"train_tasks": settings.train_tasks, "validation_tasks": settings.validation_tasks}
    inputs = {
        "code": [CODE_VERSION, SCORES_VERSION],
        "arms": {name: path.parent.name for name, path in paths.items()},
        "frames_per_person": list(frames_per_person),
        "people": people,
        **training,
        **drawing,
        **tasks,
    }

    def make(folder: Path) -> None:
        splits, _ = draw_splits(data.frames, data.participants, **drawing, sizes=Sizes(**tasks), families=("person",))
        person_specific_curve(
            folder,
            data.frames,
            splits,
            paths,
            frames_per_person=frames_per_person,
            seed=settings.seed,
            training=training,
            people=people,
            cluster=settings.cluster,
            workers=settings.workers or None,
        )

    return pd.read_parquet(store.get("person-specific", inputs, make) / "curve.parquet")
