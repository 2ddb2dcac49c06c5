"""Movement: bent pictures, the head's part, what is carried over; and the network that learns to see and draw it."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from deepfn_lib.device import configure_tensorflow
from deepfn_lib.errors import StudyError
from deepfn_lib.faces import images, motion

tf = configure_tensorflow(threads=1, deterministic=True)

from deepfn_lib.normaliser import checkpoints, networks  # noqa: E402
from deepfn_lib.normaliser import motion as learnt  # noqa: E402
from deepfn_lib.normaliser.precision import Precision  # noqa: E402
from deepfn_lib.normaliser.recipe import MotionRecipe  # noqa: E402

INNER = (slice(10, -10), slice(10, -10))


def smooth(number: int, size: int = 64, seed: int = 0, cells: int = 8) -> np.ndarray:
    """Smooth random pictures uint8 (number, size, size)."""
    random = np.random.default_rng(seed)
    low = random.integers(40, 216, (number, cells, cells)).astype(np.uint8)
    return np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC) for one in low])


def constant(x: float, y: float, number: int = 1, size: int = 64) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (number, size, size, 2))


def bump(x: float, y: float, at=(44, 32), reach: float = 5.0, size: int = 64) -> np.ndarray:
    """A motion (1, size, size, 2) of one place (row, column) and its surroundings."""
    rows, columns = np.mgrid[:size, :size]
    strength = np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / (2 * reach**2))
    return (strength[None, ..., None] * np.float32([x, y])).astype(np.float32)


# Bending.


def test_bending_by_whole_pixels_reads_them_and_repeats_the_border():
    faces = smooth(2)
    bent = motion.bend(faces, constant(3, -2, 2))
    rows, columns = np.clip(np.arange(64) - 2, 0, 63), np.clip(np.arange(64) + 3, 0, 63)
    assert bent.dtype == np.uint8 and np.array_equal(bent, faces[:, rows][:, :, columns])
    one = motion.bend(faces[0], constant(3, -2, 2))
    assert np.array_equal(one[0], one[1]) and np.array_equal(one[0], bent[0])
    assert motion.bend(faces[:0], constant(0, 0, 0)).shape == (0, 64, 64)


def test_bending_between_pixels_is_bilinear():
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32), (1, 64, 64))
    assert np.allclose(motion.bend(ramp, constant(0.25, 0))[0, :, :-1], ramp[0, :, :-1] + 0.25)


@pytest.mark.parametrize("size, factor", [(64, 4), (8, 0.5), (16, 1)])
def test_motions_for_another_size_are_in_its_pixels(size, factor):
    found = motion.scaled(constant(1, -0.5, 3, 16), size)
    assert found.shape == (3, size, size, 2)
    assert np.allclose(found, constant(factor, -0.5 * factor, 3, size))


# The head's part.


def rigid(seed: int = 1, number: int = 3, size: int = 64) -> np.ndarray:
    """Motions of a rigid head: shifts, growth, and three turns of an ellipsoid's front, up to a few pixels."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    near = 1 - (x / motion.FRONT[0]) ** 2 - (y / motion.FRONT[1]) ** 2
    found = []
    for right, down, growth, turn, side, up in np.random.default_rng(seed).normal(0, 2, (number, 6)):
        across, along = right + growth * x - turn * y + side * near, down + growth * y + turn * x + up * near
        found.append(np.stack([across, along], axis=-1))
    return np.array(found, "f4")


def test_the_heads_part_of_a_rigid_motion_is_all_of_it():
    whole = rigid()
    inside = motion.head_part(whole)[:, 8:56, 8:56]
    np.testing.assert_allclose(inside, whole[:, 8:56, 8:56], atol=0.05)


