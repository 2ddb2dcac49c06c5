"""Faces that leave the artefact folder: one file, past the gate or not at all."""

from pathlib import Path

import numpy as np

from ..arms import find
from ..artefacts import replacing
from ..errors import StudyError
from ..page.gate import export, require_template_consent
from ..study import Study


def export_arm(study: Study, name: str, path: str | Path) -> Path:
    """Write an arm's faces to `path` (.npz) and whom they show beside it; returns the path.

    Arrays: `faces` uint8 (n, 64, 64), and for each row `person` (manifest/participant), `task` and `frame`.
    Raises StudyError, and writes nothing, where somebody in the faces may not be shown, where the template has not
    agreed to be one, or where the path is no .npz.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise StudyError(f"{path.name} is not exported: give a name that ends in .npz")
    data, template = study.faces, study.chosen_template
    people, shown = data.people(), set(data.people().tolist())
    if find(name).wears_template:
        wearer = f"{data.manifests[template.dataset]}/{template.participant}"
        require_template_consent(wearer)
        shown.add(wearer)
    faces = study.arm(name)
    export(path, sorted(shown))
    task, frame = data.frames["task"].astype(str).to_numpy(str), data.frames["frame"].to_numpy()
    with replacing(path) as stream:
        np.savez_compressed(stream, faces=faces, person=people.astype(str), task=task, frame=frame)
    return path
