"""How much of who somebody is can still be told from normalised frames. Chapter 15 asks the same of photographs."""

import numpy as np
import pandas as pd

from . import expression

CODE_VERSION = 1  # raise when the same faces would be measured otherwise


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
