"""Detection, alignment, crops and the arms without a network."""

import cv2
import licensed_trees as trees
import numpy as np
import pandas as pd
import pytest

from deepfn_lib.arms import ARMS, find
from deepfn_lib.cluster import Machine
from deepfn_lib.datasets import videos
from deepfn_lib.datasets.bp4d import read_bp4d
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.datasets.videos import DROPPED, video_packets
from deepfn_lib.errors import StudyError
from deepfn_lib.faces import alignment, crops, detection, images, tracking
from deepfn_lib.faces.sources import UNREADABLE, VIDEO_ENDED, grey_frames
from deepfn_lib.frames import join
from deepfn_lib.study.steps import Named


@pytest.fixture(scope="module")
def portrait():
    """A real face in the public domain (NASA), 200 x 240 grey."""
    from skimage import data

    colour = data.astronaut()[20:260, 120:320]
    return cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)


@pytest.fixture(scope="module")
def trees_with_faces(tmp_path_factory, portrait):
    root = tmp_path_factory.mktemp("faces")
    picture = cv2.imencode(".jpg", portrait)[1].tobytes()
    bp4d = trees.write_bp4d(root / "bp4d", people=("F001", "M001"), tasks=("T1",), frames=6, picture=picture)
    disfa = trees.write_disfa(root / "disfa", people=("SN001",), frames=5, cameras=("left",))

    def frame(k):
        return np.repeat(np.roll(portrait, k, axis=1)[:, :, None], 3, axis=2)

    trees.write_video(disfa / "Videos_LeftCamera/LeftVideoSN001_comp.avi", 5, portrait.shape[::-1], frame)
    return bp4d, disfa


def _random_similarity(random):
    angle, scale = random.uniform(-0.5, 0.5), random.uniform(0.2, 3)
    a = scale * np.exp(1j * angle)
    return np.array([[a.real, -a.imag, random.uniform(-50, 50)], [a.imag, a.real, random.uniform(-50, 50)]])


def test_similarity_recovers_the_transform_it_was_made_with():
    random = np.random.default_rng(0)
    target = alignment.CANONICAL_POINTS * 128
    for _ in range(20):
        known = _random_similarity(random)
        inverse = cv2.invertAffineTransform(known)
        points = cv2.transform(target[None], inverse)[0]
        np.testing.assert_allclose(alignment.similarity(points[None], target)[0], known, atol=1e-9)


def test_similarity_agrees_with_scikit_image_on_noisy_points():
    from skimage.transform import SimilarityTransform

    random = np.random.default_rng(1)
    target = alignment.CANONICAL_POINTS * 128
    points = target * 1.7 + 20 + random.normal(0, 4, (10, 5, 2))
    ours = alignment.similarity(points, target)
    for k in range(10):
        theirs = SimilarityTransform.from_estimate(points[k], target)
        np.testing.assert_allclose(ours[k], theirs.params[:2], atol=1e-8)


def test_weights_mean_repeated_points():
    random = np.random.default_rng(2)
    points, target = random.normal(0, 9, (4, 3, 2)), random.normal(0, 9, (3, 2))
    weighted = alignment.similarity(points, target, np.array([2, 1, 1]))
    repeated = alignment.similarity(points[:, [0, 0, 1, 2]], target[[0, 0, 1, 2]])
    np.testing.assert_allclose(weighted, repeated, atol=1e-9)


def test_coinciding_points_are_an_error():
    with pytest.raises(ValueError, match="coincide"):
        alignment.similarity(np.ones((1, 5, 2)), alignment.CANONICAL_POINTS)


@pytest.mark.parametrize("scale", [0.2, 0.5, 1.0, 2.0])
def test_crop_puts_the_points_where_they_belong(scale):
    """Blobs at the five points, at any size in the image, lie on the canonical places of the crop."""
    side, target = 128, alignment.CANONICAL_POINTS * 128 - 0.5
    points = (target - 60) / scale + 700
    image = np.zeros((1400, 1400), np.float32)
    y, x = np.mgrid[:1400, :1400].astype(np.float32)
    for px, py in points:
        image += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * (3 / scale) ** 2))
    image = np.uint8(np.clip(image * 250, 0, 255))
    matrix = alignment.transforms(points[None], np.zeros((1, 4)), side)[0]
    face = alignment.crop(image, matrix, side).astype(float)
    for px, py in target:
        near = np.zeros_like(face)
        y0, x0 = int(py) - 8, int(px) - 8
        near[y0 : y0 + 18, x0 : x0 + 18] = face[y0 : y0 + 18, x0 : x0 + 18]
        centre = np.array([(near.sum(0) * np.arange(side)).sum(), (near.sum(1) * np.arange(side)).sum()]) / near.sum()
        np.testing.assert_allclose(centre, (px, py), atol=0.25)


