"""All normalisers under one interface: a name and the settings give an arm's array, and what it cost.

Arms without a network (`faces.images.ARMS`) and the exact answer are made by `study.arm`; these are the methods with
one. What each is called on the page is in `METHODS`.
"""

import json
import time
from pathlib import Path

import numpy as np

from .. import study
from ..artefacts import Store, write_json
from ..cluster import run_jobs
from ..errors import StudyError
from ..faces import images
from ..settings import Settings
from .precision import Arithmetic

CODE_VERSION = 2  # raise when the same settings would give other faces
METHODS = {
    "deepfn": "DeepFN, one network per person (the paper's)",
    "deepfn-fine-tuned": "DeepFN, one network per person, started from a shared one",
    "deepfn-shared": "DeepFN, one autoencoder for everyone, on differences from each person's median",
    "deepfn-transplanted": "DeepFN, one reference network, trained on the template's transplanted expressions",
    "deepfn-supervised": "DeepFN, one reference network, trained on labelled rendered pairs of other people",
}
SHARED = ("deepfn-shared", "deepfn-transplanted", "deepfn-supervised")
REFERENCE_BATCH = 32
COST = "cost.json"


def normalised(settings: Settings, store: Store, name: str) -> Path:
    """The file of a method's arm, uint8 (n, 64, 64) row by row with the faces, made if it is not there.

    Raises StudyError for an unknown method, and for the paper's one where `normaliser_people` leaves people out.
    """
    if name not in METHODS:
        raise StudyError(f"normaliser_arm {name!r} is unknown; choose one of {', '.join(METHODS)}")
    if name in SHARED:
        return _shared_arm(settings, store, name)
    if settings.normaliser_people:
        raise StudyError(
            f"the arm {name} needs a network for everyone, and normaliser_people is {settings.normaliser_people}; "
            "set it to 0, or choose a shared method"
        )
    return _per_person_arm(settings, store, name)


def cost(settings: Settings, store: Store, name: str) -> dict[str, float]:
    """What training a method's networks took: images through the encoder, core_seconds, parameters, networks."""
    return json.loads((normalised(settings, store, name).parent / COST).read_text())


def recipe(settings: Settings):
    """How the reference networks are trained under these settings."""
    from .recipe import Recipe

    return Recipe(
        seed=settings.seed,
        iterations=settings.shared_iterations,
        batch=REFERENCE_BATCH,
        arithmetic=Arithmetic.of(settings),
    )


def rendered_pairs(settings: Settings, store: Store) -> Path:
    """The folder of rendered pairs of people who are in neither corpus; the answers show the rendered template.

    On licensed data the template is a rendered face too: exact answers exist for no other.
    """
    from ..rendering import label_statistics as published
    from ..rendering import pairs

    rendered = study.corpora(settings, store).rendered
    who = study.template(settings, store).participant if rendered else published.MOST_EXPRESSIVE
    inputs = {
        "code": pairs.CODE_VERSION,
        "seed": settings.seed,
        "people": settings.pair_people,
        "frames_per_person": settings.pair_frames,
        "template": who,
        "mode": settings.alignment,
    }
    inner = {name: value for name, value in inputs.items() if name != "code"}
    return store.get(
        "pairs", inputs, lambda folder: pairs.render_pairs(folder, **inner, workers=settings.workers or None)
    )


def autoencoder_inputs(settings: Settings) -> dict:
    """The settings that any autoencoder depends on."""
    names = ("size", "width", "batch", "learning_rate")
    chosen = {name: getattr(settings, f"normaliser_{name}") for name in names}
    return {**chosen, "warp_pixels": settings.warp_pixels, "loss": settings.loss, **Arithmetic.of(settings).key()}


def network_folder(settings: Settings, store: Store, name: str) -> Path:
    """The artefact of a shared method's trained network, with its losses and previews."""
    data, person = study.faces(settings, store), study.template(settings, store)
    inputs = _network_inputs(settings, store, name)
    if name == "deepfn-shared":
        return store.get("networks", inputs, lambda folder: _train_shared_autoencoder(folder, settings, data, person))
    source = rendered_pairs(settings, store) if name == "deepfn-supervised" else None
    reading = reader_folder(settings, store) if source else None
    return store.get(
        "networks", inputs, lambda folder: _train_reference(folder, settings, data, person, source, reading)
    )


def is_trained(settings: Settings, store: Store, name: str) -> bool:
    """Whether a shared method's network is there already."""
    return store.folder("networks", _network_inputs(settings, store, name)).exists()


