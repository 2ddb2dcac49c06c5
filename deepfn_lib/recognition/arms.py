"""Person-independent scores of any arms beside the study's own: templates that compete, strengths of augmentation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .. import study
from ..artefacts import Store
from ..settings import Settings
from . import protocol
from . import scores as scoring


def arm_scores(
    settings: Settings, store: Store, arms: Mapping[str, Path], left_out: Sequence[str] = ()
) -> pd.DataFrame:
    """Person-independent scores of `arms` (name to file), with nobody of `left_out` (BP4D participants) in any split.

    All arms have the same splits, so they are paired. Columns as of `study.scores`.
    """
    data, template = study.faces(settings, store), study.template(settings, store)
    sizes = {name: getattr(settings, name) for name in ("train_people", "validation_people")}
    training = study.classifier_training(settings)
    inputs = {
        "code": scoring.CODE_VERSION,
        "arms": {name: path.parent.name for name, path in arms.items()},
        "left_out": sorted(left_out),
        "seed": settings.seed,
        "repetitions": settings.repetitions,
        **sizes,
        **training,
    }

    def make(folder: Path) -> None:
        others = data.frames[~((data.frames["dataset"] == "BP4D") & data.frames["participant"].isin(left_out))]
        splits, _ = protocol.draw_splits(
            others,
            data.participants,
            template=template.participant,
            repetitions=settings.repetitions,
            sizes=protocol.Sizes(**sizes),
            seed=settings.seed,
            families=("people",),
        )
        scoring.run_protocol(
            folder,
            data.frames,
            splits,
            arms,
            seed=settings.seed,
            training=training,
            cluster=settings.cluster,
            workers=settings.workers or None,
        )

    return pd.read_parquet(store.get("arm-scores", inputs, make) / "scores.parquet")
