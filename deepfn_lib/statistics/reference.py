"""The reference run's small tables, committed in data_manifests/reference/ beside the card of the run that made them.

They are what a longer budget than a reader's patience has found; `deepfn reference` makes them anew.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ..arms import ORACLE, ORIGINAL, OURS, PAPERS, STABILISED, SUBTRACTED, UNTRAINED
from ..artefacts import project_root
from ..errors import StudyError
from .bootstrap import Estimate, Plan
from .drawn import contrast, oracle_share
from .participants import participant_constants, repetition_scores

OWN_FACE = "on the own face, less its median"  # our arm's name where nobody wears the template
HALF_TRAINED = "trained half as long"  # our arm's name in the tables where its network had half of the iterations
SCORES, CONSTANTS, TRAINED = "scores.parquet", "constants.parquet", "trained.csv"
COURSES, CARD = "courses.csv", "card.json"
SCANS, NEARNESS, FACES = "scans", "nearness.csv", "faces.png"  # a folder of the same tables, on faces from scans
FRAMES, PARTICIPANTS = "frames.parquet", "participants.csv"
CURVE, SENSITIVITY = "curve.parquet", "sensitivity.csv"
NEEDED = {"condition", "arm", "repetition", "participant", "action_unit", "f1", "accuracy", "roc_auc"}  # in SCORES
STRANGERS, OWN_TASKS = "person-independent", "person-dependent"
REFERENCE = "reference run"  # as verdicts name it


def reference_folder() -> Path:
    return project_root() / "data_manifests" / "reference"


@cache
def reference_scores() -> pd.DataFrame:
    """All scores of the run, columns as of `Study.scores`; `arm` may be a variant's name.

    Raises StudyError where the table is missing or is another.
    """
    return _table(SCORES, NEEDED)


@cache
def reference_constants() -> pd.DataFrame:
    """What constants that see no image have on the same splits, columns as of `Study.constants`."""
    return _table(CONSTANTS, {"condition", "repetition", "participant", "constant_score"})


@cache
def reference_training() -> pd.DataFrame:
    """Each classifier of the run: family, train_group, arm, repetition, epochs, kept (the epoch, from 1), f1 (its
    validation F1, 0 to 1), and earlier (the best validation F1 of the first nine tenths of the epochs)."""
    return _table(TRAINED, {"family", "arm", "repetition", "epochs", "kept", "f1", "earlier"})


@cache
def reference_frames() -> pd.DataFrame:
    """The labels of every frame in the run: dataset, participant, task, and the action units' columns of `frames`."""
    return _table(FRAMES, {"dataset", "participant", "task"})


@cache
def reference_participants() -> pd.DataFrame:
    """Who is in the run: dataset, participant, gender, skin_group and what else `Faces.participants` has."""
    return _table(PARTICIPANTS, {"dataset", "participant", "gender", "skin_group"})


@cache
def reference_arms(condition: str = STRANGERS) -> list[str]:
    """The names that the run has scored in a condition, in its order."""
    table = reference_scores()
    return list(dict.fromkeys(table.loc[table["condition"] == condition, "arm"]))


@cache
def reference_courses() -> pd.DataFrame | None:
    """The paper's method from random weights, over iterations; columns as of `Study.courses`. None where the reference
    run has not followed it yet."""
    return _made(COURSES, {"person", "iteration", "images", "auc", "identity_left"})


@cache
def reference_curve() -> pd.DataFrame | None:
    """Scores of classifiers of one's own, over `frames_per_person`, the coded frames that they had (chapter 13);
    columns as of `Study.scores`. None where the reference run has not made it yet."""
    return _made(CURVE, {"arm", "participant", "frames_per_person", "f1", "accuracy", "roc_auc"})


@cache
def reference_sensitivity() -> pd.DataFrame | None:
    """Strangers' scores by classifiers trained otherwise: change, arm, repetition, participant, score and roc_auc
    (percent), last_gain (what the last tenth of the epochs added to the validation F1, points). None where the
    reference run has not made it yet."""
    return _made(SENSITIVITY, {"change", "arm", "repetition", "participant", "score", "roc_auc", "last_gain"})


