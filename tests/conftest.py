"""What several test files share: an artefact folder of the session's own, so that no test touches the user's."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session")
def session_store(tmp_path_factory):
    """An artefact store for the whole test session: what one test makes under `smoke`, the next re-uses.

    DEEPFN_TEST_ARTEFACTS names a folder to keep it from one session to the next.
    """
    from deepfn_lib.artefacts import Store

    kept = os.environ.get("DEEPFN_TEST_ARTEFACTS")
    return Store(kept or tmp_path_factory.mktemp("artefacts"))


def pytest_xdist_make_scheduler(config, log):
    """With several processes (`-n 2`): a file is one process's work, and all files that share the session's artefacts
    are one, the largest, which pytest-xdist begins with."""
    from pathlib import Path

    from xdist.scheduler import LoadScopeScheduling

    sharing = {path.name for path in Path(__file__).parent.glob("test_*.py") if "session_store" in path.read_text()}

    class BySharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            name = nodeid.split("::")[0].rsplit("/")[-1]
            return "chapters" if name in sharing else name

    return BySharing(config, log)
