"""A kernel of the very Python that runs the study, whatever kernelspecs the machine has under the name python3."""

import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode

from ..artefacts import ENVIRONMENT_VARIABLE
from ..device import without_greetings
from ..errors import StudyError

PREFIX, LOCK = "deepfn-", "lock"
LONGEST = 72  # bytes of a folder's name that leave room for a socket's path below it, which ends at 104


class ThisPython(AsyncKernelManager):
    """Starts `sys.executable -m ipykernel_launcher`; installed kernelspecs and the user's IPython are not looked at."""

    artefacts = Unicode(help="the artefact folder of whatever the kernel runs").tag(config=True)
    ended_by = ""  # the signal or exit code that ended the last one that died

    def __init__(self, **options):
        super().__init__(**options)
        place = _short_place()
        _remove_left(place)
        self._private = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place)
        self._lock = FileLock(os.path.join(self._private.name, LOCK))
        self._lock.acquire()
        self.connection_file = os.path.join(self._private.name, "kernel.json")
        if sys.platform == "linux":  # sockets in the user's own folder, where TCP ports are open to the whole machine
            self.transport = "ipc"
            self.ip = os.path.join(self._private.name, "kernel")

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=50"],
            env={
                ENVIRONMENT_VARIABLE: self.artefacts,
                "PLOTLY_RENDERER": "plotly_mimetype",
                "IPYTHONDIR": self._private.name,
                "PYTHONSTARTUP": "",
                "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            },
            display_name="Python 3",
            language="python",
        )

    async def start_kernel(self, **options):
        """Start it without TensorFlow's greetings among what it says on this process's standard error."""
        standard_error = without_greetings(2)
        try:
            await super().start_kernel(stderr=standard_error, **options)
        finally:
            os.close(standard_error)

    async def _async_is_alive(self) -> bool:
        alive = await super()._async_is_alive()
        if not alive and self.provisioner is not None and (code := await self.provisioner.poll()) is not None:
            ThisPython.ended_by = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return alive


def _short_place() -> str:
    """A folder for temporary files whose name is short enough for sockets. Raises StudyError where there is none."""
    for place in (tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp", "/var/tmp"):
        if place and len(os.fsencode(place)) <= LONGEST and os.access(place, os.W_OK | os.X_OK):
            return place
    raise StudyError(f"sockets need a short folder, and TMPDIR is {tempfile.gettempdir()}; name another in TMPDIR")


def _remove_left(place: str) -> None:
    """Remove the folders of kernels whose runs were killed: nobody holds their lock."""
    for lock in Path(place).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError, Timeout):
            if lock.stat().st_uid == os.getuid() and time.time() - lock.stat().st_mtime > 60:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent)
