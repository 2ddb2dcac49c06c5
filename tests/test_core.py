"""Artefacts, settings and the cluster function: the frame everything else stands in."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from deepfn_lib.artefacts import CARD, Store, digest
from deepfn_lib.cluster import Machine
from deepfn_lib.errors import StudyError
from deepfn_lib.settings import Settings, load_settings, profiles_path


def _write(text):
    return lambda folder: (folder / "result.txt").write_text(text)


def test_an_artefact_is_made_once(tmp_path):
    store, calls = Store(tmp_path), []

    def make(folder):
        calls.append(folder)
        (folder / "result.txt").write_text("done")

    first = store.get("step", {"a": 1}, make)
    assert store.get("step", {"a": 1}, make) == first
    assert len(calls) == 1
    assert store.get("step", {"a": 2}, make) != first
    card = json.loads((first / CARD).read_text())
    assert card["files"]["result.txt"]["bytes"] == 4
    assert card["inputs"] == {"a": 1}


def test_the_key_depends_on_content_not_on_order():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    with pytest.raises(TypeError):
        digest({"a": object()})


def test_an_interrupted_step_leaves_no_artefact_and_continues(tmp_path):
    store = Store(tmp_path)

    def stop_half_way(folder):
        (folder / "half.txt").write_text("kept")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.get("step", {}, stop_half_way)
    assert not store.folder("step", {}).exists()

    def go_on(folder):
        assert (folder / "half.txt").read_text() == "kept"
        (folder / "result.txt").write_text("done")

    folder = store.get("step", {}, go_on)
    assert sorted(p.name for p in folder.iterdir()) == [CARD, "half.txt", "result.txt"]


@pytest.mark.parametrize("damage", ["cut", "gone", "card"])
def test_a_damaged_artefact_is_named_and_refused(tmp_path, damage):
    store = Store(tmp_path)
    folder = store.get("step", {}, _write("whole"))
    if damage == "cut":
        (folder / "result.txt").write_text("who")
    elif damage == "gone":
        (folder / "result.txt").unlink()
    else:
        (folder / CARD).write_text("{")
    with pytest.raises(StudyError, match=folder.name) as caught:
        store.get("step", {}, _write("again"))
    assert "\n" not in str(caught.value)


def test_changed_contents_of_the_same_size_are_found_on_request(tmp_path):
    store = Store(tmp_path)
    folder = store.get("step", {}, _write("whole"))
    (folder / "result.txt").write_text("wrong")
    store.check(folder)
    with pytest.raises(StudyError, match="has changed"):
        store.check(folder, contents=True)


def test_a_tree_of_many_files_is_whole_or_refused(tmp_path):
    store = Store(tmp_path)

    def make(folder):
        for number in range(100):
            (folder / f"{number}.txt").write_text(str(number))

    folder = store.get("tree", {}, make)
    store.check(folder)
    (folder / "7.txt").unlink()
    with pytest.raises(StudyError, match="damaged"):
        store.check(folder)


def test_a_killed_process_leaves_a_lock_that_the_next_takes_over(tmp_path):
    code = textwrap.dedent("""
        import sys, time
        from deepfn_lib.artefacts import Store
        Store(sys.argv[1]).get("step", {}, lambda folder: (print("in", flush=True), time.sleep(60)))
    """)
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "in"
    assert re.fullmatch(rf"step/[0-9a-f]{{16}} is being made by process {child.pid} on .+", Store(tmp_path).in_use())
    child.send_signal(signal.SIGKILL)
    child.wait()
    folder = Store(tmp_path).get("step", {}, _write("done"))
    assert (folder / "result.txt").read_text() == "done"


def test_who_looks_before_another_has_finished_and_holds_after_leaves_nothing(tmp_path, monkeypatch):
    exists = Path.exists

    def looks(path):
        monkeypatch.setattr(Path, "exists", exists)
        there = path.exists()
        Store(tmp_path).get("step", {}, _write("first"))
        return there

    monkeypatch.setattr(Path, "exists", looks)
    folder = Store(tmp_path).get("step", {}, _write("second"))
    assert (folder / "result.txt").read_text() == "first"
    assert list((tmp_path / "step").iterdir()) == [folder]


def test_every_profile_loads_and_names_only_settings():
    import yaml

    for profile in yaml.safe_load(profiles_path().read_text()):
        assert load_settings(profile).profile == profile


def test_the_papers_numbers_are_the_papers():
    paper = load_settings("paper")
    assert (paper.normaliser_iterations, paper.normaliser_batch, paper.normaliser_learning_rate) == (50_000, 64, 5e-5)
    assert (paper.repetitions, paper.epochs, paper.train_people, paper.validation_people) == (20, 50, 4, 2)
    assert (paper.normaliser_size, paper.normaliser_width, paper.classifier) == (128, 1.0, "lenet-5")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"repetition": 3}, "did you mean 'repetitions'"),
        ({"epochs": "many"}, "epochs"),
        ({"epochs": 0}, "epochs"),
        ({"alignment": "nose"}, "alignment"),
        ({"epochs": True}, "epochs"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(overrides, expected):
    with pytest.raises(StudyError, match=expected) as caught:
        load_settings("quick", overrides)
    assert "\n" not in str(caught.value)


def test_an_unknown_profile_lists_those_there_are():
    with pytest.raises(StudyError, match="quick"):
        load_settings("fast")


def test_whole_numbers_do_for_real_settings():
    assert load_settings("quick", {"warp_pixels": 3}).warp_pixels == 3.0
    assert isinstance(load_settings("quick"), Settings)


def _square(number, where):
    if number == 3 and not os.path.exists(where):
        open(where, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)  # a worker dies once; its job is tried again
    return number * number


def test_jobs_come_back_in_order_and_survive_a_dead_worker(tmp_path):
    where, seen = str(tmp_path / "died"), []
    results = Machine(workers=2).run(
        _square, [(n, where) for n in range(6)], description="squares", done=lambda i, r: seen.append(i)
    )
    assert results == [0, 1, 4, 9, 16, 25]
    assert sorted(seen) == list(range(6))


def _process(number, fail):
    if fail:
        raise ValueError(f"job {number}")
    time.sleep(0.2)  # long enough for both workers to be given one
    return os.getpid()


def _other_process(number):
    return os.getpid()


def test_workers_stay_for_the_same_function_and_end_with_another_or_with_a_failure():
    def processes(function, jobs):
        return set(Machine(workers=2).run(function, jobs, description="processes"))

    first = processes(_process, [(n, False) for n in range(4)])
    assert len(first) == 2
    assert processes(_process, [(n, False) for n in range(4)]) == first
    assert not processes(_other_process, [(n,) for n in range(4)]) & first
    assert not any(psutil.pid_exists(process) for process in first)
    second = processes(_process, [(n, False) for n in range(4)])
    with pytest.raises(ValueError, match="job"):
        processes(_process, [(n, True) for n in range(4)])
    assert not any(psutil.pid_exists(process) for process in second)


def test_an_unknown_cluster_is_refused():
    with pytest.raises(StudyError, match="slurm"):
        Machine("clowd").run(_square, [(1, ""), (2, "")], description="x")
