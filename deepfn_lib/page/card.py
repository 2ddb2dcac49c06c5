"""The card at each chapter's end: the code, versions and machine behind its numbers, and the artefacts it read."""

import html
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psutil

from ..arms import find, label
from ..artefacts import digest, environment, peak_memory_gib
from .tables import table

CARD_METADATA = "deepfn_artefacts"  # by which the runner knows what a chapter read


@dataclass(frozen=True)
class Card:
    """A chapter's card, displayed as an HTML table folded into a line; `artefacts` are [(step, digest), ...]."""

    markup: str
    text: str
    artefacts: tuple[tuple[str, str], ...]

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict[str, str], dict[str, Any]]:
        metadata = {CARD_METADATA: [list(pair) for pair in self.artefacts]}
        return {"text/html": self.markup, "text/plain": self.text}, metadata


def card(study: Any) -> Card:
    """The closing card of a chapter: commit, versions, device, settings' digest, memory, and every artefact that its
    `study` used, with the seconds it took to make (once, maybe in an earlier chapter)."""
    settings, store = study.settings, study.store
    machine, seconds = environment(), time.time() - psutil.Process().create_time()
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    settings_digest = digest(settings.model_dump(mode="json"))
    facts = {
        "profile": settings.profile,
        "the study's normaliser": find(settings.normaliser_arm).what,
        "settings": settings_digest,
        "seed": str(settings.seed),
        "commit": machine["commit"],
        "versions": versions,
        "machine": f"{machine['device']['machine']}, {machine['device']['processors']} processors",
        "this chapter": f"{seconds:.0f} s, at most {peak_memory_gib():.1f} GiB in memory",
    }
    lines = "".join(
        f"<tr><th scope='row'>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in facts.items()
    )
    artefacts = [
        {
            "artefact": entry["step"],
            "digest": folder.name,
            "seconds": entry["seconds"],
            "GiB, at most": entry["peak_memory_gib"],
            "MiB": sum(file["bytes"] for file in entry["files"].values()) / 2**20,
        }
        for folder, entry in store.used.items()
    ]
    made = table(
        pd.DataFrame(artefacts), "Artefacts read, and what each took to make", {"seconds": ",.0f", "MiB": ",.1f"}
    ).html
    count = f"{len(artefacts)} artefact{'' if len(artefacts) == 1 else 's'}"
    summary = (
        f"How this page was made: {count}, profile {settings.profile}, normaliser {label(settings.normaliser_arm)}, "
        f"commit {machine['commit']}"
    )
    markup = (
        f'<details class="deepfn-card"><summary>{html.escape(summary)}</summary>'
        f"<table><tbody>{lines}</tbody></table>{made if artefacts else ''}</details>"
    )
    return Card(markup, summary, tuple((folder.parent.name, folder.name) for folder in store.used))
