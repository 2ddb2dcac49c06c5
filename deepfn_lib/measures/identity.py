"""How much of who somebody is can still be told from their faces: re-identification.

A gallery of faces with names, probes without. Whoever can name the probes better than by guessing has found identity
in them. Two readers: the nearest neighbour, which needs no training, and a linear probe, which may weigh pixels.
"""

import numpy as np
import pandas as pd

from . import expression

CODE_VERSION = 1  # raise when the same faces would be measured otherwise
CALIBRATION, GALLERY, PROBE = 0, 1, 2


def assign_roles(people: np.ndarray, calibration: int, gallery: int, random: np.random.Generator) -> np.ndarray:
    """A role for every face, int (n,): of each person's faces `calibration` go to their median, `gallery` to the
    named gallery, the rest are probes.

    The median of a method that needs one is taken over calibration faces only: a median over the probes themselves
    would carry from gallery to probe what is to be measured. Raises ValueError where a person has too few faces.
    """
    roles = np.full(len(people), PROBE)
    for person in np.unique(people):
        rows = random.permutation(np.flatnonzero(people == person))
        if len(rows) <= calibration + gallery:
            raise ValueError(f"{person} has {len(rows)} faces; {calibration + gallery + 1} are needed")
        roles[rows[:calibration]] = CALIBRATION
        roles[rows[calibration : calibration + gallery]] = GALLERY
    return roles


def standardise(faces: np.ndarray) -> np.ndarray:
    """Faces (n, h, w) as vectors (n, h w) of mean 0 and length 1, so that products are correlations."""
    vectors = faces.reshape(len(faces), -1).astype(np.float32)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def nearest_neighbour(gallery: np.ndarray, names: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """The name of the most correlated gallery face for each probe: faces (g, h, w), names (g,), faces (p, h, w)."""
    return names[np.argmax(standardise(probes) @ standardise(gallery).T, axis=1)]


def linear_probe(gallery: np.ndarray, names: np.ndarray, probes: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Names of probes (p, h, w) by multinomial logistic regression on the gallery's standardised pixels.

    The pixels are first turned onto the gallery's principal axes, which loses nothing and is quicker. `strength` is
    scikit-learn's C on axes of unit variance on average.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the matrices are too small for two threads, which would mostly wait for each other
        known = standardise(gallery)
        axes = PCA().fit(known)
        scale = np.sqrt(axes.explained_variance_.mean())
        model = LogisticRegression(C=strength, max_iter=2000).fit(axes.transform(known) / scale, names)
        return model.predict(axes.transform(standardise(probes)) / scale)


READERS = {"nearest neighbour": nearest_neighbour, "linear probe": linear_probe}


def reidentify(faces: np.ndarray, people: np.ndarray, roles: np.ndarray) -> dict[str, np.ndarray]:
    """For each reader, which probes were named rightly: bool (p,), in the order of the probes."""
    gallery, probes = roles == GALLERY, roles == PROBE
    return {
        name: read(faces[gallery], people[gallery], faces[probes]) == people[probes] for name, read in READERS.items()
    }


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
    components = expression.principal_components(pictures[known], expression.COMPONENTS // 2)
    seen, asked = (components.transform(expression.flat(pictures[rows])) for rows in (known, ~known))
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
