"""How fast pictures are drawn: the number that `deepfn bench` reports as `render_frames_per_second`."""

import time

import cv2

from ...cluster import Machine
from ...rendering.corpora import JPEG_QUALITY, SCENES
from ...rendering.expressions import make_course
from ...rendering.people import make_person, participants, person_face
from ...rendering.renderer import make_stage, render
from ...rendering.seeds import generator


def frames_per_second(seed: int = 1, frames: int = 150, workers: int = 2) -> float:
    """Pictures drawn and compressed a second by `workers` processes at once, at the corpora's size.

    Each process draws `frames` pictures of one BP4D participant; making the person and starting the process
    are not counted, and the slowest process counts for all.
    """
    jobs = [(seed, participant, frames) for participant in participants("BP4D", workers)]
    if workers == 1:
        return frames / draw_frames(*jobs[0])
    seconds = Machine(workers=workers).run(draw_frames, jobs, description="drawing speed")
    return workers * frames / max(seconds)


def draw_frames(seed: int, participant: str, frames: int) -> float:
    """Seconds for drawing and compressing so many pictures of a participant's first task."""
    cv2.setNumThreads(1)
    person = make_person(seed, "BP4D", participant)
    face = person_face(person)
    stage = make_stage(face, *SCENES["BP4D"], generator(seed, "benchmark"))
    course = make_course(seed, person, "T1", 20.0, frames / 20.0)
    render(face, stage, course.moment(0))  # what is made once a process
    began = time.perf_counter()
    for frame in range(frames):
        picture, _ = render(face, stage, course.moment(frame), grain=frame)
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return time.perf_counter() - began
