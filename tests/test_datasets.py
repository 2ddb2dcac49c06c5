"""Both loaders on every layout, and beside public ways of reading the same files."""

import io
import shutil
import zipfile
from pathlib import Path

import licensed_trees as trees
import numpy as np
import pandas as pd
import pytest

from deepfn_lib.datasets import disfa as disfa_module
from deepfn_lib.datasets.bp4d import header_columns, read_bp4d
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.datasets.files import fingerprint
from deepfn_lib.frames import (
    BP4D_ACTION_UNITS,
    COLUMNS,
    DISFA_ACTION_UNITS,
    INTENSITIES,
    KEYS,
    OCCURRENCES,
    SHARED_ACTION_UNITS,
    join,
    labels,
)

CODES = [*KEYS, *OCCURRENCES, *INTENSITIES]


def expected_bp4d(people=("F001", "F002", "M001"), tasks=("T1", "T2"), frames=12, first=1) -> pd.DataFrame:
    rows = []
    for participant in people:
        for task in tasks:
            for frame in range(first, first + frames):
                row = {"participant": participant, "task": task, "frame": frame}
                row |= {f"AU{u:02d}": trees.occurrence(participant, task, frame, u) for u in trees.BP4D_UNITS}
                row |= {f"AU{u:02d}_intensity": trees.intensity(participant, frame, u) for u in trees.INTENSITY_UNITS}
                rows.append(row)
    return pd.DataFrame(rows)


def assert_codes(frames: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(frames) == len(expected)
    for column in expected:
        assert (frames[column].to_numpy() == expected[column].to_numpy()).all(), column


def test_names_of_action_units():
    assert BP4D_ACTION_UNITS == tuple(f"AU{u:02d}" for u in trees.BP4D_UNITS)
    assert DISFA_ACTION_UNITS == tuple(f"AU{u:02d}" for u in trees.DISFA_UNITS)
    assert set(SHARED_ACTION_UNITS) < set(BP4D_ACTION_UNITS) & set(DISFA_ACTION_UNITS)


CHANGES = {
    "a cell corrected": lambda root: rewrite(next(root.rglob("F001_T1.csv")), b"9,9", b"9,8"),
    "a session's codes removed": lambda root: next(root.rglob("F001_T2.csv")).unlink(),
    "an image removed": lambda root: next(root.rglob("0003.jpg")).unlink(),
    "an image of the same size": lambda root: rewrite(next(root.rglob("0003.jpg")), b"JFIF", b"JFIX"),
    "an image renamed": lambda root: next(root.rglob("0003.jpg")).rename(root / "0003.jpg"),
    "a video of the same size": lambda root: rewrite(next(root.rglob("*.avi")), b"movi", b"iovm"),
    "codes that cannot be read": lambda root: (root / "F001_T9.csv").symlink_to(root / "nowhere.csv"),
}
LEFT_ALONE = {
    "nothing": lambda root: None,
    "a mesh": lambda root: (root / "Sequences(2D+3D)/F001/T1/0001.obj").write_bytes(b"mesh"),
    "notes": lambda root: (root / "notes.txt").write_text("mine"),
    "a hidden file": lambda root: (root / "._0003.jpg").write_bytes(b"x"),
}


def rewrite(path, old, new):
    content = path.read_bytes()
    assert old in content and len(old) == len(new)
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize("what", [*CHANGES, *LEFT_ALONE])
def test_a_folder_is_told_by_what_is_read_of_it_and_not_by_its_place(what, tmp_path):
    trees.write_bp4d(tmp_path / "one/data", tasks=("T1", "T2"), people=("F001",))
    trees.write_video(tmp_path / "one/data/LeftVideoSN001_comp.avi", 3)
    shutil.copytree(tmp_path / "one", tmp_path / "two")  # with the times of its files
    before = fingerprint(tmp_path / "one/data")
    {**CHANGES, **LEFT_ALONE}[what](tmp_path / "two/data")
    assert (fingerprint(tmp_path / "two/data") == before) == (what in LEFT_ALONE)


def test_what_no_loader_reads_is_not_opened(tmp_path, monkeypatch):
    root = make_layout(tmp_path, meshes=True)
    opened, read = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.suffix) or read(path))
    fingerprint(root)
    assert set(opened) == {".csv"}


