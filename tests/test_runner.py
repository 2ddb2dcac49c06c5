"""The runner, on small chapters made for the occasion: executed once, again when needed, failures kept and told."""

import ast
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import licensed_trees as trees
import nbformat
import pytest

from deepfn_lib.artefacts import Store, project_root
from deepfn_lib.cluster import Machine
from deepfn_lib.commands import runner
from deepfn_lib.commands.chapters import chapter_paths, choose_paths, convert, read_chapter, sort_values
from deepfn_lib.commands.runner import earlier_seconds, failures, run_chapters, typical_seconds
from deepfn_lib.commands.screen import Screen
from deepfn_lib.errors import StudyError

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A chapter

# %% tags=["parameters"]
profile = "quick"  # profile
overrides = {}  # settings
artefacts = ""  # folder
loud = 1  # how often

# %%
"""


def write_chapter(folder, name, code):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(HEADER + code)
    return path


def output_text(path):
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", ()))


@pytest.fixture()
def place(tmp_path):
    """Sources, destination and store of a test, as arguments of run_chapters."""
    return {
        "sources": tmp_path / "sources",
        "destination": tmp_path / "notebooks",
        "store": Store(tmp_path / "artefacts"),
    }


def test_a_chapter_is_executed_then_taken_and_executed_again_when_its_source_changes(place):
    write_chapter(place["sources"], "01_small", "print('heard', loud, profile, overrides)\n")
    (first,) = run_chapters("smoke", **place)
    page = place["destination"] / "01_small.ipynb"
    assert (first.error, first.reused) == ("", False)
    assert "heard 1 smoke {}" in output_text(page)
    (second,) = run_chapters("smoke", **place)
    assert second.reused and not second.error
    page.unlink()  # the page comes back without being executed
    (third,) = run_chapters("smoke", **place)
    assert third.reused and page.exists()
    write_chapter(place["sources"], "01_small", "print('changed', loud)\n")
    (fourth,) = run_chapters("smoke", {"loud": "3", "epochs": "2"}, **place)
    assert not fourth.reused
    assert "changed 3" in output_text(page)


def test_a_chapter_is_executed_again_when_licensed_data_change(place, tmp_path, monkeypatch):
    root, groups, known = tmp_path / "disfa", tmp_path / "groups.csv", []
    trees.write_disfa(root, people=("SN001",))
    groups.write_text("participant,skin_group\nSN001,lighter\n")
    write_chapter(place["sources"], "01_small", "print('heard')\n")

    def told(chapter, given, inputs, *more):
        known.append(inputs)
        return runner.ChapterRun(chapter.name, 0.0, False)

    def run():
        run_chapters("smoke", {"disfa": str(root), "groups": str(groups)}, **place)

    monkeypatch.setattr(runner, "_one_chapter", told)
    run()
    run()
    groups.write_text("participant,skin_group\nSN001,darker\n")
    run()
    next(root.rglob("*.txt")).write_text("1,0\n")
    run()
    assert known[0] == known[1] and len({inputs["data"] for inputs in known}) == 3
    run_chapters("smoke", **place)
    assert "data" not in known[-1]


def test_data_folders_are_not_in_the_page_whatever_they_are_called(place, tmp_path, monkeypatch):
    """Relative paths are taken from where the user stands, not from where a chapter runs."""
    name = 'o\'brien "a" žluť 脸\nb\\c {d} 100% <e>'
    trees.write_disfa(tmp_path / name / "disfa", people=("SN001",), cameras=())
    (tmp_path / name / "groups.csv").write_text("participant,gender\nSN001,female\n")
    told = "import html\n\nprint(overrides['disfa'], 'is', [overrides['disfa']], html.escape(overrides['groups']))\n"
    write_chapter(place["sources"], "01_small", told + "[overrides, open(overrides['groups']).read()]\n")
    monkeypatch.chdir(tmp_path / name)
    place["store"] = Store("artefacts")
    (run,) = run_chapters("smoke", {"disfa": "disfa", "groups": "groups.csv", "epochs": "2"}, **place)
    assert not run.error
    page = nbformat.read(place["destination"] / "01_small.ipynb", 4)
    (injected,) = (cell.source for cell in page.cells if "injected-parameters" in cell.metadata.get("tags", ()))
    values = {"epochs": 2, "disfa": "<your disfa folder>", "groups": "<your groups folder>"}
    assert ast.literal_eval(injected.split("overrides = ")[1]) == values
    said, value = (output.get("text") or output["data"]["text/plain"] for output in page.cells[-1].outputs)
    assert said == "<your disfa folder> is ['<your disfa folder>'] <your groups folder>\n"
    assert ast.literal_eval(value) == [values, "participant,gender\nSN001,female\n"]
    assert tmp_path.name not in json.dumps(page)


def test_under_the_reference_profile_the_chapters_on_its_tables_are_run(monkeypatch, tmp_path):
    def told(chapter, *more):
        return runner.ChapterRun(chapter.name, 0.0, True)

    monkeypatch.setattr(runner, "_one_chapter", told)
    runs = run_chapters("reference", store=Store(str(tmp_path)), destination=tmp_path / "pages")
    assert [run.name[:2] for run in runs] == ["05", "06", "07", "08", "09", "14", "17"]
    (one,) = run_chapters("reference", chapters=["2"], store=Store(str(tmp_path)), destination=tmp_path / "pages")
    assert one.name == "02_normalization"


@pytest.mark.parametrize("name", ["claims.csv", "reference/scores.parquet", "rendered-bp4d.yml"])
def test_whatever_is_committed_for_the_chapters_counts_in_their_key(tmp_path, name):
    there = tmp_path / "data_manifests" / name
    there.parent.mkdir(parents=True)
    digests = set()
    for text in ("a", "b"):
        there.write_text(text)
        digests.add(runner.library_digest(tmp_path))
    assert len(digests) == 2


def test_a_failing_chapter_keeps_its_notebook_and_the_others_go_on(place):
    write_chapter(place["sources"], "01_breaks", "print('so far')\n\n# %%\nraise ValueError('first line\\nsecond')\n")
    write_chapter(
        place["sources"],
        "02_refuses",
        "from deepfn_lib.errors import StudyError\n\nraise StudyError('no folder there; give another')\n",
    )
    write_chapter(place["sources"], "03_good", "print('fine')\n")
    runs = run_chapters("smoke", **place)
    assert [run.error.split(" in cell")[0] for run in runs] == ["ValueError", "no folder there; give another", ""]
    assert runs[0].error.endswith(": first line")
    assert not any("\n" in run.error for run in runs)
    there = sorted(path.name for path in place["destination"].iterdir())
    assert there == ["01_breaks.failed.ipynb", "02_refuses.failed.ipynb", "03_good.ipynb"]
    assert "so far" in output_text(place["destination"] / "01_breaks.failed.ipynb")
    assert "2 of 3 chapters failed (01_breaks, 02_refuses)" in failures(runs)
    assert not failures([replace(run, error="") for run in runs])

    write_chapter(place["sources"], "01_breaks", "print('mended')\n")
    runs = run_chapters("smoke", chapters=["1", "good"], **place)
    assert [(run.name, run.reused, run.error) for run in runs] == [("01_breaks", False, ""), ("03_good", True, "")]
    assert not (place["destination"] / "01_breaks.failed.ipynb").exists()


def test_what_a_failed_chapter_had_finished_is_kept_and_a_lost_artefact_makes_its_chapter_run_again(place):
    make = (
        "from deepfn_lib.artefacts import Store\n"
        "from deepfn_lib.page import card\n"
        "from deepfn_lib.settings import load_settings\n"
        "from deepfn_lib.study import Study\n\n"
        "store = Store(artefacts)\n"
        "made = store.get('number', {'a': 1}, lambda f: ((f / 'one.txt').write_text('1'), print('made now')))\n"
    )
    write_chapter(place["sources"], "01_stops", make + "raise RuntimeError('stop')\n")
    (run,) = run_chapters("smoke", **place)
    kept = place["store"].folder("number", {"a": 1})
    assert run.error and (kept / "one.txt").read_text() == "1"
    write_chapter(place["sources"], "01_stops", make + "card(Study(load_settings(profile, overrides), store))\n")
    (run,) = run_chapters("smoke", **place)
    page = place["destination"] / "01_stops.ipynb"
    assert not run.error and "made now" not in output_text(page)
    place["store"].remove(kept)
    (run,) = run_chapters("smoke", **place)
    assert not run.reused and "made now" in output_text(page)


def test_the_time_left_is_told_from_the_same_profile_only(tmp_path):
    store = Store(tmp_path)
    for step, profile in [("chapter-01_small", "smoke"), ("chapter-02_large", "quick")]:
        store.get(step, {"given": {"profile": profile}}, lambda folder: (folder / "a.txt").write_text("a"))
    store.get("faces", {"given": {"size": 128}}, lambda folder: (folder / "a.txt").write_text("a"))
    assert set(earlier_seconds(store, "smoke")) == {"01_small"}
    assert set(earlier_seconds(store, "quick")) == {"02_large"}
    assert earlier_seconds(store, "overnight") == {}


def test_the_first_run_on_a_machine_tells_the_time_left_from_another_machines(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("deepfn_lib.commands.screen.time.monotonic", lambda: now[0])
    said = io.StringIO()
    screen = Screen(["01_a", "02_b", "03_c"], {"03_c": 7.0}, {"01_a": 100.0, "02_b": 300.0, "03_c": 1000.0}, said)
    screen.begin("01_a")  # a chapter that was run here before: its own time, 7 s
    now[0] = 200.0  # this machine takes twice as long
    screen.end("01_a", "done")
    screen.begin("02_b")
    lines = said.getvalue().splitlines()
    assert lines[0] == "[ 1/3] 01_a, about 6 min 47 s left"
    assert lines[2] == "[ 2/3] 02_b, about 10 min 07 s left"


def test_a_log_gets_the_kernels_bar_every_half_minute_and_a_line_for_each_chapter(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("deepfn_lib.commands.screen.time.monotonic", lambda: now[0])
    said = io.StringIO()
    with Screen(["01_a", "02_b"], {}, {}, said) as screen:
        screen.begin("01_a")
        for second in range(0, 70, 10):
            now[0] = second
            screen.write(f"\rtraining: {second:3d}%|\x1b[32m##\x1b[0m  | {second}/100 [00:01<00:09, 1.0it/s]\nno bar\n")
        screen.end("01_a", "1 min 00 s")
        screen.begin("02_b")
        screen.end("02_b", "ValueError in cell 3: [bold] :x: " + 100 * "x", counts=False)
    assert said.getvalue().splitlines() == [
        "[ 1/2] 01_a",
        "        training:  30%|##  | 30/100 [00:01<00:09, 1.0it/s]",
        "        training:  60%|##  | 60/100 [00:01<00:09, 1.0it/s]",
        "[ 1/2] 01_a: 1 min 00 s",
        "[ 2/2] 02_b, about 1 min 00 s left",
        "[ 2/2] 02_b: ValueError in cell 3: [bold] :x: " + 100 * "x",
    ]


def test_the_table_of_typical_seconds_names_every_chapter():
    assert set(typical_seconds("quick")) == {path.stem for path in chapter_paths()}
    assert typical_seconds("paper") == {}


def test_tensorflows_greetings_stay_in_the_notebook_and_other_lines_from_below_python_pass(place, capfd, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel leads nothing to the notebook where it sees this
    lines = ["I0000 00:00 port.cc:153] oneDNN custom operations are on.", "a line from below"]
    code = "".join(f"os.write(2, b'{line}\\n')\n" for line in lines)
    write_chapter(place["sources"], "01_a", f"import os\n\n{code}\n# %%\nraise ValueError\n")
    (run,) = run_chapters("smoke", **place)
    kept = nbformat.read(place["destination"] / "01_a.failed.ipynb", as_version=4)
    streams = [o for cell in kept.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert "".join(stream.text for stream in streams).splitlines() == lines
    said, until = "", time.monotonic() + 10
    while lines[1] not in said and time.monotonic() < until:
        said += capfd.readouterr().err
        time.sleep(0.05)
    assert lines[1] in said and "port.cc" not in said


def test_a_chapter_that_takes_too_long_is_stopped(place):
    write_chapter(place["sources"], "01_slow", "import time\n\ntime.sleep(300)\n")
    (run,) = run_chapters("smoke", limit_minutes=0.03, **place)
    assert "limit" in run.error and "--limit" in run.error
    assert not (place["destination"] / "01_slow.ipynb").exists()


def test_a_killed_kernel_is_one_line(place):
    write_chapter(place["sources"], "01_dies", "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n")
    (run,) = run_chapters("smoke", **place)
    assert run.error == "its kernel died (SIGKILL); too little memory?"
    assert not (place["destination"] / "01_dies.ipynb").exists()


def test_kernels_that_die_one_after_another_need_not_have_the_same_cause(place):
    for number, name in ((1, "SIGBUS"), (2, "SIGBUS"), (3, "SIGSEGV")):
        write_chapter(
            place["sources"], f"0{number}_dies", f"import os, signal\n\nos.kill(os.getpid(), signal.{name})\n"
        )
    errors = [run.error for run in run_chapters("smoke", **place)]
    assert errors == ["its kernel died (SIGBUS); a full disk?"] * 2 + ["its kernel died (SIGSEGV)"]


def test_the_same_cause_is_not_met_in_every_chapter(place):
    for number in range(1, 5):
        write_chapter(
            place["sources"],
            f"0{number}_same",
            "from deepfn_lib.errors import StudyError\n\nraise StudyError('the disk is gone')\n",
        )
    assert [run.error for run in run_chapters("smoke", **place)] == ["the disk is gone"] * 2


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"lud": "2"}, "did you mean 'loud'"),
        ({"repetition": "2"}, "did you mean 'repetitions'"),
        ({"loud": "many"}, "loud of 01_small is a whole number, got 'many'"),
        ({"epochs": "1.5"}, "epochs"),
        ({"classifier": "resnet"}, "lenet-5"),
        ({"profile": "paper"}, "--profile"),
        ({"bp4d": "not-there"}, "no folder .*not-there"),
        ({"groups": "not-there.csv"}, "no file .*not-there.csv"),
    ],
)
def test_a_wrong_name_or_value_is_one_line_before_anything_runs(place, parameters, expected):
    write_chapter(place["sources"], "01_small", "print(1)\n")
    with pytest.raises(StudyError, match=expected) as caught:
        run_chapters("smoke", parameters, **place)
    assert "\n" not in str(caught.value)
    assert not list(place["destination"].glob("*"))


def test_chapters_are_named_by_number_name_or_end(place):
    for name in ("01_small", "02_other"):
        write_chapter(place["sources"], name, "")
    paths = chapter_paths(place["sources"])
    for word in ("2", "02", "other", "02_other", "02_other.py"):
        assert [path.stem for path in choose_paths(paths, [word])] == ["02_other"]
    assert choose_paths(paths, []) == paths
    with pytest.raises(StudyError, match="no chapter 'third'"):
        choose_paths(paths, ["third"])


def test_text_becomes_the_type_that_is_wanted(place):
    chapter = read_chapter(write_chapter(place["sources"], "01_small", ""))
    settings, own = sort_values(
        {"epochs": "7", "warp_pixels": "2", "groups": "007", "loud": "4", "disfa_drop_error_log": "true"}, [chapter]
    )
    assert settings["epochs"] == 7 and settings["warp_pixels"] == 2.0 and settings["groups"] == "007"
    assert settings["disfa_drop_error_log"] is True
    assert own == {"01_small": {"loud": 4}}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("False", bool, False),
        ("2", float, 2.0),
        (2, float, 2.0),
        ("original, oracle", tuple[str, ...], ("original", "oracle")),
        ("['original']", tuple[str, ...], ("original",)),
        ("007", tuple, ("007",)),
        ("[0.1, 2]", list, [0.1, 2]),
        ("8, 15", list, [8, 15]),
        ("{'epochs': 2}", dict, {"epochs": 2}),
        ("right", Literal["left", "right"], "right"),
    ],
)
def test_a_value_is_of_the_kind_that_is_wanted(value, kind, expected):
    found = convert("it", value, kind)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("maybe", bool, "it is True or False, got 'maybe'"),
        (True, int, "it is a whole number, got True"),
        ("1.5", int, "it is a whole number, got '1.5'"),
        (True, float, "it is a number, got True"),
        (7, str, "it is text, got 7"),
        ("lenet-5", list, "it is a list, got 'lenet-5'"),
        ("(1", tuple, "it is a tuple, got '(1'"),
        ("up", Literal["left", "right"], "it is one of left, right, got 'up'"),
    ],
)
def test_a_value_of_another_kind_is_told_with_the_kind_wanted(value, kind, expected):
    with pytest.raises(StudyError) as caught:
        convert("it", value, kind)
    assert str(caught.value) == expected


def test_a_chapter_without_the_agreed_parameters_is_refused(place):
    path = write_chapter(place["sources"], "01_small", "")
    path.write_text(path.read_text().replace("overrides = {}", "other = {}"))
    with pytest.raises(StudyError, match="no parameter 'overrides'"):
        read_chapter(path)
    path.write_text(path.read_text().replace("other = {}", "overrides = dict()"))
    with pytest.raises(StudyError, match="literals only"):
        read_chapter(path)


def test_the_notebook_names_no_folder_of_this_machine(place):
    write_chapter(
        place["sources"], "01_small", "print(artefacts)\nimport sys\n\nprint(sys.prefix, loud)\nstr(overrides)\n"
    )
    data = place["sources"].parent / "my-data"
    data.mkdir()
    (run,) = run_chapters("smoke", {"bp4d": str(data), "loud": "2"}, **place)
    assert not run.error
    text = (place["destination"] / "01_small.ipynb").read_text()
    notebook = json.loads(text)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert sys.prefix not in text and str(project_root()) not in text and str(Path.home()) + "/" not in text
    assert str(place["store"].root.parent) not in text
    assert all(set(cell["metadata"]) <= {"tags", "mystnb", "editable"} for cell in notebook["cells"])


def deepfn(*words, **variables):
    return subprocess.run(
        [sys.executable, "-m", "deepfn_lib.commands.cli", *words],
        capture_output=True,
        text=True,
        cwd=project_root(),
        env={**os.environ, **variables},
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-p", "repetition", "3"), "did you mean 'repetitions'"),
        (("-p", "epochs", "many"), "epochs"),
        (("--bp4d", "not-there"), "not-there"),
        (("--chapter", "99"), "no chapter '99'"),
        (("--profile", "fast"), "profile 'fast' is unknown"),
        (("-p", "epochs", "2", "-p", "epochs", "3"), "given twice"),
    ],
)
def test_the_command_says_one_line_and_exits_with_2(tmp_path, words, expected):
    done = deepfn("run", *words, "--artefacts", str(tmp_path / "artefacts"))
    assert done.returncode == 2
    assert expected in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "artefacts").exists()


def test_a_failed_chapter_fails_the_command(tmp_path, monkeypatch, capsys):
    from deepfn_lib.commands import cli

    runs = [runner.ChapterRun("01_a", 1.0, False, "no such thing"), runner.ChapterRun("02_b", 1.0, False)]
    monkeypatch.setattr(runner, "run_chapters", lambda *a, **k: runs)
    monkeypatch.setattr(cli, "NOT_COUNTED", {"KERAS_BACKEND": "jax"})
    monkeypatch.setattr(sys, "argv", ["deepfn", "run", "--artefacts", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "settings of other programs do not count here: KERAS_BACKEND"
    assert told[1] == "01_a: no such thing" and "1 of 2 chapters failed (01_a)" in told[2]


def test_an_unreadable_image_is_counted_and_nothing_stops(tmp_path):
    """Found when the faces are cut out, not while the tree is listed: the row leaves with its reason."""
    import cv2
    import pandas as pd
    from licensed_trees import write_bp4d

    from deepfn_lib.datasets.bp4d import read_bp4d
    from deepfn_lib.faces import crops
    from deepfn_lib.rendering.toys import render_moment

    picture = cv2.imencode(".jpg", render_moment("F001", {}, seed=1, whole=True))[1].tobytes()
    root = write_bp4d(tmp_path / "bp4d", people=("F001", "M001"), tasks=("T1",), frames=4, picture=picture)
    (broken,) = root.rglob("F001/T1/0002.jpg")
    broken.write_bytes(b"not a picture")
    loaded = read_bp4d(root)
    crops.build_faces(
        tmp_path / "faces",
        loaded.frames,
        loaded.exclusions,
        loaded.participants,
        {"BP4D": root},
        crop_size=64,
        alignment="none",
        detect_every=1,
        machine=Machine(workers=1),
    )
    exclusions = pd.read_parquet(tmp_path / "faces" / "exclusions.parquet")
    unreadable = exclusions[exclusions["reason"].str.contains("read")]
    assert list(unreadable[["participant", "frames"]].itertuples(index=False, name=None)) == [("F001", 1)]
