"""How good is a normalised face? Against the exact answer, in what it keeps of the expression, and of the identity.

All functions take an arm's faces uint8 (n, 64, 64) and give tidy tables, participant by participant. Chapter 10
explains each measure and why the first one alone misleads.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .score import roc_auc

# Left, top, right and bottom as shares of the side; the canonical points of `faces.alignment` lie within.
REGIONS = {
    "face": (0.15, 0.15, 0.85, 0.97),
    "brows": (0.18, 0.22, 0.82, 0.36),
    "eyes": (0.18, 0.34, 0.82, 0.47),
    "mouth": (0.28, 0.67, 0.72, 0.90),
}
COMPONENTS = 100  # principal components that a reader of faces sees
RIDGE = 10.0
MOST_FRAMES = 120  # a participant's evenly spaced frames that are compared, at most


def evenly(people: np.ndarray, most: int = MOST_FRAMES) -> np.ndarray:
    """Rows, ascending: at most so many evenly spaced ones of each participant."""
    people = np.asarray(people)
    chosen = []
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        chosen.append(rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, int)


def box(region: str, side: int) -> tuple[slice, slice]:
    """The rows and columns of a region of REGIONS in a picture of `side` pixels."""
    left, top, right, bottom = (round(edge * side) for edge in REGIONS[region])
    return slice(top, bottom), slice(left, right)


def fidelity(pictures: np.ndarray, answers: np.ndarray, people: np.ndarray) -> pd.DataFrame:
    """PSNR in decibels and SSIM against the exact answers: participant, region, psnr, ssim (means over frames).

    `pictures` and `answers` uint8 (n, side, side), `people` (n,). SSIM is scikit-image's, its map averaged over the
    region; PSNR of a frame without any error counts as 100 dB.
    """
    from skimage.metrics import structural_similarity

    rows = []
    for picture, answer, person in zip(pictures, answers, people):
        similarity = structural_similarity(answer, picture, data_range=255, full=True)[1]
        squared = np.square(picture.astype(np.float32) - answer)
        for region in REGIONS:
            where = box(region, picture.shape[0])
            error = max(float(squared[where].mean()), 255.0**2 * 1e-10)
            rows.append((person, region, 10 * np.log10(255.0**2 / error), float(similarity[where].mean())))
    table = pd.DataFrame(rows, columns=["participant", "region", "psnr", "ssim"])
    return table.groupby(["participant", "region"], sort=False, as_index=False).mean()


def principal_components(faces: np.ndarray, number: int = COMPONENTS):
    """The principal components of faces uint8 (n, side, side), fitted: a scikit-learn transformer of flat floats."""
    from sklearn.decomposition import PCA

    number = min(number, len(faces) - 1)
    return PCA(number, svd_solver="randomized", random_state=0).fit(flat(faces))


def flat(faces: np.ndarray) -> np.ndarray:
    """uint8 (n, h, w) to float32 (n, h w) in 0-1."""
    return np.asarray(faces, np.float32).reshape(len(faces), -1) / 255


class Reader:
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


def train_readers(answers: np.ndarray, labels: np.ndarray, people: np.ndarray, seed: int) -> list:
    """Two readers, each of one half of the participants' exact answers: pairs of a bool (n,), its frames, and it."""
    return [(own, Reader(answers[own], np.asarray(labels)[own])) for own in halves(people, seed)]


def expression_kept(
    pictures: np.ndarray,
    answers: np.ndarray,
    labels: np.ndarray,
    people: np.ndarray,
    action_units: Sequence[str],
    readers: list,
) -> pd.DataFrame:
    """What a reader of half of the participants' exact answers (`train_readers`) reads from the other half's pictures.

    A row for each participant and action unit: `correlation` of its readings with its readings of the exact answers,
    `error` the mean absolute difference of the two, `auc` of its readings against the labels, `exact_auc` that of
    its readings of the exact answers. NaN where a reading or label does not vary.
    """
    tables, people, labels = [], np.asarray(people), np.asarray(labels)
    for trained, reader in readers:
        tested = np.flatnonzero(~trained)
        exact, read = reader.read(answers[tested]), reader.read(pictures[tested])
        for person in np.unique(people[tested]):
            own = people[tested] == person
            tables.append(_readings(person, action_units, exact[own], read[own], labels[tested][own]))
    return pd.concat(tables, ignore_index=True).sort_values(["participant", "action_unit"], ignore_index=True)


def _readings(person: str, action_units: Sequence[str], exact, read, labels) -> pd.DataFrame:
    rows = []
    exact_auc, auc = roc_auc(labels, exact), roc_auc(labels, read)
    for column, unit in enumerate(action_units):
        one, other = exact[:, column], read[:, column]
        varies = one.std() > 1e-6 and other.std() > 1e-6
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


def identity_left(pictures: np.ndarray, people: np.ndarray, sessions: np.ndarray) -> pd.DataFrame:
    """How well people can be told apart: participant, nearest, linear (shares of frames recognised), chance.

    Half of the sessions (tasks; the earlier frames where there is one) are known, the others are asked. `nearest` names
    the nearest known frame's person among principal components, `linear` a linear discriminant's. `chance` is one
    over the number of people.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.neighbors import KNeighborsClassifier

    people = np.asarray(people)
    known = _known(people, np.asarray(sessions))
    components = principal_components(pictures[known], COMPONENTS // 2)
    seen, asked = (components.transform(flat(pictures[rows])) for rows in (known, ~known))
    table = pd.DataFrame({"participant": people[~known]})
    for name, model in {
        "nearest": KNeighborsClassifier(1),
        "linear": LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
    }.items():
        table[name] = model.fit(seen, people[known]).predict(asked) == people[~known]
    table = table.groupby("participant", as_index=False).mean()
    return table.assign(chance=1 / len(np.unique(people)))


def _known(people: np.ndarray, sessions: np.ndarray) -> np.ndarray:
    """Which frames are known: every other session of each person, or the first half of an only one."""
    known = np.zeros(len(people), bool)
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        names = np.unique(sessions[rows])
        if len(names) > 1:
            known[rows[np.isin(sessions[rows], names[::2])]] = True
        else:
            known[rows[: len(rows) // 2]] = True
    return known