def test_modes_differ_as_they_say():
    points = (alignment.CANONICAL_POINTS * 100 + 30)[None]
    wide_mouth = points.copy()
    wide_mouth[0, 3:, 0] += (-8, 8)
    boxes = np.array([[40.0, 40, 120, 140]])
    eyes = [alignment.transforms(p, boxes, 64, "eyes") for p in (points, wide_mouth)]
    np.testing.assert_allclose(eyes[0], eyes[1])
    none = alignment.transforms(points, boxes, 64, "none")[0]
    np.testing.assert_allclose(none @ [80, 90, 1], [31.5, 31.5])
    assert none[0, 1] == 0
    np.testing.assert_allclose(64 / none[0, 0], 100 * alignment.BOX_MARGIN)
    with pytest.raises(ValueError, match="unknown"):
        alignment.transforms(points, boxes, 64, "nose")


def test_detector_finds_a_face_and_says_where_there_is_none(portrait):
    found = detection.detect([portrait, np.full((240, 200), 128, np.uint8), np.zeros((50, 60), np.uint8)])
    assert found.found.tolist() == [True, False, False]
    points = found.points[0]
    assert points[0, 0] < points[1, 0] and points[3, 0] < points[4, 0]
    assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()
    assert np.isnan(found.points[1:]).all()
    with_blank = detection.detect([np.zeros((240, 200), np.uint8)])
    assert not with_blank.found.any()


def test_detector_finds_what_the_package_finds_by_itself(portrait, monkeypatch):
    """Its networks are compiled here; points, boxes and confidence stay those of the package as it comes."""
    from mtcnn import MTCNN

    pictures = [portrait, cv2.flip(portrait, 1), np.full(portrait.shape, 128, np.uint8)]
    ours = detection.detect(pictures)
    monkeypatch.setattr(detection, "_network", MTCNN)
    theirs = detection.detect(pictures)
    assert ours.found.tolist() == [True, True, False]
    np.testing.assert_allclose(ours.points, theirs.points, atol=1e-3)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
    np.testing.assert_allclose(ours.confidence, theirs.confidence, atol=1e-5)


