"""Heavy work as a list of independent jobs, on this machine, on any Dask scheduler, or on SLURM.

On this machine workers are processes at the ends of pipes. Nothing listens, so nobody else on it can read or call them,
and nothing of Dask's, its configuration files included, is looked at.
"""

import atexit
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from .device import hush
from .errors import StudyError
from .progress import progress

DEATHS = 3  # of workers, with no job finished between them, until jobs are given up
# A worker has one processor, and gives memory back; libraries read this as they load.
WORKER = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}


def processors() -> int:
    """How many processors this process may use: of the machine, its affinity, a container's quota or SLURM's share."""
    import joblib

    share = os.environ.get("SLURM_CPUS_ON_NODE", "")
    return max(1, min(joblib.cpu_count(), int(share) if share.isdecimal() else sys.maxsize))


def _job(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker runs: the job, without TensorFlow's greetings on the user's terminal."""
    hush()
    return function(*arguments)


def _begin(leash: Connection) -> None:
    """A worker's first act: to end with whoever holds the other end of `leash`, even if that process is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches workers, too; the process that reads results decides

    def end():
        leash.poll(None)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


@contextmanager
def _started_alone() -> Iterator[None]:
    """Processes that are started here have a worker's environment, and do not run the user's script again."""
    before, script = {name: os.environ.get(name) for name in WORKER}, sys.modules["__main__"]
    os.environ.update(WORKER)
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _here(machine: "Machine") -> Iterator[Executor]:
    """One-thread processes on this machine. When they are left they end, busy or not."""
    context = get_context("spawn")
    leash, hand = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(machine.processes, context, _begin, (leash,))
    try:
        yield pool
    finally:
        hand.close()
        pool.shutdown(cancel_futures=True)
        leash.close()


@contextmanager
def _elsewhere(machine: "Machine") -> Iterator[Executor]:
    """The workers of a Dask scheduler, or SLURM jobs, whose settings are in Dask's own configuration files.

    Raises StudyError where there are none to be had, or where anybody could give SLURM's workers work.
    """
    cluster = machine.cluster
    if cluster != "slurm" and ":" not in cluster:
        raise StudyError(
            f"cluster {cluster!r} is unknown; give 'local', 'slurm' or a scheduler address such as tcp://host:8786"
        )
    with ExitStack() as opened:
        try:
            from distributed import Client, KilledWorker

            engine = opened.enter_context(_slurm(machine)) if cluster == "slurm" else cluster
            connection = opened.enter_context(Client(engine, timeout=60))
        except OSError as problem:
            raise StudyError(f"no Dask scheduler answers at {cluster}: {problem}") from None
        except (RuntimeError, ValueError, TypeError) as problem:  # Dask's words for what its configuration asks for
            first = next(iter(str(problem).splitlines()), type(problem).__name__).rstrip(":")
            raise StudyError(f"cluster {cluster}: {first}; see Dask's configuration, ~/.config/dask") from None
        wanted = {"GPU": machine.gpus} if machine.gpus else None
        try:
            yield connection.get_executor(pure=False, resources=wanted)
        except KilledWorker:  # Dask has tried the job on other workers
            raise StudyError(
                f"cluster {cluster}: workers died of one job again and again; too little memory?"
            ) from None


def _slurm(machine: "Machine") -> Any:
    """A Dask cluster of SLURM jobs that speaks TLS and shows no dashboard."""
    import dask
    from distributed.security import Security

    if not shutil.which("sbatch"):
        raise StudyError("cluster slurm: there is no sbatch here; run this where SLURM jobs are submitted")
    security = Security()
    if not security.get_tls_config_for_role("scheduler")["ca_file"]:
        try:
            security = Security.temporary()
        except ImportError:
            raise StudyError(
                "cluster slurm: without TLS anybody in its network could run code as you; `pip install cryptography` "
                "for certificates of the run's own, or name yours in Dask's configuration (distributed.comm.tls)"
            ) from None
    from dask_jobqueue import SLURMCluster

    given = dask.config.get("jobqueue.slurm")
    hidden = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with dask.config.set({"distributed.scheduler.http.routes": []}):  # they would tell other users here of the run
        engine = SLURMCluster(
            security=security,
            shared_temp_directory=given.get("shared-temp-directory") or os.getcwd(),
            scheduler_options={**(given.get("scheduler-options") or {}), **hidden},
            worker_extra_args=[*(given.get("worker-extra-args") or ()), "--no-dashboard"],
        )
    engine.scale(jobs=machine.processes)
    return engine


# The local workers of the last `Machine.run` and what they are for. They have imported TensorFlow and compiled their
# networks, which takes several seconds; the next jobs of the same function find them ready.
_ready: dict[tuple[Callable, "Machine"], tuple[Executor, ExitStack]] = {}


@atexit.register
def _end_ready() -> None:
    """End the local workers that wait for another call."""
    while _ready:
        _ready.popitem()[1][1].close()


@contextmanager
def _workers(function: Callable[..., Any], machine: "Machine") -> Iterator[Executor]:
    """Workers, of which local processes stay for the next call with the same arguments, and no longer than to the next
    call with others: another function may want another TensorFlow.

    An exception ends them, since jobs may still be running. Nothing that holds a GPU stays.
    """
    asked = (function, machine)
    executor, opened = _ready.pop(asked, (None, ExitStack()))
    _end_ready()
    with opened:
        if executor is None:
            executor = opened.enter_context((_here if machine.cluster == "local" else _elsewhere)(machine))
        yield executor
        if machine.cluster == "local" and not machine.gpus:
            _ready[asked] = executor, opened.pop_all()


@dataclass(frozen=True)
class Machine:
    """Where jobs run: "local" (one-thread processes), "slurm" (dask-jobqueue, its settings from Dask's own
    configuration files), or a scheduler's address, whose workers are there already. `workers` is the number of
    processes or SLURM jobs (0: the processors allowed here), `gpus` how many each worker has and each job asks for."""

    cluster: str = "local"
    workers: int = 0
    gpus: int = 0

    @property
    def processes(self) -> int:
        """How many jobs run at once."""
        return self.workers or processors()

    def run(
        self,
        function: Callable[..., Any],
        jobs: Sequence[tuple],
        *,
        description: str,
        unit: str = "job",
        done: Callable[[int, Any], None] | None = None,
    ) -> list[Any]:
        """`function(*job)` for every job, in parallel, with a progress bar; the results in the jobs' order.

        `function` is importable by name and imports TensorFlow inside (see `device.configure_tensorflow`).
        A worker that dies is replaced and its job tried twice more; the first job that raises stops the whole with its
        exception. `done(position, result)` is called in this process as each job ends, to store what must survive an
        interruption. With one job and a local cluster the job runs in this process. Local workers stay for the next
        call with the same function.

        Raises StudyError where the workers cannot be reached, or die again and again.
        """
        results: list[Any] = [None] * len(jobs)

        def keep(position: int, result: Any) -> None:
            results[position] = result
            if done:
                done(position, result)

        if self.cluster == "local" and len(jobs) == 1:
            keep(0, function(*jobs[0]))
            return results
        if function.__module__ == "__main__":
            raise StudyError(
                f"workers cannot import {function.__name__} from a script; put it into a module of its own"
            )
        missing, deaths = set(range(len(jobs))), 0
        with progress(total=len(jobs), description=description, unit=unit) as bar:
            while missing:
                try:
                    with _workers(function, self) as executor:
                        with _started_alone():
                            futures = {executor.submit(_job, function, *jobs[at]): at for at in sorted(missing)}
                        for future in as_completed(futures):
                            if not isinstance(future.exception(), BrokenExecutor):
                                keep(futures[future], future.result())
                                missing.remove(futures[future])
                                deaths = 0
                                bar.update()
                        if missing:
                            raise BrokenExecutor
                except BrokenExecutor:
                    deaths += 1
                    if deaths == DEATHS:
                        raise StudyError(
                            f"{description}: workers died {DEATHS} times in a row; too little memory? Fewer `workers` "
                            "need less; what is finished is kept"
                        ) from None
        return results


HERE = Machine()
