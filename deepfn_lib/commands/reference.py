"""`deepfn reference`: the run behind the verdicts, longer than a reader waits. Its small tables are committed.

One arm after another, each an artefact of its own: it can be stopped at any moment and goes on.
"""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from ..artefacts import Store, environment, replacing, write_json
from ..errors import StudyError
from ..statistics import repetition_scores
from ..statistics.reference import CARD, COURSES, HALF_TRAINED, SCORES, reference_folder
from ..study import Study
from ..study.makers import MOTION_VARIANTS

MARKS = (100, 300, 1000, 3000)  # iterations at which the paper's method is looked at
FOLLOWED = 3  # people whose networks are followed


def shown(study: Study) -> dict[str, Callable[[], Path]]:
    """Everything that LeNet-5 is shown, by name: arms, our arm with something changed, and networks trained anew."""
    files: dict[str, Callable[[], Path]] = {name: partial(study.arm_path, name) for name in study.arms}
    files |= {name: partial(study.arm_path, name) for name in study.still_arms}
    files |= {label: partial(study.motion_arm, how) for label, how in MOTION_VARIANTS.items()}
    files["codes matched"] = study.matched_arm
    # Networks of half the iterations, to be compared with the first of them.
    half = replace(study.motion, iterations=max(1, study.motion.iterations // 2))
    files[HALF_TRAINED] = partial(study.motion_arm, {}, half)
    files[f"{HALF_TRAINED}, people it never saw"] = partial(study.unseen_arm, half)
    files[f"{HALF_TRAINED}, a code without shades"] = partial(study.motion_arm, {}, replace(half, shades=0))
    files[f"{HALF_TRAINED}, a code of 16 and 32"] = partial(study.motion_arm, {}, replace(half, code=16))
    return files


def run_reference(store: Store, only: Sequence[str] = (), courses: bool = True) -> Path:
    """Score everything of `shown` (or `only` some), follow the paper's method, and write the tables; the folder.

    Lines of what is not asked for stay. Raises StudyError for a name that is not there.
    """
    study = Study.open("reference", artefacts=str(store.root))
    files, folder, began = shown(study), reference_folder(), time.monotonic()
    if unknown := [name for name in only if name not in files]:
        raise StudyError(f"{unknown[0]!r} is nothing of the reference run; there are {', '.join(files)}")
    for name in only or files:
        path = files[name]()
        scores = study.scores_of({name: path})
        found = {
            value: repetition_scores(scores, "person-independent", name, value=value) for value in ("score", "roc_auc")
        }
        lines = pd.DataFrame(found).reset_index().assign(arm=name).round(3)
        _keep(folder / SCORES, lines, "arm", list(files))
        _note(folder, study, {name: path.parent.name})
    if courses:
        people = [name for name in study.others if name.startswith("BP4D")]
        people = people[:: max(1, len(people) // FOLLOWED)][:FOLLOWED]
        _keep(folder / COURSES, study.courses(people, MARKS).round(4), "person", people)
    _note(folder, study, {}, time.monotonic() - began)
    return folder


def _keep(path: Path, lines: pd.DataFrame, column: str, order: Sequence[str]) -> None:
    """Put lines in the place of earlier ones of the same name, in the order of names."""
    earlier = pd.read_csv(path) if path.exists() else lines.iloc[:0]
    whole = pd.concat([earlier[~earlier[column].isin(lines[column])], lines])
    whole = whole.sort_values(
        column, key=lambda names: names.map({name: k for k, name in enumerate(order)}), kind="stable"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        text = io.TextIOWrapper(stream, write_through=True)
        whole.to_csv(text, index=False, lineterminator="\n")
        text.detach()


def _note(folder: Path, study: Study, made: Mapping[str, str], seconds: float = 0.0) -> None:
    """The card: what each line rests on."""
    from ..statistics.reference import reference_card

    try:
        card = reference_card()
    except StudyError:
        card = {"arms": {}, "seconds": 0.0}
    told = environment()
    settings = study.settings.model_dump(exclude={"cluster", "workers", "gpus_per_worker"})
    card |= {
        "command": "deepfn reference",
        "commit": told["commit"],
        "versions": told["versions"],
        "settings": settings,
    }
    card["arms"] |= made
    card["seconds"] = round(card["seconds"] + seconds)
    card["finished"] = time.strftime("%Y-%m-%d")
    write_json(folder / CARD, card)
