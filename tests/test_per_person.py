"""One network for each person: what a run leaves, a real kill, transfer, the sweep's measures, the operation count."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from chapter_code import chapter_code

from deepfn_lib.artefacts import file_digest
from deepfn_lib.device import configure_tensorflow
from deepfn_lib.errors import StudyError

tf = configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.commands.bench import autoencoder as benchmark  # noqa: E402
from deepfn_lib.faces import images  # noqa: E402
from deepfn_lib.normaliser import autoencoder, checkpoints, networks, per_person, training  # noqa: E402
from deepfn_lib.normaliser.recipe import AutoencoderRecipe  # noqa: E402

RECIPE = AutoencoderRecipe(size=64, width=1 / 128, iterations=30, batch=2, learning_rate=1e-3, seed=4)
RUN = """
import sys, time
import numpy as np
from deepfn_lib.device import configure_tensorflow
configure_tensorflow(threads=1, deterministic=True)
from deepfn_lib.normaliser import per_person, training
from deepfn_lib.normaliser.augmentation import Augmentation
from deepfn_lib.normaliser.precision import Precision
from deepfn_lib.normaliser.recipe import AutoencoderRecipe
faces = np.load(sys.argv[1])
slow = training._check_losses
training._check_losses = lambda *arguments: (time.sleep(float(sys.argv[3])), slow(*arguments))
per_person.train_person(sys.argv[2], faces[:12], faces[12:], eval(sys.argv[4]), checkpoint_every=2)
"""


@pytest.fixture(scope="module")
def faces():
    """Smooth random pictures uint8 (24, 64, 64)."""
    import cv2

    random = np.random.default_rng(6)
    return np.stack([cv2.resize(random.integers(0, 256, (6, 6)).astype(np.uint8), (64, 64)) for _ in range(24)])


@pytest.fixture(scope="module")
def trained(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("person")
    per_person.train_person(folder, faces[:12], faces[12:], RECIPE, checkpoint_every=10)
    return folder


def weights(folder):
    """Everything in the weights' files: (file, place in it) to array."""
    import h5py

    found = {}
    for path in folder.glob("*.weights.h5"):
        with h5py.File(path) as stored:
            stored.visititems(lambda name, node, path=path: found.update({(path.name, name): node[()]})
                              if isinstance(node, h5py.Dataset) else None)  # fmt: skip
    return found


def test_a_run_leaves_weights_history_and_previews_but_no_checkpoints(trained):
    names = {path.name for path in trained.iterdir()}
    assert names == {*(f"{name}.weights.h5" for name in per_person.NETWORKS), "network.json", "history.csv", "previews"}
    history = np.loadtxt(trained / "history.csv", delimiter=",", skiprows=1)
    assert history.shape == (30, 3) and np.isfinite(history).all()
    assert len(list((trained / "previews").glob("*.png"))) == 3


def test_killed_for_real_and_resumed_gives_the_same_weights(faces, trained, tmp_path):
    """SIGKILL of the training process once it has written checkpoints; another process goes on."""
    np.save(tmp_path / "faces.npy", faces)
    folder = tmp_path / "run"

    def start(pause):
        arguments = [str(tmp_path / "faces.npy"), str(folder), str(pause), repr(RECIPE)]
        return subprocess.Popen([sys.executable, "-c", RUN, *arguments], stderr=subprocess.DEVNULL)

    process = start(0.3)
    while len(checkpoints.saved(folder / "checkpoints")) < 2 and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert checkpoints.saved(folder / "checkpoints") and not list(folder.glob("*.h5"))
    assert start(0).wait() == 0
    expected, found = weights(trained), weights(folder)
    assert expected and expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_transfer_is_the_templates_decoder_after_the_encoder(faces, trained):
    encoder, decoder = networks.encoder(64, 1 / 128), networks.decoder(64, 1 / 128)
    encoder.load_weights(trained / "encoder.weights.h5")
    decoder.load_weights(trained / "template.weights.h5")
    expected = decoder(encoder(faces[12:].astype(np.float32)[..., None] / 255)).numpy()[..., 0] * 255
    moved = per_person.transfer(trained, faces[12:])
    assert moved.dtype == np.uint8 and np.abs(moved - expected).max() <= 0.51