def test_the_heads_part_leaves_a_local_motion_standing():
    """A part of the face that acts is no movement of the head, also while the head moves."""
    mixed = rigid(number=1) + bump(3, -2)
    left = (mixed - motion.head_part(mixed))[0, 44, 32]
    assert left[0] > 2.7 and left[1] < -1.8  # at the place itself nearly all of 3 and of -2
    assert np.abs(motion.head_part(bump(3, -2)))[:, 16:48, 16:48].max() < 0.3


def test_a_small_shift_of_the_head_is_undone():
    median = smooth(1)[0]
    shifts = np.concatenate([constant(2, 1), constant(-1.5, 0.5), constant(0, 0)])
    faces = motion.bend(median, shifts)
    apart = [np.abs(some[INNER].astype(int) - median[INNER]).mean() for some in faces]
    still = motion.still(faces, shifts)
    left = [np.abs(some[INNER].astype(int) - median[INNER]).mean() for some in still]
    assert np.array_equal(still[2], median) and left[0] <= 0.01  # whole pixels come back as they were
    assert left[1] < 0.25 * apart[1]


def test_stabilised_faces_are_without_the_heads_movement_which_flow_sees_by_itself():
    """Of a face that only moves as a whole, next to nothing is left: less than plain subtraction leaves."""
    still = np.repeat(images.equalise(smooth(1, 128, cells=12)), 9, axis=0)
    random = np.random.default_rng(3)
    faces = motion.bend(still, np.concatenate([constant(*random.normal(0, 1.5, 2), size=128) for _ in still]))
    median = images.median_face(images.equalise(faces))
    held, plain = motion.stabilised(faces, median, median), images.median_subtracted(faces, median, median)
    assert held.shape == faces.shape and held.dtype == np.uint8
    inside = np.s_[:, 24:-24, 24:-24]
    left, before = (np.abs(some[inside].astype(int) - images.MIDDLE).mean() for some in (held, plain))
    assert left < 0.5 * before


# What is carried over.


@pytest.fixture
def two():
    """Two people's medians, equalised, uint8 (64, 64)."""
    return tuple(images.equalise(smooth(2, seed=4)))


def test_of_no_movement_the_template_is_left(two):
    median, template = two
    frames = np.repeat(median[None], 3, axis=0)
    none = np.zeros((3, 64, 64, 2), np.float32)
    for drawn in (None, none):
        for keep_pose in (False, True):
            out = motion.carried(frames, median, template, none, drawn, keep_pose=keep_pose)
            assert out.dtype == np.uint8 and np.array_equal(out, np.repeat(template[None], 3, axis=0))
    seen = images.equalise(frames)[0]
    assert np.array_equal(motion.transferred(frames, seen, template)[0], template)
    assert (motion.stabilised(frames, seen, template) == images.MIDDLE).all()


def where_bright(picture) -> np.ndarray:
    """The centre of mass (row, column) of what is above 100."""
    weight = np.clip(picture.astype(float) - 100, 0, None)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.array([(weight * rows).sum(), (weight * columns).sum()]) / weight.sum()


@pytest.mark.parametrize("by", ["motion of the face", "motion drawn on the template"])
def test_a_patch_of_the_template_moves_as_the_persons_does(by):
    """The person's mouth goes two pixels down and three to the right; the template's bright spot there follows."""
    template = np.full((64, 64), 100, np.uint8)
    template[42:47, 30:35] = 200
    median = template.copy()  # the flow between the two is none
    motions = bump(-3, -2, reach=8.0)  # backward: what is seen here was up and left
    frames = motion.bend(median, motions)
    drawn = motions if by.endswith("template") else None
    out = motion.carried(frames, median, template, motions, drawn, clip=0)
    local = motions - motion.head_part(motions)
    expected = motion.bend(template.astype(np.float32), local)
    assert np.abs(out - expected).max() <= 0.51
    down, right = where_bright(out[0]) - where_bright(template)
    assert 1.5 < down <= 2 and right == pytest.approx(1.5 * down, rel=0.1)  # next to nothing is the head's
    corner = np.s_[:, :12, :12]
    assert np.array_equal(out[corner], template[None][corner])


