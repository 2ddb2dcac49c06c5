"""The normaliser: networks against Tables 1 and 2, augmentation against OpenCV, training that survives anything."""

from types import SimpleNamespace

import numpy as np
import pytest

from deepfn_lib.device import configure_tensorflow
from deepfn_lib.errors import StudyError

tf = configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.normaliser import augmentation as aug  # noqa: E402
from deepfn_lib.normaliser import checkpoints, networks, training  # noqa: E402
from deepfn_lib.normaliser.autoencoder import Autoencoder, reconstruction_loss  # noqa: E402
from deepfn_lib.normaliser.precision import Precision  # noqa: E402
from deepfn_lib.normaliser.recipe import AutoencoderRecipe  # noqa: E402


@pytest.fixture(scope="module")
def faces():
    """Smooth random pictures uint8 (24, 64, 64)."""
    import cv2

    random = np.random.default_rng(5)
    return np.stack([cv2.resize(random.integers(0, 256, (6, 6)).astype(np.uint8), (64, 64)) for _ in range(24)])


def tiny(faces, **more):
    usual = {"size": 64, "width": 1 / 128, "seed": 3, "batch": 4}
    return Autoencoder(faces[:12], faces[12:], AutoencoderRecipe(**usual | more))


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


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("numbers", ["float32", "bfloat16"])
def test_other_precision_trains_the_same_network(faces, numbers, xla):
    """Losses of three updates near plain float32's; weights, moments and outputs float32 whatever computes them."""
    import keras

    other = Precision(numbers, xla)
    trainees = [tiny(faces), tiny(faces, precision=other)]
    losses = np.array([[trainee.update(*trainee.batch(step)) for step in (1, 2, 3)] for trainee in trainees])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02 if numbers == "bfloat16" else 1e-4)
    assert losses[0, 0, 0] != losses[0, 2, 0]
    assert {variable.dtype for variable in trainees[1].variables if "iteration" not in variable.name} <= {"float32"}
    assert trainees[1].encoder.layers[1].compute_dtype == numbers
    assert trainees[1].decode(faces[:2], 0).shape == (2, 64, 64)
    assert keras.config.dtype_policy().name == "float32"
    plain = trainees[0].description
    assert (trainees[1].description == plain) == (other == Precision())
    assert "xla" not in plain  # what was trained before there was a choice is still found


def test_the_settings_choose_the_precision_and_the_keys_know(tmp_path):
    from deepfn_lib.study import Study

    plain = Study.open("quick", artefacts=str(tmp_path))
    other = plain.changed(normaliser_precision="bfloat16")
    assert plain.recipe.precision == Precision() and other.recipe.precision == Precision("bfloat16")
    assert plain.autoencoder.key != other.autoencoder.key and plain.recipe.key != other.recipe.key


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
    model.compiled.half(0, *arrays[:2])
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


def test_what_a_killed_process_had_half_written_goes_with_the_next_checkpoint(tmp_path):
    half = tmp_path / "step-00000002.npz.77.tmp"
    half.write_bytes(b"half")
    assert checkpoints.saved(tmp_path) == []
    path = checkpoints.write(tmp_path, 3, [], np.zeros((3, 1), np.float32), {"network": "none"})
    assert list(tmp_path.iterdir()) == [path] == checkpoints.saved(tmp_path)


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


def test_fidelity_agrees_with_scikit_image(faces):
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    from deepfn_lib.faces import regions
    from deepfn_lib.measures import nearness

    noisy = np.clip(faces.astype(int) + np.random.default_rng(0).integers(-20, 20, faces.shape), 0, 255)
    noisy = noisy.astype(np.uint8)
    table = nearness.fidelity(noisy[:2], faces[:2], np.array(["a", "b"])).set_index(["participant", "region"])
    where = regions.box("mouth", 64)
    expected = peak_signal_noise_ratio(faces[0][where], noisy[0][where], data_range=255)
    assert np.isclose(table.loc[("a", "mouth"), "psnr"], expected, rtol=1e-5)
    whole = structural_similarity(faces[1], noisy[1], data_range=255, full=True)[1]
    assert np.isclose(table.loc[("b", "face"), "ssim"], whole[regions.box("face", 64)].mean())