def test_matched_codes_have_the_templates_mean(faces, trained, tmp_path):
    """By hand: the person's codes, moved by what the two mean codes differ by, through the template's decoder."""
    encoder, decoder = networks.encoder(64, 1 / 128), networks.decoder(64, 1 / 128)
    encoder.load_weights(trained / "encoder.weights.h5")
    decoder.load_weights(trained / "template.weights.h5")
    template, person = (encoder(some.astype(np.float32)[..., None] / 255).numpy() for some in (faces[:12], faces[12:]))
    expected = decoder(person - person.mean(axis=0) + template.mean(axis=0)).numpy()[..., 0] * 255
    moved = per_person.transfer(trained, faces[12:], faces[:12])
    assert np.abs(moved - expected).max() <= 0.51
    assert not np.array_equal(moved, per_person.transfer(trained, faces[12:]))
    plain, same = (per_person.transfer(trained, faces[12:], some, at_once=5) for some in (None, faces[12:]))
    assert np.array_equal(plain, same)  # their own mean: nothing is moved


# From a joint training.

JOINT = replace(RECIPE, iterations=7)
PEOPLE = {"BP4D/F002": slice(8, 16), "BP4D/M001": slice(16, 24), "DISFA/SN001": slice(4, 12)}


@pytest.fixture(scope="module")
def people(faces):
    return {name: faces[rows] for name, rows in PEOPLE.items()}


@pytest.fixture(scope="module")
def joint(faces, people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    per_person.train_joint(folder, faces[:8], people, JOINT)
    return folder


def flat(variables) -> np.ndarray:
    return np.concatenate([np.asarray(variable).ravel() for variable in variables])


def same(one, other) -> bool:
    """Whether two trainees' variables are the same to the last bit."""
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(one.variables, other.variables, strict=True))


def test_a_joint_training_leaves_one_encoder_and_a_decoder_for_each(joint, people):
    names = {path.name for path in joint.iterdir()}
    weights_of_two = {"encoder.weights.h5", "template.weights.h5"}
    assert names == {*weights_of_two, "decoders.npy", "network.json", "history.csv", "previews"}
    rows = np.load(joint / per_person.DECODERS)
    decoder = networks.decoder(64, RECIPE.width, RECIPE.seed + 2)
    start = flat(decoder.trainable_variables)
    assert rows.shape == (3, decoder.count_params()) and rows.dtype == np.float32
    assert per_person.described(joint)["people"] == list(people)
    assert all((row != start).any() for row in rows)  # seven updates reach each of three people
    assert len({row.tobytes() for row in rows}) == 3


def test_people_take_turns_and_each_comes_once_in_every_round(faces, people):
    trainee = autoencoder.Joint(faces[:8], people, JOINT)
    turns = [int(trainee.batch(step)[-1]) for step in range(1, 31)]
    assert all(sorted(turns[at : at + 3]) == [0, 1, 2] for at in range(0, 30, 3))
    assert len({tuple(turns[at : at + 3]) for at in range(0, 30, 3)}) > 1
    before = [rows.numpy() for rows in trainee.table]
    trainee.update(*trainee.batch(1))
    for rows, earlier in zip(trainee.table, before):
        assert (rows.numpy() != earlier).any(axis=1).tolist() == [person == turns[0] for person in range(3)]


def test_a_person_starts_from_the_joint_encoder_and_their_own_row(faces, people, joint, tmp_path):
    """One update at a rate of next to nothing leaves the start."""
    row = np.load(joint / per_person.DECODERS)[1]
    one_step = replace(RECIPE, iterations=1, learning_rate=1e-12)
    own = tmp_path / "own"
    per_person.train_person(own, faces[:8], people["BP4D/M001"], one_step, label="BP4D/M001", initial=joint)
    decoder = networks.decoder(64, RECIPE.width)
    decoder.load_weights(own / "person.weights.h5")
    np.testing.assert_allclose(flat(decoder.trainable_variables), row, atol=1e-6)
    before, after = weights(joint), weights(own)
    shared = [name for name in before if name in after]
    assert {file for file, _ in shared} == {"encoder.weights.h5", "template.weights.h5"}
    assert all(np.allclose(before[name], after[name], atol=1e-6) for name in shared)
    assert per_person.described(own)["initial"] == file_digest(joint / "encoder.weights.h5")