def test_the_pose_stays_where_it_is_wanted(two):
    median, template = two
    shift = constant(4, 0)
    frames = motion.bend(median, shift)
    for drawn in (None, shift):
        without = motion.carried(frames, median, template, shift, drawn, clip=0)
        kept = motion.carried(frames, median, template, shift, drawn, clip=0, keep_pose=True)
        assert np.array_equal(without[0], template)
        assert np.array_equal(kept[0, :, :-4], template[:, 4:])


@pytest.mark.parametrize("clip, added", [(30.0, 30), (10.0, 10), (60.0, 50), (0, 0)])
def test_what_bending_leaves_is_added_up_to_so_many_grey_levels(two, clip, added):
    median, _ = two
    frames, none = np.repeat(median[None], 2, axis=0), np.zeros((2, 64, 64, 2), np.float32)
    median = np.minimum(median, 200)
    frames = np.minimum(frames, 200)
    frames[1, 20:30, 20:30] += np.uint8(50)
    template = median // 2
    out = motion.carried(frames, template=median, median=median, motions=none, clip=clip)
    assert np.array_equal(out[0], median)
    patch = np.zeros((64, 64), int)
    patch[20:30, 20:30] = added
    assert np.array_equal(out[1], median + patch)
    other = motion.carried(frames[1:], median, template, none[1:], clip=clip)[0].astype(int) - template
    assert other.max() <= added and (clip == 0) == (other == 0).all()


def test_shades_go_with_the_movement_on_both_faces(two):
    """The person darkens somewhere, the template's face by another amount there; what is left is what no shade told."""
    median, template = (np.clip(face, 60, 200) for face in two)
    none = np.zeros((1, 64, 64, 2), np.float32)
    own, drawn = np.zeros((2, 1, 64, 64), np.float32)
    own[0, 20:30, 20:30], drawn[0, 22:32, 20:30] = -20, 35
    frames = (median + own).astype(np.uint8)
    out = motion.carried(frames, median, template, none, none, (own, drawn))
    assert np.array_equal(out, template + drawn)
    unsaid = motion.carried(frames, median, template, none, none, (0 * own, drawn), clip=0)
    assert np.array_equal(unsaid, out)  # the own shades count in what is left alone
    shift = constant(0, 3)  # of the whole head: a shade stays where the face has it
    moved = motion.carried(motion.bend(frames, shift), median, template, shift, shift, (own, drawn), clip=0)
    assert np.array_equal(moved, out)


def test_on_ones_own_median_everything_comes_back(two):
    """The template is one's own face: a frame is its median bent, and what that leaves, wherever the head is still."""
    median, _ = two
    motions = np.concatenate([bump(2, 1), bump(-1, 2, at=(24, 20))])
    motions = motions - motion.head_part(motions)
    random = np.random.default_rng(0)
    frames = np.clip(motion.bend(median, motions).astype(int) + random.integers(-20, 21, (2, 64, 64)), 0, 255)
    out = motion.carried(frames.astype(np.uint8), median, median, motions)
    assert np.abs(out.astype(int) - frames)[:, 5:-5, 5:-5].mean() < 1


# The network.

RECIPE = MotionRecipe(size=64, code=8, shades=4, iterations=5, batch=4, seed=2)


@pytest.fixture(scope="module")
def people():
    """Faces uint8 (24, 80, 80) of three people whose mouths move, and everybody's rows."""
    looks = smooth(3, 80, seed=6)
    random = np.random.default_rng(7)
    faces = []
    for look in looks:
        for _ in range(8):
            move = bump(0, random.uniform(-4, 4), at=(56, 40), reach=7, size=80)
            faces.append(motion.bend(look, move)[0])
    return np.stack(faces), {name: np.arange(8) + 8 * number for number, name in enumerate(("a", "b", "c"))}