def test_bp4d_canonical(tmp_path):
    root = trees.write_bp4d(tmp_path)
    loaded = read_bp4d(root)
    assert list(loaded.frames.columns) == list(COLUMNS)
    assert_codes(loaded.frames, expected_bp4d())
    assert not len(loaded.exclusions)
    assert all((root / source).is_file() for source in loaded.frames["source"])
    assert [int(source.split("/")[-1][:4]) for source in loaded.frames["source"]] == loaded.frames["frame"].tolist()
    assert (loaded.frames["source_index"] == -1).all()
    assert (loaded.frames["AU25"] == -1).all()
    assert loaded.participants.set_index("participant")["gender"].to_dict() == {
        "F001": "female",
        "F002": "female",
        "M001": "male",
    }
    assert loaded.frames.dtypes[[*OCCURRENCES, *INTENSITIES]].eq(np.int8).all()


def test_disfa_canonical(tmp_path):
    root = trees.write_disfa(tmp_path)
    frames = read_disfa(root).frames
    assert len(frames) == 36
    assert (frames["source_index"] == frames["frame"] - 1).all()
    for unit in trees.DISFA_UNITS:
        values = [trees.intensity(p, f, unit) for p, f in zip(frames["participant"], frames["frame"])]
        assert frames[f"AU{unit:02d}_intensity"].tolist() == values
        assert frames[f"AU{unit:02d}"].tolist() == [int(value >= 2) for value in values]
    assert (frames["AU10"] == -1).all()
    assert set(frames["source"]) == {f"Videos_LeftCamera/LeftVideo{p}_comp.avi" for p in ("SN001", "SN002", "SN010")}


def test_labels_and_what_is_missing(tmp_path):
    loaded = join([read_bp4d(trees.write_bp4d(tmp_path / "b")), read_disfa(trees.write_disfa(tmp_path / "d"))])
    y, known = labels(loaded.frames, ("AU01", "AU07"))
    disfa = (loaded.frames["dataset"] == "DISFA").to_numpy()
    assert y.dtype == np.float32 and known.dtype == bool
    assert known[:, 0].all() and (known[:, 1] == ~disfa).all()
    assert (y[disfa, 1] == 0).all()
    assert y[~disfa].mean() > 0
    assert loaded.frames["dataset"].is_monotonic_increasing


BP4D_LAYOUTS = {
    "official": {},
    "flat codes": {"occurrences": "AUCoding", "intensities": "AU-Intensity-Codes3.0"},
    "nested by unzip": {"occurrences": "AUCoding/AUCoding", "intensities": "AU Intensity Codes3.0"},
    "everything in one folder": {"occurrences": "codes", "intensities": "codes", "sequences": "."},
    "2D+3D folder name": {"sequences": "data/BP4D/2D+3D"},
    "three digits": {"digits": 3},
    "no padding": {"digits": 1},
    "five digits": {"digits": 5},
    "capital suffix": {"suffix": ".JPG"},
    "jpeg": {"suffix": ".jpeg"},
    "lower-case names": {"lower": True},
    "Windows line ends": {"end": "\r\n"},
    "Macintosh unpacking": {"macintosh": True},
    "meshes beside the images": {"meshes": True},
    "symbolic links": {"links": True},
    "a byte order mark": {"mark": True},
    "copies of the codes": {"copies": True},
    "codes below AU_OCC and beside it": {"copies": True, "occurrences": "AUCoding"},
}