def test_a_start_that_does_not_fit_is_refused(faces, people, joint, trained, tmp_path):
    def begin(recipe=RECIPE, label="BP4D/F002", initial=joint):
        per_person.train_person(tmp_path / "x", faces[:8], people["BP4D/F002"], recipe, label=label, initial=initial)

    with pytest.raises(StudyError, match="no decoder for 'BP4D/F099'; it was trained for 3 people"):
        begin(label="BP4D/F099")
    with pytest.raises(StudyError, match="another size"):
        begin(replace(RECIPE, width=1 / 64))
    with pytest.raises(StudyError, match="holds no trained autoencoder"):
        begin(initial=tmp_path)
    assert not (tmp_path / "x").exists()
    with pytest.raises(StudyError, match="BP4D/M001 faces have shape"):
        per_person.train_joint(tmp_path / "y", faces[:8], people | {"BP4D/M001": faces[:0]}, JOINT)


class Stop(Exception):
    pass


def test_an_interrupted_joint_training_goes_on_to_the_same_bits(faces, people, joint, tmp_path, monkeypatch):
    """Stopped after its fifth update, of which the fourth was kept: the people's rows and moments come back, too."""
    folder, train = tmp_path / "run", training.train

    def stopping(trainee, place, iterations, **more):
        def stop(step):
            if step == 5:
                raise Stop

        return train(trainee, place, iterations, **{**more, "checkpoint_every": 2, "on_step": stop})

    monkeypatch.setattr(training, "train", stopping)
    with pytest.raises(Stop):
        per_person.train_joint(folder, faces[:8], people, JOINT)
    monkeypatch.setattr(training, "train", train)
    assert not (folder / per_person.DECODERS).exists() and checkpoints.saved(folder / "checkpoints")
    history = per_person.train_joint(folder, faces[:8], people, JOINT)
    assert (folder / per_person.DECODERS).read_bytes() == (joint / per_person.DECODERS).read_bytes()
    expected, found = weights(joint), weights(folder)
    assert expected.keys() == found.keys() and all(np.array_equal(expected[name], found[name]) for name in expected)
    assert history["step"].tolist() == list(range(1, 8))


def test_a_joint_training_of_one_person_is_the_papers_training_of_that_person(faces, people):
    """The rows' Adam, written by hand, against Keras's on a decoder of its own: weights and losses of three updates."""
    person = people["BP4D/M001"]
    together = autoencoder.Joint(faces[:8], {"BP4D/M001": person}, RECIPE)
    apart = autoencoder.Autoencoder(faces[:8], person, RECIPE)
    np.testing.assert_array_equal(together.table[0].numpy()[0], flat(apart.decoders[1].trainable_variables))
    for step in (1, 2, 3):
        arrays = apart.batch(step)
        *shared, who = together.batch(step)
        assert who == 0 and all(np.array_equal(a, b) for a, b in zip(shared, arrays, strict=True))
        losses = [trainee.update(*trainee.batch(step)).numpy() for trainee in (together, apart)]
        np.testing.assert_allclose(*losses, rtol=1e-5)
    moved = RECIPE.learning_rate  # each update moves a weight by about as much
    np.testing.assert_allclose(
        together.table[0].numpy()[0], flat(apart.decoders[1].trainable_variables), atol=0.01 * moved
    )
    for one, other in ((together.encoder, apart.encoder), (together.decoder, apart.decoders[0])):
        np.testing.assert_allclose(flat(one.trainable_variables), flat(other.trainable_variables), atol=0.01 * moved)
    assert together.steps.numpy().tolist() == [3]


