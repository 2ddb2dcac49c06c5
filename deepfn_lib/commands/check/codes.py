"""What there is to check in the label files of either dataset."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from ...datasets.codes import Codes
from ...errors import StudyError
from .report import GOOD, NOTE, PROBLEM, Report

Owner = TypeVar("Owner")


def read_all(report: Report, owners: Iterable[Owner], read: Callable[[Owner], Codes], most: int) -> dict[Owner, Codes]:
    """Everyone's codes by `read`; a damaged file is a problem, `most` of which are told one by one, and the others are
    read all the same."""
    found, damaged = {}, []
    for owner in owners:
        try:
            found[owner] = read(owner)
        except StudyError as problem:
            damaged.append(str(problem))
    for text in damaged[:most]:
        report.add(PROBLEM, "label file", text)
    if len(damaged) > most:
        report.add(PROBLEM, "label file", f"{len(damaged) - most} more sessions with damaged label files")
    return found


def tell_odd(report: Report, codes: Iterable[Codes], good: str) -> None:
    """One note for everything that was odd in the codes; `good` is what to say where nothing was."""
    odd: Counter[str] = Counter()
    for some in codes:
        odd.update(some.odd)
    for what, count in sorted(odd.items()):
        if count:
            report.add(NOTE, "codes", f"{what}: {count:,}")
    if not any(odd.values()):
        report.add(GOOD, "codes", good)
