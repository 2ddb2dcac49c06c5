"""The control of the supervised normaliser: the same rendered people and labels, and no normaliser.

A normaliser that learnt from labelled renderings carries their knowledge into every score. How much of its gain would
a recogniser have from the renderings alone? Here LeNet-5 is trained on the rendered people directly (chapter 10).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from .. import study
from ..artefacts import Store
from ..errors import StudyError
from ..faces import images
from ..frames import BP4D_ACTION_UNITS
from ..settings import Settings
from .protocol import Split
from .scores import CODE_VERSION as SCORES_VERSION
from .scores import assemble, names_of, train_and_judge

CODE_VERSION = 1
ARMS = ("equalised", "median-subtracted")
VALIDATION_SHARE = 0.1  # of the rendered people, to choose the epoch on


def control_scores(settings: Settings, store: Store) -> pd.DataFrame:
    """Scores on all BP4D participants but the template of LeNet-5 trained on the rendered pairs' people.

    One training for each of ARMS; medians of the rendered people are those of their scenes. Columns as of
    `study.scores`, the condition person-independent. Raises StudyError where there are no rendered pairs.
    """
    from ..normaliser import methods

    if not settings.pair_people:
        raise StudyError("the control needs rendered pairs; set pair_people and pair_frames above 0")
    data, template, source = (
        study.faces(settings, store),
        study.template(settings, store),
        methods.rendered_pairs(settings, store),
    )
    training = study.classifier_training(settings)
    inputs = {
        "code": [CODE_VERSION, SCORES_VERSION],
        "faces": data.key,
        "pairs": source.name,
        "seed": settings.seed,
        **training,
    }

    def make(folder: Path) -> None:
        tested = (data.frames["dataset"] == "BP4D") & (data.frames["participant"] != template.participant)
        frames, people, faces = together(data, tested.to_numpy(), source)
        split = control_split(frames)
        files = {}
        for arm in ARMS:
            files[arm] = folder / f"{arm}.npy"
            np.save(files[arm], images.make_arm(arm, faces, people, people[0]))
        train_and_judge(
            folder,
            frames,
            [split],
            files,
            seed=settings.seed,
            training=training,
            cluster=settings.cluster,
            workers=settings.workers or None,
            description="control",
        )
        assemble(folder, [split], ARMS, names_of(frames))[0].to_parquet(folder / "scores.parquet")
        for path in files.values():
            path.unlink()

    return pd.read_parquet(store.get("control", inputs, make) / "scores.parquet")


def together(data, of_study: np.ndarray, source: Path) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The study's rows and then the rendered pairs: frame table, whose median each row has, faces uint8 (n, h, w).

    Rendered people are the dataset "pairs" in the table.
    """
    from ..rendering.pairs import scenes_of

    labels, who = np.load(source / "labels.npy"), np.load(source / "people.npy")
    units = list(BP4D_ACTION_UNITS)
    rendered = pd.DataFrame(labels, columns=units).assign(dataset="pairs", participant=[f"P{n:03d}" for n in who])
    own = data.frames.loc[of_study, ["dataset", "participant", *units]].astype({"dataset": str, "participant": str})
    frames = pd.concat([own, rendered], ignore_index=True)
    people = np.concatenate([data.person_names()[of_study], [f"pairs/{scene}" for scene in scenes_of(who)]])
    return frames, people.astype(str), np.concatenate([data.images[of_study], np.load(source / "faces.npy")])


def control_split(frames: pd.DataFrame) -> Split:
    """Trained on rendered people, the epoch chosen on the last tenth of them, tested on everybody else."""
    rendered = (frames["dataset"] == "pairs").to_numpy()
    names = frames["participant"].to_numpy()
    everyone = np.unique(names[rendered])
    last = everyone[-max(1, round(VALIDATION_SHARE * len(everyone))) :]
    chosen = rendered & np.isin(names, last)
    train, validation, test = (
        np.flatnonzero(rows).astype(np.int32) for rows in (rendered & ~chosen, chosen, ~rendered)
    )
    return Split("people", "BP4D", 0, train, validation, {"BP4D": test}, label="-control")