def test_tensorflows_bend_is_opencvs():
    """At 32nds of a pixel, which OpenCV's tables have; beyond the border as well."""
    random = np.random.default_rng(0)
    pictures = random.random((3, 20, 24)).astype(np.float32)
    motions = (random.integers(-200, 201, (3, 20, 24, 2)) / 32).astype(np.float32)
    np.testing.assert_allclose(learnt.bend(pictures, motions), motion.bend(pictures, motions), atol=2e-5)
    far = constant(100, -100, 3, 24)[:, :20]
    assert np.allclose(learnt.bend(pictures, far), pictures[:, :1, -1:])


def test_the_gradient_of_bending_is_that_of_finite_differences():
    random = np.random.default_rng(1)
    pictures, weights = random.random((2, 2, 9, 11)).astype(np.float32)
    whole = random.integers(-4, 5, (2, 9, 11, 2))
    motions = (whole + random.uniform(0.2, 0.8, whole.shape)).astype(np.float32)  # no step crosses a pixel's centre
    at = tf.constant(motions)
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(weights * learnt.bend(pictures, at))
    found = tape.gradient(total, at).numpy()
    step = np.float32(0.1)
    for axis in (0, 1):
        change = step * np.eye(2, dtype=np.float32)[axis]
        up, down = (learnt.bend(pictures, motions + sign * change).numpy() for sign in (1, -1))
        np.testing.assert_allclose(found[..., axis], weights * (up - down) / (2 * step), atol=1e-5)
    outside = (motion.grid(9, 11) + motions < 0) | (motion.grid(9, 11) + motions > [10, 8])
    assert outside.any() and (found[outside] == 0).all() and (found[~outside] != 0).mean() > 0.9


def test_bending_with_a_gradient_for_pictures_is_the_same_bending():
    random = np.random.default_rng(3)
    pictures, weights = random.random((2, 2, 9, 11)).astype(np.float32)
    whole = random.integers(-4, 5, (2, 9, 11, 2))
    motions = (whole + random.uniform(0.2, 0.8, whole.shape)).astype(np.float32)
    at, shown = tf.constant(motions), tf.constant(pictures)
    found = []
    for bent in (learnt.bend, learnt.bend_both):
        with tf.GradientTape() as tape:
            tape.watch([at, shown])
            out = bent(shown, at)
            total = tf.reduce_sum(weights * out)
        found.append([out, *tape.gradient(total, [at, shown])])
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)
    assert found[0][2] is None
    direction = random.normal(0, 1, pictures.shape).astype(np.float32)  # bending is linear in the pictures
    expected = np.sum(weights * learnt.bend(direction, motions).numpy())
    assert np.sum(found[1][2] * direction) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("size", [64, 40, 17])
def test_enlarged_motions_are_opencvs(size):
    motions = np.random.default_rng(2).normal(0, 2, (3, 16, 16, 2)).astype(np.float32)
    np.testing.assert_allclose(learnt.enlarged(motions, size), motion.scaled(motions, size), atol=1e-4)


def test_contrast_is_told_without_light():
    drawn = smooth(2).astype(np.float32) / 255
    even = np.ones((64, 64), np.float32)
    assert float(learnt.unlike(drawn, drawn, even)) == pytest.approx(0, abs=1e-6)
    blur = learnt._blur(64)
    np.testing.assert_allclose(
        learnt.standing_out(drawn + 0.2, blur), learnt.standing_out(drawn, blur), atol=2e-2
    )  # float32 squares
    other = drawn.copy()
    other[:, :8] = 1 - other[:, :8]
    elsewhere, there = np.repeat([[0.0], [1.0]], [16, 48], axis=0), np.repeat([[1.0], [0.0]], [16, 48], axis=0)
    assert float(learnt.unlike(drawn, other, there)) > 0.05 > 1e-3 > float(learnt.unlike(drawn, other, elsewhere))
    assert float(learnt.roughness(tf.constant(constant(3, 1)))) == 0
    assert float(learnt.roughness(tf.constant(rigid()))) > 0


