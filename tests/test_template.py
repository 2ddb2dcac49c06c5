"""The template rule of section 3.2 on tables small enough to do by hand."""

import numpy as np
import pandas as pd
import pytest

from deepfn_lib.errors import StudyError
from deepfn_lib.frames import join_sessions, session_frames
from deepfn_lib.template import choose_template, count_activations, rank_participants

UNITS = ("AU01", "AU02", "AU04")


def _frames(shown: dict[str, dict[str, list[int]]], dataset="BP4D") -> pd.DataFrame:
    return join_sessions(
        session_frames(
            dataset,
            person,
            "T1",
            np.arange(1, len(next(iter(codes.values()))) + 1),
            "x.jpg",
            -1,
            {unit: np.array(code, np.int8) for unit, code in codes.items()},
        )
        for person, codes in shown.items()
    )


HAND_MADE = {
    "F001": {"AU01": [1, 1, 1, 1], "AU02": [0, 0, 0, 0], "AU04": [1, 0, 0, 0]},  # counts 4 0 1: median 1, mean 1.67
    "F002": {"AU01": [1, 1, 0, 0], "AU02": [1, 1, 0, 0], "AU04": [0, 0, 0, 0]},  # counts 2 2 0: median 2, mean 1.33
    "M001": {"AU01": [-1, -1, 1, 0], "AU02": [1, -1, 0, 0], "AU04": [1, 1, 1, -1]},  # 1 1 3: missing is not shown
}


def test_counts_do_not_take_missing_for_shown():
    counts = count_activations(_frames(HAND_MADE), UNITS)
    assert counts.loc["M001"].tolist() == [1, 1, 3]
    assert counts.loc["F001"].tolist() == [4, 0, 1]


def test_the_median_decides_not_the_mean():
    template = choose_template(_frames(HAND_MADE), action_units=UNITS)
    assert template.participant == "F002"
    assert template.ranking["median"].tolist() == [2, 1, 1]
    assert template.ranking["rank"].tolist() == [1, 2, 3]
    assert template.ranking["tied"].tolist() == [False, True, True]


def test_ties_go_to_the_first_identifier_whatever_the_order_of_rows():
    counts = pd.DataFrame({"AU01": [3, 3, 1]}, index=["M002", "F009", "F001"])
    assert list(rank_participants(counts).index) == ["F009", "M002", "F001"]
    assert list(rank_participants(counts[::-1]).index) == ["F009", "M002", "F001"]


def test_median_agrees_with_numpy():
    random = np.random.default_rng(3)
    counts = pd.DataFrame(random.integers(0, 4000, (41, 12)), index=[f"P{n:03d}" for n in range(41)])
    ranking = rank_participants(counts)
    expected = np.median(counts.to_numpy(), axis=1)
    assert ranking["median"].to_dict() == dict(zip(counts.index, expected))
    assert ranking.index[0] == counts.index[expected.argmax()]
    assert (np.diff(ranking["median"]) <= 0).all()


def test_disfa_never_gives_the_template_where_bp4d_is():
    both = pd.concat(
        [_frames(HAND_MADE), _frames({"SN001": {"AU01": [1] * 9, "AU02": [1] * 9, "AU04": [1] * 9}}, "DISFA")]
    )
    assert choose_template(both, action_units=UNITS).participant == "F002"
    assert choose_template(both[both["dataset"] == "DISFA"]).participant == "SN001"


def test_an_empty_table_is_a_plain_error():
    with pytest.raises(StudyError, match="no frames"):
        choose_template(_frames({}))
