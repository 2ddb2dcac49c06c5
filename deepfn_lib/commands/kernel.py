"""A kernel of the very Python that runs the study, whatever kernelspecs the machine has under the name python3."""

import os
import sys
import tempfile

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class ThisPython(AsyncKernelManager):
    """Starts `sys.executable -m ipykernel_launcher`; installed kernelspecs are not looked at."""

    def __init__(self, **options):
        super().__init__(**options)
        if sys.platform == "linux":  # sockets in the user's own folder, where TCP ports are open to the whole machine
            self.transport = "ipc"
            self._sockets = tempfile.TemporaryDirectory(prefix="deepfn-")  # else they land in the chapters' folder
            self.ip = os.path.join(self._sockets.name, "kernel")

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=50"],
            display_name="Python 3",
            language="python",
        )
