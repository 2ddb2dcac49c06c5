"""What self-supervised arms can reach: pictures and whose they are, and neither labels nor exact answers."""

import json
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from deepfn_lib import arms
from deepfn_lib.artefacts import Store
from deepfn_lib.device import configure_tensorflow
from deepfn_lib.settings import load_settings
from deepfn_lib.study import Study, data, makers, networks
from deepfn_lib.study.steps import Named, Step
from deepfn_lib.template import Template

configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.normaliser.motion import seen_people  # noqa: E402
from deepfn_lib.normaliser.recipe import AutoencoderRecipe, MotionRecipe  # noqa: E402

TRAINED = [arm for arm in arms.ARMS if arm.network and not arm.labels]
TAUGHT = {"faces", "pairs", "reader", "exact", "labels", "truth"}  # inputs that know labels or exact answers
RECIPES = {"autoencoder", "joint", "motion"}
ALLOWED = {"pictures", "template", "person", "start", "trained_on", "network", "networks", "file", "how", *RECIPES}
each_trained = pytest.mark.parametrize("arm", TRAINED, ids=lambda arm: arm.name)


def steps_of(arm: arms.Arm) -> list[Step]:
    """The steps that an arm is made by: its maker, its network's, and the one that its networks start from."""
    steps = [Named(name).function for name in (arm.maker, arm.network) if name]
    return steps + [networks.joint_network for one in steps if "start" in one.inputs]


def test_the_papers_arm_and_ours_are_self_supervised():
    assert {arm.name for arm in TRAINED} == {arms.PAPERS, arms.OURS}


@each_trained
def test_a_self_supervised_arm_is_given_pictures_and_nothing_that_was_taught(arm):
    own, trains = steps_of(arm)[:2]
    assert "pictures" in own.inputs and "pictures" in trains.inputs
    for one in steps_of(arm):
        assert set(one.inputs) <= ALLOWED and not one.settings, one.function.__name__


def test_what_joint_networks_and_halves_of_people_are_given_is_no_more():
    for one in (networks.joint_network, makers.by_joint, makers.combined):
        assert "pictures" in one.inputs and set(one.inputs) <= {"parts", *ALLOWED}


def test_arms_say_that_they_have_seen_labels_where_a_step_of_theirs_could():
    for arm in arms.ARMS:
        reached = {name for one in steps_of(arm) for name in one.inputs}
        assert bool(reached & TAUGHT) == arm.labels, arm.name


def test_pictures_are_images_and_names():
    """The folder says which they are, and is where they lie: a step that read beside them would be seen below."""
    assert [field.name for field in fields(data.Pictures)] == ["images", "names", "folder"]


def test_recipes_are_numbers_and_words():
    for recipe in (AutoencoderRecipe(), MotionRecipe()):
        assert json.loads(json.dumps(recipe.described())) == recipe.described()


# The same again by doing it: three small studies of the same pictures.

PEOPLE, EACH = ("BP4D/F001", "BP4D/M001", "DISFA/SN001"), 8


def labelled(folder) -> data.Faces:
    """Three people with a bright mouth that moves, uint8 (24, 64, 64), labels of it, and exact answers."""
    random = np.random.default_rng(8)
    names = np.repeat(PEOPLE, EACH)
    labels = random.integers(0, 2, len(names)).astype(np.int8)
    looks = {name: random.integers(40, 160, (64, 64)) for name in PEOPLE}
    faces = np.stack([looks[name] for name in names])
    for face, shown in zip(faces, labels):
        face[44 + 4 * shown : 50 + 4 * shown, 20:44] = 240
    frames = pd.DataFrame([name.split("/") for name in names], columns=["dataset", "participant"]).assign(AU12=labels)
    images, truth, nothing = faces.astype(np.uint8), faces[::-1].astype(np.uint8), pd.DataFrame()
    return data.Faces(frames, images, truth, nothing, nothing, {}, folder)


def study_of(faces, root, **changed) -> Study:
    """A study of these faces, whose folder is not there, with small networks."""
    small = {"normaliser_width": 1 / 128, "normaliser_batch": 2, **changed}
    study = Study(load_settings("smoke", small), Store(root), Template("F001", None))
    study.__dict__["motion"] = MotionRecipe(size=64, code=6, shades=3, iterations=2, batch=4, seed=1)
    study.__dict__["faces"] = faces
    study.__dict__["corpora"] = None  # what a worker would be sent
    # Workers would open another study: what they leave undone is made in this process.
    study.machine = SimpleNamespace(run=lambda function, jobs, **more: None)
    return study


@pytest.fixture(scope="module")
def three_studies(tmp_path_factory):
    root = tmp_path_factory.mktemp("studies")
    whole = labelled(root / "nowhere")
    mixed = whole.frames.assign(AU12=np.random.default_rng(1).permutation(whole.frames["AU12"]))
    assert not mixed.equals(whole.frames)
    others = replace(whole, frames=mixed, truth=None)
    alone = SimpleNamespace(pictures=whole.pictures, names=whole.names)  # whatever else is asked for is an error
    studies = {"whole": whole, "labels permuted, no answers": others, "pictures alone": alone}
    return {name: study_of(faces, root / str(number)) for number, (name, faces) in enumerate(studies.items())}


@each_trained
def test_labels_and_exact_answers_change_no_byte_of_a_self_supervised_arm(three_studies, arm):
    whole, *others = (np.load(study.arm_path(arm.name)) for study in three_studies.values())
    assert whole.shape == (24, 64, 64) and len(np.unique(whole)) > 2
    assert all(other.tobytes() == whole.tobytes() for other in others)


def test_strangers_are_served_by_pictures_alone(three_studies):
    random = np.random.default_rng(2)
    faces = random.integers(0, 256, (6, 64, 64)).astype(np.uint8)
    people, calibration = np.repeat(["one", "other"], 3), np.tile([True, False, True], 2)
    given = faces, people, calibration
    whole, *others = (study.of_strangers(arms.OURS, *given) for study in three_studies.values())
    assert all(np.array_equal(whole, other) for other in others)


def test_from_random_weights_a_persons_own_network_knows_them_and_the_template_alone(tmp_path):
    """Eq. 1 and no more: somebody else's pictures change nothing."""
    own = []
    for number in (0, 1):
        faces = labelled(tmp_path / "nowhere")
        faces.images[-EACH:] += np.uint8(number)  # the third person's
        study = study_of(faces, tmp_path / str(number), joint_iterations=0)
        own.append(study.make(networks.own_network, person="BP4D/M001"))
    for name in (networks.FACES, networks.MATCHED):
        assert (own[0] / name).read_bytes() == (own[1] / name).read_bytes()


def test_people_a_motion_network_never_saw_are_served_by_the_other_halfs(three_studies):
    """Each half's network knows its own half and the template; in the arm everybody is the other network's."""
    study = three_studies["pictures alone"]
    arm, names = np.load(study.unseen_arm()), study.faces.names
    for person in study.others:
        others = sorted(set(PEOPLE) - {person})
        network = study.make(networks.motion_network, trained_on=others)
        assert seen_people(network) == others and study.template.name in others
        rows = names == person
        assert np.array_equal(arm[rows], np.load(study.motion_arm({}, trained_on=others))[rows])
    assert not arm[names == study.template.name].any()