def test_frame_and_median_are_disturbed_alike(people):
    faces, rows = people
    trainee = learnt.MotionTrainee(faces, rows, RECIPE, "test")
    both, small, flows = trainee.batch(3)
    assert both.shape == (4, 64, 64, 2) and small.shape == (4, 32, 32, 2) and flows.shape == (4, 16, 16, 2)
    assert 0 <= both.min() and both.max() <= 1
    assert all(np.array_equal(one, other) for one, other in zip(trainee.batch(3), (both, small, flows)))
    # By the flow, in pixels of the small pictures, a median comes nearer to its frame.
    bent = motion.bend(np.ascontiguousarray(small[..., 1]), motion.scaled(flows, 32))
    assert np.abs(bent - small[..., 0]).mean() < 0.8 * np.abs(small[..., 1] - small[..., 0]).mean()
    some = smooth(4)
    same = learnt.together(some, some, RECIPE.nuisance, np.random.default_rng(0))
    assert np.array_equal(same[..., 0], same[..., 1]) and np.abs(same[..., 0] * 255 - some).mean() > 1
    frames, medians = trainee.drawn(50, np.random.default_rng(1))
    own = np.stack([images.median_face(images.prepare(faces, 64, rows[name])) for name in rows])
    nearest = np.abs(frames[:, None].astype(int) - own).mean(axis=(2, 3)).argmin(axis=1)
    assert np.array_equal(medians, own[nearest]) and len(set(nearest)) == 3


def test_an_untrained_network_moves_nothing(people, two):
    faces, _ = people
    frames = images.prepare(faces[:8], 64)
    median, (_, template) = images.median_face(frames), two
    fresh = learnt.Motion.fresh(RECIPE)
    for motions, shades in fresh.of(frames, median, median, template):
        assert motions.shape == (8, 64, 64, 2) and shades.shape == (8, 64, 64)
        assert not motions.any() and not shades.any()
    assert np.array_equal(fresh.transfer(frames, median, template, clip=0), np.repeat(template[None], 8, axis=0))
    back = fresh.transfer(frames, median, median, clip=255)
    assert np.array_equal(back, frames)  # all of a frame is what bending leaves of it
    assert fresh.transfer(frames[:0], median, template).shape == (0, 64, 64)


def test_codes_say_what_moved_and_pictures_where(people):
    """The encoder sees frame and median, the decoder the code and the face to be bent: no frame passes it by."""
    encoder, decoder = networks.motion_networks(64, 12, seed=1)
    assert encoder.input_shape == (None, 64, 64, 2) and encoder.output_shape == (None, 12)
    assert decoder.input_shape == [(None, 12), (None, 64, 64, 1)] and decoder.output_shape == (None, 16, 16, 3)
    again = networks.motion_networks(64, 12, seed=1)
    for one, other in zip((encoder, decoder), again):
        assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights()))


def test_main_components_by_hand():
    """Two patterns at right angles, of sizes 2 and 1/2 on average: both are found, each as large as that."""
    patterns = np.zeros((2, 4, 4, 1))
    patterns[0, :2], patterns[1, 2:] = 1 / np.sqrt(8), 1 / np.sqrt(8)
    codes = np.array([[2, 0.5], [2, -0.5], [-2, 0.5], [-2, -0.5]])
    fields = np.einsum("nk,khwc->nhwc", codes, patterns)
    found = learnt._components(fields, 3)
    assert found.shape == (4, 4, 1, 3)
    for number, size in ((0, 2), (1, 0.5)):
        np.testing.assert_allclose(np.abs(found[..., number]), size * patterns[number], atol=1e-6)
    assert np.abs(found[..., 2]).max() < 1e-6
    assert not learnt._components(fields[:1], 3)[..., 1:].any()  # fewer fields than numbers