def labelled(random, n=240):
    """Faces of four people of whom one unit lights the mouth and one the brows; and the same without the people."""
    labels = random.integers(0, 2, (n, 2))
    people = np.repeat(["a", "b", "c", "d"], n // 4)
    answers = np.full((n, 64, 64), 100.0)
    answers[labels[:, 0] == 1, 44:56, 20:44] += 60
    answers[labels[:, 1] == 1, 14:22, 14:50] += 60
    answers += random.normal(0, 3, answers.shape)
    own = {name: random.integers(-40, 40, (64, 64)) for name in "abcd"}
    pictures = answers + np.stack([own[name] for name in people])
    return *(np.clip(a, 0, 255).astype(np.uint8) for a in (pictures, answers)), labels, people


def test_expression_kept_and_identity_left_tell_faces_apart():
    from deepfn_lib.measures import expression, identity

    pictures, answers, labels, people = labelled(np.random.default_rng(2))
    probes = expression.train_probes(answers, labels, people, seed=0)
    kept = expression.expression_kept(answers, answers, labels, people, ["AU12", "AU01"], probes)
    assert (
        len(kept) == 8 and np.allclose(kept.correlation, 1) and (kept.auc > 0.99).all() and np.allclose(kept.error, 0)
    )
    blank = np.full_like(answers, 100)
    lost = expression.expression_kept(blank, answers, labels, people, ["AU12", "AU01"], probes)
    assert lost.correlation.isna().all() and np.allclose(lost.auc.dropna(), 0.5)
    sessions = np.arange(len(people)) // 5
    plain, left = (identity.identity_left(x, people, sessions) for x in (answers, pictures))
    assert (left.linear == 1).all() and (left.nearest == 1).all() and plain.linear.mean() < 0.5
    assert np.allclose(plain.chance, 0.25)


def test_halves_and_even_frames_are_what_they_say():
    from deepfn_lib.measures import expression

    people = np.repeat(list("abcde"), 7)
    first, second = expression.halves(people, 3)
    assert (first ^ second).all() and not set(people[first]) & set(people[second])
    rows = expression.evenly(people, 3)
    assert len(rows) == 15 and np.array_equal(rows[:3], [0, 3, 6])


@pytest.fixture
def reference(faces):
    """A reference trainee at half the usual sides, on random pairs."""
    from deepfn_lib.normaliser.examples import Pairs
    from deepfn_lib.normaliser.recipe import ReferenceRecipe
    from deepfn_lib.normaliser.reference import ReferenceTrainee

    recipe = ReferenceRecipe(size=32, detail=2, base=4, iterations=10, batch=4)
    labels = (np.arange(2 * len(faces)).reshape(-1, 2) % 3 == 0).astype(np.int8)
    pairs = Pairs(faces, faces[:, ::2, ::2], faces[:3], np.arange(len(faces)) % 3, labels)
    base = np.median(pairs.answers, axis=0).astype(np.uint8)
    return ReferenceTrainee(pairs, base, recipe, "test"), pairs, base


def test_reference_network_starts_from_the_templates_median(reference):
    trainee, pairs, base = reference
    out = trainee.reference.transfer(pairs.faces, pairs.medians[pairs.which])
    assert np.abs(out.astype(int) - base).max() <= 1


@pytest.mark.parametrize("precision", [Precision("bfloat16"), Precision(xla=True)], ids=str)
def test_reference_network_learns_the_same_in_other_precision(reference, precision):
    from dataclasses import replace

    from deepfn_lib.normaliser.reference import ReferenceTrainee

    plain, pairs, base = reference
    other = ReferenceTrainee(pairs, base, replace(plain.recipe, precision=precision), "test")
    losses = np.array([[trainee.update(*trainee.batch(step)) for step in (1, 2, 3)] for trainee in (plain, other)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    assert other.description != plain.description


def test_a_reference_network_draws_in_plain_float32_whatever_it_was_trained_in(reference, tmp_path):
    from dataclasses import replace

    from deepfn_lib.normaliser.reference import Reference

    plain, pairs, _ = reference
    plain.reference.save(tmp_path)
    again = Reference.kept(tmp_path, replace(plain.recipe, precision=Precision("bfloat16")))
    assert {layer.compute_dtype for layer in again.network.layers} == {"float32"}
    expected, drawn = (one.normalise(pairs.faces, np.arange(4)) for one in (plain.reference, again))
    assert np.array_equal(expected, drawn)


def test_reference_network_learns_and_is_read_back(reference, tmp_path):
    from deepfn_lib.normaliser.reference import Reference, train_reference

    trainee, pairs, _ = reference
    train_reference(tmp_path, pairs, trainee.recipe, "test")
    assert not (tmp_path / "checkpoints").exists() and list((tmp_path / "previews").glob("*.png"))
    again = Reference.kept(tmp_path, trainee.recipe)
    rows = np.arange(4)
    out = again.normalise(pairs.faces, rows)
    assert out.shape == (4, 32, 32) and out.dtype == np.uint8


def test_the_reader_reads_is_kept_and_counts_what_is_lost(faces, tmp_path):
    """Half of the pictures have a bright bar in one of two places: the reader tells, and blurring it out costs."""
    from deepfn_lib.normaliser import reader

    random = np.random.default_rng(1)
    labels = random.integers(0, 2, (120, 2)).astype(np.int8)
    answers = np.full((120, 32, 32), 90, np.uint8)
    for answer, (low, high) in zip(answers, labels):
        answer[6:9, 8:24] += np.uint8(80 * low)
        answer[22:25, 8:24] += np.uint8(80 * high)
    reader.keep(tmp_path, answers, labels, seed=3)
    made = reader.train(answers, labels, seed=3)
    inputs = answers[..., None].astype(np.float32) / 255
    assert (((made(inputs)[0].numpy() > 0) == labels).mean()) > 0.95
    again = reader.kept(tmp_path, 32, 2)
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), again.get_weights()))
    assert not again.trainable_variables
    lost = np.broadcast_to(inputs.mean(axis=0), inputs.shape)
    truth = labels.astype(np.float32)
    same, much, little = (
        [float(part) for part in reader.reading_errors(made, out, inputs, truth)]
        for out in (inputs, lost, inputs + 0.01)
    )
    assert same[0] == 0 and same[1] < 0.2
    assert much[0] > 5 * little[0] > 0 and much[1] > 3 * same[1]
    assert reader.cost(tmp_path) > 0


