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


def pytest_collection_modifyitems(config, items):
    """With several processes (`-n 2 --dist loadgroup`): what shares the session's artefacts is one process's work and
    comes first, since it is half of all; every other file is one piece."""
    if not config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    for item in items:
        group = "chapters" if "session_store" in item.fixturenames else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: "session_store" not in item.fixturenames)
