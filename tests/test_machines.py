"""Machines as they are: other users, other programs' settings, few processors, full disks, kills, many at once."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import dask
import psutil
import pytest

from deepfn_lib.cluster import Machine, processors
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
    with dask.config.set({"distributed.comm.require-encryption": True}):
        said = refused("tcp://127.0.0.1:8786")
    assert "encryption required by Dask configuration" in said and "~/.config/dask" in said


def test_a_function_of_a_script_is_refused():
    code = """
        from deepfn_lib.cluster import Machine
        def mine(number): pass
        Machine(workers=2).run(mine, [(1,), (2,)], description="mine")
    """
    assert "StudyError: workers cannot import mine from a script" in script(code).stderr