def test_reference_training_with_a_reader_resumes_to_the_same_weights(reference, tmp_path):
    from deepfn_lib.normaliser import reader
    from deepfn_lib.normaliser.reference import ReferenceTrainee

    trainee, pairs, base = reference
    reader.keep(tmp_path, pairs.answers, pairs.labels, seed=0)

    def made():
        reading = reader.kept(tmp_path, 32, 2)
        return ReferenceTrainee(pairs, base, trainee.recipe, "test", reading)

    straight, begun = made(), made()
    training.train(straight, tmp_path / "a", 6)
    training.train(begun, tmp_path / "b", 3)
    resumed = made()
    course = training.train(resumed, tmp_path / "b", 6)
    assert (course["loss"] > course["pictures"]).all()
    for one, other in zip(straight.variables, resumed.variables):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_disturbing_moves_frame_and_median_together(faces):
    from deepfn_lib.normaliser.recipe import NUISANCE
    from deepfn_lib.normaliser.reference import disturb

    both = disturb(faces, faces, np.random.default_rng(0), NUISANCE, misaligned=0.0)
    light = [np.polyfit(a.ravel(), b.ravel(), 1) for a, b in zip(both[..., 0], both[..., 1])]
    assert all(np.allclose(np.polyval(p, a), b, atol=1e-3) for p, a, b in zip(light, both[..., 0], both[..., 1]))
    assert np.abs(both[..., 0] - faces / 255).mean() > 0.01


def test_pairs_have_a_median_for_each_person_and_camera(tmp_path):
    from deepfn_lib.normaliser.examples import pairs_from
    from deepfn_lib.normaliser.recipe import ReferenceRecipe

    random = np.random.default_rng(0)
    for name in ("faces", "truth"):
        np.save(tmp_path / f"{name}.npy", random.integers(0, 256, (40, 64, 64)).astype(np.uint8))
    np.save(tmp_path / "people.npy", np.repeat(np.array([1, 2], np.int16), 20))
    np.save(tmp_path / "labels.npy", np.zeros((40, 12), np.int8))
    pairs = pairs_from(tmp_path, ReferenceRecipe(size=32, detail=1))
    assert pairs.faces.shape == (40, 32, 32) and len(pairs.medians) == 4
    assert np.array_equal(pairs.which, [0] * 8 + [1] * 8 + [0] * 4 + [2] * 8 + [3] * 8 + [2] * 4)


def test_arms_that_cannot_be_made_are_named(tmp_path):
    from deepfn_lib.study import Study

    study = Study.open("smoke", artefacts=str(tmp_path))
    with pytest.raises(StudyError, match="arm 'deepfnn' is unknown"):
        study.arm_path("deepfnn")
    study.__dict__["faces"] = SimpleNamespace(truth=None)
    with pytest.raises(StudyError, match="the oracle arm needs the exact answer.*leave it out of `arms`"):
        study.arm_path("oracle")
