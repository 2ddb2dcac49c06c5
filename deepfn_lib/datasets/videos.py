"""Where the pictures of a video are: by the container's time stamps, without decoding.

Counting what decodes would give every frame after a dropped one its neighbour's picture, and a header's count may be
wrong.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

DROPPED = "frame dropped in the video"


@dataclass(frozen=True)
class Packets:
    """The packets of a video that hold something, in the order they are shown: `times` float (n,), milliseconds, and
    `positions` int (n,), 0-based frames. `zeroed` of them hold nothing but zeros; `claimed` is the header's count."""

    times: np.ndarray
    positions: np.ndarray
    zeroed: int
    claimed: int

    @property
    def length(self) -> int:
        """Frames from the first to the last that there is."""
        return int(self.positions.max(initial=-1)) + 1

    @property
    def dropped(self) -> int:
        """How many frames before the last are not in the file."""
        return self.length - len(self.positions)


def open_video(path: Path) -> cv2.VideoCapture:
    """The video, whether it opens or not; by FFmpeg, so that time stamps mean the same everywhere."""
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


def video_packets(path: Path) -> Packets | None:
    """The packets of a video, read but not decoded; None where it cannot be opened.

    A gap of twice the usual time is one dropped frame. Where the time stamps tell nothing, packets are counted.
    """
    video = open_video(path)
    try:
        if not video.isOpened():
            return None
        claimed, rate = max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0), video.get(cv2.CAP_PROP_FPS)
        video.set(cv2.CAP_PROP_FORMAT, -1)  # packets as they are
        found, zeroed = [], 0
        while video.grab():
            found.append(video.get(cv2.CAP_PROP_POS_MSEC))
            zeroed += not np.any(video.retrieve()[1])
    finally:
        video.release()
    times = np.sort(np.array(found, float))
    return Packets(times, _positions(times, 1000 / rate if rate > 0 else np.inf), zeroed, claimed)


def _positions(times: np.ndarray, step: float) -> np.ndarray:
    """The frame of each time stamp (n,), ascending; `step` is the header's time between two, in milliseconds."""
    between = np.diff(times)
    step = min(step, float(np.median(between)) if len(between) else step)
    if not 0 < step < np.inf:
        return np.arange(len(times))
    gaps = np.round(np.diff(times, prepend=-step) / step).astype(int)  # each by itself, so that nothing adds up
    return np.cumsum(gaps) - 1 if (gaps > 0).all() else np.arange(len(times))
