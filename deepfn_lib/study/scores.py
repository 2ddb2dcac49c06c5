"""The step behind every score: classifiers trained on some splits and arms, and judged (section 4.3)."""

import numpy as np
import pandas as pd

from ..faces import images
from ..frames import BP4D_ACTION_UNITS
from ..recognition.protocol import Split
from ..recognition.scores import train_and_judge
from ..rendering.pairs import scenes_of
from .makers import FILE, fill, new_arm
from .steps import step

SCORES = "scores.parquet"
KEEP_PREDICTIONS = ("people",)  # families whose test probabilities are kept, for whoever wants to recompute a score


@step("scores", rooms=("recognition.scores",), settings=("seed",))
def judged(folder, chosen, machine, faces, splits, arms, training):
    """Every split's model on every arm, trained and judged; `arms`: name to the arm's file.

    The folder holds what `recognition.scores.train_and_judge` leaves.
    """
    train_and_judge(
        folder,
        faces.frames,
        splits,
        arms,
        seed=chosen.seed,
        training=training,
        keep_predictions=KEEP_PREDICTIONS,
        machine=machine,
    )


@step("scores", rooms=("recognition.scores", "rendering.pairs", "faces.images"), settings=("seed",))
def control(folder, chosen, machine, faces, template, pairs, arms, training):
    """LeNet-5 taught by the rendered pairs themselves, and no normaliser (chapter 10).

    A normaliser that learnt from labelled renderings carries their knowledge into every score; this says how much of
    its gain a recogniser has from the renderings alone. One training for each of `arms`, name to its change of a
    face; medians of the rendered people are those of their scenes; tested on all of BP4D but the template.
    """
    tested = ((faces.frames["dataset"] == "BP4D") & (faces.names != template.name)).to_numpy()
    units, who = list(BP4D_ACTION_UNITS), np.load(pairs / "people.npy")
    rendered = pd.DataFrame(np.load(pairs / "labels.npy"), columns=units)
    rendered = rendered.assign(dataset="pairs", participant=[f"P{n:03d}" for n in who])
    own = faces.frames.loc[tested, ["dataset", "participant", *units]]
    frames = pd.concat([own.astype({"dataset": str, "participant": str}), rendered], ignore_index=True)
    people = np.concatenate([faces.names[tested], [f"pairs/{scene}" for scene in scenes_of(who)]]).astype(str)
    pictures = np.concatenate([faces.images[tested], np.load(pairs / "faces.npy")])
    medians, files = images.median_faces(pictures, people), {}
    for name, change in arms.items():
        place = folder / name
        place.mkdir(exist_ok=True)
        function = change.function
        fill(new_arm(place, len(pictures)), pictures, people, lambda some, one, f=function: f(some, medians[one], None))
        files[name] = place / FILE
    splits = [control_split(frames)]
    train_and_judge(folder, frames, splits, files, seed=chosen.seed, training=training, machine=machine)
    for path in files.values():
        path.unlink()
        path.parent.rmdir()


def control_split(frames: pd.DataFrame, validation_share: float = 0.1) -> Split:
    """Trained on the dataset "pairs", the epoch chosen on the last tenth of its people, tested on everybody else."""
    rendered = (frames["dataset"] == "pairs").to_numpy()
    names = frames["participant"].to_numpy()
    everyone = np.unique(names[rendered])
    last = everyone[-max(1, round(validation_share * len(everyone))) :]
    chosen = rendered & np.isin(names, last)
    roles = (rendered & ~chosen, chosen, ~rendered)
    train, validation, test = (np.flatnonzero(rows).astype(np.int32) for rows in roles)
    return Split("people", "BP4D", 0, train, validation, {"BP4D": test}, label="-control")
