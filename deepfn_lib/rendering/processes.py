"""Correlated Gaussian courses in time: the latent drive of each action unit, and the movement that carries no label."""

from functools import cache, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from ..frames import BP4D_TASKS, DISFA_PARTICIPANTS, DISFA_TASK
from . import label_statistics as published
from .label_statistics import UNITS
from .seeds import generator

BASE_RATE = 25.0  # instants a second of the time base
SMOOTH = 0.16  # seconds: the fastest change of an expression
TASKS = {"BP4D": BP4D_TASKS, "DISFA": (DISFA_TASK,)}
TASK_SECONDS = {"BP4D": 20.0, "DISFA": 242.0}


def instants(seconds: float) -> int:
    """How many instants of the time base a session has, its first and last included."""
    return int(round(seconds * BASE_RATE)) + 1


def mean_run(dataset: str, unit: int) -> float:
    """Mean length of an event, seconds."""
    coded = unit in published.BP4D_UNITS
    frames = published.BP4D_MEAN_RUN[published.BP4D_UNITS.index(unit)] if coded else published.OTHER_MEAN_RUN[unit]
    return frames / 25 * (published.DISFA_RUN_FACTOR if dataset == "DISFA" else 1.0)


def published_rate(dataset: str, unit: int, gender: str) -> float:
    """Share of frames, 0..1. Where some people never show the action unit, the share among the others."""
    if dataset == "DISFA":
        everyone = len(DISFA_PARTICIPANTS)
        never = sum(unit in published.NEVER.get(one, ()) for one in DISFA_PARTICIPANTS)
        rate = (published.UNLABELLED_RATE["DISFA"] | published.DISFA_RATE)[unit]
        return rate / 100 * everyone / (everyone - never)
    if unit in published.BP4D_UNITS:
        return published.BP4D_RATE[gender][published.BP4D_UNITS.index(unit)] / 100
    return published.UNLABELLED_RATE["BP4D"][unit] / 100


def _density(frequency: np.ndarray, memory: float, smooth: float) -> np.ndarray:
    """Power at frequencies in radians a second: forgetting over `memory` seconds, smoothed over `smooth` seconds."""
    return np.exp(-np.square(frequency * smooth)) / (1 + np.square(frequency * memory))


@cache
def memory_for(rate: float, run: float) -> float:
    """The memory (seconds) of a process that is up in a share `rate` of the time, `run` seconds at a time (Rice)."""
    frequency = np.linspace(0, 6 / SMOOTH, 20001)

    def excess(log_memory: float) -> float:
        power = _density(frequency, np.exp(log_memory), SMOOTH)
        crossings = np.sqrt((power * frequency**2).sum() / power.sum()) / (2 * np.pi)  # of the mean, a second
        return rate / (crossings * np.exp(-(norm.ppf(rate) ** 2) / 2)) - run

    low, high = np.log(0.02), np.log(600.0)
    if excess(low) > 0:
        return float(np.exp(low))
    return float(np.exp(brentq(excess, low, high)))


def process(
    draw: np.random.Generator, seconds: float, memory: float, smooth: float, white: np.ndarray | None = None
) -> np.ndarray:
    """A stationary Gaussian course of mean 0 and variance 1 on the time base: (seconds * 25 + 1,) float64.

    `white`: the noise to filter, (fft_length(seconds),), where courses are to be correlated.
    """
    length = fft_length(seconds)
    white = draw.standard_normal(length) if white is None else white
    frequency = 2 * np.pi * np.fft.rfftfreq(length, 1 / BASE_RATE)
    power = _density(frequency, memory, smooth)
    power /= (power[0] + 2 * power[1:-1].sum() + power[-1]) / length
    course = np.fft.irfft(np.fft.rfft(white) * np.sqrt(power), length)
    return course[: instants(seconds)]


def fft_length(seconds: float) -> int:
    """How much noise a course needs: twice its length at least, so that its ends do not meet."""
    return 2 ** int(np.ceil(np.log2(2 * seconds * BASE_RATE + 2)))


@cache
def correlation_root() -> np.ndarray:
    """A matrix (17, 17) that gives white noise the correlations of TOGETHER (the nearest that can exist)."""
    matrix = np.eye(len(UNITS))
    for i, one in enumerate(UNITS):
        for other, value in published.TOGETHER.get(one, {}).items():
            j = UNITS.index(other)
            matrix[i, j] = matrix[j, i] = value
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.clip(values, 1e-3, None))
    return root / np.linalg.norm(root, axis=1, keepdims=True)


@lru_cache(maxsize=16)
def latent_courses(seed: int, dataset: str, participant: str, task: str, seconds: float) -> np.ndarray:
    """The drive of every action unit on the time base, (instants, 17): standard normal at each instant."""
    draw = generator(seed, "course", dataset, participant, task)
    white = correlation_root() @ draw.standard_normal((len(UNITS), fft_length(seconds)))
    columns = []
    for column, unit in enumerate(UNITS):
        memory = memory_for(published_rate(dataset, unit, "all"), mean_run(dataset, unit))
        columns.append(process(draw, seconds, memory, SMOOTH, white[column]))
    return np.stack(columns, axis=1)
