"""The rendered corpora through the loaders: as official files, in every layout, and against what the renderer knows."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_datasets import compare_with_public_readers

from deepfn_lib.cluster import Machine
from deepfn_lib.datasets.bp4d import read_bp4d
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.faces import alignment, crops
from deepfn_lib.faces.alignment import POINT_COLUMNS
from deepfn_lib.faces.detection import detect
from deepfn_lib.faces.sources import grey_frames
from deepfn_lib.frames import INTENSITIES, KEYS, OCCURRENCES
from deepfn_lib.settings import load_settings
from deepfn_lib.study import Study
from deepfn_lib.template import choose_template

CODES = [*KEYS, *OCCURRENCES, *INTENSITIES]


@pytest.fixture(scope="module")
def corpora(session_store):
    return Study(load_settings("smoke"), session_store).corpora


@pytest.fixture(scope="module")
def reference(corpora):
    return {"BP4D": read_bp4d(corpora.roots["BP4D"]), "DISFA": read_disfa(corpora.roots["DISFA"])}


def test_rendered_trees_as_others_read_them(corpora):
    compare_with_public_readers(corpora.roots["BP4D"], corpora.roots["DISFA"])


def test_nothing_rendered_is_left_out(reference):
    for loaded in reference.values():
        assert not len(loaded.exclusions)
        assert len(loaded.frames)


def test_every_frame_has_its_exact_answer(corpora, reference):
    points = pd.read_parquet(corpora.landmarks)
    for dataset, loaded in reference.items():
        keys = set(map(tuple, loaded.frames[list(KEYS)].itertuples(index=False)))
        for identity in ("self", "template"):
            rows = points[(points["dataset"] == dataset) & (points["identity"] == identity)]
            assert keys <= set(map(tuple, rows[list(KEYS)].itertuples(index=False)))
        sources = loaded.frames["source"].unique()
        assert all((corpora.truth_roots[dataset] / source).is_file() for source in sources)


def _link(old, new):
    new.parent.mkdir(parents=True, exist_ok=True)
    os.link(old, new)


def _bp4d_variant(root, name, place):
    """The same files by other names and in other folders."""
    for path in sorted(root.rglob("*")):
        if path.is_dir():
            continue
        parts = list(path.relative_to(root).parts)
        if path.suffix == ".jpg":
            number = int(path.stem)
            stem = {"five digits": f"{number:05d}", "no padding": str(number), "one less": f"{number - 1:04d}"}.get(
                name, path.stem
            )
            parts[-1] = stem + (".JPG" if name == "capitals" else ".jpg")
            parts[0] = "2D+3D" if name == "2D+3D" else parts[0]
        elif name == "flat":
            parts = ["AUCoding", parts[-1]] if "AU_OCC" in parts else ["AU-Intensity-Codes3.0", *parts[-2:]]
        elif name == "nested":
            parts = ["AUCoding", "AUCoding", parts[-1]] if "AU_OCC" in parts else ["AU Intensity Codes3.0", *parts[-2:]]
        target = place.joinpath(*parts)
        if path.suffix == ".csv" and name == "Windows":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        else:
            _link(path, target)
    return place


@pytest.mark.parametrize(
    "name", ["flat", "nested", "2D+3D", "five digits", "no padding", "capitals", "Windows", "one less"]
)
def test_bp4d_layouts_give_the_same_rows_and_pictures(name, corpora, reference, tmp_path):
    """Rows and pictures are all that a score is computed from, so scores are the same through every layout."""
    root = _bp4d_variant(corpora.roots["BP4D"], name, tmp_path)
    loaded = read_bp4d(root, frame_offset=-1 if name == "one less" else 0)
    ours = reference["BP4D"].frames
    pd.testing.assert_frame_equal(loaded.frames[CODES], ours[CODES])
    for row in range(0, len(ours), 7):
        same = os.path.samefile(root / loaded.frames["source"][row], corpora.roots["BP4D"] / ours["source"][row])
        assert same, ours["source"][row]


@pytest.mark.parametrize("name", ["Video_LeftCamera", "flat", "frames from 0", "frames from 1"])
def test_disfa_layouts_give_the_same_rows_and_pictures(name, corpora, reference, tmp_path):
    import cv2

    original, ours = corpora.roots["DISFA"], reference["DISFA"].frames
    shutil.copytree(original / "ActionUnit_Labels", tmp_path / "labels")
    options = {}
    for video in original.rglob("*.avi"):
        if name == "Video_LeftCamera":
            _link(video, tmp_path / "Video_LeftCamera" / video.name.replace("_comp", "_Comp"))
        elif name == "flat":
            _link(video, tmp_path / video.name)
        else:
            options = {"frames_folder": "frames", "first_image": int(name[-1])}
            rows = ours[ours["source"] == video.relative_to(original).as_posix()]
            folder = tmp_path / "frames" / rows["participant"].iloc[0]
            folder.mkdir(parents=True)
            for k, image, _ in grey_frames(original, rows["source"].tolist(), rows["source_index"].to_numpy()):
                cv2.imwrite(str(folder / f"{rows['frame'].iloc[k] - 1 + options['first_image']:05d}.png"), image)
    loaded = read_disfa(tmp_path, **options)
    pd.testing.assert_frame_equal(loaded.frames[CODES], ours[CODES])
    for participant in ours["participant"].unique()[:2]:
        rows = (ours["participant"] == participant).to_numpy()
        pairs = [
            grey_frames(root, table["source"][rows].tolist(), table["source_index"][rows].to_numpy())
            for root, table in ((original, ours), (tmp_path, loaded.frames))
        ]
        for (_, one, _), (_, two, _) in zip(*pairs):
            assert (one == two).all()


def test_detected_points_are_the_renderers(corpora, reference):
    """Every fifth session's middle frame: found, and the points within a tenth of the distance between the eyes."""
    frames = reference["BP4D"].frames
    rows = frames.groupby(["participant", "task"]).nth(2).iloc[::5]
    exact = pd.read_parquet(corpora.landmarks).query("identity == 'self'").set_index(["participant", "task", "frame"])
    truth = np.stack(
        [
            exact.loc[tuple(row), POINT_COLUMNS].to_numpy(float)
            for row in rows[["participant", "task", "frame"]].to_numpy()
        ]
    )
    pictures = [
        image for _, image, _ in grey_frames(corpora.roots["BP4D"], rows["source"].tolist(), np.full(len(rows), -1))
    ]
    found = detect(pictures)
    assert found.found.mean() >= 0.95
    truth = truth.reshape(-1, 5, 2)[found.found]
    eyes = np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1)
    error = np.linalg.norm(found.points[found.found] - truth, axis=2) / eyes[:, None]
    assert error.mean() < 0.1


