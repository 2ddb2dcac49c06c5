"""A kernel of the very Python that runs the study, whatever kernelspecs the machine has under the name python3."""

import os
import sys
import tempfile

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode

from ..artefacts import ENVIRONMENT_VARIABLE
from ..device import without_greetings


class ThisPython(AsyncKernelManager):
    """Starts `sys.executable -m ipykernel_launcher`; installed kernelspecs and the user's IPython are not looked at."""

    artefacts = Unicode(help="the artefact folder of whatever the kernel runs").tag(config=True)

    def __init__(self, **options):
        super().__init__(**options)
        self._private = tempfile.TemporaryDirectory(prefix="deepfn-")
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
