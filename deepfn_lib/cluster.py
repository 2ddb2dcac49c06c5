"""Heavy work as a list of independent jobs, on this machine, on any Dask scheduler, or on SLURM."""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .device import hush
from .errors import StudyError
from .progress import progress


def _job(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker runs: the job, without TensorFlow's greetings on the user's terminal."""
    hush()
    return function(*arguments)


# The local workers of the last `run_jobs` and what they are for. They have imported TensorFlow and compiled their
# networks, which takes several seconds; the next jobs of the same function find them ready.
_ready: dict[tuple, tuple[Any, ExitStack]] = {}


def _end_ready() -> None:
    """End the local workers that wait for another call."""
    while _ready:
        _ready.popitem()[1][1].close()


@contextmanager
def _workers(function: Callable[..., Any], cluster: str, workers: int | None, gpus_per_worker: int) -> Iterator[Any]:
    """`client`, whose local processes stay for the next call with the same arguments, and no longer than to the next
    call with others: another function may want another TensorFlow.

    An exception ends them, since jobs may still be running. Nothing that holds a GPU stays.
    """
    asked = (function, cluster, workers, gpus_per_worker)
    connection, opened = _ready.pop(asked, (None, ExitStack()))
    _end_ready()
    with opened:
        if connection is None:
            connection = opened.enter_context(client(cluster, workers, gpus_per_worker))
        yield connection
        if cluster == "local" and not gpus_per_worker:
            atexit.unregister(_end_ready)  # what is registered last runs first: before Dask, imported by now,
            atexit.register(_end_ready)  # ends its own
            _ready[asked] = connection, opened.pop_all()


@contextmanager
def client(cluster: str = "local", workers: int | None = None, gpus_per_worker: int = 0) -> Iterator[Any]:
    """A Dask client on `cluster`: "local" (one-thread processes), "slurm" (dask-jobqueue, its settings from Dask's
    own configuration files), or a scheduler's address. `workers` is the number of processes or SLURM jobs
    (default: the processors here).

    Raises StudyError where the address cannot be reached or the name is none of these.
    """
    from distributed import Client, LocalCluster

    workers = workers or os.cpu_count() or 1
    resources = {"GPU": gpus_per_worker} if gpus_per_worker else None
    if cluster == "local":
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
    elif "://" in cluster or ":" in cluster:
        engine = None
    else:
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


def run_jobs(
    function: Callable[..., Any],
    jobs: Sequence[tuple],
    *,
    description: str,
    cluster: str = "local",
    workers: int | None = None,
    gpus_per_worker: int = 0,
    unit: str = "job",
    done: Callable[[int, Any], None] | None = None,
) -> list[Any]:
    """`function(*job)` for every job, in parallel, with a progress bar; the results in the jobs' order.

    `function` is importable by name and imports TensorFlow inside (see `device.configure_tensorflow`).
    A worker that dies is replaced and its job tried twice more; a job that raises stops the whole with its exception.
    `done(position, result)` is called in this process as each job ends, to store what must survive an interruption.
    With one job and a local cluster the job runs in this process. Local workers stay for the next call with the same
    function.
    """
    if cluster == "local" and len(jobs) == 1:
        results = [function(*jobs[0])]
        if done:
            done(0, results[0])
        return results
    from distributed import as_completed

    results: list[Any] = [None] * len(jobs)
    with _workers(function, cluster, workers, gpus_per_worker) as connection:
        wanted = {"GPU": 1} if gpus_per_worker else None
        futures = {
            connection.submit(_job, function, *job, retries=2, pure=False, resources=wanted): position
            for position, job in enumerate(jobs)
        }
        with progress(total=len(jobs), description=description, unit=unit) as bar:
            for future in as_completed(futures):
                position = futures[future]
                results[position] = future.result()
                if done:
                    done(position, results[position])
                future.release()
                bar.update()
    return results
