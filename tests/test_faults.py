"""Every fault made on purpose: what the user reads, and what was kept. None is silent, none a traceback.

`deepfn check` must survive each of them too. The table is printed by `python tests/test_faults.py`.
"""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import licensed_trees as trees
import pytest

from deepfn_lib.commands.check.folders import check_dataset
from deepfn_lib.datasets.bp4d import read_bp4d
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.datasets.manifests import read_groups
from deepfn_lib.errors import StudyError
from deepfn_lib.frames import labels, participant_table

SEQUENCES, OCCURRENCES, INTENSITIES = "Sequences(2D+3D)", "AUCoding/AU_OCC", "AUCoding/AU_INT"
SESSION = f"{SEQUENCES}/F001/T1"
OCCURRENCE = f"{OCCURRENCES}/F001_T1.csv"
INTENSITY = f"{INTENSITIES}/AU06/F001_T1_AU06.csv"
LABELS = "ActionUnit_Labels/SN001/SN001_au1.txt"
LEFT = "Videos_LeftCamera/LeftVideoSN001_comp.avi"


@dataclass(frozen=True)
class Fault:
    """`make` spoils the tree at its root; `says` is what the user must read; `kept` frames (None: nothing is)."""

    name: str
    kind: str
    make: Callable[[Path], object]
    says: str
    kept: int | None
    options: tuple = ()
    usable: bool = False  # what `deepfn check` says where nothing was kept


def remove(path):
    return lambda root: (root / path).unlink()


def rename(old, new):
    return lambda root: trees.move(root, old, new)


