"""A trained shared normaliser applied to people it has never heard of: nothing is learnt, only their median is taken.

Their median comes from calibration faces, apart from the faces that are normalised, as it would in use.
"""

import numpy as np

from ..artefacts import Store
from ..errors import StudyError
from ..faces import images
from ..settings import Settings
from . import methods


def shared_method(settings: Settings) -> str:
    """The study's own method where it serves strangers, else the shared autoencoder: a network per person cannot."""
    return settings.normaliser_arm if settings.normaliser_arm in methods.SHARED else "deepfn-shared"


def normalise_strangers(
    settings: Settings, store: Store, name: str, faces: np.ndarray, people: np.ndarray, calibration: np.ndarray
) -> np.ndarray:
    """Faces uint8 (n, side, side) of `people` (n,) on the study's template: uint8 (n, 64, 64).

    `name` is one of `methods.SHARED`; its network is trained on the study's own people if it is not there yet.
    `calibration` bool (n,) marks the faces of each person that their median is taken over.
    Raises StudyError for a method that needs a network per person, or a person without calibration faces.
    """
    if name not in methods.SHARED:
        raise StudyError(f"{name} cannot normalise strangers; choose one of {', '.join(methods.SHARED)}")
    people, calibration = np.asarray(people), np.asarray(calibration, bool)
    without = [person for person, rows in images.by_person(people) if not calibration[rows].any()]
    if without:
        raise StudyError(f"{without[0]} has no calibration face to take a median over; mark at least one")
    network = methods.network_folder(settings, store, name)
    transfer = _by_differences if name == "deepfn-shared" else _by_reference
    return transfer(settings, network, faces, people, calibration)


def _inputs(faces, people, calibration, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Equalised faces (n, side, side), and for each row its person's median over the calibration faces."""
    frames = images.resize(images.equalise(np.asarray(faces)), side)
    medians = np.empty_like(frames)
    for _, rows in images.by_person(people):
        medians[rows] = images.median_face(frames[rows[calibration[rows]]])
    return frames, medians


def _by_differences(settings: Settings, network, faces, people, calibration) -> np.ndarray:
    from .per_person import transfer

    frames, medians = _inputs(faces, people, calibration, settings.normaliser_size)
    changed = transfer(network, images.difference(frames, medians))
    base = np.load(network / "template-median.npy")
    return images.resize(images.difference(changed, np.uint8(images.MIDDLE), base))


def _by_reference(settings: Settings, network, faces, people, calibration) -> np.ndarray:
    from .examples import Reference

    reference = Reference(network, methods.recipe(settings))
    frames, medians = _inputs(faces, people, calibration, reference.side)
    return reference.transfer(frames, medians)