def test_training_starts_from_what_faces_mostly_do(people):
    """Numbers of the code are movements, shades are grey; the start is the faces' and nothing else's."""
    trainee, again = (learnt.MotionTrainee(*people, RECIPE, "test") for _ in range(2))
    usual, repeated = (one.motion.decoder.get_layer("changes").usual.numpy() for one in (trainee, again))
    assert usual.shape == (16, 16, 3, 12) and np.array_equal(usual, repeated)
    assert not usual[..., 2, :8].any() and not usual[..., :2, 8:].any()
    assert usual[..., :2, :8].any() and usual[..., 2, 8:].any()
    size = np.square(usual[..., :2, :8]).sum(axis=(0, 1, 2))
    assert (np.diff(size) <= 1e-6).all()  # the largest first
    moves = np.abs(usual[..., 1, 0])
    assert moves[9:14, 5:11].mean() > 3 * moves[:5].mean()  # mouths move, and up and down


def test_what_a_code_does_is_a_sum_over_its_numbers(people, trained, two):
    kept = learnt.Motion.kept(trained, RECIPE)
    codes = np.random.default_rng(0).normal(0, 1, (3, 12)).astype(np.float32)
    whole, nothing, twice = (kept.drawn(some, two[0]) for some in (codes, 0 * codes, 2 * codes))
    assert not nothing[0].any() and not nothing[1].any()
    for one, two_times in zip(whole, twice):
        assert one.any()
        np.testing.assert_allclose(two_times, 2 * one, rtol=1e-3, atol=1e-4)
    single = [kept.drawn(codes * np.eye(12, dtype=np.float32)[number], two[0]) for number in range(12)]
    for part in (0, 1):
        np.testing.assert_allclose(sum(one[part] for one in single), whole[part], atol=1e-3)