def write(path, content):
    def make(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def empty(root):
    import shutil

    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def only(*kept):
    def make(root):
        import shutil

        for path in root.iterdir():
            if path.name not in kept:
                shutil.rmtree(path)

    return make


def alone(path, content):
    return lambda root: (empty(root), write(path, content)(root))


def lines(path, change):
    """Rewrite a text file's list of lines."""

    def make(root):
        text = (root / path).read_text().splitlines()
        (root / path).write_text("\n".join(change(text) or text) + "\n")

    return make


def cell(path, row, column, value):
    def change(text):
        cells = text[row].split(",")
        cells[column] = str(value)
        text[row] = ",".join(cells)

    return lines(path, change)


def drop_column(number):
    def change(text):
        return [",".join(c for k, c in enumerate(line.split(",")) if k != number) for line in text]

    return lines(OCCURRENCE, change)


def plus_header(text):
    header = ["1", "1", *map(str, range(2, 5)), *map(str, range(10, 39)), "39", "99"]
    return [",".join(header)] + [",".join(line.split(",")[: len(header)]) for line in text[1:]]


def unpack_twice(root):
    trees.write_bp4d(root / "again", people=("F001",), tasks=("T1",))


def codes_elsewhere(root):
    for path in (root / OCCURRENCES).glob("*.csv"):
        text = path.read_text().splitlines()
        rows = [line.split(",") for line in text[1:]]
        path.write_text("\n".join([text[0], *(",".join([str(int(r[0]) + 5000), *r[1:]]) for r in rows)]) + "\n")


def folder_forbidden(root):
    (root / "locked").mkdir()


def as_file(root):
    empty(root)
    root.rmdir()
    root.write_text("x")


def rename_all(root):
    for path in (root / SESSION).iterdir():
        path.rename(path.with_name("IMG_" + path.name))


def frames_folder(root, first=0, skip=()):
    for person in ("SN001", "SN002", "SN010"):
        (root / "frames" / person).mkdir(parents=True)
        for number in range(first, first + 12):
            if number not in skip:
                (root / "frames" / person / f"{number}.png").write_bytes(trees.grey_square())


def video(**spoiling):
    return lambda root: trees.spoil_video(root / LEFT, **spoiling)


def short_video(root):
    trees.write_video(root / LEFT, 9)


def camera_only_right(root):
    for path in (root / "Videos_LeftCamera").iterdir():
        path.unlink()


NINE = "read as missing: 1"
BP4D = [
    Fault("folder is not there", "BP4D", lambda r: (empty(r), r.rmdir()), "does not exist; give the folder", None),
    Fault("folder is a file", "BP4D", as_file, "is a file; give the folder", None),
    Fault("folder is empty", "BP4D", empty, "holds nothing of BP4D", None),
    Fault("a subfolder may not be read", "BP4D", folder_forbidden, "cannot read folder .*locked: .*permissions", None),
    Fault("codes without images", "BP4D", only("AUCoding"), "codes but no images; give the folder above", None),
    Fault("images without codes", "BP4D", only(SEQUENCES), "images but no occurrence codes", None),
    Fault("archives not unpacked", "BP4D", alone("F001.zip", b"PK"), r"archives \(F001.zip, 1 in all\).* unpack", None),
    Fault("DISFA given as BP4D", "BP4D", alone(LABELS, "1,0\n"), "DISFA's label files, not BP4D's", None),
    Fault("BP4D+: its header", "BP4D", lines(OCCURRENCE, plus_header), r"this is BP4D\+", None),
    Fault(
        "BP4D+: its people", "BP4D", rename(f"{SEQUENCES}/F001", f"{SEQUENCES}/F140"), r"F140 .* this is BP4D\+", None
    ),
    Fault("BP4D+: its tasks", "BP4D", rename(SESSION, f"{SEQUENCES}/F001/T10"), r"T10 .* this is BP4D\+", None),
    Fault("FERA-2015 packaging", "BP4D", rename(SEQUENCES, "BP4D-training"), "FERA-2015 packaging", None),
    Fault("FERA-2017 packaging", "BP4D", write("FERA17_TR_F001_T1.csv", "x"), "FERA-2017 packaging", None),
    Fault(
        "two files of one session that differ",
        "BP4D",
        write("old/F001_T1.csv", "0,1\n1,1\n"),
        "occurrence of F001 T1 is in .* and in .*different contents; keep one",
        None,
    ),
    Fault(
        "two image folders of one session",
        "BP4D",
        unpack_twice,
        "images of F001 T1 are in .* and in .*; keep one",
        None,
    ),
    Fault(
        "052.jpg beside 0052.jpg",
        "BP4D",
        write(f"{SESSION}/003.jpg", b"x"),
        "0003.jpg and 003.jpg are both frame 3",
        None,
    ),
    Fault(
        "jpg and png of one number", "BP4D", write(f"{SESSION}/0003.png", b"x"), "0003.jpg and 0003.png are both", None
    ),
    Fault("an image is missing", "BP4D", remove(f"{SESSION}/0005.jpg"), "no image for the label frame: 1 frame", 71),
    Fault(
        "a session's image folder is missing", "BP4D", rename(SESSION, "elsewhere"), "no image folder .*: 12 frames", 60
    ),
    Fault("a session's codes are missing", "BP4D", remove(OCCURRENCE), "images without an occurrence file", 60),
    Fault("occurrence file of no bytes", "BP4D", write(OCCURRENCE, b""), "occurrence file without rows", 60),
    Fault(
        "occurrence file with its header only",
        "BP4D",
        write(OCCURRENCE, trees.HEADER),
        "occurrence file without rows",
        60,
    ),
    Fault("no header line", "BP4D", lines(OCCURRENCE, lambda t: t[1:]), "first line is no header", None),
    Fault("a word in the header", "BP4D", cell(OCCURRENCE, 0, 7, "brow"), "header cell 'brow' is no action unit", None),
    Fault("an action unit twice in the header", "BP4D", cell(OCCURRENCE, 0, 7, "6"), "column 6 occurs twice", None),
    Fault("an action unit without a column", "BP4D", drop_column(7), "files without a column for AU07: 1", 72),
    Fault("code 9 in one of the twelve", "BP4D", cell(OCCURRENCE, 3, 12, 9), f"occurrence codes 9 .*{NINE}", 72),
    Fault("an unknown code", "BP4D", cell(OCCURRENCE, 3, 12, 5), rf"occurrence codes unknown \(5\), {NINE}", 72),
    Fault("an empty cell", "BP4D", cell(OCCURRENCE, 3, 12, ""), f"occurrence codes empty or unreadable, {NINE}", 72),
    Fault("a question mark", "BP4D", cell(OCCURRENCE, 3, 12, "?"), f"occurrence codes empty or unreadable, {NINE}", 72),
    Fault("half a code", "BP4D", cell(OCCURRENCE, 3, 12, 0.5), f"occurrence codes empty or unreadable, {NINE}", 72),
    Fault("a row without its frame number", "BP4D", cell(OCCURRENCE, 3, 0, ""), "row 4 has no frame number", None),
    Fault("a frame with two rows", "BP4D", cell(OCCURRENCE, 3, 0, 2), "frame 2 has two rows", None),
    Fault("a row too long", "BP4D", cell(OCCURRENCE, 3, 99, "0,1,1"), "is damaged .*Expected 100 fields", None),
    Fault(
        "a file cut off in its last row",
        "BP4D",
        lines(OCCURRENCE, lambda t: [*t[:-1], t[-1][:15]]),
        "occurrence codes empty or unreadable, read as missing",
        72,
    ),
    Fault("a hole in the coded block", "BP4D", lines(OCCURRENCE, lambda t: t[:5] + t[6:]), "coded block: 1", 71),
    Fault(
        "rows flagged in column 99", "BP4D", cell(OCCURRENCE, 3, 99, 1), "flagged unreliable in column 99, kept: 1", 72
    ),
    Fault("an intensity file is missing", "BP4D", remove(INTENSITY), "without an intensity file for AU06: 1", 72),
    Fault("an intensity file is empty", "BP4D", write(INTENSITY, b""), "empty intensity files: 1", 72),
    Fault("intensity 9", "BP4D", cell(INTENSITY, 3, 1, 9), f"intensity codes 9 .*{NINE}", 72),
    Fault("intensity 8", "BP4D", cell(INTENSITY, 3, 1, 8), rf"intensity codes unknown \(8\), {NINE}", 72),
    Fault(
        "intensity with a header",
        "BP4D",
        lines(INTENSITY, lambda t: ["frame,code", *t]),
        "first line that is no frame",
        72,
    ),
    Fault("intensity of one column", "BP4D", write(INTENSITY, "1\n2\n"), "one column, expected frame,intensity", None),
    Fault(
        "fewer intensities than occurrences",
        "BP4D",
        lines(INTENSITY, lambda t: t[:-2]),
        "occurrence rows without an intensity row: 2",
        72,
    ),
    Fault(
        "more intensities than occurrences",
        "BP4D",
        lines(INTENSITY, lambda t: [*t, "13,0", "14,1"]),
        "intensity rows without an occurrence row: 2",
        72,
    ),
    Fault(
        "intensities of a session without codes", "BP4D", remove(OCCURRENCE), "intensity but no occurrence codes: 1", 60
    ),
    Fault(
        "the wrong frame_offset",
        "BP4D",
        remove(f"{SESSION}/0000.jpg"),
        "frame_offset 0 would find 1 more images than -1",
        71,
        (("frame_offset", -1),),
    ),
    Fault("codes of other frames", "BP4D", codes_elsewhere, "no label row has its image", None),
    Fault("images not named by number", "BP4D", rename_all, "16 images without a frame number", 60),
    Fault(
        "two paddings in one session",
        "BP4D",
        rename(f"{SESSION}/0003.jpg", f"{SESSION}/003.jpg"),
        r"names of \[3, 4\] digits in one session",
        72,
    ),
]
EXTRACTED = (("frames_folder", "frames"),)
DISFA = [
    Fault("folder is not there", "DISFA", lambda r: (empty(r), r.rmdir()), "does not exist; give the folder", None),
    Fault("folder is empty", "DISFA", empty, "holds no label file of DISFA", None),
    Fault("BP4D given as DISFA", "DISFA", alone("F001_T1.csv", "0,1\n"), "BP4D's label files, not DISFA's", None),
    Fault(
        "archives not unpacked", "DISFA", alone("ActionUnit_Labels.zip", b"PK"), "archives .*unpack them first", None
    ),
    Fault("labels without videos", "DISFA", only("ActionUnit_Labels"), r"labels but no left videos", None),
    Fault(
        "only the other camera's videos", "DISFA", camera_only_right, r"labels but no left videos", None, usable=True
    ),
    Fault(
        "a camera of another name", "DISFA", lambda r: None, "camera 'front' is unknown", None, (("camera", "front"),)
    ),
    Fault("a video is missing", "DISFA", remove(LEFT), "no left video of this participant: 12 frames", 24),
    Fault("a video cannot be opened", "DISFA", write(LEFT, b"no video"), "video cannot be opened: 12 frames", 24),
    Fault("a video shorter than its labels", "DISFA", short_video, "beyond the video's end: 3 frames", 33),
    Fault("a video with a dropped frame", "DISFA", video(dropped=(5,)), "frame dropped in the video: 1 frame", 35),
    Fault(
        "a video whose header counts too few", "DISFA", video(claimed=9), "3 of 27 participants have both labels", 36
    ),
    Fault(
        "two videos of one camera and person",
        "DISFA",
        write("x/LeftVideoSN001_Comp.avi", b"x"),
        "left video of SN001 is in",
        None,
    ),
    Fault("an action unit's file is missing", "DISFA", remove(LABELS), "without a label file for AU01: 1", 36),
    Fault("a label file is empty", "DISFA", write(LABELS, b""), "empty label files: 1", 36),
    Fault(
        "one label file shorter", "DISFA", lines(LABELS, lambda t: t[:-2]), "another's lacks, read as missing: 2", 36
    ),
    Fault("frames counted from 0", "DISFA", cell(LABELS, 0, 0, 0), "counted from 0, DISFA's from 1", None),
    Fault("a frame with two rows", "DISFA", cell(LABELS, 3, 0, 3), "frame 3 has two rows", None),
    Fault("a row without its frame number", "DISFA", cell(LABELS, 3, 0, "x"), "row 4 has no frame number", None),
    Fault("three columns", "DISFA", lines(LABELS, lambda t: [row + ",1" for row in t]), "3 columns, expected", None),
    Fault("intensity 9", "DISFA", cell(LABELS, 3, 1, 9), f"intensity codes 9 .*{NINE}", 36),
    Fault("intensity 7", "DISFA", cell(LABELS, 3, 1, 7), rf"intensity codes unknown \(7\), {NINE}", 36),
    Fault(
        "a word for an intensity", "DISFA", cell(LABELS, 3, 1, "B"), f"intensity codes empty or unreadable, {NINE}", 36
    ),
    Fault(
        "someone who is not in DISFA",
        "DISFA",
        lambda r: trees.write_disfa(r, people=("SN014",), cameras=("left",)),
        "not one of DISFA's 27: 12 frames",
        36,
    ),
    Fault(
        "two copies of a label file that differ",
        "DISFA",
        write("old/SN001_au1.txt", "1,5\n"),
        "different contents",
        None,
    ),
    Fault(
        "a video without labels",
        "DISFA",
        lambda r: trees.write_disfa(r / "x", people=("SN003",)) and only_video(r),
        "video without label files",
        36,
    ),
    Fault("extracted frames' folder is not there", "DISFA", lambda r: None, "does not exist", None, EXTRACTED),
    Fault(
        "extracted frames' folder is empty",
        "DISFA",
        lambda r: (r / "frames").mkdir(),
        "holds no extracted frames",
        None,
        EXTRACTED,
    ),
    Fault(
        "two folders of one person's extracted frames",
        "DISFA",
        lambda r: frames_folder(r) or write("frames/again/SN001/0.png", b"x")(r),
        "frames of SN001 are in .* and in .*; keep one",
        None,
        EXTRACTED,
    ),
    Fault(
        "an extracted frame without a number",
        "DISFA",
        lambda r: frames_folder(r) or write("frames/SN001/cover.png", b"x")(r),
        "DISFA SN001: 1 images without a frame number",
        36,
        EXTRACTED,
    ),
    Fault(
        "an extracted frame is missing",
        "DISFA",
        lambda r: frames_folder(r, skip=(4,)),
        "no extracted image for the label frame: 1 frame",
        33,
        EXTRACTED,
    ),
    Fault(
        "extracted frames counted from 1",
        "DISFA",
        lambda r: frames_folder(r, 1),
        "no extracted image .*: 1 frame",
        33,
        EXTRACTED,
    ),
    Fault(
        "nobody's frames extracted but one's",
        "DISFA",
        lambda r: frames_folder(r) or drop_people(r),
        "no extracted frames of this participant: 12 frames",
        12,
        EXTRACTED,
    ),
]
GROUPS = [
    ("file is not there", None, "does not exist; give a CSV"),
    ("no column for the participant", "who,gender\nF001,female\n", "columns are who, gender; expected participant"),
    ("nothing but participants", "participant\nF001\n", "expected participant and gender"),
    ("a gender of another name", "participant,gender\nF001,x\n", "gender 'x' is unknown"),
    ("a gender against the identifier", "participant,gender\nF001,male\n", "F001 is male here, female by identifier"),
    ("a skin type out of range", "participant,skin_type\nF001,7\n", "skin type '7' is unknown"),
    ("a skin group of another name", "participant,skin_group\nF001,pale\n", "skin group 'pale' is unknown"),
    ("a person twice", "participant,skin_type\nF001,2\nF001,3\n", "line 3: F001 has two rows"),
    ("people of no dataset here", "participant,skin_type\nF001,2\nF099,3\nM001,1\n", "1 people are in no dataset here"),
    ("participants without a row", "participant,skin_type\nF001,2\n", "1 participants have no row"),
]


def only_video(root):
    import shutil

    trees.move(root, "x/Videos_LeftCamera/LeftVideoSN003_comp.avi", "Videos_LeftCamera/LeftVideoSN003_comp.avi")
    shutil.rmtree(root / "x")
    return True


def drop_people(root):
    import shutil

    for person in ("SN002", "SN010"):
        shutil.rmtree(root / "frames" / person)


def read(fault: Fault, root: Path) -> tuple[list[str], int | None]:
    """(what the user reads, frames kept or None)."""
    reader = {"BP4D": read_bp4d, "DISFA": read_disfa}[fault.kind]
    try:
        loaded = reader(root, **dict(fault.options))
    except StudyError as problem:
        return [str(problem)], None
    excluded = [
        f"{row.dataset} {row.participant} {row.task}: {row.reason}: {row.frames} frame{'s' if row.frames != 1 else ''}"
        for row in loaded.exclusions.itertuples()
    ]
    return [*loaded.notices, *excluded], len(loaded.frames)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    return {"BP4D": trees.write_bp4d(root / "bp4d"), "DISFA": trees.write_disfa(root / "disfa")}


def spoiled(fault: Fault, whole, place: Path) -> Path:
    import shutil

    root = place / "tree"
    shutil.copytree(whole[fault.kind], root)
    fault.make(root)
    return root


def _forbid(monkeypatch):
    """Root may read everything, so the forbidden folder is forbidden here."""
    scan = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("fault", [*BP4D, *DISFA], ids=lambda fault: f"{fault.kind}: {fault.name}")
def test_fault(fault, whole, tmp_path, monkeypatch):
    root = spoiled(fault, whole, tmp_path)
    _forbid(monkeypatch)
    said, kept = read(fault, root)
    assert any(re.search(fault.says, line) for line in said), said
    assert all("\n" not in line for line in said)
    assert kept == fault.kept
    report = check_dataset(root, fault.kind)  # raises nothing, whatever the folder holds
    assert "Traceback" not in report.text()
    if fault.kept is None and not fault.options:
        assert report.usable == fault.usable, report.text()
    elif not fault.options:
        assert report.usable, report.text()


@pytest.mark.parametrize(("name", "content", "says"), GROUPS, ids=[entry[0] for entry in GROUPS])
def test_fault_in_groups(name, content, says, tmp_path):
    people = participant_table("BP4D", ["F001", "M001"])
    path = tmp_path / "groups.csv"
    if content is not None:
        path.write_text(content)
    try:
        _, said = read_groups(path, people)
    except StudyError as problem:
        said = [str(problem)]
    assert any(re.search(says, line) for line in said), said
    assert all("\n" not in line for line in said)


def test_there_are_faults_enough():
    names = [(fault.kind, fault.name) for fault in [*BP4D, *DISFA]]
    assert len(set(names)) == len(names) >= 40


def test_missing_codes_reach_the_mask(whole, tmp_path):
    """A 9 must never become a 1 or a silent 0."""
    fault = next(fault for fault in BP4D if fault.name == "code 9 in one of the twelve")
    frames = read_bp4d(spoiled(fault, whole, tmp_path)).frames
    y, known = labels(frames, ("AU12",))
    assert (~known).sum() == 1 and y[~known].sum() == 0
    assert frames.loc[~known[:, 0], "frame"].tolist() == [3]


def table(place: Path) -> str:
    """The table: fault, what the user reads, what was kept."""
    whole = {"BP4D": trees.write_bp4d(place / "bp4d"), "DISFA": trees.write_disfa(place / "disfa")}
    rows = ["| dataset | fault | what the user reads | kept |", "|---|---|---|---|"]
    for number, fault in enumerate([*BP4D, *DISFA]):
        here = place / str(number)
        here.mkdir()
        said, kept = read(fault, spoiled(fault, whole, here))
        line = next(line for line in said if re.search(fault.says, line)).replace(str(here / "tree"), "DIR")
        rows.append(f"| {fault.kind} | {fault.name} | {line} | {'nothing' if kept is None else f'{kept} frames'} |")
    return "\n".join(rows)


if __name__ == "__main__":
    import tempfile

    BP4D[:] = [fault for fault in BP4D if fault.make is not folder_forbidden]
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(table(Path(folder)) + "\n")
