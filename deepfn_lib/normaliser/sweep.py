"""The augmentation as a question: the same small training under one strength after another (chapter 11)."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from .. import study
from ..artefacts import Store
from ..cluster import run_jobs
from ..settings import Settings
from .augmentation import Augmentation
from .precision import Arithmetic

CODE_VERSION = 1  # raise when the same settings would give other numbers
WARPS = (0.0, 1.25, 2.5, 5.0, 10.0)  # pixels of the 256-pixel face; 5 is the code base's


def variants(warps: tuple[float, ...] = WARPS) -> list[tuple[str, float, Augmentation]]:
    """(what is varied, its value, the augmentation): the warp, and affine and flip off with all else as usual."""
    usual = Augmentation()
    still = replace(usual, rotation=0.0, scale=0.0, shift=0.0)
    return [
        *(("warp", warp, replace(usual, warp_pixels=warp)) for warp in warps),
        ("affine", 0.0, still),
        ("flip", 0.0, replace(usual, flip=0.0)),
    ]


def measure(given: np.ndarray, moved: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    """How one person's faces came out, all uint8 (n, h, w): `given`, `moved` to the template, and the exact answer.

    psnr: mean decibels against the answer. expression_kept: correlation, over frames and pixels, of what changes from
    the mean picture in `moved` and in the answer (1: every change is there; 0: none, or a constant picture).
    identity_left: the share of the way from the answer's mean picture to the person's own that `moved`'s
    mean picture has gone (0: the template's looks; 1: the person's).
    """
    given, moved, exact = (np.asarray(a, np.float64).reshape(len(a), -1) / 255 for a in (given, moved, exact))
    means = [a.mean(0) for a in (given, moved, exact)]
    psnr = -10 * np.log10(np.maximum(np.square(moved - exact).mean(1), 1e-10)).mean()
    changes, wanted = moved - means[1], exact - means[2]
    size = np.sqrt(np.square(changes).sum() * np.square(wanted).sum())
    way = means[0] - means[2]
    return {
        "psnr": float(psnr),
        "expression_kept": float((changes * wanted).sum() / size) if size > 0 else 0.0,
        "identity_left": float((means[1] - means[2]) @ way / max(way @ way, 1e-12)),
    }


def augmentation_sweep(
    settings: Settings, store: Store, people: list[str], iterations: int, batch: int
) -> pd.DataFrame:
    """One small network for each person and variant: columns varied, value, person, psnr, expression_kept,
    identity_left.

    `people` as `dataset/participant`, of a corpus whose exact answers exist. Size, width and learning rate are the
    settings'. All networks of a person start from the same weights and see the same batches, so that only the
    augmentation differs.
    """
    data, template = study.faces(settings, store), study.template(settings, store)
    shared = {
        "size": settings.normaliser_size,
        "width": settings.normaliser_width,
        "iterations": iterations,
        "batch": batch,
        "learning_rate": settings.normaliser_learning_rate,
        "seed": settings.seed,
        "loss": settings.loss,
    }
    inputs = {
        "code": CODE_VERSION,
        "faces": data.key,
        "template": template.participant,
        "people": people,
        "variants": [[what, value, asdict(a)] for what, value, a in variants()],
        **shared,
        **Arithmetic.of(settings).key(),
    }

    def make(folder: Path) -> None:
        owner = template.name
        training = {**shared, "arithmetic": Arithmetic.of(settings)}
        jobs = [
            (str(folder), number, str(data.folder), owner, person, what, value, asdict(augmentation), training)
            for number, (person, (what, value, augmentation)) in enumerate(
                (person, variant) for person in people for variant in variants()
            )
        ]
        rows = run_jobs(
            one_variant,
            jobs,
            description="augmentation",
            cluster=settings.cluster,
            workers=settings.workers or None,
            unit="network",
        )
        pd.DataFrame(rows).to_parquet(folder / "sweep.parquet", index=False)

    return pd.read_parquet(store.get("augmentation", inputs, make) / "sweep.parquet")


def bends() -> list[tuple[str, dict]]:
    """(label, changes to the recipe) for the reference network: how far a frame is bent against its own median.

    What both pictures share says nothing about expression, so the bend that counts is the one between them. 0.6 is
    the study's own (`reference.MISALIGNED`), 5 the code base's strength. The last has no common affine transform.
    """
    from .recipe import MISALIGNED, NUISANCE

    still = replace(NUISANCE, rotation=0.0, scale=0.0, shift=0.0)
    warps = [(f"warp {warp:g}", {"misaligned": warp}) for warp in (0.0, MISALIGNED, 5.0)]
    return [*warps, ("no affine", {"nuisance": still})]


def bent_arms(settings: Settings, store: Store) -> dict[str, Path]:
    """The supervised reference network's arm under each of `bends`: label to the file, uint8 (n, 64, 64).

    Trained for `settings.shared_iterations`, everything else being the same. Only BP4D's faces are normalised; the
    others' are black.
    """
    from . import methods

    methods.reader_folder(settings, store)  # once, before the workers want it
    jobs = [(str(store.root), settings.model_dump(), number) for number in range(len(bends()))]
    paths = run_jobs(
        make_bent_arm,
        jobs,
        description="augmentation, scored",
        cluster=settings.cluster,
        workers=settings.workers or None,
        unit="network",
    )
    return {label: Path(path) for (label, _), path in zip(bends(), paths)}


def make_bent_arm(root: str, values: dict, number: int) -> str:
    """One job: the reference network under one of `bends`, and BP4D's faces through it."""
    from ..device import configure_tensorflow

    configure_tensorflow(threads=1)
    from . import methods
    from .examples import Reference, pairs_from, train_reference

    settings, store = Settings(**values), Store(root)
    data, pairs = study.faces(settings, store), methods.rendered_pairs(settings, store)
    reading = methods.reader_folder(settings, store)
    label, changes = bends()[number]
    recipe = replace(methods.recipe(settings), **changes)
    described = {**recipe.described(), "pairs": pairs.name, "faces": data.key}

    def make(folder: Path) -> None:
        source = pairs_from(pairs, recipe)
        train_reference(folder, source, recipe, label, reading)
        out, wanted = methods.new_arm(folder, len(data.images)), (data.frames["dataset"] == "BP4D").to_numpy()
        Reference(folder, recipe).normalise_everyone(data.images, data.person_names(), out, wanted)
        out.flush()

    inputs = {"code": [CODE_VERSION, methods.CODE_VERSION], **described}
    return str(store.get("augmentation-arms", inputs, make) / "faces.npy")


