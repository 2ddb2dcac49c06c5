"""The audit of the paper: its numbers as data, and the arithmetic that is held against them."""

import itertools

import numpy as np
import pytest
from chapter_code import chapter_code
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from deepfn_lib.errors import StudyError
from deepfn_lib.statistics import Plan, detectable, published, published_score, published_table
from deepfn_lib.statistics.constants import always_absent, always_present

audit = chapter_code("14")


def test_published_numbers_are_whole():
    table = published_table()
    assert table["section"].ne("").all() and table["pointer"].ne("").all()
    percent = table.query("unit in ('percent', 'points')")
    assert percent["value"].between(0, 100).all()
    assert published("person-independent.original").half_unit == pytest.approx(0.05)
    assert published("p.person.matches-dependent").half_unit == pytest.approx(0.0005)
    assert published_score("gender-dependent", "deepfn").value == 60.2
    assert published_score("gender-dependent", "deepfn-motion") is None
    assert published_score("gender-dependent", "oracle") is None
    with pytest.raises(StudyError, match="no published number"):
        published("person-independent.oracle")


@pytest.mark.parametrize(
    "line, message",
    [
        ("a,1.0,,,furlongs,,,,5,somewhere", "unit"),
        ("a,one,,,percent,,,,5,somewhere", "value"),
        ("a,1.0,,,percent,,b,,5,somewhere", "'b'"),
        ("a,1.0,,,percent,,,,5,x\na,2.0,,,percent,,,,5,x", "twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, line, message):
    path = tmp_path / "published.csv"
    path.write_text(f"key,value,sd,n,unit,relation,first,second,section,pointer\n{line}\n")
    with pytest.raises(StudyError, match=message):
        published_table(path)


def test_test_of_a_table_is_the_test_of_the_data():
    rng = np.random.default_rng(5)
    a, b = rng.normal(55, 4, 40), rng.normal(57, 3, 25)
    cells = [audit.Cell(v.mean(), v.std(ddof=1), len(v)) for v in (a, b)]
    assert audit.p_of_printed(*cells) == pytest.approx(stats.ttest_ind(a, b).pvalue)
    assert audit.p_of_similarity(*cells, 3.0) == pytest.approx(ttost_ind(a, b, -3.0, 3.0)[0])


def test_p_range_holds_every_unrounded_table():
    """Against brute force over the corners and random insides of the box that rounding leaves."""
    first, second = published("skin-dependent.original"), published("skin-independent.deepfn")
    low, high = audit.p_range(first, second)
    rng = np.random.default_rng(0)
    ends = list(itertools.product((-1, 1), repeat=4)) + list(rng.uniform(-1, 1, (500, 4)))
    for a, b, c, d in ends:
        p = stats.ttest_ind_from_stats(
            first.value + 0.05 * a, first.sd + 0.05 * b, 15, second.value + 0.05 * c, second.sd + 0.05 * d, 15
        ).pvalue
        assert low - 1e-12 <= p <= high + 1e-12


def test_words_of_agreement():
    quoted, bound = published("p.person.matches-dependent"), published("p.person.gap")
    assert audit.compare_quoted(quoted, 0.3752, 0.3, 0.5) == audit.AGREES
    assert audit.compare_quoted(quoted, 0.40, 0.33, 0.48) == audit.ROUNDING
    assert audit.compare_quoted(quoted, 0.40, 0.39, 0.41) == audit.DISAGREES
    assert audit.compare_quoted(bound, 0.0009, 0.0005, 0.002) == audit.AGREES
    assert audit.compare_quoted(bound, 0.0012, 0.0009, 0.002) == audit.ROUNDING
    assert audit.compare_quoted(bound, 0.02, 0.01, 0.03) == audit.DISAGREES


def test_audit_of_p_values_by_scipy():
    lines = audit.audit_p_values().set_index("claim")
    expected = stats.ttest_ind_from_stats(55.2, 6.5, 15, 49.9, 5.1, 15).pvalue
    assert lines.loc["skin.gap", "p_sample"] == pytest.approx(expected)
    as_sample = np.sqrt(15 / 14) * np.array([6.5, 5.1])
    expected = stats.ttest_ind_from_stats(55.2, as_sample[0], 15, 49.9, as_sample[1], 15).pvalue
    assert lines.loc["skin.gap", "p_population"] == pytest.approx(expected)
    assert lines.loc["gender.women-beat-men", "sample"] == audit.UNCHECKED
    # With SDs of a population all agree that can be checked; with those of a sample the skin gap does not.
    checked = lines[~lines.index.str.endswith("-text") & (lines["sample"] != audit.UNCHECKED)]
    assert len(checked) == 15 and audit.DISAGREES not in set(checked["population"])
    assert checked.index[checked["sample"] == audit.DISAGREES].tolist() == ["skin.gap"]
    # The text's 61.4 cannot have given its own p; Table 5's 61.1 can.
    assert lines.loc["person.keeps-dependent-text", "population"] == audit.DISAGREES


def test_sizes_that_fit_are_checked_by_recomputation():
    keys = ["p.skin.gap", "p.skin.keeps-dependent", "p.skin.matches-dependent"]
    fitting = audit.sizes_that_fit(keys, 20, "sample")
    assert (15, 15) not in fitting and (14, 14) in fitting
    assert (15, 15) in audit.sizes_that_fit(keys, 20, "population")


def test_gaps_and_sums_are_differences_of_table_5():
    gaps = audit.audit_gaps().set_index("condition")
    assert gaps.loc["dataset", "gap_original"] == pytest.approx(54.0 - 44.6)
    assert gaps.loc["dataset", "gap_deepfn"] == pytest.approx(61.5 - 51.1)
    assert (gaps["low"] < gaps["closed"]).all()
    sums = audit.audit_sums().set_index("what")
    assert sums.loc["skin gain over the combinations", "recomputed"] == pytest.approx((3.5 + 7.5) / 2)
    assert sums.loc["skin gain over the combinations", "verdict"] == audit.DISAGREES
    assert sums.loc["gender gain over the combinations", "verdict"] == audit.AGREES


def test_direction_gap_needed_by_hand():
    quoted = published("gain.skin")
    apart = audit.direction_gap_needed((7, 8), quoted, 5.5)
    small, large = quoted.value + apart / 2, quoted.value - apart / 2
    assert (7 * small + 8 * large) / 15 == pytest.approx(5.5)
    with pytest.raises(ValueError):
        audit.direction_gap_needed((7, 7), quoted, 5.5)


def test_extreme_spreads_are_reached_and_not_passed():
    n, mean, top, bottom = 12, 4.6, 11.4, 0.8
    low, high = audit.smallest_sd(mean, top, bottom, n), audit.largest_sd(mean, top, bottom, n)
    rng = np.random.default_rng(1)
    for _ in range(2000):
        inner = rng.uniform(bottom, top, n - 2)
        inner += (n * mean - top - bottom - inner.sum()) / (n - 2)
        if inner.min() >= bottom and inner.max() <= top:
            assert low - 1e-9 <= np.std([top, bottom, *inner], ddof=1) <= high + 1e-9


def test_models_and_parameters():
    assert audit.classifiers().sum() == 20 * 40 + 7 * 20 * 2
    assert audit.encoder_parameters() == 119_988_224 and audit.decoder_parameters() == 6_269_601
    assert audit.lenet_parameters(12) == 388_564


def test_the_coins_ends_are_the_constants():
    assert audit.coin(0.3, 1.0) == pytest.approx(always_present(0.3))
    assert audit.coin(0.3, 0.0) == pytest.approx(always_absent(0.3))


def test_detectable_difference_has_its_power():
    found = detectable(4.0, 15, 15)
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 4, (4000, 15)), rng.normal(found, 4, (4000, 15))
    assert np.mean(stats.ttest_ind(a, b, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.025)
    assert (audit.audit_similar(Plan()).eval("low < difference < high")).all()
