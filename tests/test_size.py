"""Trees as large as the licensed ones: every label row, bounded memory, no step that grows faster than the frames.

The default run takes a fiftieth, without faces; `pytest -m slow tests/test_size.py -s` takes all and prints the cost.
"""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import licensed_trees as trees
import pytest

LIMIT_GIB = 1.5

# Each step in a process of its own, so that its memory is its own.
STEPS = {
    "index": """
        from deepfn_lib.frames import join
        loaded = join([read_bp4d(root / "bp4d"), read_disfa(root / "disfa")])
        loaded.frames.to_parquet(root / "frames.parquet")
        result = {"rows": len(loaded.frames), "excluded": int(loaded.exclusions["frames"].sum())}
    """,
    "check": """
        reports = [check_dataset(root / kind.lower(), kind) for kind in ("BP4D", "DISFA")]
        result = {"rows": 0, "usable": all(report.usable for report in reports)}
    """,
    "template": """
        template = choose_template(pd.read_parquet(root / "frames.parquet"))
        result = {"rows": len(template.ranking)}
    """,
    "faces": """
        loaded = join([read_bp4d(root / "bp4d"), read_disfa(root / "disfa")])
        (root / "faces").mkdir()
        crops.build_faces(
            root / "faces", loaded.frames, loaded.exclusions, loaded.participants,
            {"BP4D": root / "bp4d", "DISFA": root / "disfa"}, crop_size=64, detect_every=25,
        )
        result = {"rows": len(np.load(root / "faces/faces.npy", mmap_mode="r"))}
    """,
}
PROGRAM = """
import json, sys, time
from pathlib import Path
import numpy as np, pandas as pd
from deepfn_lib import cluster
from deepfn_lib.artefacts import peak_memory_gib
from deepfn_lib.datasets.bp4d import read_bp4d
from deepfn_lib.commands.check.folders import check_dataset
from deepfn_lib.datasets.disfa import read_disfa
from deepfn_lib.frames import join
from deepfn_lib.faces import crops
from deepfn_lib.template import choose_template
def here(self, function, jobs, **_):
    return [function(*job) for job in jobs]
if __name__ == "__main__":
    root = Path(sys.argv[1])
    cluster.Machine.run = here  # one process does all, so its peak bounds a worker's and the caller's
{body}
    print(json.dumps(result | {{"seconds": time.process_time(), "gib": peak_memory_gib()}}))
"""


def _run(step: str, root: Path) -> dict:
    program = root / f"{step}.py"
    program.write_text(PROGRAM.format(body=textwrap.indent(textwrap.dedent(STEPS[step]), "    ")))
    here = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, str(program), str(root)],
        capture_output=True,
        text=True,
        timeout=3 * 3600,
        env={**os.environ, "PYTHONPATH": str(here)},
        cwd=root,
    )
    assert done.returncode == 0, f"{step} ended with {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def _go_through(root: Path, share: float, steps=tuple(STEPS)) -> dict[str, dict]:
    from skimage import data

    portrait = cv2.cvtColor(data.astronaut()[20:260, 120:320], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(portrait, (100, 120), interpolation=cv2.INTER_AREA)
    trees.write_large(root, cv2.imencode(".jpg", small)[1].tobytes(), share=share)
    costs = {step: _run(step, root) for step in steps}
    expected = round(146_847 * share) + sum(
        1 for path in (root / "disfa/ActionUnit_Labels").glob("*/*_au1.txt") for _ in open(path)
    )
    assert costs["index"]["rows"] == expected
    assert "faces" not in costs or costs["faces"]["rows"] == expected
    assert costs["index"]["excluded"] == 0
    assert costs["check"]["usable"]
    assert costs["template"]["rows"] == 41
    for step, cost in costs.items():
        assert cost["gib"] < LIMIT_GIB, (step, cost)
        print(f"{step}: {cost['seconds']:.1f} s of processor, {cost['gib']:.2f} GiB, {expected:,} rows")
    return costs


def test_a_fiftieth_of_the_official_size(tmp_path):
    _go_through(tmp_path, 0.02, ("index", "check", "template"))


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_the_official_size(tmp_path):
    half, whole = _go_through(tmp_path / "half", 0.5), _go_through(tmp_path / "whole", 1.0)
    assert whole["index"]["rows"] == 146_847 + 130_814
    for step in ("index", "check", "faces"):
        print(f"{step}: twice the frames cost {whole[step]['seconds'] / half[step]['seconds']:.2f} times as much")
