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
