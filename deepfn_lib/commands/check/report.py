"""The integrity report: what was looked at, what was found, whether it can be used; as text, JSON and Markdown."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ...artefacts import write_json

GOOD, NOTE, PROBLEM = "good", "note", "problem"
# For a number of frames: each session's participant, that many sources and their indices, as `grey_frames` takes them.
Samples = Callable[[int], list[tuple[str, list[str], np.ndarray]]]
_MARKS = {GOOD: "ok  ", NOTE: "note", PROBLEM: "STOP"}


@dataclass(frozen=True)
class Finding:
    """One line: `level` is "good", "note" (usable, but look) or "problem" (not usable until mended)."""

    level: str
    subject: str
    text: str


@dataclass
class Report:
    """Everything `deepfn check` has to say about one folder. `tables` are pandas tables by title."""

    title: str
    folder: str
    findings: list[Finding] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return not any(finding.level == PROBLEM for finding in self.findings)

    def add(self, level: str, subject: str, text: str) -> None:
        self.findings.append(Finding(level, subject, text))

    def compare(self, subject: str, found: int, expected: int, what: str) -> None:
        """A count beside the official one: a note where they differ."""
        level, official = (GOOD, "") if found == expected else (NOTE, f"; the distribution has {expected:,}")
        self.add(level, subject, f"{found:,} {what}{official}")

    def verdict(self) -> str:
        problems = sum(finding.level == PROBLEM for finding in self.findings)
        notes = sum(finding.level == NOTE for finding in self.findings)
        if problems:
            return f"{self.title}: not usable, {problems} problem{'s' if problems > 1 else ''} to mend"
        return f"{self.title}: usable" + (f", {notes} note{'s' if notes > 1 else ''}" if notes else "")

    def text(self) -> str:
        """For the terminal: one line a finding, small tables whole, long ones by their first rows."""
        lines = [f"{self.title} in {self.folder}", ""]
        width = max((len(finding.subject) for finding in self.findings), default=0)
        lines += [f"  {_MARKS[f.level]}  {f.subject:<{width}}  {f.text}" for f in self.findings]
        for title, table in self.tables.items():
            shown = table.head(12)
            more = f"  … {len(table) - 12} more rows in the saved report" if len(table) > 12 else ""
            lines += ["", f"  {title}", *("    " + line for line in shown.to_string(index=False).splitlines()), more]
        return "\n".join([*lines, "", self.verdict()])

    def markdown(self) -> str:
        """For a reader: everything, long tables too."""
        findings = ((finding.level, finding.subject, finding.text) for finding in self.findings)
        lines = [f"# {self.title}", "", f"**{self.verdict()}**", "", *_markdown(["", "subject", "finding"], findings)]
        for title, table in self.tables.items():
            lines += ["", f"## {title}", "", *_markdown(table.columns, table.itertuples(index=False))]
        return "\n".join(lines) + "\n"

    def save(self, folder: Path, name: str) -> list[Path]:
        """Write `<name>.json` and `<name>.md` into `folder`; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.json", folder / f"{name}.md"]
        tables = {
            title: table.astype(object).where(table.notna(), None).to_dict("records")
            for title, table in self.tables.items()
        }
        findings = [asdict(finding) for finding in self.findings]
        verdict = {"title": self.title, "usable": self.usable, "verdict": self.verdict()}
        write_json(paths[0], {**verdict, "findings": findings, "tables": tables})
        paths[1].write_text(self.markdown(), encoding="utf-8")
        return paths


def _markdown(columns: Iterable, rows: Iterable[Iterable]) -> list[str]:
    columns = list(columns)
    table = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(str(value).replace("|", "/") for value in row) + " |" for row in table]