def _network_inputs(settings: Settings, store: Store, name: str) -> dict:
    data, person = study.faces(settings, store), study.template(settings, store)
    inputs = {
        "code": CODE_VERSION,
        "method": name,
        "seed": settings.seed,
        "iterations": settings.shared_iterations,
        "template": person.participant,
        **Arithmetic.of(settings).key(),
    }
    if name == "deepfn-supervised":
        inputs["pairs"] = rendered_pairs(settings, store).name
    else:
        inputs["faces"] = data.key
    if name == "deepfn-shared":
        inputs |= study._chosen(
            settings, "normaliser_size", "normaliser_width", "normaliser_batch", "warp_pixels", "loss"
        )
        inputs["learning_rate"] = settings.normaliser_learning_rate
    return inputs


def reader_folder(settings: Settings, store: Store) -> Path:
    """The artefact of the reader of action units that the supervised network is trained with."""
    pairs, how = rendered_pairs(settings, store), recipe(settings)
    inputs = {"code": CODE_VERSION, "pairs": pairs.name, "seed": settings.seed, "size": how.size}

    def make(folder: Path) -> None:
        from ..device import configure_tensorflow

        configure_tensorflow()
        from . import reader
        from .examples import pairs_from

        source = pairs_from(pairs, how)
        reader.kept(folder, source.answers, source.labels, settings.seed)

    return store.get("readers", inputs, make)


def _train_reference(folder: Path, settings: Settings, data, person, pairs: Path | None, reading: Path | None) -> None:
    from ..device import configure_tensorflow

    configure_tensorflow()
    from .examples import pairs_from, train_reference, transplants_from

    how, template = recipe(settings), person.name
    if pairs is not None:
        source, label = pairs_from(pairs, how), "reference network on rendered pairs"
    else:
        source = transplants_from(data.images, data.person_names(), template, how)
        label = "reference network on transplants"
    train_reference(folder, source, how, label, reading)


def _shared_arm(settings: Settings, store: Store, name: str) -> Path:
    data = study.faces(settings, store)
    network = network_folder(settings, store, name)
    inputs = {"code": CODE_VERSION, "faces": data.key, "network": network.name, "method": name}
    return store.get("arms", inputs, lambda folder: _apply(folder, settings, data, network, name)) / "faces.npy"


def _apply(folder: Path, settings: Settings, data, network: Path, name: str) -> None:
    """Everybody's faces through the trained network, one person at a time."""
    out = new_arm(folder, len(data.images))
    people = data.person_names()
    if name == "deepfn-shared":
        from .per_person import transfer

        size = settings.normaliser_size
        base = np.load(network / "template-median.npy")
        for _, rows in images.by_person(people):
            changed = transfer(network, _differences(data.images, rows, size))
            out[rows] = images.resize(images.difference(changed, np.uint8(images.MIDDLE), base), study.RECOGNISER_SIZE)
    else:
        from .examples import Reference

        Reference(network, recipe(settings)).normalise_everyone(data.images, people, out)
    out.flush()
    write_json(folder / COST, json.loads((network / COST).read_text()))


def new_arm(folder: Path, n: int) -> np.ndarray:
    """An arm's array in `folder`, uint8 (n, 64, 64) of zeros, to be filled and flushed."""
    shape = (n, study.RECOGNISER_SIZE, study.RECOGNISER_SIZE)
    return np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=np.uint8, shape=shape)


