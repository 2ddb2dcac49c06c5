"""Families of faces: the renderer takes any as one entry, and the one from a user's copy of ICT-FaceKit."""

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from deepfn_lib.artefacts import project_root
from deepfn_lib.errors import StudyError
from deepfn_lib.faces.alignment import cut
from deepfn_lib.rendering import families, head, people, renderer, scans, scene
from deepfn_lib.study import Study, data

SEED = 2022
SHARED = Path(os.environ.get("ICT_FACE", project_root().parent / "shared" / "assets" / "ict_face"))


def checkout(root: Path, vertices: int = 4) -> Path:
    """A tiny checkout: every file that is read, of a few vertices each. The names of files are the repository's."""
    (root / "FaceXModel").mkdir(parents=True)
    neutral = np.arange(3.0 * vertices).reshape(vertices, 3)
    polygons = "# a comment\nvt 0 0\nf 1/1 2/1 3/1 4/1\n"
    for number, name in enumerate((scans.NEUTRAL, *(f"{one}.obj" for one in scans.NAMES))):
        lines = "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in neutral + number)
        (root / "FaceXModel" / name).write_text("mtllib x.mtl\n" + lines + polygons)
    (root / "FaceXModel" / scans.INDEX).write_text(json.dumps({"idx_to_landmark_verts": [0] * 68}))
    return root


# The entry.


def test_the_first_family_as_any_other_draws_the_same_pictures(tmp_path):
    shutil.copy(head.ASSET, tmp_path / families.HEAD_FILE)
    (tmp_path / families.UNITS_FILE).write_text(json.dumps(families.ACTION_UNITS))
    moment, pictures = scene.Moment({12: (1.0, 0.5), 4: (0.3, 0.3)}, yaw=9.0, gaze=(4.0, 2.0)), []
    for family in ("", str(tmp_path)):
        one = people.face_of(SEED, "BP4D", "M004", family)
        stage = renderer.make_stage(one, *scene.SCENES["BP4D"], np.random.default_rng(1))
        pictures.append(renderer.render(one, stage, moment))
    assert np.array_equal(pictures[0][0], pictures[1][0]) and np.array_equal(pictures[0][1], pictures[1][1])


def test_components_are_drawn_once_a_person_and_nothing_else_about_a_person_changes():
    names = [f"identity{number:03d}" for number in range(400)]
    other = families.Family(Path("none"), families.ACTION_UNITS)
    other.__dict__["components"] = names
    here, there = (people.make_person(SEED, "BP4D", "F005", family) for family in (families.FIRST_FAMILY, other))
    weights = np.array([there.weights[name] for name in names])
    assert abs(weights.mean()) < 0.15 and 0.85 < weights.std() < 1.1 and np.abs(weights).max() <= people.COMPONENT_LIMIT
    assert {**asdict(here), "weights": 0} == {**asdict(there), "weights": 0}
    assert people.make_person(SEED, "BP4D", "F009", other).weights != there.weights


def test_without_another_family_keys_are_what_they_were():
    study = Study.open("smoke")
    chosen = {"seed": 2022, "bp4d_people": 10, "disfa_people": 6, "bp4d_frame_rate": 0.4, "disfa_frame_rate": 0.1}
    key = data.rendered_corpora.key(study.settings, {"family": study.family})
    assert {**key, "code": 0} == {"made_by": "rendered_corpora", "code": 0, "settings": chosen}
    other = data.rendered_corpora.key(study.settings, {"family": project_root() / "chapters"})
    assert other == {**key, "family": "chapters"}
    for one, inputs in ((data.held_still, {"faces": "f"}), (data.rendered_pairs, {"wearer": "F007"})):
        assert "family" not in one.key(study.settings, {**inputs, "family": None})
        assert "family" in one.key(study.settings, {**inputs, "family": project_root() / "chapters"})


# The reader.


