"""Real photographs and re-identification."""

import numpy as np
import pytest
from chapter_code import chapter_code

from deepfn_lib.datasets import orl
from deepfn_lib.errors import StudyError
from deepfn_lib.settings import load_settings
from deepfn_lib.study import Study

page = chapter_code("15")
needs_photographs = pytest.mark.skipif(
    orl.photographs_folder() is None, reason="the extra `photographs` is not installed"
)


def _faces(seed, strength):
    """Eight people, ten faces each: a pattern of their own of some strength in noise."""
    random = np.random.default_rng(seed)
    people = np.repeat([f"p{k}" for k in range(8)], 10)
    own = random.normal(0, strength, (8, 12, 12))
    faces = own[np.arange(80) // 10] + random.normal(0, 1, (80, 12, 12))
    return faces, people


def test_roles_are_disjoint_and_as_many_as_asked():
    _, people = _faces(0, 1)
    roles = page.assign_roles(people, 4, 3, np.random.default_rng(0))
    for person in np.unique(people):
        assert np.bincount(roles[people == person], minlength=3).tolist() == [4, 3, 3]
    with pytest.raises(ValueError, match="10 faces"):
        page.assign_roles(people, 7, 3, np.random.default_rng(0))


def test_identity_is_found_where_it_is_and_not_where_it_is_not():
    for strength, low, high in ((1.0, 0.95, 1.0), (0.0, 0.0, 0.35)):
        faces, people = _faces(1, strength)
        roles = page.assign_roles(people, 2, 4, np.random.default_rng(1))
        for name, right in page.reidentify(faces, people, roles).items():
            assert len(right) == 32
            assert low <= right.mean() <= high, name


def test_nearest_neighbour_is_scikit_learns():
    from sklearn.neighbors import KNeighborsClassifier

    faces, people = _faces(2, 0.2)
    theirs = KNeighborsClassifier(1, metric="correlation").fit(faces[::2].reshape(40, -1), people[::2])
    ours = page.nearest_neighbour(faces[::2], people[::2], faces[1::2])
    assert (ours == theirs.predict(faces[1::2].reshape(40, -1))).all()


def test_light_does_not_name_anyone():
    """Brightness and contrast are taken out before faces are compared."""
    faces, people = _faces(3, 1)
    again = page.nearest_neighbour(faces, people, 3 * faces + 50)
    assert (again == people).all()


@needs_photographs
def test_the_photographs_are_those_of_the_manifest():
    photographs = orl.read_photographs()
    assert photographs.images.shape == (400, 112, 92)
    assert len(np.unique(photographs.people)) == 40
    assert (np.bincount(photographs.numbers)[1:] == 40).all()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1/1.pgm").write_bytes(b"P5 1 1 255 0")
    with pytest.raises(StudyError, match="not the photographs"):
        orl.read_photographs(tmp_path)


@needs_photographs
def test_faces_of_photographs(session_store):
    study = Study(load_settings("smoke"), session_store)
    faces, photographs = study.photographs
    assert list(photographs.columns) == ["person", "number", "found"]
    assert len(photographs) == 400 and (~photographs["found"]).sum() <= 20
    assert len(faces) == photographs["found"].sum()
    assert faces.shape[1:] == (128, 128)