def one_variant(
    folder: str,
    number: int,
    faces_folder: str,
    template: str,
    person: str,
    varied: str,
    value: float,
    augmentation: dict,
    training: dict,
) -> dict:
    """One job: train one network and measure its faces. Nothing but the numbers is kept."""
    from ..device import configure_tensorflow

    configure_tensorflow(threads=1)
    import shutil

    from .per_person import prepare, train_person, transfer

    source = Path(faces_folder)
    frames = pd.read_parquet(source / "frames.parquet", columns=["dataset", "participant"]).astype(str)
    names = (frames["dataset"] + "/" + frames["participant"]).to_numpy()
    images, truth = (np.load(source / f"{name}.npy", mmap_mode="r") for name in ("faces", "truth"))
    rows, size = np.flatnonzero(names == person), training["size"]
    given, exact = prepare(images, size, rows), prepare(truth, size, rows)
    target = prepare(images, size, np.flatnonzero(names == template))
    place = Path(folder) / f"network-{number}"
    train_person(
        place,
        target,
        given,
        augmentation=Augmentation(**augmentation),
        label=person,
        checkpoint_every=max(1, training["iterations"] // 4),
        **training,
    )
    moved = transfer(place, given)
    shutil.rmtree(place)
    return {"varied": varied, "value": value, "person": person, **measure(given, moved, exact)}