def make_layout(root, *, macintosh=False, meshes=False, links=False, mark=False, copies=False, **options):
    place = root / "real" if links else root
    trees.write_bp4d(place, **options)
    sequences, codes = (
        place / options.get("sequences", "Sequences(2D+3D)"),
        place / options.get("occurrences", "AUCoding/AU_OCC"),
    )
    if macintosh:
        (root / "__MACOSX/F001/T1").mkdir(parents=True)
        (root / "__MACOSX/F001/T1/0001.jpg").write_bytes(b"x")
        (sequences / "F001/T1/._0001.jpg").write_bytes(b"x")
        (sequences / "F001/T1/.DS_Store").write_bytes(b"x")
        (codes / "._F001_T1.csv").write_bytes(b"x")
    if meshes:
        for name in ("0001.obj", "0001.mtl", "0001.wrl", "0002.obj"):
            (sequences / "F001/T1" / name).write_bytes(b"mesh")
    if mark:
        for path in codes.glob("*.csv"):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    if copies:
        trees.write_bp4d(root, **{**options, "occurrences": "other/AU_OCC"})
    if links:
        for name in ("Sequences(2D+3D)", "AUCoding"):
            (root / name).symlink_to(place / name, target_is_directory=True)
        hidden = root / ".store"
        place.rename(hidden)
        for name in ("Sequences(2D+3D)", "AUCoding"):
            (root / name).unlink()
            (root / name).symlink_to(hidden / name, target_is_directory=True)
        (root / "Sequences(2D+3D)/F001/loop").symlink_to(root, target_is_directory=True)
    return root


@pytest.mark.parametrize("name", BP4D_LAYOUTS)
def test_every_bp4d_layout_gives_the_same_table(name, tmp_path):
    loaded = read_bp4d(make_layout(tmp_path, **BP4D_LAYOUTS[name]))
    assert_codes(loaded.frames, expected_bp4d())
    assert not len(loaded.exclusions)


def test_padding_may_differ_from_session_to_session(tmp_path):
    trees.write_bp4d(tmp_path, tasks=("T1",), digits=3)
    trees.write_bp4d(tmp_path, tasks=("T2",), digits=4, first=995)
    frames = read_bp4d(tmp_path).frames
    assert_codes(frames[frames["task"] == "T2"], expected_bp4d(tasks=("T2",), first=995))
    assert_codes(frames[frames["task"] == "T1"], expected_bp4d(tasks=("T1",)))


@pytest.mark.parametrize("shift", [0, -1])
def test_frame_offset(tmp_path, shift):
    root = trees.write_bp4d(tmp_path, image_shift=shift, extra_images=0, first=1)
    right = read_bp4d(root, frame_offset=shift)
    assert_codes(right.frames, expected_bp4d())
    numbers = [int(source.split("/")[-1][:4]) for source in right.frames["source"]]
    assert (np.array(numbers) == right.frames["frame"] + shift).all()
    wrong = read_bp4d(root, frame_offset=-1 - shift)
    assert wrong.exclusions["frames"].sum() == 6  # one row of each session has no image
    assert any("frame_offset" in notice for notice in wrong.notices)


def test_no_number_is_taken_for_another(tmp_path):
    """Label row 5 with no image 5 must not get 52.jpg or 0050.jpg."""
    root = trees.write_bp4d(tmp_path, people=("F001",), tasks=("T1",), frames=5, extra_images=0, digits=1)
    folder = root / "Sequences(2D+3D)/F001/T1"
    (folder / "5.jpg").rename(folder / "52.jpg")
    (folder / "50.jpg").write_bytes(b"x")
    loaded = read_bp4d(root)
    assert loaded.frames["frame"].tolist() == [1, 2, 3, 4]
    assert loaded.exclusions["reason"].tolist() == ["no image for the label frame"]


def test_columns_come_from_the_header():
    cells = "0,99,24,1,2".split(",")
    assert header_columns(cells, None) == {99: 1, 24: 2, 1: 3, 2: 4}
    assert header_columns(["frame", "AU01", "AU2"], None) == {1: 1, 2: 2}


def test_columns_in_another_order_are_the_same_codes(tmp_path):
    root = trees.write_bp4d(tmp_path)
    random = np.random.default_rng(0)
    for path in (root / "AUCoding/AU_OCC").glob("*.csv"):
        table = pd.read_csv(path, header=None)
        order = [0, *(1 + random.permutation(table.shape[1] - 1))]
        table[order].sample(frac=1, random_state=1).sort_index(key=lambda i: i > 0).to_csv(
            path, header=False, index=False
        )
    assert_codes(read_bp4d(root).frames, expected_bp4d())


