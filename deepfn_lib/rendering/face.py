"""A person's face as geometry: shape at rest, and where the vertices go at any moment."""

from dataclasses import dataclass

import cv2
import numpy as np

from .families import FIRST_FAMILY, Family
from .head import AXIS_Z, PARTS, Head
from .look import Look, bake, hair_amount, step
from .scene import Moment

NECK_LOW, NECK_HIGH = 5.75, 6.55  # rest heights between which the neck begins to follow the head
TEETH_BACK = 0.035  # decimetres, so that thin lips do not let teeth through
PIVOT = np.array([0.0, -0.95, -0.95], np.float32)  # about where the skull sits on the spine, from between the eyes


@dataclass(frozen=True)
class Face:
    """One person's face, ready to be posed.

    family: what it is made of · vertices (n, 3) float32 at rest, origin between the eyes · offsets (units, n, 3)
    float32 · amplitude: action unit -> how strongly this person moves it · atlas (512, 512) float32 · eyes: two centres
    (2, 3), the person's left eye first · follow (n,) float32: how far a vertex goes with the head, 0..1 · moving, still
    (k, 3) int32: triangles of the head and of the bust · outline: the vertices of the head · crease, skin: of the look.
    """

    family: Family
    vertices: np.ndarray
    offsets: np.ndarray
    amplitude: dict[int, float]
    atlas: np.ndarray
    eyes: np.ndarray
    follow: np.ndarray
    moving: np.ndarray
    outline: np.ndarray
    still: np.ndarray
    crease: float
    skin: float


def _shape(head: Head, weights: dict[str, float]) -> np.ndarray:
    """Neutral vertices plus the weighted identity targets, (n, 3) float32."""
    vertices = head.neutral.copy()
    for name, weight in weights.items():
        vertices += np.float32(weight) * head.target(name)
    return vertices


def _hair(head: Head, look: Look, vertices: np.ndarray) -> np.ndarray:
    """Raise the scalp by the height of the hair, so that the outline is hair and not skull."""
    amount = cv2.GaussianBlur(hair_amount(look), (0, 0), 3)
    columns, rows = np.clip(np.round(head.atlas), 0, amount.shape[0] - 1).astype(int).T
    skin = np.zeros(len(vertices), bool)
    skin[head.part_vertices("skin")] = True
    grown = amount[rows, columns] * skin * (1 - step(head.ears, 0.05, 0.3))
    normals = vertex_normals(head, vertices)
    top = 0.55 + 0.45 * step(head.rest[:, 1], 7.4, 8.2)
    return vertices + (look.hair_height * grown * top)[:, None].astype(np.float32) * normals


def vertex_normals(head: Head, vertices: np.ndarray) -> np.ndarray:
    """Unit normals (n, 3) float32 of all vertices."""
    corner = vertices[head.triangles[:, 0]]
    flat = _cross(vertices[head.triangles[:, 1]] - corner, vertices[head.triangles[:, 2]] - corner)
    summed = head.normal_sum @ flat
    return summed / np.maximum(np.sqrt(np.einsum("ij,ij->i", summed, summed)), 1e-9)[:, None]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of rows; several times faster than np.cross for this shape."""
    result = np.empty_like(a)
    result[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    result[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    result[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return result


def _long_hair(head: Head, look: Look) -> np.ndarray:
    """Which triangles of the sheet of hair this person wears, mask (m,)."""
    centre = head.rest[head.triangles].mean(axis=1)
    angle = np.abs(np.arctan2(centre[:, 0], centre[:, 2] - AXIS_Z))
    low = 7.0 - 2.4 * look.hair_length
    hidden = (centre[:, 1] > 6.9) & (angle > 2.1)  # behind the skull
    return (head.parts == PARTS.index("hair")) & (angle > look.hair_front) & (centre[:, 1] > low) & ~hidden


def _carry(head: Head, vertices: np.ndarray, part: str, known: np.ndarray) -> np.ndarray:
    """Fit a part to this person, as one affine map of where the `known` vertices of the skin went."""
    worn = head.part_vertices(part)
    before = np.column_stack([head.rest[known], np.ones(len(known))]).astype(np.float64)
    fit, *_ = np.linalg.lstsq(before, vertices[known].astype(np.float64), rcond=None)
    carried = vertices.copy()
    carried[worn] = np.column_stack([head.rest[worn], np.ones(len(worn))]) @ fit
    return carried


def _dress(head: Head, vertices: np.ndarray) -> np.ndarray:
    """Fit long hair to the skull, and glasses to the face about the eyes."""
    skin = head.part_vertices("skin")
    x, y, z = head.rest[skin].T
    skull = skin[(y > 7.3) & (head.ears[skin] < 0.1)]
    about_eyes = skin[(z > 0.9) & (y > 7.0) & (y < 7.6) & (np.abs(x) < 0.7)]
    return _carry(head, _carry(head, vertices, "hair", skull), "glasses", about_eyes)


def make_face(
    weights: dict[str, float], look: Look, amplitude: dict[int, float] | None = None, family: Family = FIRST_FAMILY
) -> Face:
    """A face from identity-target weights, a look, and how strongly the person moves each action unit (default 1)."""
    head = family.head
    vertices = _shape(head, weights)
    eyes = np.stack([vertices[head.part_vertices(eye)].mean(axis=0) for eye in ("left-eye", "right-eye")])
    vertices[head.part_vertices("upper-teeth", "lower-teeth", "tongue"), 2] -= TEETH_BACK
    vertices = _dress(head, _hair(head, look, vertices))
    origin = eyes.mean(axis=0)
    moving, still = _visible(head, look)
    return Face(
        family=family,
        vertices=(vertices - origin).astype(np.float32),
        offsets=head.unit_offsets,
        amplitude=amplitude or {},
        atlas=bake(look),
        eyes=eyes - origin,
        follow=step(head.rest[:, 1], NECK_LOW, NECK_HIGH).astype(np.float32),
        moving=moving,
        outline=np.unique(moving),
        still=still,
        crease=look.crease,
        skin=look.skin,
    )


def _visible(head: Head, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of the head and of the bust: those that can ever be seen."""
    corners = head.rest[head.triangles]
    added = np.isin(head.parts, [PARTS.index("hair"), PARTS.index("glasses")])
    worn = _long_hair(head, look) if look.hair_length > 0 else np.zeros_like(added)
    worn = worn | ((head.parts == PARTS.index("glasses")) & (look.glasses > 0))
    facing = (corners[:, :, 2].max(axis=1) > 0.0) | (corners[:, :, 1].min(axis=1) > 7.6)
    above = corners[:, :, 1].max(axis=1) > NECK_LOW

    def seen(half: np.ndarray) -> np.ndarray:
        sheet = head.triangles[worn & half]  # seen from both sides, while all else is seen from outside
        return np.concatenate([head.triangles[~added & facing & half], sheet, sheet[:, ::-1]])

    return seen(above), seen(~above)


