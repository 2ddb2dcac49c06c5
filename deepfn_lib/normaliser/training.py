"""Training that can be left alone: it resumes as if never stopped, says how long it will take, and stops when it fails.

`train` works on any trainee, an object with
  description  dict (JSON) that tells this training from every other; a checkpoint of another one is refused
  loss_names   names of the losses that `update` gives
  variables    everything that changes: weights and optimiser variables, with `assign` and `numpy`
  batch(step)  the arrays of an update, the same for the same step, whoever asks
  update(*arrays)  one compiled update; the losses float32 (len(loss_names),)
  probe()      outputs and answers, float32 (n, ...) each, on a few fixed faces, without augmentation
  preview()    a uint8 picture (h, w) of those faces: input, reconstruction, transfer, answer; or None
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..artefacts import replacing
from ..errors import StudyError
from ..progress import progress
from . import checkpoints

AHEAD = 4  # batches made in advance
TIMED = 5  # updates after which the time left is told
COLLAPSED = 0.02  # outputs vary so little, as a share of the answers' variation, when a network has collapsed
DIVERGED = 3.0  # times the best loss, medians over WINDOW updates
WINDOW = 50


def train(
    trainee,
    folder: Path,
    iterations: int,
    *,
    checkpoint_every: int = 0,
    guard_after: int = 1000,
    description: str = "training",
    on_step: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train up to `iterations` updates, from the newest checkpoint in `folder` if there is one.

    Checkpoints and previews (`previews/`) are written every `checkpoint_every` updates (0: twenty times in all) and at
    the end. The collapse guard starts at `guard_after` updates, as every network's outputs are alike at first.
    `on_step(step)` is called after each update. Returns the losses, a row for each update.
    Raises StudyError on a damaged or foreign checkpoint, a non-finite loss, a collapse or a divergence; it names the
    step and the last good checkpoint.
    """
    folder = Path(folder)
    step, earlier = checkpoints.resume(folder, trainee.variables, trainee.description)
    losses = list(earlier)
    every = checkpoint_every or max(1, iterations // 20)
    _announce(trainee, description, step, iterations)
    with progress(total=iterations, description=description, unit="step") as bar:
        bar.update(step)
        began, first = time.monotonic(), step
        for step, arrays in _batches(trainee, first, iterations):
            losses.append(np.asarray(trainee.update(*arrays), np.float32))
            _check_losses(losses, step, trainee.loss_names, folder)
            bar.update()
            if step == first + TIMED:
                _tell_time(description, step, iterations, (time.monotonic() - began) / TIMED)
            if step % every == 0 or step == iterations:
                check_collapse(trainee, step, guard_after, folder)
                _save(folder, step, trainee, losses)
                bar.set_postfix_str(f"loss {np.mean(losses[-every:]):.4f}", refresh=False)
            if on_step:
                on_step(step)
    return history(losses, trainee.loss_names)


def history(losses, names) -> pd.DataFrame:
    """The losses (steps, len(names)) as a table with a column `step` from 1."""
    table = pd.DataFrame(np.asarray(losses, np.float32).reshape(-1, len(names)), columns=list(names))
    table.insert(0, "step", np.arange(1, len(table) + 1))
    return table


def _batches(trainee, start: int, end: int) -> Iterator[tuple[int, tuple]]:
    """(step, arrays) for start + 1 ... end, made by another thread while the network works."""
    with ThreadPoolExecutor(1) as producer:
        waiting = [producer.submit(trainee.batch, step) for step in range(start + 1, min(start + AHEAD, end) + 1)]
        for step in range(start + 1, end + 1):
            arrays = waiting.pop(0).result()
            if step + AHEAD <= end:
                waiting.append(producer.submit(trainee.batch, step + AHEAD))
            yield step, arrays


def _save(folder: Path, step: int, trainee, losses) -> None:
    picture, previews = trainee.preview(), folder / "previews"
    if picture is not None:
        previews.mkdir(parents=True, exist_ok=True)
        with replacing(previews / f"step-{step:08d}.png") as stream:
            stream.write(cv2.imencode(".png", picture)[1].tobytes())
    checkpoints.write(folder, step, trainee.variables, np.stack(losses), trainee.description)


def _announce(trainee, description: str, step: int, iterations: int) -> None:
    """Before the first update: what is to come, and the loss below which a network has learnt anything."""
    outputs, answers = trainee.probe()
    constant = float(np.abs(answers - np.median(answers, axis=0)).mean())
    start = f"from step {step} of {iterations}" if step else f"{iterations} steps"
    print(
        f"{description}: {start}; mean absolute error now {np.abs(outputs - answers).mean():.4f}, "
        f"a constant median face would have {constant:.4f}, and it should end below that",
        file=sys.stderr,
    )


def _tell_time(description: str, step: int, iterations: int, seconds: float) -> None:
    to_go = seconds * (iterations - step) / 60
    print(f"{description}: {seconds:.3f} s a step, about {to_go:.1f} minutes to go", file=sys.stderr)


def _last_good(folder: Path) -> str:
    paths = checkpoints.saved(folder)
    return f"the last good checkpoint is {paths[-1]}" if paths else "there is no checkpoint yet"


def _check_losses(losses: list, step: int, names, folder: Path) -> None:
    """Raise StudyError where the newest loss is no number, or losses have grown well beyond their best."""
    if not np.isfinite(losses[-1]).all():
        name = names[int(np.argmin(np.isfinite(losses[-1])))]
        raise StudyError(
            f"training stopped at step {step}: {name} is {losses[-1].tolist()}; {_last_good(folder)}; "
            "lower the learning rate and run again"
        )
    if step % WINDOW or len(losses) < 3 * WINDOW:
        return
    whole = len(losses) // WINDOW * WINDOW
    medians = np.median(np.array(losses[-whole:]).reshape(-1, WINDOW, len(names)), axis=1)
    grown = medians[-2:].min(axis=0) > DIVERGED * medians.min(axis=0)
    if grown.any():
        name = names[int(np.argmax(grown))]
        raise StudyError(
            f"training diverges at step {step}: {name} is over {DIVERGED:g} times its best; {_last_good(folder)}; "
            "lower the learning rate and run again"
        )


def check_collapse(trainee, step: int, guard_after: int, folder: Path) -> None:
    """Raise StudyError where the outputs of different faces are all but alike, `guard_after` updates or later."""
    if step < guard_after:
        return
    outputs, answers = trainee.probe()
    varies, should = (float(np.std(images, axis=0).mean()) for images in (outputs, answers))
    if varies < COLLAPSED * should:
        raise StudyError(
            f"training has collapsed at step {step}: outputs vary by {varies:.5f}, answers by {should:.5f}; "
            f"{_last_good(folder)}; lower the learning rate or change the seed"
        )


def tidy(folder: Path) -> None:
    """Previews move up, checkpoints go: the finished folder is small and says the same however often it was resumed."""
    checkpoints_folder, previews = folder / "checkpoints", folder / "previews"
    previews.mkdir(exist_ok=True)
    for picture in checkpoints_folder.glob("previews/*.png"):
        os.replace(picture, previews / picture.name)
    shutil.rmtree(checkpoints_folder)