def test_the_next_person_trains_as_in_a_process_of_their_own(faces, people, joint, tmp_path):
    """The compiled networks of the person before are set back: weights, both optimisers and their counts."""
    short = replace(RECIPE, iterations=3)

    def train(folder, name, **more):
        per_person.train_person(folder, faces[:8], people[name], short, label=name, initial=joint, **more)
        return weights(folder)

    per_person._LAST.clear()  # as a new process is
    fresh = train(tmp_path / "fresh", "BP4D/F002")
    first = per_person._LAST["compiled"]
    train(tmp_path / "before", "BP4D/M001")
    again = train(tmp_path / "again", "BP4D/F002")
    assert per_person._LAST["compiled"] is first and first.update.experimental_get_tracing_count() == 1
    assert fresh.keys() == again.keys() and all(np.array_equal(fresh[name], again[name]) for name in fresh)
    assert (tmp_path / "fresh" / "history.csv").read_bytes() == (tmp_path / "again" / "history.csv").read_bytes()


def test_networks_compiled_for_another_recipe_are_not_used(faces):
    one = per_person._trainee(faces[:8], faces[8:], RECIPE, "")
    longer = per_person._trainee(faces[:8], faces[8:], replace(RECIPE, iterations=99), "")
    assert longer.compiled is one.compiled
    for change in ({"learning_rate": 1e-4}, {"loss": "rmse"}, {"seed": 5}, {"batch": 3}):
        other = per_person._trainee(faces[:8], faces[8:], replace(RECIPE, **change), "")
        assert other.compiled is not longer.compiled, change


# The course of a training, mark by mark (chapter 10).


def test_the_faces_at_a_mark_are_those_of_a_training_that_ended_there(faces, tmp_path):
    from deepfn_lib.study import sweep
    from deepfn_lib.study.data import Pictures
    from deepfn_lib.template import Template

    names = np.repeat(["BP4D/F001", "BP4D/M001"], 12)
    pictures, template = Pictures(faces, names, tmp_path / "nowhere"), Template("F001", None)
    told = tmp_path / "course"
    told.mkdir()
    recipe = replace(RECIPE, iterations=6)
    sweep.course.function(told, pictures, template, "BP4D/M001", recipe, (2, 6))
    lines = np.genfromtxt(told / sweep.COURSE, delimiter=",", names=True)
    assert lines["iteration"].tolist() == [2, 6] and lines["images"].tolist() == [2 * 2 * 2, 2 * 6 * 2]
    assert lines["core_seconds"][1] == pytest.approx(3 * lines["core_seconds"][0]) and lines["core_seconds"][0] > 0
    target, own = (images.prepare(faces, 64, pictures.rows(name)) for name in ("BP4D/F001", "BP4D/M001"))
    for mark in (2, 6):
        ended = tmp_path / f"ended-{mark}"
        history = per_person.train_person(ended, target, own, replace(recipe, iterations=mark), label="BP4D/M001")
        moved = np.load(told / f"faces-{mark}.npy")
        assert moved.shape == (12, 64, 64) and np.array_equal(moved, per_person.transfer(ended, own))
        line = lines[lines["iteration"] == mark][0]
        assert line["reconstruction"] == pytest.approx(history["person"].iloc[-1])
    assert not np.array_equal(np.load(told / "faces-2.npy"), np.load(told / "faces-6.npy"))


