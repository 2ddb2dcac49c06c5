"""How often each rendered participant shows each action unit: published means, spread, gender and task differences."""

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from . import label_statistics as published
from .label_statistics import BP4D_COLUMNS, BP4D_UNITS, UNITS
from .people import EVERYONE, gender_of
from .processes import TASK_SECONDS, TASKS, latent_courses, mean_run, published_rate
from .seeds import generator

OTHERS_MEDIAN = 0.44  # nobody else comes nearer to the template than this
PAIRS_THRESHOLD = 0.2  # people outside the corpora show every action unit often
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
ABSENT = -9.0  # a probit that never crosses


def published_spread(dataset: str, unit: int) -> float:
    """SD of the share of frames between participants, 0..1."""
    if dataset == "BP4D" and unit in BP4D_UNITS:
        return published.BP4D_SPREAD[BP4D_UNITS.index(unit)] / 100
    return published.DISFA_SPREAD_FACTOR * published_rate(dataset, unit, "all")


def probit_spread(dataset: str, unit: int, rate: float) -> float:
    """SD of a participant's propensity on the probit scale, so that observed shares spread as published.

    What chance alone adds over the recorded seconds (an on-off process with these runs) is taken off first.
    """
    seconds = len(TASKS[dataset]) * TASK_SECONDS[dataset]
    chance = 2 * rate * (1 - rate) ** 2 * mean_run(dataset, unit) / seconds
    wanted = np.sqrt(max(published_spread(dataset, unit) ** 2 - chance, 0.02**2))

    def excess(spread: float) -> float:
        shares = norm.cdf(norm.ppf(rate) * np.sqrt(1 + spread**2) + spread * _NODES)
        return float(np.sqrt(_WEIGHTS @ shares**2 - (_WEIGHTS @ shares) ** 2) - wanted)

    return brentq(excess, 1e-4, 6.0) if excess(6.0) > 0 else 6.0


@cache
def propensities(seed: int, dataset: str) -> dict[str, np.ndarray]:
    """Each participant's propensity to show each of UNITS, probits (17,), before the task's own shift.

    Drawn for the whole corpus and standardised within each gender, so that the published means and spreads hold for
    the full corpus; a smaller corpus takes some of the same people.
    """
    found: dict[str, np.ndarray] = {}
    for gender in ("female", "male"):
        members = [one for one in EVERYONE[dataset] if gender_of(dataset, one) == gender]
        draws = np.stack([_temperament(seed, dataset, one) for one in members])
        draws = (draws - draws.mean(axis=0)) / draws.std(axis=0)
        for column, unit in enumerate(UNITS):
            rate = published_rate(dataset, unit, gender)
            spread = probit_spread(dataset, unit, rate)
            draws[:, column] = norm.ppf(rate) * np.sqrt(1 + spread**2) + spread * draws[:, column]
        found.update(zip(members, draws))
    for one, propensity in found.items():
        propensity[[UNITS.index(unit) for unit in published.NEVER.get(one, ())]] = ABSENT
    return found


def _temperament(seed: int, dataset: str, participant: str) -> np.ndarray:
    """Standard normal draws (17,), part of them common to all of a person's action units."""
    draw = generator(seed, "temperament", dataset, participant)
    return np.sqrt(0.3) * draw.standard_normal() + np.sqrt(0.7) * draw.standard_normal(len(UNITS))


@cache
def expressiveness_shift(seed: int, participant: str) -> float:
    """What is added to a BP4D participant's probits so that the template is the published one, whatever the seed.

    The most expressive participant gets the published median (over action units) share of frames; nobody else more
    than `OTHERS_MEDIAN`. Counted on the participant's own courses, over all tasks.
    """
    probits = propensities(seed, "BP4D")[participant][BP4D_COLUMNS]
    drives = []
    for task in TASKS["BP4D"]:
        latent = latent_courses(seed, "BP4D", participant, task, TASK_SECONDS["BP4D"])[:, BP4D_COLUMNS]
        drives.append(latent + probits + task_shift("BP4D", task))
    drive = np.concatenate(drives)

    def median(shift: float) -> float:
        return float(np.median((drive + shift > 0).mean(axis=0)))

    top = participant == published.MOST_EXPRESSIVE
    goal = published.MOST_EXPRESSIVE_MEDIAN if top else OTHERS_MEDIAN
    return brentq(lambda shift: median(shift) - goal, -8, 8) if top or median(0.0) > goal else 0.0


def thresholds(seed: int, dataset: str, participant: str, task: str) -> np.ndarray:
    """What each latent course must exceed for its action unit to count as present, (17,)."""
    if dataset not in EVERYONE:
        return np.full(len(UNITS), PAIRS_THRESHOLD)
    shift = task_shift(dataset, task)
    if dataset == "BP4D":
        shift += expressiveness_shift(seed, participant)
    return -(propensities(seed, dataset)[participant] + shift)


@cache
def task_shift(dataset: str, task: str) -> float:
    """What a task adds to everyone's probits, so that the mean number of active action units is the published one."""
    if dataset != "BP4D":
        return 0.0
    rates = np.array(published.BP4D_RATE["all"]) / 100
    spreads = np.array([probit_spread(dataset, unit, rate) for unit, rate in zip(BP4D_UNITS, rates)])
    widths = np.sqrt(1 + spreads**2)

    def excess(shift: float) -> float:
        return float(norm.cdf((norm.ppf(rates) * widths + shift) / widths).sum()) - published.BP4D_DENSITY[task]

    return brentq(excess, -4, 4)
