"""Arms of people whom no network has heard of: nothing is learnt, only their median is taken.

Their median comes from calibration faces, apart from the faces that are shown, as it would in use. Each function is
named by an arm in arms.yml and takes the arm's trained network.
"""

from pathlib import Path

import numpy as np

from ..faces import images


def beside_medians(faces, people, calibration, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Equalised faces (n, side, side), and for each row its person's median over the calibration faces."""
    frames = images.resize(images.equalise(np.asarray(faces)), side)
    medians = np.empty_like(frames)
    for _, rows in images.by_person(people):
        medians[rows] = images.median_face(frames[rows[calibration[rows]]])
    return frames, medians


def by_motion(study, network: Path, faces, people, calibration) -> np.ndarray:
    """Faces uint8 (n, side, side) on the template by the motion network: uint8 (n, 64, 64)."""
    from ..normaliser.motion import Motion

    recipe = study.motion
    trained = study.remembered(("motion", network), lambda: Motion.kept(network, recipe))
    target = images.resize(study.template.face_among(study.pictures)[None], recipe.size)[0]
    frames, medians = beside_medians(faces, people, calibration, recipe.size)
    out = np.empty((len(frames), images.SIZE, images.SIZE), np.uint8)
    for _, rows in images.by_person(people):
        out[rows] = images.resize(trained.transfer(frames[rows], medians[rows[0]], target))
    return out


def by_reference(study, network: Path, faces, people, calibration) -> np.ndarray:
    """Faces uint8 (n, side, side) through a reference network: uint8 (n, 64, 64)."""
    from ..normaliser.reference import Reference

    reference = study.remembered(("reference", network), lambda: Reference.kept(network, study.recipe))
    return reference.transfer(*beside_medians(faces, people, calibration, reference.side))