def test_courses_are_measured_at_their_marks_and_sent_to_workers(faces, tmp_path):
    """Two people's, in this process: what the workers were sent is made here where they have not made it."""
    import pandas as pd

    from deepfn_lib.artefacts import Store
    from deepfn_lib.frames import BP4D_ACTION_UNITS
    from deepfn_lib.measures import expression
    from deepfn_lib.measures.nearness import moved_faces
    from deepfn_lib.settings import load_settings
    from deepfn_lib.study import Study, data, study, sweep
    from deepfn_lib.template import Template

    random, names = np.random.default_rng(0), np.repeat(["F001", "F002", "M001"], 8)
    frames = pd.DataFrame(random.integers(0, 2, (24, 12)), columns=BP4D_ACTION_UNITS)
    frames = frames.assign(dataset="BP4D", participant=names)
    truth, nothing = random.permutation(faces), pd.DataFrame()
    small = load_settings(
        "smoke", {"normaliser_width": RECIPE.width, "normaliser_batch": 2, "normaliser_iterations": 9}
    )
    whole = Study(small, Store(tmp_path), Template("F001", None))
    whole.__dict__["faces"] = data.Faces(frames, faces, truth, nothing, nothing, {}, tmp_path / "nowhere")
    whole.__dict__["corpora"] = None  # what a worker would be sent
    answers, labels = images.prepare(truth, 64), frames[list(BP4D_ACTION_UNITS)].to_numpy()
    probes = expression.train_probes(answers[8:], labels[8:], names[8:], seed=0)
    whole.__dict__["exact"] = SimpleNamespace(people=names[8:], probes=probes)
    sent = []
    whole.machine = SimpleNamespace(
        run=lambda function, jobs, **more: sent.extend((function, *job[1:]) for job in jobs)
    )
    people = ["BP4D/M001", "BP4D/F002"]
    table = whole.courses(people, [3, 1])
    recipe = replace(whole.autoencoder, iterations=3)
    assert sent == [(study._course, person, recipe, (1, 3)) for person in people]
    assert table["person"].tolist() == np.repeat(people, 2).tolist() and table["iteration"].tolist() == [1, 3, 1, 3]
    own = faces[16:]
    folder = whole.make(sweep.course, person="BP4D/M001", autoencoder=recipe, marks=(1, 3))
    for line in table[:2].to_dict("records"):
        moved = np.load(folder / f"faces-{line['iteration']}.npy")
        expected = moved_faces(images.prepare(own, 64), moved, answers[16:])
        assert {name: line[name] for name in expected} == pytest.approx(expected) and 0 <= line["auc"] <= 1
        shown = whole.course_pictures("BP4D/M001", (3, 1), row=18)  # the third frame of theirs
        assert np.array_equal(shown[[1, 3].index(line["iteration"])], moved[2])
    whole.courses(people, (1, 3))
    assert len(sent) == 2  # all is there


def test_prepare_equalises_then_reduces():
    from deepfn_lib.faces.images import prepare

    faces = np.random.default_rng(0).integers(40, 90, (3, 128, 128)).astype(np.uint8)
    prepared = prepare(faces, 64, [2, 0])
    assert prepared.shape == (2, 64, 64) and abs(prepared.mean() - 127.5) < 4
    assert np.array_equal(prepared[1], prepare(faces[:1], 64)[0])


@pytest.mark.parametrize("name", ["encoder.weights.h5", "network.json"])
def test_missing_or_broken_networks_are_named(trained, faces, tmp_path, name):
    for path in trained.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(b"not this")
    with pytest.raises(StudyError, match=f"{name}.*train this person"):
        per_person.transfer(tmp_path, faces)
    with pytest.raises(StudyError, match="use `prepare`"):
        per_person.transfer(trained, faces[:, :32, :32])


def test_sweep_measures_of_known_normalisers():
    from deepfn_lib.measures.nearness import moved_faces

    random = np.random.default_rng(2)
    given, exact = random.integers(0, 100, (2, 20, 8, 8)).astype(np.uint8)
    given += 60
    same, nothing = moved_faces(given, exact, exact), moved_faces(given, given, exact)
    assert same["psnr"] == pytest.approx(100) and same["expression_kept"] == pytest.approx(1)
    assert same["identity_left"] == pytest.approx(0) and nothing["identity_left"] == pytest.approx(1)
    half = moved_faces(given, np.full_like(exact, 9), exact)
    assert half["expression_kept"] == pytest.approx(0, abs=1e-9)


def test_variants_change_one_thing_each():
    page = chapter_code("11")
    usual = page.Augmentation()
    for what, value, augmentation in page.variants():
        changed = {name for name, number in vars(augmentation).items() if number != getattr(usual, name)}
        allowed = {"warp": {"warp_pixels"}, "affine": {"rotation", "scale", "shift"}, "flip": {"flip"}}[what]
        assert changed <= allowed
        assert what != "warp" or augmentation.warp_pixels == value


def test_operation_count_against_a_layer_counted_by_hand():
    encoder, decoder = networks.encoder(64, 1 / 64), networks.decoder(64, 1 / 64)
    counted = benchmark.multiplications(encoder)
    filters = networks.scaled(128, 1 / 64)
    assert counted[0] == 32 * 32 * filters * 5 * 5
    forward = sum(counted) + sum(benchmark.multiplications(decoder))
    assert benchmark.step_operations(encoder, decoder, 3) == 2 * 3 * (3 * forward - counted[0])