def test_a_checkout_is_checked_in_one_line(tmp_path):
    with pytest.raises(StudyError, match="ict_facekit: .*nowhere has no folder FaceXModel"):
        print(Study.open("smoke", {"ict_facekit": "nowhere"}, str(tmp_path / "a")).family)
    root = checkout(tmp_path / "ict")
    assert scans.checked(str(root)) == root
    (root / "FaceXModel" / "identity007.obj").unlink()
    (root / "FaceXModel" / "jawOpen.obj").unlink()
    with pytest.raises(StudyError, match=r"lacks 2 files, identity007\.obj first"):
        scans.checked(str(root))


def test_a_mesh_that_is_another_is_named(tmp_path):
    root = checkout(tmp_path / "ict")
    with pytest.raises(StudyError, match="has 4 vertices where .*ICT-FaceKit has 26,719"):
        scans.write_family(tmp_path, root)
    (root / "FaceXModel" / scans.NEUTRAL).write_text("v 1 2\nv 3 4\n")
    with pytest.raises(StudyError, match="generic_neutral_mesh.obj cannot be read as a mesh"):
        scans.write_family(tmp_path, root)


def test_an_obj_is_read_in_decimetres_with_polygons_from_zero(tmp_path):
    vertices, polygons = scans.read_obj(checkout(tmp_path / "ict") / "FaceXModel" / scans.NEUTRAL)
    assert vertices.dtype == np.float32 and np.allclose(vertices, np.arange(12).reshape(4, 3) / 10)
    assert polygons == [[0, 1, 2, 3]]


def test_polygons_become_triangles_of_the_parts_that_are_drawn():
    lower = np.zeros(scans.VERTICES, bool)
    lower[17_100:] = True
    iris, lash, upper = 22_221, 26_000, 17_039
    polygons = [[0, 1, 2, 3], [11_247, 11_248, 11_249], [upper, upper + 1, upper + 2], [17_100, 17_101, 17_102]]
    triangles, parts = scans._parts(
        [*polygons, [iris, iris + 1, iris + 2], [lash, 0, 1], [21_451, 21_452, 21_453]], lower
    )
    names = [head.PARTS[part] for part in parts]
    assert names == ["skin", "skin", "skin", "upper-teeth", "lower-teeth", "left-eye"]
    assert triangles[:2].tolist() == [[0, 1, 2], [0, 2, 3]]


def test_the_table_of_landmarks_is_one_of_both_sides():
    assert len(scans.LEFT) == len(scans.RIGHT) == len(set(scans.RIGHT)) and set(scans.LEFT) <= set(scans.LANDMARKS)
    middle = set(scans.LANDMARKS) - set(scans.LEFT)
    assert all(scans.LANDMARKS[number][0] == 0 for number in middle)
    assert all(scans.LANDMARKS[number][0] > 0 for number in scans.LEFT)
    assert set(scans.ACTION_UNITS) == set(families.ACTION_UNITS)


def test_the_manifest_names_the_licence_and_nothing_of_it_is_in_the_project():
    manifest = yaml.safe_load((project_root() / "data_manifests" / "ict-facekit.yml").read_text())
    assert manifest["licence"].startswith("MIT, Copyright (c) 2020 USC Institute for Creative Technologies")
    assert manifest["counts"] == {"vertices": scans.VERTICES, "components": scans.COMPONENTS}
    assert not list(project_root().rglob("FaceXModel"))


# The family itself.


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """The family as `write_family` makes it, its shapes from one archive of the same numbers where no OBJ is."""
    if not (SHARED / "ict_face.npz").is_file():
        pytest.skip("no copy of ICT-FaceKit's data here: ICT_FACE names its folder")
    folder = tmp_path_factory.mktemp("family")
    with np.load(SHARED / "ict_face.npz") as file:
        kept = {name: file[name] for name in ("identity", "expression", "expression_names")}
    rows = {f"identity{number:03d}": one for number, one in enumerate(kept["identity"])}
    rows |= dict(zip(kept["expression_names"].tolist(), kept["expression"]))
    neutral, _ = scans.read_obj(SHARED / "FaceXModel" / scans.NEUTRAL, polygons=False)

    def read(path, polygons=True):
        if path.is_file():
            return scans_read(path, polygons)
        moved = neutral.copy()
        moved[: len(rows[path.stem])] += rows[path.stem].astype(np.float32) / 10
        return moved, []

    scans_read = scans.read_obj
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scans, "read_obj", read)
        scans.write_family(folder, SHARED)
    return str(folder), rows, neutral


