"""Sentences with results in them: the words stand in the chapter as one reads them, the numbers are glued in."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

import pandas as pd

from ..arms import PAPERS, find
from ..statistics import published, reference_card
from .tables import interval_text


@dataclass(frozen=True)
class Words:
    """Markdown that a chapter displays; as plain text, the same."""

    text: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.text, "text/plain": self.text}


def say(words: str, **values) -> Words:
    """`words`, Markdown, with each `{name}` or `{name:.1f}` replaced by its value; lines are joined as Markdown does.

    Raises KeyError for a name without a value and ValueError for a value without its name: a number that was worked
    out and is not told is as wrong as one that is missing.
    """
    told = {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(words) if name}
    if unused := set(values) - told:
        raise ValueError(f"not told in the sentence: {', '.join(sorted(unused))}")
    return Words(words.strip().format(**values))


def whose(arm: str) -> str:
    """An arm's label and whose method it is: the paper's sentences are about the paper's own."""
    one = find(arm)
    owner = "the paper's method" if arm == PAPERS else "not the paper's"
    return f"{one.label} ({'ours, ' if one.ours else ''}{owner})"


def tally(judged: pd.DataFrame) -> str:
    """How many of the claims of `statistics.judge` have each verdict."""
    return ", ".join(f"{n} × {verdict}" for verdict, n in judged["told"].value_counts(sort=False).items())


def found(judged: pd.DataFrame, sentence: str) -> str:
    """The difference of one sentence of `statistics.judge`, by its id, in words."""
    row = judged.set_index("id").loc[sentence]
    if not row["run"]:
        return "not run"
    return f"{interval_text(row['difference'], row['low'], row['high'], sign=True)} points, *{row['told']}*"


def stands_on(study: Any, basis: Any, conditions: Sequence[str]) -> Words:
    """Which run a page's numbers are of, and what was drawn for its conditions; `basis` is `Study.basis` of `study`."""
    scores = basis.scores[basis.scores["condition"].isin(conditions)]
    drawn = scores.groupby("condition", observed=True)[["participant", "repetition"]].nunique()
    people = "; ".join(f"{name} {some.participant} and {some.repetition}" for name, some in drawn.iterrows())
    whose = "this run's"
    if basis.on_reference:
        card = reference_card()
        whose = f"the reference run's (`deepfn reference`, {card['finished']}, commit {card['commit']})"
        if not study.on_reference:
            whose += f"; the verdicts' tables have this run's, of profile {study.settings.profile}, beside them"
    return say(
        "**These numbers are {whose}.** Each classifier had {epochs} epochs, one of own tasks {own}. Participants and "
        "repetitions: {drawn}.",
        whose=whose,
        epochs=basis.settings.epochs,
        own=basis.settings.person_epochs or basis.settings.epochs,
        drawn=people,
    )


def budget(study: Any) -> Words:
    """At which budget the verdicts on `study.compared` stand: what their networks have had, beside the paper's."""
    iterations, batch = (int(published(key).value) for key in ("iterations", "batch"))
    one = 2 * iterations * batch
    people = len(study.frames[["dataset", "participant"]].drop_duplicates()) - 1  # the template has no network
    parts = [_spent(study, arm, one * people) for arm in study.compared]
    return say(
        "*At this budget* means: {parts}. The paper's {iterations:,} iterations a person, each a batch of {batch} of "
        "the template and one of the person, are {one:,} images for one person and {all:,} for these {people}.",
        parts="; ".join(parts),
        iterations=iterations,
        batch=batch,
        one=one,
        all=one * people,
        people=people,
    )


def _spent(study: Any, name: str, papers: int) -> str:
    """What an arm's networks have had, in words; `papers`: images that the paper's method has for the same people."""
    arm = find(name)
    if not arm.network:
        return f"{arm.label} has no network"
    cost = study.cost(name)
    many = f"{cost['networks']:.0f} networks" if cost["networks"] > 1 else "1 network"
    start = ", the one that they start from among them" if arm.each and study.settings.joint_iterations else ""
    seen = f"{cost['images']:,.0f} images through the encoder for everybody"
    return f"{arm.label} has had {seen} ({100 * cost['images'] / papers:.3g} % of the paper's), in {many}{start}"
