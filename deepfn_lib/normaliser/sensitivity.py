"""What the choice of the template is worth: the study's score with one template after another (chapter 12)."""

from pathlib import Path

import numpy as np
import pandas as pd

from .. import study
from ..artefacts import Store
from ..faces import images
from ..settings import Settings
from . import methods
from .precision import Arithmetic

CODE_VERSION = 2  # raise when the same settings would give other numbers
MEAN_FACE = "mean face"
RESIDUAL, NETWORK = "flow-residual", "deepfn-transplanted"


def candidates(ranking: pd.DataFrame, number: int) -> list[str]:
    """Participants from the most to the least expressive: the first, the last, and evenly spaced ranks between.

    `ranking` as of `template.rank_participants`, best first.
    """
    places = np.unique(np.linspace(0, len(ranking) - 1, min(number, len(ranking))).round().astype(int))
    return [str(ranking.index[place]) for place in places]


def template_arm(settings: Settings, store: Store, method: str, template: str) -> Path:
    """The file of an arm, uint8 (n, 64, 64), with `template` (a participant or MEAN_FACE) as its template.

    `method` is RESIDUAL or NETWORK; the network needs a template with frames of their own.
    """
    data, own = study.faces(settings, store), study.template(settings, store)
    name = template if template == MEAN_FACE else f"{own.dataset}/{template}"
    inputs = {"code": CODE_VERSION, "faces": data.key, "method": method, "template": name}
    if method == NETWORK:
        inputs |= {"seed": settings.seed, "iterations": settings.shared_iterations, "network": methods.CODE_VERSION}
        inputs |= Arithmetic.of(settings).key()
    return store.get("template-arms", inputs, lambda folder: _make(folder, settings, data, method, name)) / "faces.npy"


def _make(folder: Path, settings: Settings, data, method: str, template: str) -> None:
    out, people = methods.new_arm(folder, len(data.images)), data.person_names()
    if method == RESIDUAL:
        medians = images.median_faces(data.images, people)
        medians[MEAN_FACE] = np.mean(list(medians.values()), axis=0).round().astype(np.uint8)
        images.make_arm(RESIDUAL, data.images, people, template, out=out, medians=medians)
    else:
        from ..device import configure_tensorflow

        configure_tensorflow()
        from .examples import Reference, train_reference, transplants_from

        recipe = methods.recipe(settings)
        source = transplants_from(data.images, people, template, recipe)
        train_reference(folder, source, recipe, f"reference network for {template}")
        asked = (data.frames["dataset"] == "BP4D").to_numpy()  # nobody else is scored here; the others stay black
        Reference(folder, recipe).normalise_everyone(data.images, people, out, asked)
    out.flush()
