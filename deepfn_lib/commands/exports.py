"""Faces that leave the artefact folder: one file, past the gate or not at all."""

import os
from pathlib import Path

import numpy as np

from .. import study
from ..artefacts import Store
from ..errors import StudyError
from ..faces import images
from ..page.gate import export, require_template_consent
from ..settings import Settings

OWN_FACES = frozenset(images.ARMS) - {"flow-residual"}  # arms in which nobody wears the template's face


def export_arm(settings: Settings, store: Store, name: str, path: str | Path) -> Path:
    """Write an arm's faces to `path` (.npz) and whom they show beside it; returns the path.

    Arrays: `faces` uint8 (n, 64, 64), and for each row `person` (manifest/participant), `task` and `frame`.
    Raises StudyError, and writes nothing, where somebody in the faces may not be shown, where the template has not
    agreed to be one, or where the path is no .npz.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise StudyError(f"{path.name} is not exported: give a name that ends in .npz")
    data, template = study.faces(settings, store), study.template(settings, store)
    people, shown = data.people(), set(data.people().tolist())
    if name not in OWN_FACES:
        wearer = f"{data.manifests[template.dataset]}/{template.participant}"
        require_template_consent(wearer)
        shown.add(wearer)
    faces = study.arm(settings, store, name)
    export(path, sorted(shown))
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as stream:
        np.savez_compressed(
            stream,
            faces=faces,
            person=people.astype(str),
            task=data.frames["task"].astype(str).to_numpy(str),
            frame=data.frames["frame"].to_numpy(),
        )
    os.replace(temporary, path)
    return path
