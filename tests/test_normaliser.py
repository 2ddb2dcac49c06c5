"""The normaliser: networks against Tables 1 and 2, augmentation against OpenCV, training that survives anything."""

import numpy as np
import pytest

from deepfn_lib.device import configure_tensorflow
from deepfn_lib.errors import StudyError

tf = configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.normaliser import augmentation as aug  # noqa: E402
from deepfn_lib.normaliser import checkpoints, networks, training  # noqa: E402
from deepfn_lib.normaliser.autoencoder import Autoencoder, reconstruction_loss  # noqa: E402


@pytest.fixture(scope="module")
def faces():
    """Smooth random pictures uint8 (24, 64, 64)."""
    import cv2

    random = np.random.default_rng(5)
    return np.stack([cv2.resize(random.integers(0, 256, (6, 6)).astype(np.uint8), (64, 64)) for _ in range(24)])


def tiny(faces, **more):
    return Autoencoder(faces[:12], faces[12:], **{"size": 64, "width": 1 / 128, "seed": 3, "batch": 4} | more)


def test_full_size_networks_have_the_papers_parameters():
    encoder, decoders = networks.encoder(), [networks.decoder(seed=k) for k in (1, 2)]
    assert encoder.count_params() == networks.ENCODER_PARAMETERS == 119_988_224
    assert [d.count_params() for d in decoders] == [networks.DECODER_PARAMETERS] * 2
    whole = encoder.count_params() + sum(d.count_params() for d in decoders)
    assert whole == networks.AUTOENCODER_PARAMETERS == 132_527_426
    assert encoder.output_shape == (None, 8, 8, 512)
    assert decoders[0].output_shape == (None, 128, 128, 1)


@pytest.mark.parametrize("size", [64, 128])
def test_reduced_networks_fit_together(size):
    encoder, decoder = networks.encoder(size, 1 / 64), networks.decoder(size, 1 / 64)
    assert decoder(encoder(np.zeros((2, size, size, 1), np.float32))).shape == (2, size, size, 1)


def test_initial_weights_come_from_the_seed():
    first, again, other = (networks.encoder(64, 1 / 64, seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[2].ravel()[:9], first[0].ravel()[:9])


def test_pixel_shuffle_moves_channels_into_squares():
    out = networks.PixelShuffle()(np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4))
    assert np.array_equal(np.asarray(out)[0, ..., 0], [[0, 1], [2, 3]])


def test_augmentation_of_nothing_changes_nothing(faces):
    still = aug.Augmentation(rotation=0, scale=0, shift=0, flip=0, warp_pixels=0)
    inputs, targets = aug.augment(faces, still, np.random.default_rng(0))
    assert np.abs(inputs[..., 0] * 255 - faces).max() < 1.01
    assert np.abs(targets[..., 0] * 255 - faces).max() < 1.01


def test_affine_agrees_with_opencv(faces):
    """Rotation, scale and shift about the middle, then the flip, as the code base does with cv2.warpAffine."""
    import cv2

    only = aug.Augmentation(warp_pixels=0, flip=0.5)
    inputs, targets = aug.augment(faces, only, np.random.default_rng(4))
    assert np.abs(inputs - targets).max() < 0.02
    random = np.random.default_rng(4)
    n, side = len(faces), 64
    angle = random.uniform(-10, 10, n)
    scale = 1 + random.uniform(-0.05, 0.05, n)
    shift = random.uniform(-0.05 * 256 / 160 * side, 0.05 * 256 / 160 * side, (n, 2))
    flip = random.random(n) < 0.5
    for k in range(n):
        matrix = cv2.getRotationMatrix2D((31.5, 31.5), -angle[k], scale[k])
        matrix[:, 2] += shift[k]
        expected = cv2.warpAffine(faces[k], matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        expected = expected[:, ::-1] if flip[k] else expected
        assert np.abs(inputs[k, ..., 0] * 255 - expected)[2:-2, 2:-2].mean() < 2


def test_target_undoes_a_common_shift_of_all_nodes():
    """Umeyama's similarity follows what all control points have in common, so a pure shift is no bend."""
    nodes = aug.draw_nodes(1, 64, aug.Augmentation(warp_pixels=0), np.random.default_rng(0)) + np.array([3.0, -2.0])
    points = aug._inverse_similarity(nodes, 64)
    assert np.allclose(points[0, 10, 20], (20 + 3) + 1j * (10 - 2))


def test_batches_depend_on_seed_and_step_alone(faces):
    one, other = tiny(faces), tiny(faces)
    one.batch(1)
    assert all(np.array_equal(a, b) for a, b in zip(one.batch(7), other.batch(7)))
    assert not np.array_equal(one.batch(7)[0], one.batch(8)[0])


def test_losses_of_both_kinds():
    zeros, ones = np.zeros((2, 4, 4, 1), np.float32), np.ones((2, 4, 4, 1), np.float32)
    ones[0] = 0
    assert np.isclose(reconstruction_loss(zeros, ones), 0.5)
    assert np.isclose(reconstruction_loss(zeros, ones, "rmse"), np.sqrt(0.5))


def test_template_update_leaves_the_persons_decoder_alone(faces):
    model = tiny(faces)
    before = model.decoders[1].get_weights()
    arrays = model.batch(1)
    model._half(0, *arrays[:2])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.decoders[1].get_weights()))


