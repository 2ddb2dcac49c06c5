"""Makes small folders that look like the licensed BP4D and DISFA, in every layout that licensees have, and with every
fault on request. Nothing of either dataset is in them: pictures are grey squares, codes come from a formula."""

import shutil
from pathlib import Path

import cv2
import numpy as np

BP4D_UNITS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
INTENSITY_UNITS = (6, 10, 12, 14, 17)
DISFA_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
HEADER = ",".join(str(n) for n in range(100))


def occurrence(participant: str, task: str, frame: int, unit: int) -> int:
    """The code that every generated tree holds for this cell: a fixed formula, so that readers can be compared."""
    return int((7 * int(participant[1:]) + 3 * int(task[1:]) + frame // (2 + unit % 5) + unit) % 4 == 0)


def intensity(participant: str, frame: int, unit: int) -> int:
    return (int(participant[-3:]) + frame // 3 + unit) % 6


def grey_square(side: int = 16, level: int = 120) -> bytes:
    image = np.full((side, side), level, np.uint8)
    image[side // 4 : side // 2, side // 4 : side // 2] = 255 - level
    return cv2.imencode(".jpg", image)[1].tobytes()


def occurrence_rows(participant: str, task: str, frames) -> list[list[int]]:
    rows = []
    for frame in frames:
        row = [frame] + [9] * 98 + [0]
        for unit in BP4D_UNITS:
            row[unit] = occurrence(participant, task, frame, unit)
        rows.append(row)
    return rows


def write_csv(path: Path, rows, header: str | None = None, end: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ([header] if header is not None else []) + [",".join(map(str, row)) for row in rows]
    path.write_text(end.join(lines) + end, newline="")


def write_bp4d(
    root: Path,
    *,
    people=("F001", "F002", "M001"),
    tasks=("T1", "T2"),
    frames: int = 12,
    first: int = 1,
    sequences: str = "Sequences(2D+3D)",
    occurrences: str = "AUCoding/AU_OCC",
    intensities: str = "AUCoding/AU_INT",
    digits: int = 4,
    suffix: str = ".jpg",
    image_shift: int = 0,
    extra_images: int = 3,
    picture: bytes | None = None,
    lower: bool = False,
    end: str = "\n",
) -> Path:
    """A BP4D tree. `image_shift` is the image's number minus the label's; `extra_images` uncoded ones on each side."""
    picture = picture or grey_square()
    name = str.lower if lower else str
    for participant in people:
        for task in tasks:
            numbers = range(first, first + frames)
            here = root / sequences / name(participant) / name(task)
            here.mkdir(parents=True, exist_ok=True)
            for number in range(max(first - extra_images, 0), first + frames + extra_images):
                (here / f"{max(number + image_shift, 0):0{digits}d}{suffix}").write_bytes(picture)
            write_csv(
                root / occurrences / f"{name(participant)}_{name(task)}.csv",
                occurrence_rows(participant, task, numbers),
                HEADER,
                end,
            )
            for unit in INTENSITY_UNITS:
                rows = [(frame, intensity(participant, frame, unit)) for frame in numbers]
                write_csv(
                    root / intensities / f"AU{unit:02d}" / f"{name(participant)}_{name(task)}_AU{unit:02d}.csv",
                    rows,
                    end=end,
                )
    return root


def write_video(path: Path, count: int, size=(32, 24), picture=None, codec: str = "MJPG") -> None:
    """A small video whose frame k (from 0) is grey level 10 + 2 k, or `picture(k)`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 20, size)
    for k in range(count):
        frame = picture(k) if picture else np.full((size[1], size[0], 3), (10 + 2 * k) % 250, np.uint8)
        video.write(frame)
    video.release()


def spoil_video(path: Path, dropped=(), zeroed=(), claimed: int | None = None) -> None:
    """Rewrite an AVI: some frames' chunks emptied, as recorders do with frames they lose, others of zeros only, and
    another count of frames in its headers."""
    whole = path.read_bytes()
    at = start = whole.index(b"movi") + 4
    body, index, frame = b"", b"", 0
    while whole[at + 2 : at + 4] in (b"dc", b"db"):
        size = int.from_bytes(whole[at + 4 : at + 8], "little")
        data = b"" if frame in dropped else bytes(size) if frame in zeroed else whole[at + 8 : at + 8 + size]
        length = len(data).to_bytes(4, "little")
        index += whole[at : at + 4] + (16).to_bytes(4, "little") + (4 + len(body)).to_bytes(4, "little") + length
        body += whole[at : at + 4] + length + data + bytes(len(data) % 2)
        at, frame = at + 8 + size + size % 2, frame + 1
    head = bytearray(whole[: start - 8])
    if claimed is not None:
        for mark, offset in ((b"avih", 24), (b"strh", 40)):
            place = head.index(mark) + offset
            head[place : place + 4] = claimed.to_bytes(4, "little")
    head += (4 + len(body)).to_bytes(4, "little") + b"movi" + body + b"idx1" + len(index).to_bytes(4, "little") + index
    head[4:8] = (len(head) - 8).to_bytes(4, "little")
    path.write_bytes(head)


def write_disfa(
    root: Path,
    *,
    people=("SN001", "SN002", "SN010"),
    frames: int = 12,
    cameras=("left", "right"),
    video_frames: int | None = None,
    labels: str = "ActionUnit_Labels",
    end: str = "\n",
    blank_end: int = 0,
) -> Path:
    """A DISFA tree with the distribution's own folder names and capitals."""
    for participant in people:
        for unit in DISFA_UNITS:
            path = root / labels / participant / f"{participant}_au{unit}.txt"
            write_csv(path, [(frame, intensity(participant, frame, unit)) for frame in range(1, frames + 1)], end=end)
            if blank_end:
                with open(path, "a", newline="") as stream:
                    stream.write(end * blank_end)
        for camera in cameras:
            name = {
                "left": f"Videos_LeftCamera/LeftVideo{participant}_comp.avi",
                "right": f"Video_RightCamera/RightVideo{participant}_Comp.avi",
            }[camera]
            write_video(root / name, video_frames or frames)
    return root


def move(root: Path, old: str, new: str) -> None:
    (root / new).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(root / old, root / new)


def write_large(root: Path, picture: bytes, *, share: float = 1.0) -> Path:
    """Both trees at the official size, or a share of it: 41 people x 8 tasks with 146,847 label rows and their
    images, 27 people with 130,814 label rows and their left videos. Pictures are hard links of a few files."""
    rows = {True: round(146_847 * share), False: round(130_814 * share)}
    people = [f"F{n:03d}" for n in range(1, 24)] + [f"M{n:03d}" for n in range(1, 19)]
    sessions = [(person, f"T{task}") for person in people for task in range(1, 9)]
    bp4d, pictures = root / "bp4d", root / "pictures"
    pictures.mkdir(parents=True)
    for position, (person, task) in enumerate(sessions):
        count = rows[True] // len(sessions) + (position < rows[True] % len(sessions))
        numbers = np.arange(1, count + 1) + 300 * (position % 3)
        table = np.full((count, 100), 9)
        table[:, 0], table[:, 99] = numbers, 0
        for unit in BP4D_UNITS:
            table[:, unit] = (numbers // (20 + unit) + position) % 3 == 0
        write_csv(bp4d / f"AUCoding/AU_OCC/{person}_{task}.csv", table.tolist(), HEADER)
        for unit in INTENSITY_UNITS:
            path = bp4d / f"AUCoding/AU_INT/AU{unit:02d}/{person}_{task}_AU{unit:02d}.csv"
            write_csv(path, np.stack([numbers, numbers // 7 % 6], axis=1).tolist())
        source = pictures / f"{person}.jpg"  # a file may have only so many names
        source.write_bytes(picture)
        folder = bp4d / "Sequences(2D+3D)" / person / task
        folder.mkdir(parents=True)
        for number in numbers:
            (folder / f"{number:04d}.jpg").hardlink_to(source)
    numbers = [n for n in range(1, 33) if n not in (14, 15, 19, 20, 22)]
    face = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    video = pictures / "video.avi"
    longest = -(-rows[False] // 27)
    write_video(video, longest, face.shape[1::-1], lambda k: face)
    for n in numbers:
        person, count = f"SN{n:03d}", longest - (n == 10 and longest * 27 > rows[False])
        frame = np.arange(1, count + 1)
        for unit in DISFA_UNITS:
            table = np.stack([frame, frame // (9 + unit) % 6], axis=1)
            write_csv(root / "disfa/ActionUnit_Labels" / person / f"{person}_au{unit}.txt", table.tolist())
        folder = root / "disfa/Videos_LeftCamera"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"LeftVideo{person}_comp.avi").hardlink_to(video)
    return root