def alignment_quality(frames: pd.DataFrame, points: np.ndarray, landmarks: Path, side: int = 64) -> pd.DataFrame:
    """How still a face's points lie in its crop, where the renderer knows the truth: the scatter of the exact points in
    crops of `side` pixels, for each mode of alignment.

    `frames` is the frame table of a faces artefact and `points` its (n, 14) array of tracked points and boxes, so no
    image is read and nothing detected anew. `landmarks` is the renderer's file. Returns one row a dataset and mode:
    `within` (pixels, root mean square distance of a point from its person's mean: pose, jitter and expression) and
    `between` (of the persons' means from the mean over persons: identity, which alignment cannot take away).
    """
    assert len(points) == len(frames)
    exact = pd.read_parquet(landmarks, filters=[("identity", "==", "self")])
    exact = (
        frames[list(KEYS)].astype({"frame": "int64"}).merge(exact.astype({"frame": "int64"}), on=list(KEYS), how="left")
    )
    known = exact["x0"].notna().to_numpy()
    true = exact.loc[known, POINT_COLUMNS].to_numpy(float).reshape(-1, 5, 2)
    people = (frames["dataset"].astype(str) + "/" + frames["participant"].astype(str)).to_numpy()[known]
    tracked, boxes = points[known, :10].reshape(-1, 5, 2), points[known, 10:]
    rows = []
    for mode in alignment.MODES:
        matrix = alignment.transforms(tracked, boxes, side, mode)
        placed = alignment.place(matrix, true)
        table = pd.DataFrame(placed.reshape(len(placed), 10))
        means = table.groupby(people).transform("mean").to_numpy()
        within = (((placed.reshape(len(placed), 10) - means) ** 2).reshape(-1, 5, 2)).sum(-1).mean(-1)
        for dataset in pd.unique(frames["dataset"]):
            own = np.char.startswith(people.astype(str), f"{dataset}/")
            if own.any():
                persons = table[own].groupby(people[own]).mean().to_numpy().reshape(-1, 5, 2)
                between = ((persons - persons.mean(0)) ** 2).sum(-1).mean()
                rows.append((dataset, mode, float(np.sqrt(within[own].mean())), float(np.sqrt(between))))
    return pd.DataFrame(rows, columns=["dataset", "alignment", "within", "between"])


def test_faces_and_exact_answers_lie_alike(corpora, reference, tmp_path):
    """The template's own frames are their own exact answers, up to what detection knows less than the renderer."""
    template = choose_template(reference["BP4D"].frames).participant
    frames = reference["BP4D"].frames
    frames = frames[(frames["participant"] == template) & (frames["task"] == "T5")]
    crops.build_faces(
        tmp_path,
        frames,
        reference["BP4D"].exclusions,
        reference["BP4D"].participants,
        corpora.roots,
        detect_every=1,
        truth_roots=corpora.truth_roots,
        landmarks=corpora.landmarks,
        machine=Machine(workers=1),
    )
    images, truth = np.load(tmp_path / "faces.npy"), np.load(tmp_path / "truth.npy")
    assert len(images) == len(truth) == len(frames)
    centre = slice(24, 104)
    own, exact = images[:, centre, centre].astype(float), truth[:, centre, centre].astype(float)
    shifts = [(down, across) for down in range(-6, 7) for across in range(-6, 7)]
    apart = [np.abs(own - np.roll(exact, shift, axis=(1, 2))).mean() for shift in shifts]
    assert np.abs(shifts[int(np.argmin(apart))]).max() <= 2  # of 128 pixels
    quality = alignment_quality(frames, np.load(tmp_path / "points.npy"), corpora.landmarks).set_index("alignment")
    assert quality.loc["five-points", "within"] < quality.loc["none", "within"]
    assert (quality["between"] == 0).all()  # one person


def test_modes_of_alignment_cut_the_exact_answers_too(corpora):
    points = pd.read_parquet(corpora.landmarks).query("identity == 'template' and dataset == 'BP4D'")
    five = points[POINT_COLUMNS].to_numpy(float).reshape(-1, 5, 2)[::50]
    boxes = alignment.boxes_from_points(five)
    for mode in alignment.MODES:
        matrices = alignment.transforms(five, boxes, 128, mode)
        placed = alignment.place(matrices, five)
        assert (placed > 0).all() and (placed < 128).all()
        assert placed[:, 3:, 1].mean() - placed[:, :2, 1].mean() > 25