@pytest.mark.parametrize("camera", ["left", "right"])
def test_disfa_cameras(tmp_path, camera):
    frames = read_disfa(trees.write_disfa(tmp_path), camera=camera).frames
    assert all(f"{camera.title()}Video" in source for source in frames["source"])
    assert len(frames) == 36


@pytest.mark.parametrize(
    "variant",
    [
        "official",
        "Videos_RightCamera",
        "all in one folder",
        "capital _Comp",
        "Windows",
        "blank lines",
        "upper-case AU",
        "padded au01",
    ],
)
def test_every_disfa_layout_gives_the_same_table(tmp_path, variant):
    reference = read_disfa(trees.write_disfa(tmp_path / "reference")).frames
    options = {"Windows": {"end": "\r\n"}, "blank lines": {"end": "\r\n", "blank_end": 3}}.get(variant, {})
    root = trees.write_disfa(tmp_path / "variant", **options)
    if variant == "Videos_RightCamera":
        trees.move(root, "Video_RightCamera", "Videos_RightCamera")
        trees.move(root, "Videos_LeftCamera", "Video_LeftCamera")
    for path in [*root.rglob("*.avi"), *root.rglob("*.txt")]:
        if variant == "all in one folder":
            path.rename(root / path.name)
        elif variant == "capital _Comp":
            path.rename(path.with_name(path.name.replace("_comp", "_Comp")))
        elif variant == "upper-case AU":
            path.rename(path.with_name(path.name.replace("_au", "_AU")))
        elif variant == "padded au01" and path.suffix == ".txt":
            stem, unit = path.stem.split("_au")
            path.rename(path.with_name(f"{stem}_au{int(unit):02d}.txt"))
    loaded = read_disfa(root)
    pd.testing.assert_frame_equal(loaded.frames[CODES], reference[CODES])
    assert not len(loaded.exclusions)


@pytest.mark.parametrize(("first_image", "suffix"), [(0, "{:d}.png"), (1, "{:05d}.jpg")])
def test_extracted_disfa_frames(tmp_path, first_image, suffix):
    root = trees.write_disfa(tmp_path / "d", cameras=())
    for participant in ("SN001", "SN002", "SN010"):
        folder = tmp_path / "extracted" / participant
        folder.mkdir(parents=True)
        for number in range(first_image, first_image + 12):
            (folder / suffix.format(number)).write_bytes(trees.grey_square())
    loaded = read_disfa(root, frames_folder=tmp_path / "extracted", first_image=first_image)
    assert len(loaded.frames) == 36 and not len(loaded.exclusions)
    first = loaded.frames.iloc[0]
    assert first["frame"] == 1 and first["source"].endswith(f"SN001/{suffix.format(first_image)}")
    assert (root / first["source"]).is_file()
    assert (loaded.frames["source_index"] == -1).all()
    wrong = read_disfa(root, frames_folder=tmp_path / "extracted", first_image=1 - first_image)
    assert wrong.exclusions["frames"].sum() == 3


def test_disfa_threshold(tmp_path):
    root = trees.write_disfa(tmp_path)
    for threshold in (1, 2, 5):
        frames = read_disfa(root, threshold=threshold).frames
        assert ((frames["AU01_intensity"] >= threshold) == (frames["AU01"] == 1)).all()


def test_disfa_error_log(tmp_path):
    root = trees.write_disfa(tmp_path, people=("SN001", "SN002"), frames=830, cameras=("left",))
    kept = read_disfa(root, drop_error_log=True)
    dropped = kept.exclusions.set_index(["participant", "reason"])["frames"].to_dict()
    assert dropped == {("SN001", "in DISFA's error log"): 23, ("SN002", "in DISFA's error log"): 27}
    assert len(kept.frames) == 2 * 830 - 50
    assert len(read_disfa(root).frames) == 2 * 830