def reference_card(folder: str = "") -> dict:
    """How the tables were made: command, commit, date, settings, seconds, arms' artefacts. `folder`: SCANS, or none."""
    try:
        return json.loads((reference_folder() / folder / CARD).read_text())
    except (OSError, ValueError):
        raise StudyError(f"data_manifests/reference/{CARD} cannot be read; `deepfn reference` makes it") from None


def _table(name: str, columns: set[str]) -> pd.DataFrame:
    read = pd.read_parquet if name.endswith(".parquet") else pd.read_csv
    try:
        found = read(reference_folder() / name)
    except (OSError, ValueError) as problem:
        raise StudyError(
            f"data_manifests/reference/{name} cannot be read ({problem}); `deepfn reference` makes it"
        ) from None
    if not columns <= set(found):
        raise StudyError(f"data_manifests/reference/{name} lacks {', '.join(sorted(columns - set(found)))}")
    return found


def _made(name: str, columns: set[str]) -> pd.DataFrame | None:
    """A table that the run may not have made yet."""
    return _table(name, columns) if (reference_folder() / name).exists() else None


def _cells(arm: str, value: str, condition: str = STRANGERS) -> pd.Series:
    """An arm's score of each participant in each repetition, percent. Raises StudyError where it was not scored."""
    if arm not in reference_arms(condition):
        raise StudyError(f"the reference run has not scored {arm!r}; `deepfn reference --only {arm!r}` does")
    return repetition_scores(reference_scores(), condition, arm, value=value)


def reference_difference(first: str, second: str, plan: Plan, value: str = "score") -> Estimate:
    """First arm less second on strangers in the reference run, points, paired by participant and repetition
    (`drawn.contrast`).

    Raises StudyError for an arm that it has not scored.
    """
    less = _cells(first, value) - _cells(second, value)
    return contrast([(1.0, less.dropna())], plan).difference


def reference_people(arm: str, value: str = "score") -> pd.Series:
    """An arm's score of each participant, the mean over repetitions, percent. Raises StudyError as above."""
    return _cells(arm, value).groupby("participant").mean()


def reference_mean(arm: str, value: str = "score") -> float:
    """An arm's mean over participants of their mean over repetitions, percent. Raises StudyError as above."""
    return float(reference_people(arm, value).mean())


def reference_share(arm: str, plan: Plan) -> Estimate:
    """An arm's share of the exact answer's gain on strangers (`drawn.oracle_share`). Raises StudyError as above."""
    one, base, best = (_cells(name, "score") for name in (arm, ORIGINAL, ORACLE))
    return oracle_share(one, base, best, plan)


@cache
def scans_scores() -> pd.DataFrame | None:
    """As `reference_scores`, of strangers with faces from scans; None where that was not run."""
    return _made(f"{SCANS}/{SCORES}", NEEDED)


def scans_table(name: str) -> pd.DataFrame:
    """TRAINED or NEARNESS of the run on faces from scans: columns as of `reference_training` and of
    `study.quality.summary`."""
    columns = {TRAINED: {"arm", "epochs", "kept", "f1", "earlier"}, NEARNESS: {"arm", "psnr", "correlation", "auc"}}
    return _table(f"{SCANS}/{name}", columns[name])


