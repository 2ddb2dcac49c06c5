"""Machines as they are: other users, other programs' settings, few processors, full disks, kills, many at once."""

import contextlib
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from deepfn_lib.artefacts import CARD, LISTING, Store, replacing
from deepfn_lib.cluster import Machine, processors
from deepfn_lib.commands.clearing import clear, made
from deepfn_lib.errors import StudyError

NOBODY = 65534
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's own tables")


def script(code: str, *words: str, **options):
    """A plain script run to its end by this Python, as a user would run it."""
    command = [sys.executable, "-c", textwrap.dedent(code), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def gone(processes, seconds: float = 20) -> bool:
    """Whether all of these processes have ended, now or soon."""
    until = time.monotonic() + seconds
    while any(psutil.pid_exists(one) and psutil.Process(one).status() != "zombie" for one in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


# Other users of the machine.


def _listening(number: int) -> list:
    """What this worker and the process it works for can be reached by: sockets of any kind that listen."""
    both = (psutil.Process(), psutil.Process().parent())
    inet = [end for one in both for end in one.net_connections("inet") if end.status == psutil.CONN_LISTEN]
    return [*inet, *(end for end in both[0].net_connections("unix") if end.laddr)]


@linux
def test_nothing_of_workers_can_be_reached_by_anybody():
    assert Machine(workers=2).run(_listening, [(1,), (2,)], description="listening") == [[], []]


def _asleep(folder: str, number: int) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def test_workers_end_with_a_killed_process(tmp_path):
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from test_machines import _asleep
        from deepfn_lib.cluster import Machine
        Machine(workers=2).run(_asleep, [(sys.argv[2], 1), (sys.argv[2], 2)], description="asleep")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(Path(__file__).parent), str(tmp_path)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(list(tmp_path.iterdir())) < 2 and child.poll() is None:
        time.sleep(0.05)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2 and not gone(workers, 0)
    child.kill()
    child.wait()
    assert gone(workers)


# Workers.


def test_a_script_without_a_main_guard_runs_once_and_without_dask(tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(
        "import math, sys\nfrom deepfn_lib.cluster import Machine\nprint('begun')\n"
        "print(Machine(workers=2).run(math.sqrt, [(4.0,), (9.0,)], description='roots'))\n"
        "print('distributed' in sys.modules)\n"
    )
    hostile = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true", "DASK_CONFIG": str(path)}
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, env={**os.environ, **hostile})
    assert done.stdout.splitlines() == ["begun", "[2.0, 3.0]", "False"], done.stderr


def _fails(number: int, folder: str) -> None:
    (Path(folder) / f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if not number:
        raise ValueError("job 0")
    time.sleep(1)


def test_the_first_error_of_a_job_ends_the_run(tmp_path):
    with pytest.raises(ValueError, match="job 0"):
        Machine(workers=1).run(_fails, [(number, str(tmp_path)) for number in range(40)], description="jobs")
    tried = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert tried.count("0") == 1 and len(tried) < 5


def _dies(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_die_again_and_again_are_one_line():
    with pytest.raises(StudyError, match="^deadly: workers died 3 times in a row; too little memory") as caught:
        Machine(workers=2).run(_dies, [(1,), (2,)], description="deadly")
    assert "\n" not in str(caught.value)


@linux
def test_as_many_workers_as_processors_are_allowed(monkeypatch):
    code = """
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        from deepfn_lib.cluster import HERE
        print(HERE.processes)
    """
    assert script(code).stdout == "1\n"
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "1")
    assert processors() == 1
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "1(x2)")
    assert 1 <= processors() <= len(os.sched_getaffinity(0))


@pytest.fixture()
def sbatch(tmp_path, monkeypatch):
    path = tmp_path / "bin" / "sbatch"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)


@pytest.fixture()
def certificates(monkeypatch):
    """As if there were certificates: what SLURM's configuration lacks is told before they are read."""
    from distributed.security import Security

    monkeypatch.setattr(Security, "temporary", classmethod(lambda cls: cls(require_encryption=True)))


def refused(cluster: str) -> str:
    with pytest.raises(StudyError) as caught:
        Machine(cluster).run(_dies, [(1,), (2,)], description="x")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_slurm_where_there_is_none_is_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "there is no sbatch here" in refused("slurm")


def test_slurm_without_tls_is_refused(sbatch, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    said = refused("slurm")
    assert "anybody in its network could run code as you" in said and "pip install cryptography" in said


def test_slurm_without_configuration_is_one_line(sbatch, certificates):
    assert "You must specify how much cores and memory per job" in refused("slurm")


def test_a_scheduler_without_the_encryption_that_is_required_is_one_line():
    import dask

    with dask.config.set({"distributed.comm.require-encryption": True}):
        said = refused("tcp://127.0.0.1:8786")
    assert "encryption required by Dask configuration" in said and "~/.config/dask" in said


def test_workers_elsewhere_that_die_again_and_again_are_one_line(monkeypatch):
    import distributed

    class Deadly(contextlib.nullcontext):
        def __init__(self, *address, timeout):
            super().__init__(self)

        def get_executor(self, **options):
            return self

        def submit(self, *job):
            raise distributed.KilledWorker("job", None, 3)

    monkeypatch.setattr(distributed, "Client", Deadly)
    assert "tcp://there:8786: workers died of one job again and again" in refused("tcp://there:8786")


def test_a_function_of_a_script_is_refused():
    code = """
        from deepfn_lib.cluster import Machine
        def mine(number): pass
        Machine(workers=2).run(mine, [(1,), (2,)], description="mine")
    """
    assert "StudyError: workers cannot import mine from a script" in script(code).stderr


# Artefacts.


def _write(text="done"):
    return lambda folder: (folder / "result.txt").write_text(text)


def _many(folder):
    (folder / "below").mkdir(exist_ok=True)
    for number in range(100):
        (folder / "below" / f"{number}.txt").write_text(str(number))


@linux
@pytest.mark.parametrize("make", [_write(), _many])
def test_nobody_else_may_look_into_an_artefact_or_an_unfinished_one(tmp_path, make):
    def interrupted(folder):
        make(folder)
        raise KeyboardInterrupt

    before = os.umask(0o022)
    try:
        with pytest.raises(KeyboardInterrupt):
            Store(tmp_path).get("step", {}, interrupted)
        (partial,) = tmp_path.glob("step/*.partial")
        folder = Store(tmp_path).get("step", {"a": 1}, make)
    finally:
        os.umask(before)
    assert partial.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777 == 0o700
    if os.getuid() == 0:
        for path in (partial, folder):
            for parent in (tmp_path, *tmp_path.parents[:-2]):
                parent.chmod(0o755)
            looked = subprocess.run(["ls", str(path)], user=NOBODY, group=NOBODY, capture_output=True, text=True)
            assert looked.returncode and "Permission denied" in looked.stderr and not looked.stdout


@pytest.mark.parametrize("make", [_write(), _many])
def test_what_was_not_recorded_is_no_damage(tmp_path, make):
    folder = Store(tmp_path).get("step", {}, make)
    for stray in (folder / ".DS_Store", folder / "Thumbs.db", folder / ".nfs0001"):
        stray.write_text("a file manager's")
    assert Store(tmp_path).get("step", {}, make) == folder
    Store(tmp_path).check(folder, contents=True)


def test_every_file_of_a_large_tree_is_checked_by_its_contents_on_request(tmp_path):
    folder = Store(tmp_path).get("step", {}, _many)
    (folder / "below" / "7.txt").write_text("8")
    Store(tmp_path).check(folder)
    with pytest.raises(StudyError, match="damaged: below/7.txt has changed"):
        Store(tmp_path).check(folder, contents=True)
    (folder / LISTING).write_text("{}")
    with pytest.raises(StudyError, match="damaged: files.json has changed"):
        Store(tmp_path).check(folder)


def test_a_large_tree_from_before_there_were_listings_is_still_whole_or_refused(tmp_path):
    folder = Store(tmp_path).get("step", {}, _many)
    (folder / LISTING).unlink()
    Store(tmp_path).check(folder)
    (folder / "below" / "7.txt").unlink()
    with pytest.raises(StudyError, match="files are missing or cut"):
        Store(tmp_path).check(folder)


@pytest.mark.parametrize("make", [_write(), _many])
def test_what_a_kill_leaves_while_the_card_is_written_is_no_part_of_the_artefact(tmp_path, make):
    partial = Store(tmp_path).folder("step", {}).with_suffix(".partial")
    partial.mkdir(parents=True)
    for name in (CARD, LISTING, "seconds.json"):
        with replacing(partial / name) as stream:  # under both names, as it is and as it was about to be
            shutil.copy(stream.name, f"{stream.name[:-4]}.deadbeef.tmp")
            stream.write(b"{}")
    assert len(list(partial.iterdir())) == 6
    folder = Store(tmp_path).get("step", {}, make)
    card = Store(tmp_path).check(folder, contents=True)
    assert sum(entry.get("files", 1) for entry in card["files"].values()) == (100 if make is _many else 1)
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("note", [b"\xff\xfe\x00", b"", b"77 on elsewhere", None])
def test_who_comes_second_waits_and_is_told_for_whom(tmp_path, capfd, note):
    """Whatever the note beside the lock holds."""
    path = Store(tmp_path).folder("step", {}).with_suffix(".lock")
    path.parent.mkdir(parents=True)
    if note is not None:
        path.with_suffix(".maker").write_bytes(note)
    code = """
        import sys
        from filelock import FileLock
        with FileLock(sys.argv[1]):
            print("held", flush=True)
            sys.stdin.readline()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        assert "step/" in Store(tmp_path).in_use()
        acquire = FileLock.acquire

        def let_go(lock, timeout):
            if timeout:  # it waits
                child.communicate("go\n")
            return acquire(lock, timeout=timeout)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FileLock, "acquire", let_go)
            folder = Store(tmp_path).get("step", {}, _write())
    assert (folder / "result.txt").read_text() == "done" and not Store(tmp_path).in_use()
    owner = "another process" if note is None else "process"
    assert f"waiting, as step/{folder.name} is being made by {owner}" in capfd.readouterr().err
    assert list(folder.parent.iterdir()) == [folder]


SAME = """
    import os, sys, time
    from pathlib import Path
    from deepfn_lib.artefacts import Store
    root, start = sys.argv[1:]
    def make(folder):
        (Path(root) / f"made-{os.getpid()}-{time.monotonic_ns()}").touch()
        (folder / "result.txt").write_text("x")
    while not Path(start).exists():
        pass
    for number in range(40):
        Store(root).get("step", {"number": number}, make)
"""


def test_two_processes_at_the_same_moment_make_nothing_twice_and_nobody_dies(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(SAME), str(tmp_path), str(tmp_path / "start")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    (tmp_path / "start").touch()
    assert [(one.communicate()[1].count("Traceback"), one.returncode) for one in both] == [(0, 0)] * 2
    assert len(list(tmp_path.glob("made-*"))) == 40 == len(list(tmp_path.glob("step/*")))


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fails_otherwise(folder):
    raise ValueError("4000 requested and 0 written")


@pytest.mark.parametrize("make", [_full, _write(), _fails_otherwise])
def test_a_full_disk_is_named_whoever_is_told_of_it_and_its_own_note_cannot_fail(tmp_path, monkeypatch, make):
    store = Store(tmp_path)
    if make is not _full:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 4096))
    monkeypatch.setattr("deepfn_lib.artefacts.write_json", _full)
    with pytest.raises(StudyError, match=f"^the disk of {store.root} is full; make room and run again") as caught:
        store.get("step", {}, make)
    monkeypatch.undo()
    assert caught.value.__suppress_context__ and not store.folder("step", {}).exists()
    assert (store.get("step", {}, _write()) / "result.txt").read_text() == "done"


@pytest.mark.parametrize("place", ["a file", "a forbidden folder"])
def test_an_artefact_folder_that_cannot_be_made_is_one_line(tmp_path, monkeypatch, place):
    (tmp_path / "there").touch()
    if place != "a file":  # root may write everywhere
        monkeypatch.setattr(Path, "mkdir", lambda path, **how: os.mkdir("/proc/nothing"))
    with pytest.raises(StudyError, match="artefact folder .* cannot be written or locked: .*--artefacts") as caught:
        Store(tmp_path / "there").get("step", {}, _write())
    assert "\n" not in str(caught.value)


# Deleting.


def test_clean_deletes_what_is_the_studys_and_names_it_and_what_stays(tmp_path):
    store, root = Store(tmp_path / "art"), tmp_path / "project"
    store.get("step", {}, _write())
    store.folder("step", {"a": 1}).with_suffix(".partial").mkdir()
    (store.root / "thesis" / "0123456789abcdef").mkdir(parents=True)
    (store.root / "thesis" / "0123456789abcdef" / "chapter.tex").write_text("three years")
    (store.root / "step" / "mine.txt").write_text("mine")
    (root / "book" / "chapters").mkdir(parents=True)
    (root / "book" / "chapters" / "01_a.ipynb").touch()
    (root / "book" / "chapters" / "notes.md").touch()
    (root / "_build" / "html").mkdir(parents=True)
    found = made(store, root)
    assert {place: len(paths) for place, paths in found.items()} == {
        store.root: 2,
        root / "book" / "chapters": 1,
        root: 1,
    }
    said = list(clear(store, found))
    assert said[0] == f"deleted from {store.root}: 2 of 2"
    assert said[-1] == f"left in {store.root}, as it is not the study's: step, thesis"
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {"art/thesis/0123456789abcdef/chapter.tex", "art/step/mine.txt", "project/book/chapters/notes.md"}
    assert not made(store, root)


def test_clean_of_nothing_but_the_studys_leaves_no_folder(tmp_path):
    store = Store(tmp_path / "art")
    store.get("step", {}, _write())
    list(clear(store, made(store, tmp_path)))
    assert not store.root.exists()


def test_clean_says_what_it_could_not_delete(tmp_path, monkeypatch):
    store = Store(tmp_path / "art")
    folder = store.get("step", {}, _write())

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    said = clear(store, made(store, tmp_path))
    assert next(said) == f"deleted from {store.root}: 0 of 1"
    with pytest.raises(StudyError, match=f"1 could not be deleted, the first: .*{folder.name}"):
        list(said)


def test_clean_is_refused_while_an_artefact_is_made(tmp_path):
    def make(folder):
        _write()(folder)
        with pytest.raises(StudyError, match=f"is in use: step/.* is being made by process {os.getpid()} on"):
            made(Store(tmp_path), tmp_path)

    assert Store(tmp_path).get("step", {}, make).exists()


def test_the_command_names_the_folder_before_it_asks(tmp_path):
    Store(tmp_path).get("step", {}, _write())
    command = [sys.executable, "-m", "deepfn_lib.commands.cli", "clean", "--artefacts", str(tmp_path)]
    done = subprocess.run(command, input="n\n", capture_output=True, text=True)
    assert f"{tmp_path}: 1 to delete, such as step/" in done.stdout.split("Delete them?")[0]
    assert done.returncode == 130 and len(list(tmp_path.glob("step/*/result.txt"))) == 1


# Settings of other programs, and the folder of sockets.

LOOK = """
import json, os, stat, subprocess, sys
import plotly.io, psutil
sys.path.insert(0, {here!r})
from ipykernel.connect import get_connection_info
from deepfn_lib.cluster import Machine
from test_machines import seen_by_a_worker

folder = os.path.dirname(get_connection_info(unpack=True)["ip"])
connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
command = ["/usr/bin/env", "python3", "-c", connect, folder + "/kernel-1"]
other = {{"user": {nobody}, "group": {nobody}, "cwd": "/"}} if os.getuid() == 0 else {{}}
called = subprocess.run(command, capture_output=True, text=True, **other)
here = psutil.Process()
print(json.dumps({{
    "given": {{name: os.environ[name] for name in os.environ if name.startswith(("KERAS_", "TF_", "XLA_", "OPENCV_"))}},
    "workers": Machine(workers=1).run(seen_by_a_worker, [(1,), (2,)], description="keras"),
    "renderer": plotly.io.renderers.default,
    "started": "started" in globals(),
    "mode": oct(stat.S_IMODE(os.stat(folder).st_mode) & 0o777),
    "listening": [len(one.net_connections("inet")) for one in (here.parent(), here)],
    "called": called.stderr.splitlines()[-1:] if other else [],
}}))
"""


def landmarks() -> list:
    from deepfn_lib.faces.detection import detect
    from deepfn_lib.rendering.toys import render_moment

    return detect([render_moment("F001", {}, seed=1, whole=True)]).points.tolist()


def seen_by_a_worker(number: int) -> list:
    import keras

    now = keras.config
    return [now.backend(), now.floatx(), now.epsilon(), now.image_data_format(), landmarks()]


def hostile(place: Path) -> dict[str, str]:
    """An environment, with its files in `place`, in which everything is set up for another program."""
    for name, text in {
        "home/.keras/keras.json": json.dumps(
            {"backend": "theano", "floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}
        ),
        "home/.ipython/profile_default/startup/00.py": "started = True\n",
        "home/.config/dask/dask.yaml": "distributed: [",
        "jupyter/jupyter_config.py": "raise SystemExit('jupyter')\n",
        "jupyter/ipython_config.py": "raise SystemExit('ipython')\n",
        "startup.py": "started = True\n",
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    long = place / ("long" * 25)
    long.mkdir(exist_ok=True)
    return {
        "HOME": str(place / "home"),
        "KERAS_BACKEND": "jax",
        "KERAS_MAX_EPOCHS": "1",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_no_such_flag",
        "OPENCV_IO_MAX_IMAGE_PIXELS": "1",
        "PLOTLY_RENDERER": "browser",
        "PYTHONSTARTUP": str(place / "startup.py"),
        "IPYTHONDIR": str(place / "home" / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(place / "jupyter"),
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
        "TMPDIR": str(long),
    }


@linux
def test_other_programs_settings_change_no_number_and_stop_no_run_and_nobody_else_reaches_a_kernel(tmp_path):
    from test_runner import output_text, write_chapter

    here = str(Path(__file__).parent)
    write_chapter(tmp_path / "sources", "01_looks", LOOK.format(here=here, nobody=NOBODY))
    code = """
        import sys
        from pathlib import Path
        from deepfn_lib.artefacts import Store
        from deepfn_lib.commands.runner import run_chapters
        from deepfn_lib.device import NOT_COUNTED
        place = Path(sys.argv[1])
        (run,) = run_chapters("smoke", store=Store(place / "art"), sources=place / "sources", destination=place)
        print(run.error, *sorted(NOT_COUNTED))
    """
    done = script(code, str(tmp_path), env={**os.environ, **hostile(tmp_path)})
    assert done.stdout.split() == [
        *("KERAS_BACKEND", "KERAS_MAX_EPOCHS", "OPENCV_IO_MAX_IMAGE_PIXELS"),
        *("TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS", "XLA_FLAGS"),
    ], done.stderr
    seen = json.loads(output_text(tmp_path / "01_looks.ipynb"))
    assert set(seen["given"]) & set(hostile(tmp_path)) == {"KERAS_BACKEND"}
    assert seen["given"]["KERAS_BACKEND"] == "tensorflow"
    assert seen["workers"] == [["tensorflow", "float32", 1e-7, "channels_last", landmarks()]] * 2
    assert (seen["renderer"], seen["started"]) == ("plotly_mimetype", False)
    # The kernel's one is ipykernel's inlet for what forked processes print: it gives nothing, and takes nothing that
    # does not begin with sixteen secret bytes.
    assert (seen["mode"], seen["listening"]) == ("0o700", [0, 1])
    assert os.getuid() or "PermissionError" in seen["called"][0]


def test_a_temporary_folder_too_long_for_sockets_is_named_where_there_is_no_other(monkeypatch):
    from deepfn_lib.commands import kernel

    monkeypatch.setattr("tempfile.gettempdir", lambda: "/var/" + 25 * "long")
    monkeypatch.setattr(os, "access", lambda path, how: False)
    with pytest.raises(StudyError, match="sockets need a short folder, and TMPDIR is /var/longlong.*in TMPDIR"):
        kernel._short_place()


def test_what_killed_runs_left_in_the_temporary_folder_is_removed_and_nothing_in_use(tmp_path):
    from deepfn_lib.commands import kernel

    for name in ("deepfn-left", "deepfn-held", "deepfn-new", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
        if name != "deepfn-new":
            os.utime(tmp_path / name / "lock", (1, 1))
    held = FileLock(tmp_path / "deepfn-held" / "lock")
    with held:
        os.utime(tmp_path / "deepfn-held" / "lock", (1, 1))
        kernel._remove_left(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deepfn-held", "deepfn-new", "other"]


# Kills.

EVERY = """
    # Make an artefact in forked children, the k-th of which is killed before its k-th act upon a file of the store's,
    # and once more as it goes on; then make it to the end and look. Prints how many were killed until one was not.
    import os, signal, sys, shutil
    from pathlib import Path
    from deepfn_lib.artefacts import Store

    root, files = sys.argv[1], int(sys.argv[2])
    ACTS = ("open", "os.", "fcntl.", "shutil.")

    def make(folder):
        for number in range(files):
            if not (folder / f"{number}.txt").exists():
                (folder / f"{number}.txt").write_text(str(number))

    def child(kill_at):
        if process := os.fork():
            return os.waitpid(process, 0)[1]
        left = [kill_at]

        def hook(event, arguments):
            name = str(arguments[0]) if arguments else ""
            if event == "fcntl.flock" or event.startswith(ACTS) and name.startswith(root) and not name.endswith("txt"):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        Store(root).get("step", {}, make)
        os._exit(0)

    kills = 0
    while child(kills + 1):
        kills += 1
        child(kills)
        Store(root).in_use() and sys.exit(f"{kills}: in use by the dead")
        folder = Store(root).get("step", {}, make)
        card = Store(root).check(folder, contents=True)
        if {path.name for path in folder.glob("*.txt")} != {f"{number}.txt" for number in range(files)}:
            sys.exit(f"{kills}: {sorted(folder.iterdir())}")
        if sum(entry.get("files", 1) for entry in card["files"].values()) != files:
            sys.exit(f"{kills}: {card['files']}")
        if [path.name for path in folder.parent.iterdir()] != [folder.name]:
            sys.exit(f"{kills}: left {sorted(folder.parent.iterdir())}")
        shutil.rmtree(folder)
    print(kills)
"""


@linux
@pytest.mark.parametrize("files", [3, 70])
def test_a_kill_before_any_act_upon_a_file_costs_nothing_but_time(tmp_path, files):
    """The lock, the note beside it, the card and the renaming are among them."""
    done = script(EVERY, str(tmp_path), str(files))
    assert not done.returncode, done.stderr
    assert int(done.stdout) >= 20


CHAPTER = """
from pathlib import Path

from deepfn_lib.artefacts import Store
from deepfn_lib.cluster import Machine
from test_machines import squared

jobs = [(artefacts, number) for number in range(8)]
print(sum(Machine(workers=2).run(squared, jobs, description="squares")))
"""


def squared(root: str, number: int) -> int:
    """A job that goes on where it was killed."""

    def make(folder):
        for part in range(4):
            time.sleep(0.03)
            (folder / f"part-{part}.txt").write_text(str(number**2))
        (folder / "square.txt").write_text(str(number**2))

    return int((Store(root).get("square", {"number": number}, make) / "square.txt").read_text())


RUN = """
    import sys
    from pathlib import Path
    from deepfn_lib.artefacts import Store
    from deepfn_lib.commands.runner import run_chapters
    place = Path(sys.argv[1])
    runs = run_chapters("smoke", store=Store(place / "art"), sources=place / "sources", destination=place / "out")
    print([run.error for run in runs])
"""


@linux
@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_at_random_ends_as_one_that_was_not(tmp_path, kills):
    """The runner, its kernel or a worker; whoever is left of a killed runner's processes ends, too."""
    from test_runner import output_text, write_chapter

    for name in ("01_squares", "02_squares"):
        write_chapter(tmp_path / "sources", name, CHAPTER + f"print({name!r})\n")
    places = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path)]
    draw = random.Random(kills)
    for _ in range(kills):
        with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": places}, stderr=subprocess.DEVNULL) as run:
            until = len(list(tmp_path.glob("art/square/*/card.json"))) + draw.randrange(3)
            while run.poll() is None and len(list(tmp_path.glob("art/square/*/card.json"))) < min(until, 8):
                time.sleep(0.02)
            time.sleep(draw.uniform(0, 0.5))
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(run.pid)
                everybody = [parent, *parent.children(recursive=True)]
                draw.choice(everybody).kill()
                if draw.random() < 0.5:
                    parent.kill()
            run.kill()
        assert gone([one.pid for one in everybody])
    done = script(RUN, str(tmp_path), env={**os.environ, "PYTHONPATH": places})
    assert done.stdout == "['', '']\n", done.stderr
    for name in ("01_squares", "02_squares"):
        assert output_text(tmp_path / "out" / f"{name}.ipynb") == f"140\n{name}\n"
    store = Store(tmp_path / "art")
    assert len(store.cards()) == 10 == len(store.own())
    for folder, _ in store.cards():
        store.check(folder, contents=True)