def test_the_error_log_leaves_the_published_number_of_frames():
    rows = {person: 4845 - (person == "SN010") for person in disfa_module.PARTICIPANTS}
    assert len(rows) == 27 and sum(rows.values()) == 130_814
    left = {
        person: count - int(disfa_module.within_error_log(person, np.arange(1, count + 1)).sum())
        for person, count in rows.items()
    }
    assert sum(left.values()) == 126_144
    assert left["SN021"] == 1_793


# How public code reads these files, in a few lines of our own; see also test_rendered_trees_as_others_read_them.


def as_pandas_with_an_index_column(path):
    """ME-GraphAU's way: the header's names as columns, the first column as index."""
    return pd.read_csv(path, header=0, index_col=0, usecols=["0", *map(str, trees.BP4D_UNITS)])


def as_numbers_by_position(path):
    """FERA-2015's way: numbers only, the first row dropped, action unit k in column k, the last column the flag."""
    table = np.loadtxt(path, delimiter=",")[1:]
    valid = table[:, -1] != 1
    return table[valid, 0].astype(int), table[valid][:, list(trees.BP4D_UNITS)].astype(int)


def as_two_columns(path):
    """rPPG-Toolbox's way with intensities: no header, the second column."""
    return pd.read_csv(path, header=None)


def as_lines(path):
    """JAANet's and LibreFace's way with DISFA: one `frame,intensity` a line."""
    return [int(line.strip().split(",")[1]) for line in io.StringIO(path.read_text()) if line.strip()]


def compare_with_public_readers(bp4d, disfa):
    """Read both trees as others do; every code must be what our table says."""
    if bp4d is not None:
        frames = read_bp4d(bp4d).frames
        for (participant, task), rows in frames.groupby(["participant", "task"]):
            path = bp4d / f"AUCoding/AU_OCC/{participant}_{task}.csv"
            table = as_pandas_with_an_index_column(path)
            ours = rows[list(BP4D_ACTION_UNITS)].to_numpy()
            theirs = table.loc[rows["frame"]].to_numpy()
            assert (np.where(theirs == 9, -1, theirs) == ours).all()
            numbers, codes = as_numbers_by_position(path)
            codes = codes[np.isin(numbers, rows["frame"])]
            assert (np.where(codes == 9, -1, codes) == ours).all()
            for unit in trees.INTENSITY_UNITS:
                values = as_two_columns(bp4d / f"AUCoding/AU_INT/AU{unit:02d}/{participant}_{task}_AU{unit:02d}.csv")
                values = values.set_index(0)[1].loc[rows["frame"]].to_numpy()
                assert (np.where(values == 9, -1, values) == rows[f"AU{unit:02d}_intensity"]).all()
            for frame, source in zip(rows["frame"], rows["source"]):
                guesses = [
                    bp4d / f"Sequences(2D+3D)/{participant}/{task}/{str(frame).zfill(digits)}.jpg" for digits in (3, 4)
                ]
                assert bp4d / source in guesses
    if disfa is not None:
        frames = read_disfa(disfa).frames
        for participant, rows in frames.groupby("participant"):
            assert (disfa / f"Videos_LeftCamera/LeftVideo{participant}_comp.avi").is_file()
            for unit in trees.DISFA_UNITS:
                values = as_lines(disfa / f"ActionUnit_Labels/{participant}/{participant}_au{unit}.txt")
                ours = rows[f"AU{unit:02d}_intensity"].to_numpy()
                assert (np.array(values)[rows["frame"] - 1] == np.where(ours < 0, 9, ours)).all()


def test_generated_trees_as_others_read_them(tmp_path):
    compare_with_public_readers(trees.write_bp4d(tmp_path / "b"), trees.write_disfa(tmp_path / "d"))


def test_archives_are_not_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / "F001.zip", "w") as archive:
        archive.writestr("F001/T1/0001.jpg", b"x")
    with pytest.raises(Exception, match="unpack"):
        read_bp4d(tmp_path)
