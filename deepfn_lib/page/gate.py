"""The one gate for pictures of people: every face in a chapter and every export goes through it.

People are named `manifest/participant` ("rendered-bp4d/F001"); the manifest, a file in data_manifests/, says who may
be shown. A picture of anyone else becomes a grey card that says why, so the book builds with any dataset. Pictures
that pass carry their people in a PNG text chunk, by which `commands.scan` traces them in the built book.

In this module `who` is a name, a `Mean`, or any nesting of them.
"""

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from ..datasets.manifests import load_manifest as _manifest
from ..errors import StudyError

CHUNK = "deepfn-people"  # of a PNG: the same record as in an export's .people.json
CELL = 128  # pixels on the page of one face
SEPARATOR = 3
WIDEST = 2000


class Mean:
    """Marks an image as the mean (or median) over people, of whom none can be made out if they are enough."""

    def __init__(self, people: Iterable[str]):
        self.people = tuple(sorted(set(people)))
        if not self.people:
            raise ValueError("a mean is of somebody: name the people")


@dataclass(frozen=True)
class Picture:
    """What a chapter displays: HTML, with no pixel in it where a picture was refused (`refusal` says why)."""

    markup: str
    description: str
    refusal: str = ""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.markup, "text/plain": self.description}


def face_grid(
    rows: Sequence[Sequence[np.ndarray | None]],
    people: Sequence[Sequence[str | Iterable[str] | Mean]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    *,
    caption: str = "",
    alt: str = "",
    cell: int = CELL,
) -> Picture:
    """A grid of faces for a chapter, or a grey card where anyone in it may not be shown.

    `rows` are uint8 images, grey (h, w) or RGB (h, w, 3), drawn on the fixed range 0-255 and enlarged to `cell`
    pixels; None leaves a gap. `people` has the same shape: for each image the participant it shows, several names
    where it is made of several (a face moved to a template: one of them must have agreed to be a template), or
    `Mean(names)` for an average. `caption` and `alt` are plain text; counts of images and people are added to the
    caption. Raises ValueError where shapes, types or labels do not fit, or an image is of nobody.
    """
    _check_grid(rows, people, row_labels, column_labels)
    entries = [who for line, names in zip(rows, people) for image, who in zip(line, names) if image is not None]
    if not all(any(_collect(who)) for who in entries):
        raise ValueError("people must name who is on each image; for a picture of nobody there is gate.picture")
    refusal = reason_to_refuse(entries) or _lacks_consent(entries)
    if refusal:
        return grey_card(refusal, caption)
    return _drawn(rows, entries, row_labels, column_labels, caption, alt, cell, _count(entries))


def picture(image: np.ndarray, *, caption: str = "", alt: str = "", cell: int = 2 * CELL) -> Picture:
    """One image, uint8, of nobody: a flow field's colour key, a test pattern. A face goes through `face_grid`."""
    _check_grid([[image]], [[()]], (), ())
    return _drawn([[image]], (), (), (), caption, alt, cell, "")


def _drawn(rows, who, row_labels, column_labels, caption, alt, cell, note) -> Picture:
    columns = max(len(line) for line in rows)
    data = png(_mosaic(rows, columns, cell), who)
    alt = alt or ". ".join(
        part for part in (caption.rstrip("."), _spoken("Rows", row_labels), _spoken("Columns", column_labels)) if part
    )
    heads = "".join(f"<span>{html.escape(str(label))}</span>" for label in column_labels)
    sides = "".join(f"<span>{html.escape(str(label))}</span>" for label in row_labels)
    width = columns * (cell + SEPARATOR) - SEPARATOR
    markup = (
        f'<figure class="faces" style="--columns:{columns};--width:{width}px">'
        f'<div class="faces-heads" aria-hidden="true">{heads}</div>'
        f'<div class="faces-sides" aria-hidden="true">{sides}</div>'
        f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        f"<figcaption>{html.escape(caption)} <small>{html.escape(note)}</small></figcaption></figure>"
    )
    return Picture(markup, f"{caption} {note}".strip())


def reason_to_refuse(who) -> str:
    """Why these people may not be shown, in a line; empty where they may."""
    singles, means = _collect(who)
    hidden = [name for name in singles if not _showable(name)]
    if hidden:
        others = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        return f"{hidden[0]}{others} may not be shown: {_file(hidden[0])} does not list them as showable"
    for mean in means:
        hidden = [name for name in mean.people if not _showable(name)]
        if not hidden:
            continue
        least = max(_manifest(_split(name)[0]).smallest_mean for name in hidden)
        if least <= 0 or len(mean.people) < least:
            wanted = f"fewer than {least}" if least > 0 else "any number of"
            return f"a mean of {len(mean.people)} people: {_file(hidden[0])} does not let means of {wanted} be shown"
    return ""


def everyone(who) -> list[str]:
    """The names of all people in `who`, those in means too, sorted."""
    singles, means = _collect(who)
    return sorted(set(singles).union(*(mean.people for mean in means)))


def export(path: str | Path, people: Iterable[str | Mean]) -> Path:
    """Permission to write `path` (weights, normalised faces, template faces) made from `people` outside the artefacts.

    Writes `<path>.people.json` beside it, and returns the path. Raises StudyError where someone may not be shown:
    a decoder's weights can draw the face it was trained on.
    """
    path, people = Path(path), list(people)
    if not everyone(people):
        raise StudyError(f"{path.name} is not exported: name the people it was made from")
    refusal = reason_to_refuse(people)
    if refusal:
        raise StudyError(f"{path.name} is not exported: {refusal}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + ".people.json").write_text(_record(people) + "\n")
    return path


def require_template_consent(person: str) -> None:
    """Raises StudyError unless the person's manifest records their consent to be the template."""
    if not _consents(person):
        raise StudyError(
            f"{person} cannot be the template in anything published: "
            f"{_file(person)} has no recorded consent (template_consent)"
        )


def _lacks_consent(entries) -> str:
    """A face made of several people is on the face of one of them, who must have agreed; empty where that is so."""
    for entry in entries:
        singles, means = _collect(entry)
        people = everyone(entry)
        if len(singles) + len(means) > 1 and not any(map(_consents, people)):
            return (
                f"none of {', '.join(people[:3])} has consented to be a template ({_file(people[0])}, template_consent)"
            )
    return ""


def grey_card(reason: str, caption: str = "") -> Picture:
    """What stands in the place of a refused picture: the reason, and no pixel."""
    markup = (
        '<figure class="faces grey-card"><div role="img" aria-label="Not shown">'
        f"Not shown here: {html.escape(reason)}.</div>"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
    return Picture(markup, f"Not shown: {reason}", reason)


def png(image: np.ndarray, who) -> bytes:
    """A PNG whose text chunk names the people it shows. `image`: uint8, grey (h, w) or RGB (h, w, 3).

    Raises StudyError where someone may not be shown.
    """
    refusal = reason_to_refuse(who)
    if refusal:
        raise StudyError(refusal)
    chunks, stream = PngImagePlugin.PngInfo(), io.BytesIO()
    chunks.add_text(CHUNK, _record(who))
    Image.fromarray(image).save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def read_people(data: bytes) -> tuple[list[str], list[Mean]] | None:
    """The people named in a PNG's text chunk, and its means; None for what did not come through the gate whole."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            picture.load()  # to its end
            record = json.loads(picture.info[CHUNK])
        people, means = record["people"], [Mean(names) for names in record["means"]]
        for name in everyone((people, means)):
            _split(name)
    except Exception:  # however it is damaged, and whoever made it, the gate did not
        return None
    return people, means


def _record(who) -> str:
    singles, means = _collect(who)
    return json.dumps({"people": singles, "means": [mean.people for mean in means]}, indent=1)


def _mosaic(rows, columns: int, cell: int) -> np.ndarray:
    """All images in one, white between them; enlarged with Lanczos, reduced by area."""
    colour = any(image is not None and image.ndim == 3 for line in rows for image in line)
    side = min(2 * cell, max(cell, max(max(image.shape[:2]) for line in rows for image in line if image is not None)))
    side = min(side, max(32, WIDEST // columns))
    gap = max(1, round(SEPARATOR * side / cell))
    size = (columns * (side + gap) - gap, len(rows) * (side + gap) - gap)
    canvas = Image.new("RGB" if colour else "L", size, "white")
    for line, images in enumerate(rows):
        for column, image in enumerate(images):
            if image is None:
                continue
            how = cv2.INTER_LANCZOS4 if side > image.shape[1] else cv2.INTER_AREA
            height = round(side * image.shape[0] / max(image.shape[:2]))
            width = round(side * image.shape[1] / max(image.shape[:2]))
            resized = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=how)
            left, top = column * (side + gap) + (side - width) // 2, line * (side + gap) + (side - height) // 2
            canvas.paste(Image.fromarray(resized), (left, top))
    return np.asarray(canvas)


def _check_grid(rows, people, row_labels, column_labels) -> None:
    if not rows or not any(image is not None for line in rows for image in line):
        raise ValueError("a grid needs at least one image")
    if [len(line) for line in rows] != [len(names) for names in people]:
        raise ValueError("people must have the shape of rows: who is on each image")
    if row_labels and len(row_labels) != len(rows):
        raise ValueError(f"{len(row_labels)} row labels for {len(rows)} rows")
    if column_labels and len(column_labels) != max(len(line) for line in rows):
        raise ValueError(f"{len(column_labels)} column labels for {max(len(line) for line in rows)} columns")
    for line in rows:
        for image in line:
            if image is not None and (image.dtype != np.uint8 or image.ndim < 2 or image.shape[2:] not in ((), (3,))):
                raise ValueError(f"images are uint8 (h, w) or (h, w, 3), got {image.dtype} {image.shape}")


def _collect(who) -> tuple[list[str], list[Mean]]:
    """The names in `who`, sorted, and the means, each once."""
    if isinstance(who, str):
        return [who], []
    if isinstance(who, Mean):
        return [], [who]
    singles: set[str] = set()
    means: dict[tuple[str, ...], Mean] = {}
    for one in who:
        names, more = _collect(one)
        singles.update(names)
        means |= {mean.people: mean for mean in more}
    return sorted(singles), list(means.values())


def _count(entries: Sequence) -> str:
    people = everyone(entries)
    images = "1 image" if len(entries) == 1 else f"{len(entries)} images"
    noun = "participant" if len(people) == 1 else "participants"
    return f"({images}; {len(people)} {noun} of {', '.join(sorted({_split(name)[0] for name in people}))})"


def _spoken(what: str, labels: Sequence[str]) -> str:
    return f"{what}: {', '.join(map(str, labels))}" if len(labels) else ""


def _split(name: str) -> tuple[str, str]:
    manifest, _, participant = name.partition("/")
    if not participant:
        raise ValueError(f"people are named manifest/participant, got {name!r}")
    return manifest, participant


def _file(name: str) -> str:
    return f"data_manifests/{_split(name)[0]}.yml"


def _showable(name: str) -> bool:
    try:
        return _listed(name, "showable")
    except StudyError:  # a dataset without a manifest has nobody who may be shown
        return False


def _consents(name: str) -> bool:
    return _listed(name, "template_consent")


def _listed(name: str, permission: str) -> bool:
    manifest, participant = _split(name)
    listed = getattr(_manifest(manifest), permission)
    return listed == "all" or participant in listed
