"""Five points for every frame of a session from detections in some of them, one pass, bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .alignment import CANONICAL_POINTS, face_size, place, similarity
from .detection import BATCH, detect

# A detection is a glitch where its points, brought to their places as well as a similarity can, are further off than
# this share of the crop's side, or where the face is so much larger or smaller than the session's usual.
MAXIMAL_MISFIT = 0.12
MAXIMAL_SIZE_RATIO = 1.6
# A face is never carried further than so many detection intervals.
REACH = 5

Frame = tuple[int, float, np.ndarray]  # row, position in time, grey image (h, w) uint8


@dataclass
class Tracker:
    """Points and boxes of a session's frames, detected every `every` frames and interpolated between.

    `follow` takes frames in order and gives each back with its points once the detections on both its sides are known.
    Where a frame that was due has no face, its neighbours are tried. Counts: `due`, `failed` (due frames without a
    face) and `recovered` (of these, those whose neighbour had one).
    """

    every: int
    due: int = 0
    failed: int = 0
    recovered: int = 0
    _positions: list[float] = field(default_factory=list)
    _values: list[np.ndarray] = field(default_factory=list)
    _sizes: list[float] = field(default_factory=list)

    def follow(self, images: Iterable[Frame]) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
        """From (row, position in time, grey image) to (row, image, values): values (14,) are five points and a box
        (left, top, right, bottom) in image pixels, or None where no detection is within reach."""
        # Several detections share a batch; a block is kept small where frames are many.
        block = max(self.every, min(BATCH * self.every, 96))
        waiting: list[Frame] = []
        fresh: list[Frame] = []
        count = 0
        for item in images:
            fresh.append(item)
            if len(fresh) == block:
                self._detect(fresh, count)
                count += len(fresh)
                waiting += fresh
                fresh = []
                ready = self._ready(waiting)
                yield from self._values_for(waiting[:ready])
                waiting = waiting[ready:]
        if fresh:
            self._detect(fresh, count)
        yield from self._values_for(waiting + fresh)

    def _detect(self, frames: list[Frame], count: int) -> None:
        chosen = [i for i in range(len(frames)) if (count + i) % self.every == 0]
        self.due += len(chosen)
        missed = [i for i, ok in zip(chosen, self._take(frames, chosen)) if not ok]
        self.failed += len(missed)
        for step in (1, -1):
            if self.every == 1 or not missed:
                return
            tried = [(i, i + step) for i in missed if 0 <= i + step < len(frames)]
            good = self._take(frames, [neighbour for _, neighbour in tried])
            found = {i for (i, _), ok in zip(tried, good) if ok}
            self.recovered += len(found)
            missed = [i for i in missed if i not in found]

    def _take(self, frames: list[Frame], chosen: list[int]) -> list[bool]:
        """Detect in the chosen frames and keep what is plausible; for each, whether it was."""
        if not chosen:
            return []
        found = detect([frames[i][2] for i in chosen])
        good = found.found & plausible(found.points, self._sizes)
        for i, points, box, ok in zip(chosen, found.points, found.boxes, good):
            if ok:
                at = int(np.searchsorted(self._positions, frames[i][1]))
                self._positions.insert(at, frames[i][1])
                self._values.insert(at, np.concatenate([points.ravel(), box]))
                self._sizes.append(face_size(points[None])[0])
        return list(good)

    def _ready(self, waiting: list[Frame]) -> int:
        """How many of the waiting frames need no later detection: those before the last one, and those out of reach."""
        last = self._positions[-1] if self._positions else -np.inf
        reach = REACH * self.every
        return sum(position <= last or len(waiting) - k > 2 * reach for k, (_, position, _) in enumerate(waiting))

    def _values_for(self, frames: list[Frame]) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
        if not self._positions:
            yield from ((row, image, None) for row, _, image in frames)
            return
        at = np.array([position for _, position, _ in frames])
        known, values = np.array(self._positions), np.array(self._values)
        nearest = np.abs(at[:, None] - known).min(1)
        smooth = np.stack([np.interp(at, known, values[:, k]) for k in range(values.shape[1])], axis=1)
        for (row, _, image), distance, value in zip(frames, nearest, smooth):
            yield row, image, value if distance <= REACH * self.every else None


def plausible(points: np.ndarray, sizes: list[float]) -> np.ndarray:
    """Which detections (n, 5, 2) look like one upright face of the session's usual size: bool (n,). NaN does not."""
    good = np.isfinite(points).all((1, 2))
    if not good.any():
        return good
    placed = place(similarity(points[good], CANONICAL_POINTS), points[good])
    misfit = np.sqrt(((placed - CANONICAL_POINTS) ** 2).sum(-1).mean(-1))
    size = face_size(points[good])
    ratio = size / np.median(sizes if len(sizes) >= 3 else size)
    good[good] = (misfit <= MAXIMAL_MISFIT) & (ratio <= MAXIMAL_SIZE_RATIO) & (ratio >= 1 / MAXIMAL_SIZE_RATIO)
    return good
