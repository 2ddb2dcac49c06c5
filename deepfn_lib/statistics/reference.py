"""The reference run's small tables, committed in data_manifests/reference/ beside the card of the run that made them.

They are what a longer budget than a reader's patience has found; `deepfn reference` makes them anew.
"""

import json
from functools import cache
from pathlib import Path

import pandas as pd

from ..arms import ORACLE, ORIGINAL, OURS, PAPERS, STABILISED, SUBTRACTED, UNTRAINED
from ..artefacts import project_root
from ..errors import StudyError
from .bootstrap import Estimate, Plan, oracle_share
from .drawn import two_way

HALF_TRAINED = "trained half as long"  # our arm's name in the tables where its network had half of the iterations
SCORES, COURSES, CARD = "person_independent.csv", "courses.csv", "card.json"


def reference_folder() -> Path:
    return project_root() / "data_manifests" / "reference"


@cache
def reference_scores() -> pd.DataFrame:
    """Person-independent scores: arm, repetition, participant, score and roc_auc (percent, means over action units).

    Raises StudyError where the table is missing or is another.
    """
    return _table(SCORES, {"arm", "repetition", "participant", "score", "roc_auc"})


@cache
def reference_courses() -> pd.DataFrame | None:
    """The paper's method from random weights, over iterations; columns as of `Study.courses`. None where the reference
    run has not followed it yet."""
    if not (reference_folder() / COURSES).exists():
        return None
    return _table(COURSES, {"person", "iteration", "images", "auc", "identity_left"})


def reference_card() -> dict:
    """How the tables were made: command, commit, date, settings, seconds, arms' artefacts."""
    try:
        return json.loads((reference_folder() / CARD).read_text())
    except (OSError, ValueError):
        raise StudyError(f"data_manifests/reference/{CARD} cannot be read; `deepfn reference` makes it") from None


def _table(name: str, columns: set[str]) -> pd.DataFrame:
    try:
        found = pd.read_csv(reference_folder() / name)
    except (OSError, ValueError) as problem:
        raise StudyError(
            f"data_manifests/reference/{name} cannot be read ({problem}); `deepfn reference` makes it"
        ) from None
    if not columns <= set(found):
        raise StudyError(f"data_manifests/reference/{name} lacks {', '.join(sorted(columns - set(found)))}")
    return found


def _require(*names: str) -> None:
    scored = set(reference_scores()["arm"])
    for name in names:
        if name not in scored:
            raise StudyError(f"the reference run has not scored {name!r}; `deepfn reference --only {name}` does")


def reference_difference(first: str, second: str, plan: Plan, value: str = "score") -> Estimate:
    """First arm less second in the reference run, points, paired by participant and repetition (`drawn.two_way`).

    Raises StudyError for an arm that it has not scored.
    """
    _require(first, second)
    cells = reference_scores().pivot_table(index="participant", columns=["arm", "repetition"], values=value)
    return two_way((cells[first] - cells[second]).to_numpy(), plan)


def reference_mean(arm: str, value: str = "score") -> float:
    """An arm's mean over participants of their mean over repetitions, percent. Raises StudyError as above."""
    _require(arm)
    table = reference_scores()
    return float(table[table["arm"] == arm].groupby("participant")[value].mean().mean())


BAR = 0.7  # of the exact answer's gain: what the project set itself


def headline() -> str:
    """The reference run in a paragraph of Markdown, for the first page; a test compares the two."""
    table, card, plan = reference_scores(), reference_card(), Plan()
    whose = table.groupby(["arm", "participant"])["score"].mean()
    share = oracle_share(whose[OURS], whose[ORIGINAL], whose[ORACLE], plan)
    over = {name: reference_difference(OURS, name, plan) for name in (SUBTRACTED, STABILISED, UNTRAINED)}
    chosen = card["settings"]
    short = "reaches" if share.value >= BAR else "is short of"
    return (
        f"In the reference run ({table['participant'].nunique()} participants, {table['repetition'].nunique()} "
        f"repetitions, {chosen['epochs']} epochs, one training of each network; strangers, score in percent, intervals "
        "of 95 % over participants and repetitions) faces as filmed score "
        f"{reference_mean(ORIGINAL):.1f} and the exact answer {reference_mean(ORACLE):.1f}. {_papers(table, chosen)} "
        f"**DeepFN, by motion**, ours, scores {reference_mean(OURS):.1f}: above subtracting each person's median face "
        f"by {over[SUBTRACTED]}, above the same with the head held still by {over[STABILISED]}, above the same "
        f"transfer without training by {over[UNTRAINED]}. It has {100 * share.value:.0f} % of the exact answer's gain, "
        f"which {short} the {100 * BAR:.0f} % that this project set itself."
    )


def _papers(table: pd.DataFrame, chosen: dict) -> str:
    """The paper's method in the reference run, in a sentence."""
    if PAPERS not in set(table["arm"]):
        return "**DeepFN**, the paper's method, is not scored in it yet; what `quick` finds for it is in chapter 5."
    plan, seen = Plan(), chosen["joint_iterations"] + chosen["normaliser_iterations"]
    return (
        f"**DeepFN**, the paper's method at a tiny part of its budget ({seen:,} iterations of "
        f"{chosen['normaliser_batch']} images a side for each person, most of them shared, where the paper has "
        f"50,000), scores {reference_mean(PAPERS):.1f}: {reference_difference(PAPERS, ORIGINAL, plan)} points from "
        f"faces as filmed, {reference_difference(PAPERS, SUBTRACTED, plan)} from subtracting each person's median "
        f"face, and {reference_difference(OURS, PAPERS, plan)} below ours."
    )
