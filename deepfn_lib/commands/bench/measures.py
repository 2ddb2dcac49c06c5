"""`deepfn bench`: speeds and costs as ratios, each side in turn in one run; the names are fixed, as tools read them."""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ... import arms
from ...artefacts import Store, write_json
from ...errors import StudyError
from ...statistics import (
    Plan,
    mean_interval,
    participant_constants,
    participant_scores,
    reference_arms,
    reference_constants,
    reference_difference,
    reference_mean,
    reference_scores,
    reference_share,
)
from ...study import Study
from ..book import build_book
from ..runner import failures, run_chapters
from . import autoencoder, classifiers, entry, evidence, rendering, seconds

MEASURES: dict[str, Callable[[Store], dict]] = {}  # by name, in the order in which they are made


def measure(function: Callable[[Store], dict]) -> Callable[[Store], dict]:
    MEASURES[function.__name__] = function
    return function


@measure
def render_frames_per_second(store: Store) -> dict:
    """Pictures drawn and compressed a second by two processes."""
    return entry([rendering.frames_per_second(seed=seed) for seed in (1, 2, 3)], "frames/s")


@measure
def autoencoder_step_vs_matmul(store: Store) -> dict:
    """GFLOP/s of the paper's exact training step as a share of a matrix product's on the same cores."""
    return autoencoder.autoencoder_step_vs_matmul()


@measure
def xla_vs_plain(store: Store) -> dict:
    """An update of the normalisers' networks compiled by XLA, against TensorFlow's own way."""
    return autoencoder.other_precision_vs_plain("float32", xla=True)


@measure
def bfloat16_vs_float32(store: Store) -> dict:
    """An update in mixed bfloat16, against float32."""
    return autoencoder.other_precision_vs_plain("bfloat16", xla=False)


@measure
def deepfn_everybody_seconds(store: Store) -> dict:
    """Seconds of DeepFN for everybody under `quick`: the joint network, and then each person's own, as it was made."""
    study = Study.open("quick", artefacts=str(store.root))
    return entry([study.everybody_seconds(arms.PAPERS)], "s") | {"people": len(study.others)}


RESTS_ON = "the reference run's committed scores: participants and repetitions drawn, one seed of the network"


def _over(rival: str, store: Store) -> dict:
    """The lower end of the paired interval, points, in the reference run: classifiers trained to the end, one rule of
    contrast."""
    best = best_self_supervised()
    found = reference_difference(best, rival, Plan())
    told = {"arm": best, "difference": found.value, "high": found.high, "participants": found.n, "rests_on": RESTS_ON}
    return {"value": found.low, "low": found.low, "unit": "points", "n": _repetitions(), **told}


RIVALS = {
    arms.EQUALISED: arms.EQUALISED,
    "subtraction": arms.SUBTRACTED,
    arms.STABILISED: arms.STABILISED,
    "motion": arms.UNTRAINED,
}
MEASURES |= {f"self_supervised_over_{name}": partial(_over, rival) for name, rival in RIVALS.items()}


@measure
def oracle_share_person_independent(store: Store) -> dict:
    """Share of the oracle's gain that the best self-supervised trained arm wins, person-independent."""
    return _oracle_share(best_self_supervised())


@measure
def oracle_share_median_subtraction(store: Store) -> dict:
    """The same for median-face subtraction."""
    return _oracle_share(arms.SUBTRACTED)


def best_self_supervised() -> str:
    """The trained arm without labels and exact answers that scores best on strangers in the reference run."""
    scored = reference_arms()
    trained = [one.name for one in arms.ARMS if one.network and not one.labels and one.name in scored]
    return max(trained, key=reference_mean)


def _repetitions() -> int:
    return reference_scores()["repetition"].nunique()


def _oracle_share(arm: str) -> dict:
    share = reference_share(arm, Plan())
    told = {"arm": arm, "rests_on": RESTS_ON}
    return {"value": share.value, "unit": "share", "low": share.low, "high": share.high, "n": share.n, **told}


SIMULATED = "invented studies of the paper's sizes in which nothing differs: people, splits, seeds drawn, 4 repetitions"


@measure
def interval_coverage(store: Store) -> dict:
    """Share of 95 % intervals of the paper's sentences that hold the truth."""
    found = evidence.simulated()
    return entry([found["coverage"]], "share") | {"rests_on": SIMULATED}


@measure
def false_holds(store: Store) -> dict:
    """Share of invented studies in which a sentence that claims more "holds" though nothing is so."""
    return entry([evidence.simulated()["false_holds"]], "share") | {"rests_on": SIMULATED}


@measure
def person_dependent_over_constant(store: Store) -> dict:
    """How far own tasks as filmed are above the constant of the person's own tasks: the interval's lower end."""
    scores, constants = reference_scores(), reference_constants()
    which = "person-dependent", arms.ORIGINAL
    if which[0] not in set(scores["condition"]):
        return {"value": None, "unit": "points", "n": 0, "rests_on": "not run: `deepfn reference --family person`"}
    less = participant_scores(scores, *which) - participant_constants(constants, which[0])
    found = mean_interval(less.dropna(), Plan())
    return {"value": found.low, "low": found.low, "high": found.high, "unit": "points", "n": found.n}


@measure
def classifier_bank_vs_keras_fit(store: Store) -> dict:
    """One condition's repetitions through the bank, against a fresh model and `fit` for each."""
    return classifiers.classifier_bank_vs_keras_fit()


@measure
def quick_study_seconds(store: Store) -> dict:
    """Seconds of all chapters under `quick` when nothing is there: the sum of what each artefact cost."""
    whole = sum(card["seconds"] for _, card in store.cards() if card and card["step"].startswith("chapter-"))
    if not whole:
        raise StudyError("quick_study_seconds needs a finished run; `deepfn run` first")
    return entry([whole], "s")


@measure
def rerun_seconds(store: Store) -> dict:
    """Seconds of `deepfn run` when everything is there already."""

    def run() -> None:
        problem = failures(run_chapters("quick", store=store))
        if problem:
            raise StudyError(problem)

    return entry([seconds(run) for _ in range(3)], "s")


@measure
def book_build_seconds(store: Store) -> dict:
    """Seconds of building the book from executed chapters, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        return entry([seconds(lambda: build_book(output=Path(folder)))], "s")


@measure
def peak_rss_gib(store: Store) -> dict:
    """The largest resident memory of any process that made an artefact."""
    peaks = [card["peak_memory_gib"] for _, card in store.cards() if card]
    if not peaks:
        raise StudyError("peak_rss_gib needs artefacts; `deepfn run` first")
    return {**entry(peaks, "GiB"), "value": max(peaks)}


def run_bench(store: Store, only: Sequence[str] = ()) -> dict[str, dict]:
    """Measure everything (or `only` these names) and write `bench.json`, keeping earlier figures of what was not.

    Raises StudyError for an unknown name, and for a measure whose `deepfn run` has not been made.
    """
    unknown = [name for name in only if name not in MEASURES]
    if unknown:
        raise StudyError(f"measurement {unknown[0]!r} is unknown; there are {', '.join(MEASURES)}")
    path = store.root / "bench.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in only or MEASURES:
        results[name] = MEASURES[name](store)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, results)  # after each: an interruption loses one measurement
    return results