def _differences(faces: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """One person's faces less their median, around middle grey: uint8 (len(rows), size, size)."""
    from .examples import person_inputs

    frames, median = person_inputs(faces, rows, size)
    return images.difference(frames, median)


def _train_shared_autoencoder(folder: Path, settings: Settings, data, person) -> None:
    """The paper's networks and Eq. 1, with everybody but the template as the one "person".

    An iteration takes two batches; their number is such that all shared methods see equally many images.
    """
    from .examples import person_inputs
    from .per_person import train_person

    names, size = data.person_names(), settings.normaliser_size
    template = person.name
    own = np.flatnonzero(names == template)
    np.save(folder / "template-median.npy", person_inputs(data.images, own, size)[1])
    others = [_differences(data.images, rows, size) for who, rows in images.by_person(names) if who != template]
    iterations = max(1, settings.shared_iterations * REFERENCE_BATCH // (2 * settings.normaliser_batch))
    _train_timed(
        folder,
        settings,
        iterations,
        train_person,
        _differences(data.images, own, size),
        np.concatenate(others),
        label="everyone's differences",
    )


def _train_timed(folder: Path, settings: Settings, iterations: int, train_person, *faces, **more) -> None:
    """Train an autoencoder and write its cost beside it (core seconds of this call, if it was not interrupted)."""
    began = time.process_time()
    train_person(
        folder,
        *faces,
        size=settings.normaliser_size,
        width=settings.normaliser_width,
        iterations=iterations,
        batch=settings.normaliser_batch,
        learning_rate=settings.normaliser_learning_rate,
        seed=settings.seed,
        loss=settings.loss,
        warp_pixels=settings.warp_pixels,
        arithmetic=Arithmetic.of(settings),
        **more,
    )
    seconds = time.process_time() - began
    with np.load(folder / "weights.npz") as weights:
        parameters = int(sum(weights[name].size for name in weights.files))
    write_json(
        folder / COST,
        {
            "images": 2 * iterations * settings.normaliser_batch,
            "core_seconds": seconds,
            "parameters": parameters,
            "networks": 1,
        },
    )


def person_folder(settings: Settings, store: Store, person: str, name: str = "deepfn") -> Path:
    """The artefact of one person's own network (`dataset/participant`), with `faces.npy`: the person on the template.

    uint8 (frames of the person, normaliser_size, normaliser_size). "deepfn-fine-tuned" starts from the weights of
    "deepfn-shared", works on differences as that does, and takes a tenth of the iterations.
    """
    data, template = study.faces(settings, store), study.template(settings, store)
    inputs = {
        "code": CODE_VERSION,
        "method": name,
        "person": person,
        "faces": data.key,
        "template": template.participant,
        "seed": settings.seed,
        "iterations": settings.normaliser_iterations,
        **autoencoder_inputs(settings),
    }
    start = None
    if name == "deepfn-fine-tuned":
        start = network_folder(settings, store, "deepfn-shared")
        inputs["start"] = start.name
    return store.get("networks", inputs, lambda folder: _train_one(folder, settings, data, template, person, start))


def _train_one(folder: Path, settings: Settings, data, template, person: str, start: Path | None) -> None:
    from . import per_person

    names, size = data.person_names(), settings.normaliser_size
    own = np.flatnonzero(names == template.name)
    rows = np.flatnonzero(names == person)
    if not len(rows):
        raise StudyError(f"nobody is called {person!r} in these faces; people are named like {names[0]}")
    iterations, prepare = settings.normaliser_iterations, per_person.prepare
    truth = None if data.truth is None else prepare(data.truth, size, rows)
    if start is None:
        faces = [prepare(data.images, size, some) for some in (own, rows)]
        _train_timed(folder, settings, iterations, per_person.train_person, *faces, truth=truth, label=person)
    else:
        faces = [_differences(data.images, some, size) for some in (own, rows)]
        _train_timed(
            folder, settings, max(1, iterations // 10), per_person.train_person, *faces, initial=start, label=person
        )
    result = per_person.transfer(folder, faces[1])
    if start is not None:
        result = images.difference(result, np.uint8(images.MIDDLE), np.load(start / "template-median.npy"))
    np.save(folder / "faces.npy", result)


def make_person(root: str, settings: dict, person: str, name: str) -> str:
    """One job of a cluster: `person_folder` in the store at `root`; returns the folder."""
    return str(person_folder(Settings(**settings), Store(root), person, name))


def _per_person_arm(settings: Settings, store: Store, name: str) -> Path:
    data, template = study.faces(settings, store), study.template(settings, store)
    names = data.person_names()
    own = template.name
    people = [person for person in np.unique(names).tolist() if person != own]
    if name == "deepfn-fine-tuned":
        network_folder(settings, store, "deepfn-shared")  # once, before the workers want it
    jobs = [(str(store.root), settings.model_dump(), person, name) for person in people]
    folders = run_jobs(
        make_person, jobs, description=name, cluster=settings.cluster, workers=settings.workers or None, unit="person"
    )
    inputs = {"code": CODE_VERSION, "faces": data.key, "networks": [Path(f).name for f in folders], "method": name}
    return store.get("arms", inputs, lambda folder: _join(folder, data, own, people, folders)) / "faces.npy"


def _join(folder: Path, data, own: str, people: list[str], folders: list[str]) -> None:
    """Each person's faces in their rows; the template's own are what they are."""
    from .per_person import prepare

    out, names, costs = new_arm(folder, len(data.images)), data.person_names(), []
    rows = np.flatnonzero(names == own)
    out[rows] = prepare(data.images, study.RECOGNISER_SIZE, rows)
    for person, made in zip(people, folders):
        out[names == person] = images.resize(np.load(Path(made) / "faces.npy"), study.RECOGNISER_SIZE)
        costs.append(json.loads((Path(made) / COST).read_text()))
    out.flush()
    total = {key: sum(one[key] for one in costs) for key in ("images", "core_seconds", "networks")}
    write_json(folder / COST, {**total, "parameters": costs[0]["parameters"]})
