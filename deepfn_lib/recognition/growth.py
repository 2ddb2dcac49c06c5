"""Does the benefit last as the recogniser grows? More training people, and a stronger classifier (section 6)."""

from collections.abc import Sequence

import pandas as pd

from .. import study
from ..artefacts import Store
from ..errors import StudyError
from ..settings import Settings
from .arms import arm_scores

POINT = ["train_people", "classifier"]
FEWEST_TESTED = 3  # participants left over for the test, below which a point has no interval


def growing_scores(
    settings: Settings, store: Store, arms: Sequence[str], training_people: Sequence[int], classifiers: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Person-independent scores of `arms` at other sizes of the recogniser, and a notice for each size left out.

    The sizes are each number of `training_people` with the study's classifier, each of `classifiers` with the
    study's number of people, and the study itself. Columns as of `study.scores` and POINT. A smaller number's
    training people are among those of a larger one. Epochs are the study's: more people make more steps.
    Raises StudyError for an unknown arm or classifier, and where no size leaves enough people to test.
    """
    own = (settings.train_people, settings.classifier)
    points = dict.fromkeys(
        [own, *((n, settings.classifier) for n in training_people), *((settings.train_people, c) for c in classifiers)]
    )
    there = _participants(settings, store)
    tables, notices = [], []
    for people, classifier in points:
        left = there - people - settings.validation_people
        if left < FEWEST_TESTED:
            notices.append(f"{people} training people leave {max(left, 0)} of {there} to test: this size is left out")
            continue
        if (people, classifier) == own:
            scores = study.scores(settings, store)
            scores = scores[(scores["condition"] == "person-independent") & scores["arm"].isin(arms)]
        else:
            size = settings.model_copy(update={"train_people": people, "classifier": classifier})
            scores = arm_scores(size, store, {arm: study.arm_path(settings, store, arm) for arm in arms})
        tables.append(scores.assign(train_people=people, classifier=classifier))
    if not tables:
        raise StudyError("; ".join(notices) + "; set train_people lower")
    return pd.concat(tables, ignore_index=True), notices


def _participants(settings: Settings, store: Store) -> int:
    """BP4D participants without the template: those who train, choose the epoch or are tested."""
    frames = study.faces(settings, store).frames
    names = frames.loc[frames["dataset"] == "BP4D", "participant"]
    return names[names != study.template(settings, store).participant].nunique()


def tested_in_all(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of the participants whom every size tested in the same repetition.

    Larger training sets leave fewer people to test; without this a size would also be a choice of people.
    """
    keys = ["repetition", "participant"]
    sizes = scores[POINT].drop_duplicates()
    tested = scores[[*POINT, *keys]].drop_duplicates().groupby(keys).size()
    everywhere = tested.index[tested == len(sizes)]
    return scores[pd.MultiIndex.from_frame(scores[keys]).isin(everywhere)]
