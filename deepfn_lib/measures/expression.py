"""What of an expression is left in a normalised face: what a probe, trained on exact answers, can still read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .. import frames
from .score import roc_auc

CODE_VERSION = 2  # raise when the same faces would be measured otherwise
COMPONENTS = 100  # principal components that a probe of faces sees
RIDGE = 10.0
VARIES = 1e-6  # SD of readings, of which absent and present are about one apart: below this they are one reading
MOST_FRAMES = 120  # a participant's evenly spaced frames that are compared, at most


def evenly(people: np.ndarray, most: int = MOST_FRAMES) -> np.ndarray:
    """Rows, ascending: at most so many evenly spaced ones of each participant."""
    people = np.asarray(people)
    chosen = []
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        chosen.append(rows[frames.evenly(len(rows), most)])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, int)


def principal_components(faces: np.ndarray, number: int = COMPONENTS):
    """The principal components of faces uint8 (n, side, side), fitted: a scikit-learn transformer of flat floats."""
    from sklearn.decomposition import PCA

    number = min(number, len(faces) - 1)
    return PCA(number, svd_solver="randomized", random_state=0).fit(flat(faces))


def flat(faces: np.ndarray) -> np.ndarray:
    """uint8 (n, h, w) to float32 (n, h w) in 0-1."""
    return np.asarray(faces, np.float32).reshape(len(faces), -1) / 255


class Probe:
    """Reads action units from faces of the template: ridge regression on principal components, of labels 0 and 1.

    Trained on exact answers, it knows the template's face and nothing else, so what it cannot read from a
    normalised face is not there, or not where the template has it.
    """

    def __init__(self, answers: np.ndarray, labels: np.ndarray):
        """`answers` uint8 (n, side, side), `labels` int (n, action units) of 1, 0, -1 (not coded)."""
        from sklearn.linear_model import Ridge

        self.components = principal_components(answers)
        features = self.components.transform(flat(answers))
        self.models = [
            Ridge(RIDGE).fit(features[column >= 0], column[column >= 0]) if (column >= 0).any() else None
            for column in np.asarray(labels).T
        ]

    def read(self, faces: np.ndarray) -> np.ndarray:
        """What it sees, float (n, action units): about 0 where absent, 1 where present, NaN for a unit never coded."""
        features = self.components.transform(flat(faces))
        columns = [np.full(len(faces), np.nan) if m is None else m.predict(features) for m in self.models]
        return np.stack(columns, axis=1)


def halves(people: np.ndarray, seed: int) -> list[np.ndarray]:
    """Two disjoint halves of the participants, drawn by the seed: two bool (n,), complements of each other."""
    people = np.asarray(people)
    names = np.unique(people)
    first = np.isin(people, np.random.default_rng(seed).permutation(names)[: len(names) // 2])
    return [first, ~first]


def train_probes(answers: np.ndarray, labels: np.ndarray, people: np.ndarray, seed: int) -> list:
    """Two probes, each of one half of the participants' exact answers: pairs of a bool (n,), its frames, and it."""
    return [(own, Probe(answers[own], np.asarray(labels)[own])) for own in halves(people, seed)]


def expression_kept(
    pictures: np.ndarray,
    answers: np.ndarray,
    labels: np.ndarray,
    people: np.ndarray,
    action_units: Sequence[str],
    probes: list,
) -> pd.DataFrame:
    """What a probe of half of the participants' exact answers (`train_probes`) reads from the other half's pictures.

    A row for each participant and action unit: `correlation` of its readings with its readings of the exact answers,
    `error` the mean absolute difference of the two, `auc` of its readings against the labels, `exact_auc` that of
    its readings of the exact answers. NaN where a reading or label does not vary.
    """
    tables, people, labels = [], np.asarray(people), np.asarray(labels)
    for trained, probe in probes:
        tested = np.flatnonzero(~trained)
        exact, read = probe.read(answers[tested]), probe.read(pictures[tested])
        for person in np.unique(people[tested]):
            own = people[tested] == person
            tables.append(_readings(person, action_units, exact[own], read[own], labels[tested][own]))
    return pd.concat(tables, ignore_index=True).sort_values(["participant", "action_unit"], ignore_index=True)


def _readings(person: str, action_units: Sequence[str], exact, read, labels) -> pd.DataFrame:
    rows = []
    # Equal pictures are read alike up to the rounding of sums, which is no order among them.
    exact, read = (np.where(some.std(axis=0) > VARIES, some, some.mean(axis=0)) for some in (exact, read))
    exact_auc, auc = roc_auc(labels, exact), roc_auc(labels, read)
    for column, unit in enumerate(action_units):
        one, other = exact[:, column], read[:, column]
        varies = one.std() > VARIES and other.std() > VARIES
        rows.append(
            {
                "participant": person,
                "action_unit": unit,
                "correlation": float(np.corrcoef(one, other)[0, 1]) if varies else np.nan,
                "error": float(np.abs(one - other).mean()),
                "auc": auc[column],
                "exact_auc": exact_auc[column],
            }
        )
    return pd.DataFrame(rows)
