"""DeepFN, by motion: one encoder and one decoder for everybody, and what is carried over is movement, not a picture.

The encoder sees a person's median face beside a frame of theirs and says in a few numbers what changed; the decoder
draws these changes, movement and shade, on the face it is shown. In training this is the person's own median, which
changed so has to look like the frame; at transfer it is the template's. As in Eq. 1 nothing is known but the frames: no
label, no exact answer, no rendered pair. Chapter 18 derives it.

Its neighbours: FAb-Net (Wiles et al. 2018) learns from warps between two frames, TCAE (Li et al. 2019) tells movement
of the face from that of the head, first-order motion (Siarohin et al. 2019) carries relative motion.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from sklearn.utils.extmath import randomized_svd

from ..artefacts import write_json
from ..faces import images, motion, regions
from ..frames import evenly
from . import networks
from .augmentation import Augmentation, draw_affine, draw_nodes, sample, spread, way_back
from .precision import Precision
from .recipe import MotionRecipe
from .training import tidy, train

CODE_VERSION = 1  # raise when the same faces and recipe would give another network
CHUNK = 128
BLUR = 3.0  # pixels, SD of the neighbourhood that a grey level is compared with
FLAT = 0.05  # of the grey range: what varies less than this counts as flat
ROUND = 0.03  # below this a deviation counts by its square (Charbonnier)
WEIGHTS, HISTORY, COST, PEOPLE = ("encoder", "decoder"), "history.csv", "cost.json", "people.json"
SHOWN = 8
FLOWS = 2000  # frames whose dense flow tells how faces mostly move


def train_motion(folder: Path, faces: np.ndarray, rows: Mapping[str, np.ndarray], recipe: MotionRecipe, label: str):
    """Train on the faces uint8 (n, side, side) of the people in `rows` (name to theirs), and leave it in `folder`.

    Beside the weights there are `history.csv`, `cost.json`, `people.json` (who was seen) and previews. An interrupted
    call goes on from its checkpoints.
    """
    trainee = MotionTrainee(faces, rows, recipe, label)
    done: list[int] = []
    began = time.process_time()
    course = train(trainee, folder / "checkpoints", recipe.iterations, description=label, on_step=done.append)
    seconds = (time.process_time() - began) / max(1, len(done)) * recipe.iterations
    trainee.motion.save(folder)
    course.to_csv(folder / HISTORY, index=False)
    write_json(folder / PEOPLE, sorted(rows))
    parameters = sum(network.count_params() for network in trainee.motion.networks)
    seen = {"images": recipe.iterations * recipe.batch, "core_seconds": seconds}
    write_json(folder / COST, {**seen, "parameters": parameters, "networks": 1})
    tidy(folder)


def seen_people(folder: Path) -> list[str]:
    """Whose faces the network in `folder` was trained on."""
    return json.loads((folder / PEOPLE).read_text())


class Motion:
    """The encoder and the decoder. `of` gives motions; what is done with them is `faces.motion`'s."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model, recipe: MotionRecipe):
        self.encoder, self.decoder, self.recipe = encoder, decoder, recipe
        self.networks = encoder, decoder
        pictures = tf.TensorSpec((None, recipe.size, recipe.size), tf.uint8)
        self.encode = tf.function(self._encode, input_signature=[pictures, pictures])
        self.draw = tf.function(
            self._draw, input_signature=[tf.TensorSpec((None, recipe.code + recipe.shades)), pictures]
        )

    @classmethod
    def fresh(cls, recipe: MotionRecipe) -> "Motion":
        """An untrained one, which moves nothing."""
        with recipe.precision.networks():
            made = networks.motion_networks(recipe.size, recipe.code + recipe.shades, recipe.seed)
        return cls(*made, recipe)

    @classmethod
    def kept(cls, folder: Path, recipe: MotionRecipe) -> "Motion":
        """The trained one that `save` left in `folder`; it computes in plain float32, however it was trained."""
        made = cls.fresh(replace(recipe, precision=Precision()))
        for name, network in zip(WEIGHTS, made.networks):
            network.load_weights(folder / f"{name}.weights.h5")
        return made

    def save(self, folder: Path) -> None:
        """Leave the weights in `folder`."""
        for name, network in zip(WEIGHTS, self.networks):
            network.save_weights(folder / f"{name}.weights.h5")

    def _encode(self, frames, medians):
        return self.encoder(as_grey(tf.stack([frames, medians], axis=-1)), training=False)

    def _draw(self, codes, pictures):
        return self.decoder([codes, as_grey(pictures[..., None])], training=False)

    def of(self, frames: np.ndarray, median: np.ndarray, *shown: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """What changed in one person's equalised frames uint8 (n, size, size), drawn on each of the faces `shown`.

        `median` (size, size) is the person's. Returns motions float32 (n, size, size, 2) and changes of grey levels
        (n, size, size), for each face.
        """
        starts = range(0, len(frames), CHUNK)
        parts = [tf.constant(frames[start : start + CHUNK]) for start in starts]
        codes = np.concatenate([self.encode(part, _repeated(median, len(part))) for part in parts])
        return [self.drawn(codes, face) for face in shown]

    def drawn(self, codes: np.ndarray, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What codes float32 (n, numbers) do to a face uint8 (size, size): motions and changes of grey levels."""
        size = self.recipe.size
        motions, shades = (
            np.empty((len(codes), size, size, 2), np.float32),
            np.empty((len(codes), size, size), np.float32),
        )
        for start in range(0, len(codes), CHUNK):
            some = slice(start, start + CHUNK)
            on_grid = self.draw(tf.constant(codes[some]), _repeated(face, len(codes[some]))).numpy()
            motions[some] = motion.scaled(on_grid[..., :2], size)
            shades[some] = 255 * np.stack([cv2.resize(one, (size, size)) for one in on_grid[..., 2]])
        return motions, shades

    def transfer(self, frames: np.ndarray, median: np.ndarray, template: np.ndarray, *, shaded: bool = True, **how):
        """One person's equalised frames uint8 (n, size, size) on the template, whose median is `template`.

        Without `shaded` movement alone is carried over; `how` as of `faces.motion.carried`. Returns the frames' shape.
        """
        out = np.empty(frames.shape, np.uint8)
        for start in range(0, len(frames), CHUNK):
            some = frames[start : start + CHUNK]
            (own, own_shades), (drawn, shades) = self.of(some, median, median, template)
            both = (own_shades, shades) if shaded else None
            out[start : start + CHUNK] = motion.carried(some, median, template, own, drawn, both, **how)
        return out


def _repeated(face: np.ndarray, n: int):
    return tf.constant(np.broadcast_to(face, (n, *face.shape)))


def as_grey(pictures):
    """Grey levels of 0 to 255 around zero: float32 in -0.5 to 0.5."""
    return tf.cast(pictures, tf.float32) / 255.0 - 0.5


class MotionTrainee:
    """Fresh networks as a trainee (`training.train`). `faces` uint8 (n, side, side), `rows` name to row numbers."""

    loss_names = ("loss", "pictures")

    def __init__(self, faces: np.ndarray, rows: Mapping[str, np.ndarray], recipe: MotionRecipe, label: str):
        self.faces, self.recipe = faces, recipe
        self.rows = np.concatenate(list(rows.values()))
        self.whose = np.repeat(np.arange(len(rows)), [len(some) for some in rows.values()])
        medians = (images.median_face(images.prepare(faces, recipe.size, _some(own))) for own in rows.values())
        self.medians = np.stack(list(medians))
        self.motion = Motion.fresh(recipe)
        self.motion.decoder.get_layer("changes").usual.assign(self._main_changes())
        self.update = recipe.precision.compiled(self._update)
        self.weights = tf.constant(regions.where_it_counts(recipe.size // 2))
        self.coarse = tf.constant(regions.where_it_counts(recipe.size // 4)[..., None])
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.iterations)
        self.optimiser = keras.optimizers.Adam(rate)
        self.trained = [weight for network in self.motion.networks for weight in network.trainable_variables]
        self.optimiser.build(self.trained)
        self.variables = self.trained + self.optimiser.variables
        self.description = {"network": "motion", "person": label, "people": sorted(rows), **recipe.described()}

    def _main_changes(self) -> np.ndarray:
        """What faces mostly do, float32 (h, w, 3, code + shades), from which the training starts.

        Main components of dense flows between frames and medians, and of what bending by them leaves; of both and of
        their mirror images. An average number of a code is about one.
        """
        some, half, grid = evenly(len(self.rows), FLOWS), self.recipe.size // 2, self.recipe.size // 4
        frames = images.prepare(self.faces, half, self.rows[some])
        medians = images.resize(self.medians, half)[self.whose[some]]
        flows = np.stack([images.flow_between(*both) for both in zip(frames, medians)])
        left = motion.bend(frames - motion.bend(medians.astype(np.float32), flows), -flows) / 255
        left = np.stack([cv2.resize(one, (grid, grid), interpolation=cv2.INTER_AREA) for one in left])[..., None]
        flows = motion.scaled(flows, grid)
        flows = np.concatenate([flows, flows[:, :, ::-1] * np.array([-1, 1], np.float32)])
        left = np.concatenate([left, left[:, :, ::-1]])
        found = np.zeros((grid, grid, 3, self.recipe.code + self.recipe.shades), np.float32)
        found[:, :, :2, : self.recipe.code] = _components(flows, self.recipe.code)
        found[:, :, 2:, self.recipe.code :] = _components(left, self.recipe.shades)
        return found

    def drawn(self, n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n frames and their people's medians, uint8 (n, size, size)."""
        one = random.integers(0, len(self.rows), n)
        return images.prepare(self.faces, self.recipe.size, self.rows[one]), self.medians[self.whose[one]]

    def batch(self, step: int):
        """Frames beside medians under the same small affine and flip, float32 (n, size, size, 2) in 0-1; the same at
        half the size; and the dense flow between these, float32 (n, size / 4, size / 4, 2) in pixels of that grid."""
        random = np.random.default_rng([self.recipe.seed, step])
        both, small = with_small(together(*self.drawn(self.recipe.batch, random), self.recipe.nuisance, random))
        grey = (255 * small).astype(np.uint8)
        flows = [images.flow_between(*np.ascontiguousarray(np.moveaxis(one, -1, 0))) for one in grey]
        return both, small, motion.scaled(np.stack(flows), self.recipe.size // 4)

    def bent(self, both, small, training: bool):
        """Motions on the networks' grid, in its pixels, and changes of grey; and medians changed so beside frames, at
        half the size."""
        seen, half = both - 0.5, self.recipe.size // 2
        changes = self.motion.decoder([self.motion.encoder(seen, training=training), seen[..., 1:]], training=training)
        motions, shades = changes[..., :2], changes[..., 2]
        moved = enlarged(bend_both(shades, motions)[..., None], half)[..., 0] * (changes.shape[1] / half)
        return changes, bend(small[..., 1], enlarged(motions, half)) + moved, small[..., 0]

    def _update(self, both, small, flows):
        """One update; the whole loss, and of it what the pictures say."""
        with tf.GradientTape() as tape:
            changes, drawn, wanted = self.bent(both, small, training=True)
            motions = changes[..., :2]
            pictures = unlike(drawn, wanted, self.weights)
            finer = 2.0  # a pixel of the motions' grid, in pixels of the small pictures
            apart = tf.reduce_mean(self.coarse * rounded(finer * (motions - flows)))
            loss = pictures + self.recipe.smooth * finer * roughness(motions) + self.recipe.follow * apart
            loss += self.recipe.sparing * tf.reduce_mean(tf.abs(changes[..., 2]))
        self.optimiser.apply(tape.gradient(loss, self.trained), self.trained)
        return tf.stack([loss, pictures])

    def probe(self):
        """Medians bent into a few undisturbed frames, and those frames, at half the size."""
        seen = np.stack(self.drawn(16, np.random.default_rng(self.recipe.seed)), axis=-1) / np.float32(255)
        _, drawn, wanted = self.bent(*(tf.constant(some) for some in with_small(seen)), training=False)
        return drawn.numpy()[..., None], wanted.numpy()[..., None]

    def preview(self) -> np.ndarray:
        """Rows: frames, their people's medians, these bent."""
        frames, medians = self.drawn(SHOWN, np.random.default_rng(self.recipe.seed))
        moved = [
            self.motion.transfer(frame[None], median, median, clip=0, keep_pose=True)[0]
            for frame, median in zip(frames, medians)
        ]
        rows = frames, medians, np.stack(moved)
        return np.vstack([np.hstack(list(row)) for row in rows])


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[evenly(len(rows), images.MEDIAN_FRAMES)]


def together(frames: np.ndarray, medians: np.ndarray, nuisance: Augmentation, random: np.random.Generator):
    """Frames and medians, uint8 (n, size, size), under the same affine and flip: float32 (n, size, size, 2) in 0-1."""
    n, size = frames.shape[:2]
    affine = draw_affine(n, size, nuisance, random)
    nodes = draw_nodes(n, size, Augmentation(warp_pixels=0.0), random) @ np.array([1, 1j])
    places = spread(way_back(nodes, affine, size), size)
    return np.concatenate([sample(faces, *places) for faces in (frames, medians)], axis=-1)


def with_small(both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pictures float32 (n, size, size, 2), and the same at half the size."""
    half = both.shape[1] // 2
    return both, np.stack([cv2.resize(one, (half, half), interpolation=cv2.INTER_AREA) for one in both])


def _components(fields: np.ndarray, number: int) -> np.ndarray:
    """The main components of fields (n, h, w, c), each as large as it is on average: float32 (h, w, c, number)."""
    _, values, found = randomized_svd(fields.reshape(len(fields), -1), number, random_state=0)
    sized = found.T * values / np.sqrt(len(fields))
    out = np.zeros((int(np.prod(fields.shape[1:])), number), np.float32)
    out[:, : sized.shape[1]] = sized  # fewer where there are fewer fields
    return out.reshape(*fields.shape[1:], number)


def bend_both(pictures, motions):
    """`bend` with a gradient for the pictures, too: for small ones."""
    height, width = pictures.shape[1:]
    last = np.array([width - 1, height - 1], np.float32)
    at = tf.clip_by_value(motion.grid(height, width) + motions, 0.0, last)
    corner = tf.stop_gradient(tf.minimum(tf.floor(at), last - 1))
    x, y = tf.unstack(at - corner, axis=-1)
    whole = tf.cast(corner, tf.int32)
    first = whole[..., 0] + width * whole[..., 1] + (tf.range(tf.shape(pictures)[0]) * height * width)[:, None, None]
    flat = tf.reshape(pictures, [-1])
    four = [tf.gather(flat, first + k) for k in (0, 1, width, width + 1)]
    upper, lower = four[0] + x * (four[1] - four[0]), four[2] + x * (four[3] - four[2])
    return upper + y * (lower - upper)


def enlarged(motions, size: int):
    """`faces.motion.scaled` for TensorFlow: motions (n, h, h, c) for `size` pixels, as products of matrices."""
    height = motions.shape[1]
    at = np.clip((np.arange(size) + 0.5) * height / size - 0.5, 0, height - 1)
    weights = np.clip(1 - np.abs(at[:, None] - np.arange(height)), 0, 1) * size / height
    rows, columns = tf.constant(weights, tf.float32), tf.constant(weights * height / size, tf.float32)
    return tf.stack([rows @ motions[..., axis] @ tf.transpose(columns) for axis in range(motions.shape[-1])], axis=-1)


@tf.custom_gradient
def bend(pictures, motions):
    """Pictures (n, h, w) at the places that motions (n, h, w, 2) name, bilinear, the border replicated.

    `faces.motion.bend` for TensorFlow, with a gradient for the motions alone: the slopes between the four pixels that
    are read anyway, where a general gather's gradient would add up over all pixels.
    """
    n, height, width = tf.shape(pictures)[0], pictures.shape[1], pictures.shape[2]
    at = motion.grid(height, width) + motions
    last = np.array([width - 1, height - 1], np.float32)
    inside = tf.clip_by_value(at, 0.0, last)
    corner = tf.minimum(tf.floor(inside), last - 1)
    part = inside - corner
    whole = tf.cast(corner, tf.int32)
    first = whole[..., 0] + width * whole[..., 1] + (tf.range(n) * height * width)[:, None, None]
    flat = tf.reshape(pictures, [-1])
    upper_left, upper_right, lower_left, lower_right = (tf.gather(flat, first + k) for k in (0, 1, width, width + 1))
    x, y = part[..., 0], part[..., 1]
    upper, lower = upper_left + x * (upper_right - upper_left), lower_left + x * (lower_right - lower_left)

    def gradient(upstream):
        across = (1 - y) * (upper_right - upper_left) + y * (lower_right - lower_left)
        slopes = tf.stack([across, lower - upper], axis=-1) * tf.cast(at == inside, tf.float32)
        return None, upstream[..., None] * slopes

    return upper + y * (lower - upper), gradient


def unlike(drawn, wanted, weights):
    """How unlike pictures (n, h, w) in 0-1 are: their grey levels against their surroundings', and as they are.

    `weights` (h, w), mean one: where it counts.
    """
    blur = _blur(drawn.shape[1])
    apart = rounded(standing_out(drawn, blur) - standing_out(wanted, blur)) + 2 * rounded(drawn - wanted)
    return tf.reduce_mean(weights * apart)


def standing_out(pictures, blur):
    """Grey levels less their surroundings' mean, over their deviation: contrast without light."""
    mean, square = (tf.matmul(tf.matmul(blur, some), blur, transpose_b=True) for some in (pictures, pictures**2))
    return (pictures - mean) / tf.sqrt(tf.maximum(square - mean**2, 0.0) + FLAT**2)


def _blur(size: int):
    """A Gaussian over neighbours as a matrix (size, size), its rows summing to one."""
    apart = np.arange(size)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (apart / BLUR) ** 2)
    return tf.constant(weights / weights.sum(1, keepdims=True), tf.float32)


def rounded(deviation):
    """|deviation|, rounded off near zero (Charbonnier)."""
    return tf.sqrt(deviation**2 + ROUND**2) - ROUND


def roughness(motions):
    """Mean absolute difference between neighbours, per component: motions (n, h, w, 2), in its pixels."""
    return tf.reduce_mean(tf.abs(motions[:, 1:] - motions[:, :-1])) + tf.reduce_mean(
        tf.abs(motions[:, :, 1:] - motions[:, :, :-1])
    )