@linux
def test_a_run_that_is_told_to_end_says_what_is_kept_and_ends_its_kernel(tmp_path):
    from test_runner import write_chapter

    write_chapter(
        tmp_path / "sources", "01_waits", f"import time\nopen({str(tmp_path / 'in')!r}, 'w')\ntime.sleep(60)\n"
    )
    code = """
        import sys
        from pathlib import Path
        from deepfn_lib.commands import cli, runner
        place, run = Path(sys.argv.pop()), runner.run_chapters
        runner.run_chapters = lambda *words, **more: run(*words, **more, sources=place / "sources", destination=place)
        sys.argv += ["run", "--profile", "smoke", "--artefacts", str(place / "art")]
        cli.main()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while not (tmp_path / "in").exists() and run.poll() is None:
            time.sleep(0.05)
        everybody = psutil.Process(run.pid).children(recursive=True)
        run.terminate()
        said = run.communicate()[1]
    assert "deepfn: stopped in 01_waits, 0 of 1 chapters done; what is finished is kept" in said.splitlines()[-1]
    assert "Traceback" not in said and gone([one.pid for one in everybody]) and not Store(tmp_path / "art").own()


# Machines of their own.


def apart(*command: str) -> list[str]:
    """The command as on a machine of its own: its own processes, mounts and name. Skips where this is not allowed."""
    words = ["unshare", "--user", "--map-root-user", "--pid", "--mount", "--uts", "--ipc", "--fork", "--mount-proc"]
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare here")
    tried = subprocess.run([*words, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"unshare is not allowed here: {tried.stderr.strip()}")
    return [*words, *command]


@pytest.mark.slow
def test_two_machines_that_share_a_folder_make_nothing_twice_and_nobody_dies(tmp_path):
    command = apart(sys.executable, "-c", textwrap.dedent(SAME), str(tmp_path), str(tmp_path / "start"))
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    (tmp_path / "start").touch()
    assert [(one.communicate()[1].count("Traceback"), one.returncode) for one in both] == [(0, 0)] * 2
    assert len(list(tmp_path.glob("made-*"))) == 40 == len(list(tmp_path.glob("step/*")))


@pytest.mark.slow
def test_a_disk_that_is_full_is_named_whether_or_not_a_kernel_dies_of_it(tmp_path):
    from test_runner import write_chapter

    start = "import numpy as np\nfrom deepfn_lib.artefacts import Store\n\n\ndef make(folder):\n    "
    end = "\n\n\nStore(artefacts).get('step', {}, make)\n"
    mapped = "np.lib.format.open_memmap(folder / 'a.npy', mode='w+', dtype=np.uint8, shape=(10**7,))[:] = 1"
    write_chapter(tmp_path / "sources", "01_mapped", start + mapped + end)
    write_chapter(tmp_path / "sources", "02_written", start + "np.save(folder / 'a.npy', np.ones(10**6))" + end)
    write_chapter(tmp_path / "sources", "03_printed", "print('x' * 10**7)\n")
    (tmp_path / "art").mkdir()
    code = """
        import sys
        from pathlib import Path
        from deepfn_lib.artefacts import Store
        from deepfn_lib.commands.runner import run_chapters
        from deepfn_lib.errors import StudyError
        place, chapter = Path(sys.argv[1]), sys.argv[2]
        try:
            there = {"store": Store(place / "art"), "sources": place / "sources", "destination": place}
            run_chapters("smoke", chapters=[chapter], **there)
        except StudyError as problem:
            print(problem)
    """
    for number in "123":
        mount = f'mount -t tmpfs -o size=3m none {tmp_path / "art"} && exec "$@"'
        done = subprocess.run(
            apart("sh", "-c", mount, "sh", sys.executable, "-c", textwrap.dedent(code), str(tmp_path), number),
            capture_output=True,
            text=True,
        )
        assert done.stdout.startswith(f"the disk of {tmp_path / 'art'} is full; make room"), done.stderr
        assert "Traceback" not in done.stderr


# What is told.


def test_what_the_readers_had_to_say_is_the_artefacts_whether_or_not_it_was_interrupted(tmp_path, monkeypatch):
    from types import SimpleNamespace

    import licensed_trees as trees
    import numpy as np

    from deepfn_lib.settings import load_settings
    from deepfn_lib.study import data

    root = trees.write_bp4d(tmp_path / "bp4d")
    path = next((root / "AUCoding" / "AU_OCC").glob("*.csv"))
    rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[3][12] = "9"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    settings, attempts = load_settings("smoke", {"bp4d": str(root)}), []

    def build(folder, frames, exclusions, participants, roots, **more):
        attempts.append(folder)
        if len(attempts) == 1:
            raise KeyboardInterrupt
        for name, table in {"frames": frames, "exclusions": exclusions, "participants": participants}.items():
            table.to_parquet(folder / f"{name}.parquet")
        np.save(folder / "faces.npy", np.zeros((len(frames), 1, 1), np.uint8))

    monkeypatch.setattr("deepfn_lib.faces.crops.build_faces", build)
    corpora, chosen = data.licensed(settings), SimpleNamespace(**data.cut_faces.chosen(settings))

    def make(folder):
        data.cut_faces.function(folder, chosen, None, corpora)

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path / "art").get("faces", {}, make)
    folder = Store(tmp_path / "art").get("faces", {}, make)
    notices = data.read_faces(folder, corpora.manifests).notices
    assert any("occurrence codes 9" in notice for notice in notices) and len(attempts) == 2
    (folder / data.NOTICES).unlink()  # an artefact from before they were kept
    assert data.read_faces(folder, corpora.manifests).notices == ()