def scans_faces() -> list[list[np.ndarray]]:
    """Frames of some people with faces from scans, uint8 (side, side), and below each its exact answer: two rows, in
    the order of the card's `shown`. Raises StudyError where the picture cannot be read."""
    import cv2

    picture, count = cv2.imread(str(reference_folder() / SCANS / FACES), cv2.IMREAD_GRAYSCALE), 2
    if picture is None:
        raise StudyError(f"data_manifests/reference/{SCANS}/{FACES} cannot be read; `deepfn reference` makes it")
    side = len(picture) // count
    return [np.hsplit(row, picture.shape[1] // side) for row in np.vsplit(picture, count)]


CARRIES, OPPOSITE, UNTOLD, NEW = "carries over", "the opposite", "cannot be told", "only there"


def carried_over(plan: Plan) -> pd.DataFrame:
    """Our arm less each other one, on strangers of the first family of faces (`first`) and of the one from scans
    (`scans`), Estimates in points, and the `verdict`; a row an arm that both runs have.

    Both beyond chance to one side: CARRIES, to two: OPPOSITE. Only that on scans: NEW. Else UNTOLD.
    """
    scores, lines = scans_scores(), []
    assert scores is not None
    for arm in dict.fromkeys(scores["arm"]):
        if arm == OURS or arm not in reference_arms():
            continue
        first = reference_difference(OURS, arm, plan)
        ours, other = (repetition_scores(scores, STRANGERS, name) for name in (OURS, arm))
        scans = contrast([(1.0, (ours - other).dropna())], plan).difference
        here, there = ((one.low > 0) - (one.high < 0) for one in (first, scans))
        verdict = UNTOLD if not there else CARRIES if here == there else OPPOSITE if here else NEW
        lines.append({"arm": arm, "first": first, "scans": scans, "verdict": verdict})
    return pd.DataFrame(lines)


BAR = 0.7  # of the exact answer's gain: what the project set itself


def headline() -> str:
    """The reference run in a paragraph of Markdown, for the first page; a test compares the two."""
    card, plan, ours = reference_card(), Plan(), _cells(OURS, "score")
    people, repetitions = (ours.index.unique(level).size for level in ("participant", "repetition"))
    share = reference_share(OURS, plan)
    over = {name: reference_difference(OURS, name, plan) for name in (SUBTRACTED, STABILISED, UNTRAINED)}
    chosen = card["settings"]
    short = "reaches" if share.value >= BAR else "is short of"
    return (
        f"In the reference run ({people} participants, {repetitions} repetitions, {chosen['epochs']} epochs, one "
        "training of each network; strangers, score in percent, intervals of 95 % over participants and repetitions) "
        f"faces as filmed score {reference_mean(ORIGINAL):.1f} and the exact answer {reference_mean(ORACLE):.1f}. "
        f"{_papers(chosen)} "
        f"**DeepFN, by motion**, ours, scores {reference_mean(OURS):.1f}: above subtracting each person's median face "
        f"by {over[SUBTRACTED]}, above the same with the head held still by {over[STABILISED]}, above the same "
        f"transfer without training by {over[UNTRAINED]}{_templates(plan)}. It has "
        f"{100 * share.value:.0f} % of the exact answer's gain, "
        f"which {short} the {100 * BAR:.0f} % that this project set itself.{_own_tasks(plan)}"
    )


def _own_tasks(plan: Plan) -> str:
    """The paper's premise, where it was run: what a classifier of one's own tasks has over constants and strangers."""
    own = repetition_scores(reference_scores(), OWN_TASKS, ORIGINAL)
    if own.empty:
        return ""
    floor = participant_constants(reference_constants(), OWN_TASKS)
    over = contrast([(1.0, (own.groupby("participant").mean() - floor).dropna())], plan).difference
    filmed, ours = (_cells(arm, "score") for arm in (ORIGINAL, OURS))
    gap = contrast([(1.0, own), (-1.0, filmed)], plan).difference
    closed = contrast([(1.0, ours), (-1.0, own)], plan).difference
    return (
        f" The paper's premise: a classifier of a person's own tasks, faces as filmed, scores {own.mean():.1f}, {over} "
        f"above a constant that knows how often the person moves and {gap} above strangers' classifiers. Strangers' on "
        f"our faces are {closed} above it, without a label of the person; what is sure after correction for all "
        "sentences asked, chapter 5 says."
    )


def _templates(plan: Plan) -> str:
    """What the template is worth, where it was measured."""
    if OWN_FACE not in reference_arms():
        return ""
    worth = reference_difference(OURS, OWN_FACE, plan)
    return (
        f", and above the same left on each person's own face, less its median, by {worth}, which is what one face for "
        "all is worth"
    )


def _papers(chosen: dict) -> str:
    """The paper's method in the reference run, in a sentence."""
    if PAPERS not in reference_arms():
        return "**DeepFN**, the paper's method, is not scored in it yet; what `quick` finds for it is in chapter 5."
    plan, seen = Plan(), chosen["joint_iterations"] + chosen["normaliser_iterations"]
    return (
        f"**DeepFN**, the paper's method at a tiny part of its budget ({seen:,} iterations of "
        f"{chosen['normaliser_batch']} images a side for each person, most of them shared, where the paper has "
        f"50,000), scores {reference_mean(PAPERS):.1f}: {reference_difference(PAPERS, ORIGINAL, plan)} points from "
        f"faces as filmed, {reference_difference(PAPERS, SUBTRACTED, plan)} from subtracting each person's median "
        f"face, and {reference_difference(OURS, PAPERS, plan)} below ours."
    )