def unit_strengths(face: Face, units: dict[int, tuple[float, float]], extra: dict[str, float]) -> np.ndarray:
    """Strength of each expression unit, (units,) float32, for activations on this person's face."""
    total = dict(extra)
    for unit, sides in units.items():
        factor = face.amplitude.get(unit, 1.0)
        for name, strength in face.family.units[unit].items():
            share = 1.0 if "*" in name else 0.5  # what has no sides takes half from each
            for side, activation in zip(("Left", "Right"), sides):
                key = name.replace("*", side)
                total[key] = total.get(key, 0.0) + factor * strength * activation * share
    return np.array([min(total.get(name, 0.0), 1.25) for name in face.family.head.unit_names], np.float32)


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> np.ndarray:
    """(3, 3) float32: turn by roll (z), then pitch (x), then yaw (y), degrees; positive pitch looks down."""
    turns = [cv2.Rodrigues(np.array(axis, np.float64))[0] for axis in np.radians(np.diag([pitch, yaw, roll]))]
    return (turns[1] @ turns[0] @ turns[2]).astype(np.float32)


def pose(face: Face, moment: Moment) -> np.ndarray:
    """Where the vertices are at a moment, (n, 3) float32, decimetres; the camera looks along -z at the origin."""
    strength = unit_strengths(face, moment.units, moment.extra)
    vertices = face.vertices.copy()
    for number in np.flatnonzero(strength > 1e-3):  # one by one: a threaded matrix product costs more than it saves
        vertices += strength[number] * face.offsets[number]
    if moment.gaze != (0.0, 0.0):
        turn = rotation(*moment.gaze)
        for eye, centre in zip(("left-eye", "right-eye"), face.eyes):
            ball = face.family.head.part_vertices(eye)
            vertices[ball] = turned_by(turn, vertices[ball] - centre) + centre
    turned = turned_by(rotation(moment.yaw, moment.pitch, moment.roll), vertices - PIVOT)
    turned += PIVOT + np.array(moment.shift, np.float32)
    return vertices + (turned - vertices) * face.follow[:, None]


def turned_by(turn: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Vertices (n, 3) turned by a rotation (3, 3): float32."""
    return cv2.transform(np.asarray(vertices, np.float32)[None], turn)[0]


def landmark_points(head: Head, vertices: np.ndarray) -> np.ndarray:
    """Five points in space (5, 3): image-left and -right eye, nose tip, image-left and -right corner of the mouth."""
    eyes = [vertices[head.part_vertices(eye)].mean(axis=0) for eye in ("right-eye", "left-eye")]
    return np.concatenate([eyes, vertices[head.nose_and_mouth]]).astype(np.float32)