def test_the_files_as_they_are_have_the_numbers_of_the_archive(scanned):
    _, rows, neutral = scanned
    for name in ("identity000", "mouthSmile_L", "browInnerUp_R"):
        moved, _ = scans.read_obj(SHARED / "FaceXModel" / f"{name}.obj", polygons=False)
        assert np.allclose((moved - neutral)[: len(rows[name])], rows[name].astype(np.float32) / 10, atol=2e-4)


def pictures_of(family: str, one: str, moments, wall: float | None = None) -> np.ndarray:
    """Faces (n, 128, 128) of a person before BP4D's camera, cut by the points of the face at rest."""
    camera, light = scene.SCENES["BP4D"]
    light = light if wall is None else replace(light, backdrop=wall)
    face = people.face_of(SEED, "BP4D", one, family)
    stage = renderer.make_stage(face, camera, light, np.random.default_rng(1))
    at_rest = renderer.render(face, stage, scene.Moment())[1]
    return np.array([cut(renderer.render(face, stage, moment)[0], at_rest, 128) for moment in moments]).astype(float)


@pytest.mark.parametrize("one", ["F003", "M006"])
def test_action_units_move_the_parts_of_the_face_that_they_move_in_the_first_family(scanned, one):
    """What changes with each action unit is elsewhere than with any that is not at the same place."""
    units = [1, 4, 7, 10, 12, 15, 17, 26]
    moments = [scene.Moment(), *(scene.Moment({unit: (1.0, 1.0)}) for unit in units)]
    maps = []
    for family in ("", scanned[0]):
        rest, *acting = pictures_of(family, one, moments)
        changed = np.array([scans.cv2.GaussianBlur(np.abs(face - rest), (0, 0), 5).ravel() for face in acting])
        assert changed.max(axis=1).min() > 4  # grey levels: each is to be seen
        maps.append(changed)
    alike = np.corrcoef(*maps)[: len(units), len(units) :]
    for number, unit in enumerate(units):
        assert alike[number, number] > 0.4, (unit, alike[number].round(2))
        upper = unit in (1, 4, 7)
        others = [other for other, name in enumerate(units) if (name in (1, 4, 7)) != upper]
        assert alike[number, number] > alike[number, others].max(), (unit, alike[number].round(2))


def test_faces_have_no_holes(scanned):
    """A pixel that changes with the wall is wall: none is inside the face."""
    everything = {unit: (1.0, 1.0) for unit in (6, 10, 12, 25, 26)}
    moments = [scene.Moment(), scene.Moment({43: (1.0, 1.0)}), scene.Moment(everything, yaw=12.0, pitch=-6.0)]
    dark, light = (pictures_of(scanned[0], "F005", moments, wall) for wall in (0.1, 0.9))
    y, x = np.mgrid[:128, :128]
    inside = np.hypot((x - 64) / 30, (y - 68) / 44) < 1
    assert np.abs(dark - light)[:, inside].max() < 12  # the camera's grain is the same
    assert np.abs(dark - light).max() > 100


def test_detector_finds_the_faces_where_the_renderer_says(scanned):
    from deepfn_lib.faces import detection

    pictures, points = [], []
    for one in ("F002", "M004", "F003", "M006"):
        face = people.face_of(SEED, "BP4D", one, scanned[0])
        stage = renderer.make_stage(face, *scene.SCENES["BP4D"], np.random.default_rng(1))
        picture, five = renderer.render(face, stage, scene.Moment({12: (0.6, 0.6)}, yaw=5.0))
        pictures.append(picture), points.append(five)
    seen = detection.detect(pictures)
    assert seen.found.all()
    apart = np.linalg.norm(seen.points - np.array(points), axis=2) / np.linalg.norm(points[0][0] - points[0][1])
    assert apart.mean() < 0.12 and apart.max() < 0.3, apart.round(2)
