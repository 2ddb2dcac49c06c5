"""Heavy work as a list of independent jobs, on this machine, on any Dask scheduler, or on SLURM."""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from .device import hush
from .errors import StudyError
from .progress import progress


def _job(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker runs: the job, without TensorFlow's greetings on the user's terminal."""
    hush()
    return function(*arguments)


# The local workers of the last `Machine.run` and what they are for. They have imported TensorFlow and compiled their
# networks, which takes several seconds; the next jobs of the same function find them ready.
_ready: dict[tuple[Callable, "Machine"], tuple[Any, ExitStack]] = {}


def _end_ready() -> None:
    """End the local workers that wait for another call."""
    while _ready:
        _ready.popitem()[1][1].close()


@contextmanager
def _workers(function: Callable[..., Any], machine: "Machine") -> Iterator[Any]:
    """`client`, whose local processes stay for the next call with the same arguments, and no longer than to the next
    call with others: another function may want another TensorFlow.

    An exception ends them, since jobs may still be running. Nothing that holds a GPU stays.
    """
    asked = (function, machine)
    connection, opened = _ready.pop(asked, (None, ExitStack()))
    _end_ready()
    with opened:
        if connection is None:
            connection = opened.enter_context(client(machine))
        yield connection
        if machine.cluster == "local" and not machine.gpus:
            atexit.unregister(_end_ready)  # what is registered last runs first: before Dask, imported by now,
            atexit.register(_end_ready)  # ends its own
            _ready[asked] = connection, opened.pop_all()


@contextmanager
def client(machine: "Machine") -> Iterator[Any]:
    """A Dask client on `machine.cluster`: "local" (one-thread processes), "slurm" (dask-jobqueue, its settings from
    Dask's own configuration files), or a scheduler's address, whose workers are there already. `workers` is the
    number of processes or SLURM jobs (0: the processors here).

    Raises StudyError where the address cannot be reached or the name is none of these.
    """
    from distributed import Client, LocalCluster

    cluster, workers = machine.cluster, machine.processes
    engine: Any = None
    if cluster == "local":
        resources = {"GPU": machine.gpus} if machine.gpus else None
        engine = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            resources=resources,
            silence_logs="ERROR",
        )
    elif cluster == "slurm":
        from dask_jobqueue import SLURMCluster

        engine = SLURMCluster()
        engine.scale(jobs=workers)
    elif ":" not in cluster:
        raise StudyError(
            f"cluster {cluster!r} is unknown; give 'local', 'slurm' or a scheduler address such as tcp://host:8786"
        )
    try:
        connection = Client(engine if engine is not None else cluster, timeout=60)
    except OSError as problem:
        raise StudyError(f"no Dask scheduler answers at {cluster}: {problem}") from None
    try:
        yield connection
    finally:
        connection.close()
        if engine is not None:
            engine.close()


@dataclass(frozen=True)
class Machine:
    """Where jobs run: `cluster` and `workers` as of `client`, and GPUs that each worker has and each job asks for."""

    cluster: str = "local"
    workers: int = 0
    gpus: int = 0

    @property
    def processes(self) -> int:
        """How many jobs run at once."""
        return self.workers or os.cpu_count() or 1

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
        A worker that dies is replaced and its job tried twice more; a job that raises stops the whole with its
        exception. `done(position, result)` is called in this process as each job ends, to store what must survive an
        interruption. With one job and a local cluster the job runs in this process. Local workers stay for the next
        call with the same function.
        """
        results: list[Any] = [None] * len(jobs)

        def keep(position: int, result: Any) -> None:
            results[position] = result
            if done:
                done(position, result)

        if self.cluster == "local" and len(jobs) == 1:
            keep(0, function(*jobs[0]))
            return results
        from distributed import as_completed

        with _workers(function, self) as connection:
            wanted = {"GPU": self.gpus} if self.gpus else None
            futures = {
                connection.submit(_job, function, *job, retries=2, pure=False, resources=wanted): position
                for position, job in enumerate(jobs)
            }
            with progress(total=len(jobs), description=description, unit=unit) as bar:
                for future in as_completed(futures):
                    keep(futures[future], future.result())
                    future.release()
                    bar.update()
        return results


HERE = Machine()