def test_detector_works_in_the_images_own_pixels(portrait):
    large = cv2.resize(portrait, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    small, big = detection.detect([portrait]), detection.detect([large])
    np.testing.assert_allclose(big.points[0] / 3, small.points[0], atol=4)


def _fake(points_by_level):
    """A detector that knows where the face is from the image's grey level, and fails on level 0."""

    def detect(images):
        levels = [int(image[0, 0]) for image in images]
        points = np.array([points_by_level(level) if level else np.full((5, 2), np.nan) for level in levels])
        boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
        return detection.Detections(points, boxes, np.array([float(level > 0) for level in levels]))

    return detect


def _follow(levels, every, monkeypatch, points_by_level):
    monkeypatch.setattr(tracking, "detect", _fake(points_by_level))
    tracker = tracking.Tracker(every)
    frames = ((k, float(k), np.full((4, 4), level, np.uint8)) for k, level in enumerate(levels))
    return tracker, list(tracker.follow(frames))


def _moving(level):
    return alignment.CANONICAL_POINTS * 100 + [level, 2 * level]


@pytest.mark.parametrize("every", [1, 2, 5, 7])
@pytest.mark.parametrize("count", [1, 6, 100, 203])
def test_a_face_in_even_motion_is_followed_exactly(every, count, monkeypatch):
    levels = list(range(1, count + 1))
    tracker, rows = _follow(levels, every, monkeypatch, _moving)
    assert [row for row, _, _ in rows] == list(range(count))
    assert tracker.due == -(-count // every) and tracker.failed == 0
    last = (count - 1) // every * every  # beyond the last detection the face stays
    for row, image, values in rows:
        assert image[0, 0] == levels[row]
        np.testing.assert_allclose(values[:10].reshape(5, 2), _moving(levels[min(row, last)]), atol=1e-9)


def test_a_failed_frame_borrows_from_its_neighbour(monkeypatch):
    levels = [9] * 20
    levels[5] = 0
    tracker, rows = _follow(levels, 5, monkeypatch, _moving)
    assert (tracker.due, tracker.failed, tracker.recovered) == (4, 1, 1)
    assert all(values is not None for _, _, values in rows)


def test_no_face_is_carried_beyond_reach(monkeypatch):
    levels = [9] * 10 + [0] * 60 + [9] * 10
    tracker, rows = _follow(levels, 2, monkeypatch, _moving)
    lost = [row for row, _, values in rows if values is None]
    assert lost == list(range(8 + 2 * tracking.REACH + 2, 70 - 2 * tracking.REACH))


def test_no_face_at_all(monkeypatch):
    tracker, rows = _follow([0] * 9, 3, monkeypatch, _moving)
    assert all(values is None for _, _, values in rows)
    assert tracker.failed == 3


def test_a_glitch_is_not_taken_for_a_face(monkeypatch):
    def jumping(level):
        return _moving(9) if level < 200 else _moving(9) * 4

    levels = [9] * 40
    levels[20] = 201
    tracker, rows = _follow(levels, 4, monkeypatch, jumping)
    assert tracker.failed == 1 and tracker.recovered == 1
    for _, _, values in rows:
        np.testing.assert_allclose(values[:10].reshape(5, 2), _moving(9))


def test_a_video_is_read_once_and_never_shifted(tmp_path):
    trees.write_video(tmp_path / "v.avi", 20)
    wanted = np.array([0, 3, 4, 11, 19, 20, 25])
    rows = list(grey_frames(tmp_path, ["v.avi"] * len(wanted), wanted))
    assert [row for row, _, _ in rows] == list(range(7))
    for (_, image, _), index in zip(rows[:5], wanted):
        assert abs(float(image.mean()) - (10 + 2 * index)) < 1.5
    assert [reason for _, _, reason in rows[5:]] == [VIDEO_ENDED] * 2


@pytest.mark.parametrize("codec", ["MJPG", "XVID"])
@pytest.mark.parametrize(
    ("spoiling", "lost"),
    [
        ({"dropped": (5,)}, {5: DROPPED}),
        ({"dropped": (0, 1, 7, 11)}, {0: DROPPED, 1: DROPPED, 7: DROPPED, 11: VIDEO_ENDED}),
        ({"zeroed": (0, 4, 5)}, {0: UNREADABLE, 4: UNREADABLE, 5: UNREADABLE}),
        ({"dropped": (3,), "zeroed": (4, 11), "claimed": 9}, {3: DROPPED, 4: UNREADABLE, 11: UNREADABLE}),
        ({"claimed": 9}, {}),
    ],
)
def test_a_frame_that_is_not_there_moves_no_other(codec, spoiling, lost, tmp_path):
    def picture(k):
        return np.full((48, 64, 3), 10 + 20 * k, np.uint8)

    trees.write_video(tmp_path / "v.avi", 12, (64, 48), picture, codec)
    assert video_packets(tmp_path / "v.avi").length == 12
    trees.spoil_video(tmp_path / "v.avi", **spoiling)
    wanted = np.arange(13)
    rows = list(grey_frames(tmp_path, ["v.avi"] * len(wanted), wanted))
    assert [row for row, _, _ in rows] == wanted.tolist()
    assert {row: reason for row, _, reason in rows if reason} == {**lost, 12: VIDEO_ENDED}
    found = {row: float(image.mean()) for row, image, _ in rows if image is not None}
    assert found == {row: pytest.approx(10 + 20 * row, abs=6) for row in range(12) if row not in lost}


def test_time_stamps_are_frames(tmp_path):
    def positions(times, step):
        return videos._positions(np.array(times, float), step).tolist()

    assert positions([0, 50, 100, 200, 250], 50) == [0, 1, 2, 4, 5]
    assert positions([50, 100, 300], 50) == [1, 2, 6]  # more dropped than there
    assert positions([0, 33, 67, 100, 133, 200], 36.0) == [0, 1, 2, 3, 4, 6]  # rounded, and a mean rate
    assert positions([0, 0, 0], 50) == [0, 1, 2]  # no time stamps
    assert positions([0, 40, 80], np.inf) == [0, 1, 2]  # no rate
    assert positions([], 50) == []


def test_crops_of_both_layouts(trees_with_faces, tmp_path):
    bp4d, disfa = trees_with_faces
    damaged = bp4d / "Sequences(2D+3D)/F001/T1/0003.jpg"
    whole = damaged.read_bytes()
    damaged.write_bytes(b"no picture")
    try:
        loaded = join([read_bp4d(bp4d), read_disfa(disfa)])
        roots = {"BP4D": bp4d, "DISFA": disfa}
        crops.build_faces(
            tmp_path,
            loaded.frames,
            loaded.exclusions,
            loaded.participants,
            roots,
            crop_size=64,
            detect_every=2,
            machine=Machine(workers=2),
        )
    finally:
        damaged.write_bytes(whole)
    frames = pd.read_parquet(tmp_path / "frames.parquet")
    faces = np.load(tmp_path / "faces.npy", mmap_mode="r")
    assert faces.shape == (len(loaded.frames) - 1, 64, 64) and faces.dtype == np.uint8
    assert not ((frames["participant"] == "F001") & (frames["frame"] == 3)).any()
    excluded = pd.read_parquet(tmp_path / "exclusions.parquet")
    assert excluded.query("reason == 'image cannot be read'")["frames"].tolist() == [1]
    # The same portrait: everybody's face is the same face, in the video too.
    first = faces[0].astype(float)
    assert np.abs(faces.astype(float) - first).mean(axis=(1, 2)).max() < 12
    assert not (tmp_path / "sessions").exists()
    detections = pd.read_parquet(tmp_path / "detections.parquet")
    assert detections["frames"].sum() == len(loaded.frames)
    assert (detections["due"] >= detections["failed"]).all()


def test_crops_continue_where_they_stopped(trees_with_faces, tmp_path, monkeypatch):
    bp4d, _ = trees_with_faces
    loaded = read_bp4d(bp4d)
    arguments = (loaded.frames, loaded.exclusions, loaded.participants, {"BP4D": bp4d})
    cut, made = crops.cut_session, []

    def stop_after_one(*job):
        if made:
            raise KeyboardInterrupt
        made.append(cut(*job))
        return made[0]

    class Here(Machine):
        def run(self, function, jobs, **_):
            return [function(*job) for job in jobs]

    monkeypatch.setattr(crops, "cut_session", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        crops.build_faces(tmp_path, *arguments, crop_size=64, machine=Here())
    assert len(list((tmp_path / "sessions").iterdir())) == 1
    again = []
    monkeypatch.setattr(crops, "cut_session", lambda *job: again.append(cut(*job)))
    crops.build_faces(tmp_path, *arguments, crop_size=64, machine=Here())
    assert len(again) == 1
    assert len(np.load(tmp_path / "faces.npy")) == len(loaded.frames)


def test_nothing_to_cut_is_one_line(tmp_path):
    root = trees.write_bp4d(tmp_path / "b", people=("F001",), tasks=("T1",), frames=3)
    loaded = read_bp4d(root)
    with pytest.raises(StudyError, match="no face") as problem:
        crops.build_faces(tmp_path / "f", loaded.frames, loaded.exclusions, loaded.participants, {"BP4D": root})
    assert "\n" not in str(problem.value)


# Arms.


def _equalised_by_hand(image):
    """The textbook's formula, pixel by pixel."""
    counts = np.bincount(image.ravel(), minlength=256)
    total, cumulative = image.size, counts.cumsum()
    darkest = cumulative[np.flatnonzero(counts)[0]]
    if darkest == total:
        return image
    table = np.round(255 * (cumulative - darkest) / (total - darkest))
    return table[image].astype(int)


def test_equalisation_is_the_textbooks(portrait):
    random = np.random.default_rng(0)
    noise = random.integers(60, 120, (5, 33, 47)).astype(np.uint8)
    for image, ours in zip(noise, images.equalise(noise)):
        assert np.abs(ours.astype(int) - _equalised_by_hand(image)).max() <= 1
    one = images.equalise(portrait[None])[0]
    assert np.abs(one.astype(int) - _equalised_by_hand(portrait)).max() <= 1
    flat = np.full((1, 8, 8), 77, np.uint8)
    assert images.equalise(flat)[0, 0, 0] == 77


def test_median_face_is_numpys():
    random = np.random.default_rng(1)
    faces = random.integers(0, 256, (301, 8, 8)).astype(np.uint8)
    assert (images.median_face(faces) == np.median(faces, axis=0)).all()
    assert (images.median_face(faces, frames=1) == faces[0]).all()


def test_everybodys_rows():
    people = np.array(["b", "a", "b", "c", "a"])
    assert {person: rows.tolist() for person, rows in images.by_person(people)} == {"a": [1, 4], "b": [0, 2], "c": [3]}


def test_flow_finds_a_known_shift(portrait):
    face = cv2.resize(portrait, (128, 128), interpolation=cv2.INTER_AREA)
    known = np.float32([[1, 0, 3], [0, 1, -2]])
    moved = cv2.warpAffine(face, known, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    flow = images.flow_between(face, moved)
    inner = flow[30:-30, 30:-30].reshape(-1, 2)
    np.testing.assert_allclose(np.median(inner, axis=0), (3, -2), atol=0.3)
    back = images.warp(moved[None], flow)[0].astype(int)
    assert np.abs(back - face)[20:-20, 20:-20].mean() < 0.5 * np.abs(moved.astype(int) - face)[20:-20, 20:-20].mean()


@pytest.fixture(scope="module")
def small_study(portrait):
    """Two people (the second a stretched first) and the same small change in both."""
    face = cv2.resize(portrait, (128, 128), interpolation=cv2.INTER_AREA)
    stretch = np.float32([[1.08, 0, -5], [0, 0.95, 3]])
    other = cv2.warpAffine(face, stretch, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    rows, people = [], []
    for person, base in (("F001", face), ("M001", other)):
        for k in range(7):
            image = base.copy()
            if k == 6:
                image[80:90, 50:70] = 255 - image[80:90, 50:70]
            rows.append(image)
            people.append(person)
    return np.stack(rows), np.array(people)


def shown_as(name, faces, people, template):
    """An arm without a network, uint8 (n, 64, 64), as the study makes it."""
    medians, change = images.median_faces(faces, people), Named(find(name).change).function
    out = np.empty((len(faces), 64, 64), np.uint8)
    for person, rows in images.by_person(people):
        out[rows] = images.resize(change(faces[rows], medians[person], medians[template]))
    return out


@pytest.mark.parametrize("name", [arm.name for arm in ARMS if arm.change])
def test_arms_are_row_aligned(name, small_study):
    faces, people = small_study
    arm = shown_as(name, faces, people, "F001")
    assert arm.shape == (14, 64, 64) and arm.dtype == np.uint8
    order = np.random.default_rng(0).permutation(14)
    assert (shown_as(name, faces[order], people[order], "F001") == arm[order]).all()


def test_median_subtraction_leaves_the_change_only(small_study):
    arm = shown_as("median-subtracted", *small_study, "F001")
    assert (arm[:6] == 128).all() and (arm[7:13] == 128).all()
    assert np.abs(arm[6].astype(int) - 128)[40:45, 25:35].mean() > 20


def test_flow_residual_shows_the_template(small_study):
    faces, people = small_study
    arm = shown_as("flow-residual", faces, people, "F001").astype(int)
    template = images.resize(images.median_faces(faces, people)["F001"][None])[0]
    # The template's own faces come through as they are; everyone's unchanged face is the template's median.
    assert np.abs(arm[:6] - template).max() <= 1
    assert np.abs(arm[7:13] - template).max() <= 1
    assert np.abs(arm[13] - template)[38:46, 24:36].mean() > 20


def test_unknown_arm_and_absent_template(small_study):
    with pytest.raises(StudyError, match="arm 'median' is unknown"):
        shown_as("median", *small_study, "F001")
    with pytest.raises(KeyError):
        shown_as("flow-residual", *small_study, "F999")
