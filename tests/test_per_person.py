"""One network for each person: what a run leaves, a real kill, transfer, the sweep's measures, the operation count."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from chapter_code import chapter_code

from deepfn_lib.device import configure_tensorflow
from deepfn_lib.errors import StudyError

tf = configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.commands.bench import autoencoder as benchmark  # noqa: E402
from deepfn_lib.normaliser import checkpoints, networks, per_person  # noqa: E402
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
    per_person.train_person(folder, faces[:12], faces[12:], RECIPE, truth=faces[:12], checkpoint_every=10)
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


def test_another_start_is_another_training(faces, trained, tmp_path):
    one_step = replace(RECIPE, iterations=1, learning_rate=1e-12)
    per_person.train_person(tmp_path, faces[:12], faces[12:], one_step, initial=trained)
    before, after = weights(trained), weights(tmp_path)
    assert all(np.allclose(before[name], after[name], atol=1e-6) for name in before)
    wider = replace(RECIPE, width=1 / 64)
    with pytest.raises(StudyError, match="another size"):
        per_person.train_person(tmp_path / "b", faces[:12], faces[12:], wider, initial=trained)


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
