"""Grey frames of a session in order: image files one by one, a video decoded once from its start."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..datasets.videos import DROPPED, open_video, video_packets

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
    packets = video_packets(path)
    times, positions = (packets.times, packets.positions) if packets else (np.empty(0), np.empty(0, int))
    reasons = np.where(np.isin(indices, positions), UNREADABLE, DROPPED).astype(object)
    reasons[indices > positions.max(initial=-1)] = VIDEO_ENDED
    row = 0
    for position, image in _decoded(path, times, positions):
        while row < len(indices) and indices[row] <= position:
            found = image if indices[row] == position else None
            yield row, found, reasons[row] if found is None else ""
            row += 1
        if row == len(indices):
            return
    for rest in range(row, len(indices)):
        yield rest, None, reasons[rest]


def _decoded(path: Path, times: np.ndarray, positions: np.ndarray) -> Iterator[tuple[int, np.ndarray | None]]:
    """Each frame that a decoder finds in the packets of these `times` and `positions` (n,): position and grey image.

    A damaged packet fails by itself, and is told from the end by the packets that are still to come.
    """
    video, packet, delay = open_video(path), -1, 0.0
    try:
        for attempt in range(2 * len(times)):  # a packet gives a frame or a failure; held-back ones come at the end
            if packet == len(times) - 1:
                return
            if not video.grab():
                continue
            time = video.get(cv2.CAP_PROP_POS_MSEC)
            if attempt == 0:
                delay = time - times[0]  # a decoder that holds frames back may stamp them late
            packet = max(int(np.abs(times - (time - delay)).argmin()), packet + 1)
            if packet == len(times):
                return
            good, image = video.retrieve()
            if good and image.ndim == 3:
                image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            yield int(positions[packet]), image if good else None
    finally:
        video.release()