@pytest.fixture(scope="module")
def trained(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    learnt.train_motion(folder, *people, RECIPE, "test")
    return folder


def test_a_run_leaves_weights_people_and_cost_but_no_checkpoints(trained):
    names = {path.name for path in trained.iterdir()}
    told = {"history.csv", "people.json", "cost.json", "previews"}
    assert names == {"encoder.weights.h5", "decoder.weights.h5", *told}
    assert learnt.seen_people(trained) == ["a", "b", "c"]
    cost = json.loads((trained / learnt.COST).read_text())
    parameters = sum(network.count_params() for network in learnt.Motion.fresh(RECIPE).networks)
    assert cost["images"] == 5 * 4 and cost["networks"] == 1 and cost["parameters"] == parameters
    history = np.genfromtxt(trained / learnt.HISTORY, delimiter=",", names=True)
    assert history.dtype.names == ("step", "loss", "pictures") and (history["loss"] >= history["pictures"]).all()


class Stop(Exception):
    pass


def test_an_interrupted_training_goes_on_to_the_same_bits(people, trained, tmp_path, monkeypatch):
    train = learnt.train

    def stopping(trainee, place, iterations, **more):
        def stop(step):
            if step == 4:
                raise Stop

        return train(trainee, place, iterations, **{**more, "checkpoint_every": 3, "on_step": stop})

    monkeypatch.setattr(learnt, "train", stopping)
    with pytest.raises(Stop):
        learnt.train_motion(tmp_path, *people, RECIPE, "test")
    monkeypatch.setattr(learnt, "train", train)
    assert len(checkpoints.saved(tmp_path / "checkpoints")) == 1 and not list(tmp_path.glob("*.h5"))
    faces, rows = people
    with pytest.raises(StudyError, match="of another training: its people is"):
        learnt.train_motion(tmp_path, faces, {name: rows[name] for name in "ab"}, RECIPE, "test")
    learnt.train_motion(tmp_path, faces, rows, RECIPE, "test")
    assert (tmp_path / learnt.HISTORY).read_bytes() == (trained / learnt.HISTORY).read_bytes()
    expected, found = (learnt.Motion.kept(folder, RECIPE) for folder in (trained, tmp_path))
    for one, other in zip(expected.networks, found.networks):
        assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    fresh = learnt.Motion.fresh(RECIPE)
    assert not np.array_equal(fresh.encoder.get_weights()[0], found.encoder.get_weights()[0])


def test_what_is_kept_draws_the_same_in_plain_float32(people, trained, two, tmp_path):
    faces, rows = people
    one = learnt.Motion.kept(trained, RECIPE)
    frames = images.prepare(faces, 64, rows["b"])
    median = images.median_face(frames)
    moved = [*one.of(frames, median, median)[0], *one.of(frames, median, two[1])[0]]
    assert all(part.any() for part in moved) and not np.array_equal(moved[0], moved[2])
    one.save(tmp_path)
    again = learnt.Motion.kept(tmp_path, replace(RECIPE, precision=Precision("bfloat16")))
    assert {layer.compute_dtype for network in again.networks for layer in network.layers} == {"float32"}
    for both in zip(moved, [part for face in again.of(frames, median, median, two[1]) for part in face], strict=True):
        assert np.array_equal(*both)
    assert not np.array_equal(one.transfer(frames, median, two[1], shaded=False), one.transfer(frames, median, two[1]))
    expected, found = (some.transfer(frames, median, two[1]) for some in (one, again))
    assert np.array_equal(expected, found) and expected.shape == frames.shape


@pytest.mark.parametrize("precision", [Precision("bfloat16"), Precision(xla=True)], ids=str)
def test_other_precision_trains_the_same_network(people, precision):
    trainees = [learnt.MotionTrainee(*people, replace(RECIPE, precision=some), "") for some in (Precision(), precision)]
    losses = np.array([[trainee.update(*trainee.batch(step)) for step in (1, 2, 3)] for trainee in trainees])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    assert trainees[0].description != trainees[1].description


def test_it_learns_to_bend_medians_into_frames(people):
    """Mouths that move up and down: after 60 updates the bent median is nearer to the frame than the median was."""
    trainee = learnt.MotionTrainee(*people, replace(RECIPE, iterations=60, batch=8), "test")
    losses = np.array([trainee.update(*trainee.batch(step)) for step in range(1, 61)])
    assert np.median(losses[-10:, 1]) < 0.8 * np.median(losses[:3, 1])
    drawn, wanted = trainee.probe()
    assert drawn.shape == wanted.shape == (16, 32, 32, 1) and trainee.preview().shape == (3 * 64, 8 * 64)


def test_on_ones_own_face_an_arm_of_no_movement_is_the_frame(people, tmp_path):
    """The maker's `own_face`: with an untrained network all is what bending leaves, cut to 30 grey levels."""
    from deepfn_lib.study import makers
    from deepfn_lib.study.data import Pictures
    from deepfn_lib.template import Template

    faces, rows = people
    learnt.Motion.fresh(RECIPE).save(tmp_path)
    pictures = Pictures(faces, np.repeat([f"BP4D/{name}" for name in rows], 8), tmp_path / "nowhere")
    template = Template("a", None)

    def made(**how):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        makers.by_motion.function(folder, pictures, template, tmp_path, RECIPE, how)
        return np.load(folder / makers.FILE)

    frames = images.prepare(faces, 64)
    medians = np.stack([images.resize(one[None], 64)[0] for one in pictures.medians.values()]).repeat(8, axis=0)
    assert np.array_equal(made(own_face=True, clip=0), medians)
    left = np.clip(frames.astype(int) - medians, -30, 30)
    assert np.array_equal(made(own_face=True), np.clip(medians + left, 0, 255))
    assert np.array_equal(made(clip=0), np.broadcast_to(medians[0], frames.shape))
    assert np.array_equal(made()[:8], made(own_face=True)[:8])  # the template is one of the people