class Stop(Exception):
    pass


def test_killed_at_twenty_moments_and_resumed_gives_the_same_weights(faces, tmp_path):
    steps = 40
    whole = tiny(faces)
    expected = training.train(whole, tmp_path / "whole", steps, checkpoint_every=3)
    moments = set(np.random.default_rng(1).choice(np.arange(1, steps), 20, replace=False).tolist())

    def kill(step):
        if step in moments:
            moments.remove(step)
            raise Stop

    stopped = tiny(faces)
    start = [variable.numpy() for variable in stopped.variables]
    for _ in range(25):
        for variable, value in zip(stopped.variables, start):  # as a new process would find them
            variable.assign(value)
        try:
            losses = training.train(stopped, tmp_path / "stopped", steps, checkpoint_every=3, on_step=kill)
            break
        except Stop:
            continue
    assert not moments
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(whole.variables, stopped.variables))
    assert losses.equals(expected)
    assert len(checkpoints.saved(tmp_path / "stopped")) == checkpoints.KEPT
    assert list((tmp_path / "stopped" / "previews").glob("*.png"))


def test_damaged_and_foreign_checkpoints_are_refused_by_name(faces, tmp_path):
    model = tiny(faces)
    training.train(model, tmp_path, 2, checkpoint_every=1)
    newest = checkpoints.saved(tmp_path)[-1]
    whole = newest.read_bytes()
    with pytest.raises(StudyError, match=f"{newest.name} is of another training: its seed is 3, expected 4"):
        training.train(tiny(faces, seed=4), tmp_path, 3)
    for broken in (whole[: len(whole) // 2], whole[:5000] + bytes(64) + whole[5064:], b""):
        newest.write_bytes(broken)
        with pytest.raises(StudyError, match=f"{newest.name} is damaged"):
            training.train(tiny(faces), tmp_path, 3)
        assert newest.read_bytes() == broken


class Scripted:
    """A trainee whose losses and outputs are given."""

    description, loss_names, variables = {"network": "scripted"}, ("loss",), []

    def __init__(self, losses, outputs=1.0):
        self.losses, self.outputs = losses, outputs

    def batch(self, step):
        return (step,)

    def update(self, step):
        return np.array([self.losses[step - 1]], np.float32)

    def probe(self):
        answers = np.random.default_rng(0).random((8, 4, 4, 1)).astype(np.float32)
        return answers * self.outputs, answers

    def preview(self):
        return None


def test_guards_name_the_step_and_the_last_good_checkpoint(tmp_path):
    with pytest.raises(StudyError, match=r"step 7: loss is \[nan\].*step-00000006"):
        training.train(Scripted([1.0] * 6 + [np.nan]), tmp_path / "a", 7, checkpoint_every=2)
    with pytest.raises(StudyError, match="diverges at step 300"):
        training.train(Scripted([1.0] * 200 + [4.0] * 200), tmp_path / "b", 400, checkpoint_every=50)
    with pytest.raises(StudyError, match="collapsed at step 30.*step-00000020"):
        training.train(Scripted([1.0] * 40, outputs=0.001), tmp_path / "c", 40, checkpoint_every=10, guard_after=30)
