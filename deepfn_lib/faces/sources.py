"""Grey frames of a session in order: image files one by one, a video decoded once from its start."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

UNREADABLE = "image cannot be read"
VIDEO_ENDED = "video ended before the label frame"


def grey_frames(
    root: Path, sources: Sequence[str], indices: np.ndarray
) -> Iterator[tuple[int, np.ndarray | None, str]]:
    """(row, grey uint8 (h, w) or None, reason) for each row of one session, in order.

    `sources` are paths relative to `root`, one a row; `indices` int (n,): -1 for an image file, else the 0-based frame
    of the video, ascending. None comes with the reason why there is no image. Nothing is raised for a missing or
    damaged file, as one bad frame must not end a study.
    """
    if len(indices) and indices[0] >= 0:
        yield from _video_frames(root / sources[0], indices)
        return
    for row, source in enumerate(sources):
        image = read_grey(root / source)
        yield row, image, "" if image is not None else UNREADABLE


def read_grey(path: Path) -> np.ndarray | None:
    """A grey uint8 image (h, w), or None where the file is missing, empty or damaged."""
    try:
        raw = np.fromfile(path, np.uint8)
        return cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) if len(raw) else None
    except (OSError, cv2.error):
        return None


def _video_frames(path: Path, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray | None, str]]:
    video = cv2.VideoCapture(str(path))
    try:
        at, row = 0, 0
        while row < len(indices) and video.isOpened() and video.grab():
            if at == indices[row]:
                good, image = video.retrieve()
                if good and image.ndim == 3:
                    image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
                yield (row, image, "") if good else (row, None, UNREADABLE)
                row += 1
            at += 1
    finally:
        video.release()
    for rest in range(row, len(indices)):
        yield rest, None, VIDEO_ENDED
