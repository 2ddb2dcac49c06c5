"""Statistics against scipy, statsmodels and cases worked by hand, and against worlds whose truth is known."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from deepfn_lib import arms
from deepfn_lib.arms import OURS, PAPERS
from deepfn_lib.artefacts import project_root
from deepfn_lib.commands import reference as making
from deepfn_lib.commands.bench.evidence import simulated
from deepfn_lib.commands.reference import _keep, _repetitions_there
from deepfn_lib.errors import StudyError
from deepfn_lib.page import budget, figures, stands_on, table, tally, whose
from deepfn_lib.statistics import (
    OUTCOMES,
    Plan,
    Run,
    above_ceiling,
    action_unit_scores,
    action_unit_table,
    beside,
    compare,
    condition_table,
    contrast,
    direction_table,
    drawn_interval,
    holm,
    judge,
    last_gains,
    mean_interval,
    oracle_share,
    participant_constants,
    participant_scores,
    reference,
    repetition_scores,
    sentences,
    trained,
)
from deepfn_lib.statistics.comparisons import d_z, equivalence, hedges_g, two_sample
from deepfn_lib.statistics.constants import always_absent, always_present, indifference
from deepfn_lib.statistics.participants import measure
from deepfn_lib.study import Study

QUICK = Plan(samples=400)


def row(arm="original", repetition=0, participant="F001", unit="AU01", f1=0.5, accuracy=0.5, **more):
    base = {"condition": "person-independent", "train_group": "people", "test_group": "people"}
    return (
        base
        | {
            "arm": arm,
            "repetition": repetition,
            "participant": participant,
            "action_unit": unit,
            "f1": f1,
            "accuracy": accuracy,
            "roc_auc": 0.5,
            "n_frames": 10,
            "n_positive": 5,
        }
        | more
    )


def world(people=12, repetitions=6, seed=0, gain=0.05, oracle_gain=0.10, participant_sd=0.05, split_sd=0.03):
    """A scores table and its constants in which the deepfn arm gains `gain`, the oracle `oracle_gain`."""
    rng = np.random.default_rng(seed)
    names = [f"F{i:03d}" for i in range(people)]
    own, split = rng.normal(0.5, participant_sd, people), rng.normal(0, split_sd, repetitions)
    rows, floor = [], []
    for r in range(repetitions):
        for i in rng.permutation(people)[: people - 3]:
            for unit in ("AU01", "AU02"):
                floor.append(
                    row(repetition=r, participant=names[i], unit=unit, constant_score=0.4, best_constant_score=0.45)
                )
                for arm, more in (("original", 0), ("deepfn", gain), ("oracle", oracle_gain)):
                    value = own[i] + split[r] + more + rng.normal(0, 0.02)
                    rows.append(row(arm, r, names[i], unit, value, value))
    return pd.DataFrame(rows), pd.DataFrame(floor).drop(columns=["arm", "f1", "accuracy", "roc_auc"])


# Participants' scores


def test_score_is_averaged_over_units_then_repetitions_not_over_rows():
    scores = pd.DataFrame(
        [
            row(repetition=0, unit="AU01", f1=0.2, accuracy=0.4),  # 30
            row(repetition=0, unit="AU02", f1=0.6, accuracy=0.8),  # 70: repetition 0 is 50
            row(repetition=1, unit="AU01", f1=1.0, accuracy=1.0),  # 100, the only unit of repetition 1
            row(repetition=1, unit="AU02", f1=np.nan, accuracy=1.0),
        ]
    )
    assert participant_scores(scores, "person-independent", "original")["F001"] == pytest.approx(75.0)
    assert repetition_scores(scores).tolist() == pytest.approx([50.0, 100.0])
    assert action_unit_scores(scores).loc["F001"].tolist() == pytest.approx([65.0, 70.0])
    assert participant_scores(scores, value="accuracy")["F001"] == pytest.approx(80.0)


def test_models_of_two_training_groups_are_two_repetitions():
    """Tests on women whoever trained: the mean over four models, not over two numbers of repetitions."""
    scores = pd.DataFrame(
        [
            row(repetition=0, train_group="female", f1=0.2, accuracy=0.2),
            row(repetition=1, train_group="female", f1=0.4, accuracy=0.4),
            row(repetition=0, train_group="male", f1=0.6, accuracy=0.6),
        ]
    )
    assert len(repetition_scores(scores)) == 3
    assert participant_scores(scores)["F001"] == pytest.approx(40.0)


def test_selecting_nothing_gives_nothing_and_an_unknown_measure_is_named():
    scores, constants = world()
    assert participant_scores(scores, "skin-dependent", "original").empty
    assert condition_table(scores[:0], constants[:0], QUICK).empty
    with pytest.raises(StudyError, match="auc"):
        measure(scores, "auc")


def test_condition_table_recovers_the_world():
    scores, constants = world(people=30, seed=3)
    lines = condition_table(scores, constants, QUICK).set_index("arm")
    assert lines.loc["deepfn", "mean"] - lines.loc["original", "mean"] == pytest.approx(5, abs=0.7)
    assert lines.loc["deepfn", "share_low"] < 0.5 < lines.loc["deepfn", "share_high"]
    assert np.isnan(lines.loc["original", "share"]) and lines.loc["original", "constant"] == pytest.approx(40)
    assert lines.loc["deepfn", "paper"] == 59.6 and np.isnan(lines.loc["oracle", "paper"])
    assert lines.loc["original", "mean"] == pytest.approx(participant_scores(scores, arm="original").mean())
    assert participant_constants(constants, "person-independent", column="best_constant_score").mean() == pytest.approx(
        45
    )


def test_direction_and_unit_tables_have_a_row_for_each():
    scores, constants = world()
    other = scores.assign(test_group="men")
    assert len(direction_table(pd.concat([scores, other]), constants, QUICK, ["person-independent"])) == 6
    units = action_unit_table(scores, "person-independent", QUICK)
    assert len(units) == 6 and units.query("arm == 'deepfn'")["gain"].mean() == pytest.approx(5, abs=1.5)


# Tests against scipy, statsmodels and by hand


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(5)
    return rng.normal(55, 4, 40), rng.normal(57, 3, 25)


def test_two_sample_and_welch_are_scipys(samples):
    for variances, equal in (("pooled", True), ("unequal", False)):
        ours, expected = two_sample(*samples, variances), stats.ttest_ind(*samples, equal_var=equal)
        assert ours.statistic == pytest.approx(expected.statistic)
        assert ours.p == pytest.approx(expected.pvalue)
        assert ours.df == pytest.approx(expected.df)


def test_effect_sizes_by_hand():
    a, b = np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])
    assert hedges_g(a, b) == pytest.approx(-2 / np.sqrt(5 / 3) * (1 - 3 / (4 * 6 - 1)))
    assert d_z(np.array([1.0, 2, 3]), np.array([0.0, 0, 0])) == pytest.approx(2.0)


def test_paired_comparison_is_scipys_over_shared_people():
    rng = np.random.default_rng(2)
    first = pd.Series(rng.normal(60, 4, 10), [f"F{i}" for i in range(10)])
    second = (first - 2 + rng.normal(0, 1, 10)).iloc[::-1].iloc[:8]
    c = compare(first, second, QUICK)
    expected = stats.ttest_rel(first[second.index], second)
    assert c.paired and c.ours.p == pytest.approx(expected.pvalue) and c.difference.n == 8
    assert c.paper.p == pytest.approx(stats.ttest_ind(first, second).pvalue)
    assert c.ranks == pytest.approx(stats.wilcoxon(first[second.index], second).pvalue)
    assert c.difference.low < c.difference.value < c.difference.high


def test_unpaired_comparison_is_welchs(samples):
    first, second = (pd.Series(v, [f"{letter}{i}" for i in range(len(v))]) for v, letter in zip(samples, "FM"))
    c = compare(first, second, QUICK)
    assert not c.paired and c.ours.p == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue)
    assert c.ranks == pytest.approx(stats.mannwhitneyu(first, second).pvalue)


def test_too_few_people_give_nan_not_an_error():
    one = pd.Series([50.0], ["F001"])
    for other in (one + 1, pd.Series([51.0], ["M001"]), pd.Series([], dtype=float)):
        c = compare(one, other, QUICK)
        assert np.isnan(c.ours.p) and np.isnan(c.difference.low) and np.isnan(c.similar)


def test_a_difference_is_told_in_words_where_there_are_too_few():
    first = pd.Series([1.0, 2.0, 4.0], index=list("abc"))
    assert str(compare(first, first - 1, QUICK)) == "+1.0 points (+1.0 to +1.0)"
    assert str(compare(first[:1], first[:1], QUICK)) == str(compare(first[:0], first, QUICK))
    assert str(compare(first[:1], first[:1], QUICK)) == "not computable with so few"


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04: 4 × 0.01, 3 × 0.02, then never less than what came before.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, np.nan, 0.01])[[0, 2]] == pytest.approx([0.5, 0.02])
    assert np.isnan(holm([0.5, np.nan])[1]) and len(holm([])) == 0


def test_equivalence_by_hand():
    # Paired differences of mean 0 and standard error s/√n: each one-sided t is margin over that.
    differences = np.array([-1.0, 1, -1, 1, -1, 1])
    error = differences.std(ddof=1) / np.sqrt(6)
    expected = stats.t.sf(2 / error, 5)
    assert equivalence(differences, np.zeros(6), 2.0, True) == pytest.approx(expected)


# Bootstrap


def test_bootstrap_interval_of_a_mean_is_close_to_students():
    values = np.random.default_rng(1).normal(55, 4, 15)
    ours = mean_interval(values, Plan(samples=20_000))
    low, high = stats.t.interval(0.95, 14, values.mean(), stats.sem(values))
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.25)


def test_oracle_share_is_undefined_where_the_oracle_gains_nothing():
    names = [f"F{i}" for i in range(8)]
    original = pd.Series(np.linspace(40, 60, 8), names)
    assert oracle_share(original + 2, original, original + 8, QUICK).value == pytest.approx(0.25)
    noise = pd.Series([1, -1, 1, -1, 1, -1, 1, -1.0], names)
    assert np.isnan(oracle_share(original + 2, original, original + noise, QUICK).value)


def test_same_seed_same_interval():
    values = np.arange(10.0)
    assert mean_interval(values, QUICK) == mean_interval(values, QUICK)


# Intervals over everything that was drawn


def scores_in(cells, model="BP4D/{}"):
    """Cells (participants, repetitions) as `repetition_scores` gives them, without what was not tested."""
    people, repetitions = (range(n) for n in np.shape(cells))
    models = [model.format(k) for k in repetitions]
    index = pd.MultiIndex.from_product([[f"P{k}" for k in people], models], names=["participant", "repetition"])
    return pd.Series(np.ravel(cells), index, dtype=float).dropna().swaplevel()


def two_way(cells, plan=QUICK):
    return contrast([(1.0, scores_in(cells))], plan).difference


def test_two_way_by_hand():
    """Participants' means 2 and 5, repetitions' 1.5 and 5.5: variances 9/4 and 4, of which 29/16 is counted twice."""
    found = two_way(np.array([[1.0, 3.0], [2.0, 8.0]]), QUICK)
    variance = 9 / 4 + 4 - 29 / 16
    freedom = variance**2 / ((9 / 4) ** 2 + 4**2)
    reach = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    assert (found.value, found.low, found.high) == pytest.approx((3.5, 3.5 - reach, 3.5 + reach))
    assert found.sd == pytest.approx(3 / np.sqrt(2)) and found.n == 2


def test_two_way_is_students_where_only_one_of_both_varies():
    values = np.random.default_rng(3).normal(2, 4, 9)
    for cells in (np.tile(values[:, None], 4), np.tile(values, (30, 1))):
        found = two_way(cells, Plan(confidence=0.9))
        assert (found.low, found.high) == pytest.approx(stats.t.interval(0.9, 8, values.mean(), stats.sem(values)))
        assert found.value == pytest.approx(values.mean()) and found.n == len(cells)


def test_two_way_with_too_few_or_missing_cells():
    nan = np.nan
    nobody = two_way(np.full((3, 2), nan), QUICK)
    assert np.isnan([nobody.value, nobody.low, nobody.high]).all() and nobody.n == 0
    assert two_way(np.empty((0, 0)), QUICK).n == 0
    for few, value, n in ([[1.0, 2.0]], 1.5, 1), ([[1.0], [4.0]], 2.5, 2), ([[1.0, nan], [4.0, nan]], 2.5, 2):
        found = two_way(np.array(few), QUICK)
        assert found.value == value and found.n == n and np.isnan([found.low, found.high]).all()
    # Each participant counts once, by the repetitions that there are; who never was tested does not count.
    holes = two_way(np.array([[1.0, nan, 3.0], [4.0, 8.0, nan], [nan, nan, nan], [nan, nan, 5.0]]), QUICK)
    assert holes.value == pytest.approx((2 + 6 + 5) / 3) and holes.n == 3
    assert holes.sd == pytest.approx(np.std([2, 6, 5], ddof=1)) and holes.low < holes.value < holes.high
    without = two_way(np.array([[1.0, nan, 3.0], [4.0, 8.0, nan], [nan, nan, 5.0]]), QUICK)
    assert holes == without
    alike = two_way(np.full((3, 2), 7.0), QUICK)
    assert (alike.value, alike.low, alike.high, alike.sd) == pytest.approx((7, 7, 7, 0))


def test_a_comparison_over_repetitions_is_the_contrast_and_the_papers_test_over_people():
    scores, _ = world(people=30, repetitions=5, seed=3)
    one, other = (repetition_scores(scores, "person-independent", arm) for arm in ("deepfn", "original"))
    found, plain = (
        compare(one, other, QUICK),
        compare(*(some.groupby("participant").mean() for some in (one, other)), QUICK),
    )
    drawn = contrast([(1.0, one), (-1.0, other)], QUICK)
    assert found.difference == drawn.difference and found.ours.p == drawn.p and found.similar == drawn.within(2.0)
    assert found.paper == plain.paper and found.effect == plain.effect and found.first == plain.first


def test_a_share_has_the_error_of_a_ratio():
    """Against many worlds: the interval holds the true quarter about as often as it says."""
    random, held = np.random.default_rng(4), 0
    for _ in range(100):
        people, splits = random.normal(0, 3, (40, 1)), random.normal(0, 2, 4)
        original = people + splits + random.normal(0, 2, (40, 4))
        gain = 8 + random.normal(0, 2, (40, 1)) + random.normal(0, 1, 4)
        oracle, arm = original + gain, original + gain / 4 + random.normal(0, 1, (40, 4))
        found = oracle_share(scores_in(arm), scores_in(original), scores_in(oracle), QUICK)
        held += found.low <= 0.25 <= found.high
    assert 88 <= held <= 100


def test_drawn_interval_pairs_by_participant_and_repetition():
    scores, _ = world(people=30, repetitions=5, seed=3)
    found = drawn_interval(scores, "person-independent", "deepfn", "original", QUICK)
    one, other = (repetition_scores(scores, "person-independent", arm) for arm in ("deepfn", "original"))
    assert found.value == pytest.approx((one - other).groupby("participant").mean().mean())
    assert found.low < 5 < found.high and found.high - found.low < 2 and found.n == 30
    # What participants and splits have in common goes out with the difference: 5 points and 3 would show.
    alone = scores.query("arm == 'deepfn' and participant == 'F001'").index
    fewer = drawn_interval(scores.drop(alone), "person-independent", "deepfn", "original", QUICK)
    assert fewer.n == 29


# Verdicts


def four_cells(arm):
    """Three people with gaps of 10, 8 and 6 points on the original, and 4, 6 and -1 on the arm."""
    return {
        ("dependent", "original"): {"F001": 60, "F002": 58, "M001": 50},
        ("independent", "original"): {"F001": 50, "F002": 50, "M001": 44},
        ("dependent", arm): {"F001": 62, "F002": 70, "M001": 48},
        ("independent", arm): {"F001": 58, "F002": 64, "M001": 49},
    }


def cells_of(cells, own=True):
    """Rows of scores from {(kind, arm): {participant: percent}}; with `own` each person has a model of their own."""
    return pd.DataFrame(
        row(
            arm,
            participant=person,
            f1=value / 100,
            accuracy=value / 100,
            condition=f"person-{kind}",
            train_group=person if own else "BP4D",
        )
        for (kind, arm), values in cells.items()
        for person, value in values.items()
    )


def run_of(scores):
    return Run("here", scores, lines_of())


def sentence(name):
    return next(one for one in sentences() if one.id == name)


def test_what_is_taken_off_a_gap_by_hand():
    """Each person has a model of their own, so only people are drawn: Student's t of 6, 2 and 7."""
    (found,) = sentence("person.reduces").contrasts(run_of(cells_of(four_cells(PAPERS))), PAPERS, QUICK)
    assert found.difference.value == pytest.approx(5) and found.people == 3 and found.paired
    assert found.p == pytest.approx(stats.ttest_1samp([6, 2, 7], 0).pvalue)
    assert found.above(2) == pytest.approx(stats.ttest_1samp([6, 2, 7], 2, alternative="greater").pvalue)
    assert found.within(9) == pytest.approx(stats.ttest_1samp([6, 2, 7], 9, alternative="less").pvalue)
    reach = stats.t.interval(0.95, 2, 5, stats.sem([6, 2, 7]))
    assert (found.difference.low, found.difference.high) == pytest.approx(reach)
    assert sentence("person.reduces").papers(PAPERS) == (pytest.approx((60.3 - 55.0) - (61.1 - 59.6)), "")
    assert np.isnan(sentence("person.reduces").papers(OURS)[0])
    assert sentence("person.gap").papers(OURS) == (pytest.approx(5.3), "< 0.001")  # it is about faces as filmed


@pytest.mark.parametrize("kind, arm", [("dependent", "original"), ("independent", PAPERS)])
def test_who_lacks_one_of_the_four_cells_is_in_neither_gap(kind, arm):
    cells = four_cells(PAPERS)
    del cells[kind, arm]["M001"]
    undefined = pd.DataFrame([row(arm, participant="M001", f1=np.nan, condition=f"person-{kind}")])
    for scores in (cells_of(cells), pd.concat([cells_of(cells), undefined])):
        (found,) = sentence("person.reduces").contrasts(run_of(scores), PAPERS, QUICK)
        assert found.people == 2 and found.difference.value == pytest.approx((6 + 2) / 2)


def test_groups_of_different_people_that_share_their_models():
    """Women less men under the same classifiers: what a classifier gives to both goes out."""
    random = np.random.default_rng(5)
    women, men = random.normal(60, 3, 12), random.normal(50, 3, 9)
    lucky = np.array([9.0, -4, 2, -7])[None]
    terms = [(1.0, scores_in(women[:, None] + lucky)), (-1.0, scores_in(men[:, None] + lucky))]
    renamed = terms[1][1].rename(lambda name: name.replace("P", "M"), level="participant")
    found = contrast([terms[0], (-1.0, renamed)], QUICK)
    assert not found.paired and found.people == 9 and found.models == 4
    assert found.difference.value == pytest.approx(women.mean() - men.mean())
    assert found.error == pytest.approx(np.sqrt(stats.sem(women) ** 2 + stats.sem(men) ** 2), rel=1e-6)
    apart = contrast([terms[0], (-1.0, renamed.rename(lambda name: name + "x", level="repetition"))], QUICK)
    assert apart.error > 2 * found.error  # with models of their own, the luck of both counts


def test_a_units_gain_is_set_against_each_other_unit():
    scores = pd.concat(
        [
            cells_of({("independent", arm): dict(zip(("F001", "F002", "F003"), base + more))}).assign(action_unit=unit)
            for unit, gain in (("AU01", 1.0), ("AU04", 9.0), ("AU12", 3.0))
            for arm, more, base in (
                ("original", 0.0, np.array([50.0, 55, 61])),
                (PAPERS, gain, np.array([50.0, 56, 63])),
            )
        ]
    )
    found = sentence("person.unit-most").contrasts(run_of(scores), PAPERS, QUICK)
    assert sorted(one.difference.value for one in found) == pytest.approx([6, 8])
    found = sentence("person.unit-least").contrasts(run_of(scores.replace("AU01", "AU14")), PAPERS, QUICK)
    assert sorted(one.difference.value for one in found) == pytest.approx([2, 8])


def people_world(**levels):
    """Eight people, four models each for own tasks and strangers, original 50; `levels`: kind to the arm's gain."""
    random, rows = np.random.default_rng(8), []
    for kind, gain in levels.items():
        for model, person, arm in product(range(4), range(8), ("original", PAPERS)):
            level = 50 + 2 * person + (gain if arm == PAPERS else 0) + random.normal(0, 0.3)
            condition = f"person-{kind}"
            rows.append(row(arm, model, f"F{person}", "AU01", level / 100, level / 100, condition=condition))
    return pd.DataFrame(rows)


def lines_of(f1=0.6, earlier=0.6, families=("people", "person")):
    rest = {"train_group": "BP4D", "repetition": 0, "f1": f1, "earlier": earlier}
    return pd.DataFrame(
        {"arm": arm, "family": family, **rest} for arm, family in product(("original", PAPERS), families)
    )


@pytest.mark.parametrize(
    "gain, change, expected",
    [
        (5.0, {}, "holds at this budget"),
        (1.0, {}, "holds, smaller than the paper's at this budget"),  # 4.6
        (-3.0, {}, "opposite at this budget"),
        (0.0, {}, "equal within the margin at this budget"),
        (5.0, {"participant": "F7"}, "holds at this budget"),
        (5.0, {"repetition": 3}, "too few"),
        (5.0, {"participant": ("F5", "F6", "F7")}, "too few"),
        (5.0, {"young": True}, "not trained to the end"),
        (5.0, {"arm": PAPERS}, "not run"),
    ],
)
def test_each_outcome_of_a_sentence_that_claims_more(gain, change, expected):
    """`change`: rows that are left out, or that the last epochs still added to the validation F1."""
    scores, young = people_world(independent=gain), change.pop("young", False)
    for column, values in change.items():
        scores = scores[~scores[column].isin(np.atleast_1d(values))]
    run = Run("here", scores, lines_of(f1=0.61, earlier=0.6 if young else 0.609))
    judged = judge([run], PAPERS, QUICK).set_index("id").loc["person.gain"]
    assert judged["told"] == expected
    assert judged["verdict"] in OUTCOMES and judged["run"] == ("" if expected == "not run" else "here")


@pytest.mark.parametrize("gain, expected", [(-0.5, "holds"), (1.0, "holds"), (-6.0, "opposite")])
def test_that_nothing_is_lost_allows_a_loss_within_the_margin(gain, expected):
    scores = people_world(independent=0.0, dependent=gain)
    judged = judge([Run("here", scores, lines_of())], PAPERS, QUICK).set_index("id").loc["person.keeps"]
    assert judged["verdict"] == expected and judged["size"] == ("inside" if gain == 1 else "outside")


def test_a_verdict_asks_how_its_own_cells_were_trained_and_no_others():
    scores = people_world(independent=5.0, dependent=5.0)
    lines = lines_of()
    lines.loc[lines["family"] == "person", "earlier"] = 0.5
    judged = judge([Run("here", scores, lines)], PAPERS, QUICK).set_index("id")
    assert judged.loc["person.gain", "verdict"] == "holds"
    assert judged.loc["person.keeps", "verdict"] == "not trained to the end"
    unknown = judge([Run("here", scores, lines_of(families=["person"]))], PAPERS, QUICK).set_index("id")
    assert unknown.loc["person.gain", "verdict"] == "not trained to the end"  # nothing says that it was


def test_a_claim_says_what_difference_could_have_been_found():
    judged = judge([run_of(people_world(independent=5.0))], PAPERS, QUICK).set_index("id").loc["person.gain"]
    found = contrast([(1.0, pd.Series([0.0, 1.0, 2.0, 3.0], list("abcd")))], QUICK)
    assert found.detectable(0.05) == pytest.approx((3.182 + 0.978) * found.error, abs=0.01)  # t of 3, .975 and .8
    assert 0 < judged["detectable"] < judged["difference"]


def test_an_arm_above_the_exact_answer_is_flagged():
    rows = people_world(independent=6.0)
    best = rows[rows["arm"] == "original"].assign(arm=arms.ORACLE)
    best = best.assign(f1=best["f1"] + 0.04, accuracy=best["accuracy"] + 0.04)
    world = pd.concat([rows, best], ignore_index=True)
    flags = above_ceiling(world, QUICK)
    assert set(flags["arm"]) == {PAPERS} and set(flags["measure"]) == {"score"}
    assert set(flags["action_unit"]) == {"", "AU01"} and flags["above"].to_numpy() == pytest.approx(2.0, abs=0.3)
    below = world.assign(f1=world["f1"].where(world["arm"] != PAPERS, world["f1"] - 0.1))
    assert above_ceiling(below, QUICK).empty


def test_what_cannot_be_told_and_whose_sentences_are_judged():
    scores = people_world(independent=0.0)
    noisy = scores.assign(f1=scores["f1"] + np.random.default_rng(1).normal(0, 0.4, len(scores)))
    judged = judge([Run("here", noisy, lines_of())], PAPERS, QUICK)
    assert judged.set_index("id").loc["person.gain", "verdict"] == "cannot be told"
    ours = judge([Run("here", noisy, lines_of())], OURS, QUICK, filmed=False)
    assert len(ours) < len(judged) == len(sentences()) and (ours["arm"] == OURS).all()
    assert set(ours["verdict"]) == {"not run"} and ours["paper"].isna().all()


def test_a_family_is_corrected_as_a_whole_and_the_first_run_that_has_a_sentence_counts():
    first, second = people_world(independent=0.4), people_world(independent=0.4, dependent=5.0)
    runs = [Run("long", first, lines_of()), Run("short", second, lines_of())]
    judged = judge(runs, PAPERS, QUICK).set_index("id")
    assert judged.loc["person.gain", "run"] == "long" and judged.loc["person.keeps", "run"] == "short"
    known = judged["p_ours"].dropna()
    np.testing.assert_allclose(judged["p_holm"].dropna(), holm(known))


def test_another_runs_numbers_stand_beside_the_verdict():
    long, short = (
        Run(name, people_world(independent=gain), lines_of()) for name, gain in (("long", 5), ("short", 5.2))
    )
    judged = judge([long], PAPERS, QUICK)
    here = beside(judged, short, PAPERS, QUICK).set_index("id")["here"]
    assert here["person.gain"].endswith(", agrees") and float(here["person.gain"].split(",")[0]) == pytest.approx(
        5.2, abs=0.3
    )
    assert (here.drop("person.gain") == "").all()
    other = Run("short", people_world(independent=-5.0), lines_of())
    assert beside(judged, other, PAPERS, QUICK).set_index("id")["here"]["person.gain"].endswith(", differs")
    assert (beside(judged, long, PAPERS, QUICK)["here"] == "").all()


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"kind": "better"}, "line 2: kind: Input should be 'higher'"),
        ({"terms": "+person-independent.deepfn minus"}, "x: terms .* cannot be read"),
        ({"terms": "+person.deepfn"}, "x: terms .* cannot be read"),
        ({"p": "p.nothing"}, "line 2: no published p is called 'p.nothing'"),
    ],
)
def test_a_wrong_sentence_is_named(tmp_path, change, complaint):
    good = sentence("person.gain").model_dump() | {"id": "x"}
    path = tmp_path / "claims.csv"
    pd.DataFrame([good | change]).to_csv(path, index=False)
    with pytest.raises(StudyError, match=complaint):
        sentences(path)
    pd.DataFrame([good, good]).to_csv(path, index=False)
    with pytest.raises(StudyError, match="claims.csv: an id appears twice"):
        sentences(tmp_path / "." / "claims.csv")
    with pytest.raises(StudyError, match="cannot read the paper's sentences in no.csv"):
        sentences(tmp_path / "no.csv")


def test_how_a_classifier_was_trained_is_told_in_a_line():
    f1 = np.linspace(0.3, 0.5, 20)
    course = pd.DataFrame({"epoch": range(20), "validation_f1": f1, "loss": 1.0, "kept": False})
    course = course.assign(arm="original", family="people", train_group="BP4D", repetition=0)
    (line,) = trained(course).itertuples(index=False)
    assert (line.epochs, line.kept) == (20, 20) and (line.f1, line.earlier) == pytest.approx((0.5, f1[17]))
    assert last_gains(trained(course))["original", "people"] == pytest.approx(0.5 - f1[17])


def test_intervals_of_invented_studies_cover_and_nothing_false_holds():
    """With people, splits and seeds all drawn; `make bench` has more studies."""
    found = simulated(studies=6)
    assert 0.9 <= found["coverage"] <= 1 and found["false_holds"] <= 0.34 and found["opposite"] <= 0.34


def test_constants_are_the_measure_of_constant_predictions():
    from sklearn.metrics import accuracy_score, f1_score

    truth = np.array([1, 0, 0, 1, 0, 0, 0, 0])
    for guess, formula in ((1, always_present), (0, always_absent)):
        said = np.full(8, guess)
        expected = (f1_score(truth, said, zero_division=0) + accuracy_score(truth, said)) / 2
        assert formula(0.25) == pytest.approx(expected)
    p = indifference()
    assert always_present(p) == pytest.approx(always_absent(p))


# Worlds with a known truth


def test_under_the_null_intervals_cover_and_the_paired_test_keeps_its_level():
    """400 worlds without any difference, 15 people: within binomial bounds of 95 % and 5 %."""
    rng = np.random.default_rng(11)
    people = [f"F{i}" for i in range(15)]
    covered, rejected = 0, 0
    for _ in range(400):
        own = rng.normal(55, 4, 15)
        first, second = (pd.Series(own + rng.normal(0, 2, 15), people) for _ in range(2))
        c = compare(first, second, Plan(samples=500))
        covered += c.difference.low <= 0 <= c.difference.high
        rejected += c.ours.p < 0.05
    low, high = stats.binom.ppf([0.001, 0.999], 400, 0.05)
    assert low <= rejected <= high
    assert low <= 400 - covered <= high


@pytest.mark.parametrize(
    "person_sd, split_sd, tested",
    [(2.0, 1.0, 1.0), (1.0, 2.0, 1.0), (2.0, 1.0, 0.8)],
    ids=["people vary more", "splits vary more", "some are not tested"],
)
def test_two_way_covers_when_people_and_repetitions_are_both_drawn(person_sd, split_sd, tested):
    """400 worlds of 40 people and four repetitions. An interval over people alone covers far less often."""
    rng = np.random.default_rng(21)
    covered, of_people = 0, 0
    for _ in range(400):
        cells = rng.normal(0, person_sd, (40, 1)) + rng.normal(0, split_sd, 4) + rng.normal(0, 1.5, (40, 4))
        cells[rng.random(cells.shape) > tested] = np.nan
        cells[:, 0] = np.where(np.isnan(cells).all(axis=1), 0, cells[:, 0])
        found = two_way(cells, QUICK)
        covered += found.low <= 0 <= found.high
        means = np.nanmean(cells, axis=1)
        of_people += abs(means.mean()) <= stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
    assert 0.92 <= covered / 400 <= 0.98
    assert of_people / 400 < 0.8


def test_table_is_escaped_aligned_and_short():
    frame = pd.DataFrame({"arm": ["<b>"], "mean": [55.04], "p_holm": [0.00001], "n": [40], "gone": [1]})
    html = table(frame, "A & B", headings={"gone": None, "mean": "ours, %"})._repr_html_()
    assert "&lt;b&gt;" in html and "A &amp; B" in html and "55.0" in html and "&lt; 0.001" in html
    assert ">40<" in html and "gone" not in html and "ours, %" in html
    assert html.count('class="number"') == 6 and html.count('<th scope="col"') == 4
    assert '<div class="deepfn-table" tabindex="0" role="region" aria-label="A &amp; B">' in html


def test_a_table_shows_nothing_where_there_is_nothing_and_lays_out_by_kind():
    frame = pd.DataFrame(
        {"p": [np.nan, 0.0123], "gain": ["+1.2 (0.4 to 2.0)", ""], "why": ["a reason that is told at length", None]}
    )
    html = table(frame.assign(n=[3, 4], ok=[True, False]), "Gains", formats={"n": ".1f"}).html
    assert "nan" not in html.lower() and "None" not in html and html.count("></td>") == 3
    assert ">0.012<" in html and ">3.0<" in html and ">yes<" in html
    assert html.count('<td class="long"') == 2 and html.count('<td class="number"') == 8


# Figures


def test_whose_a_method_is_and_how_its_verdicts_count():
    assert whose(PAPERS) == "DeepFN (the paper's method)"
    assert whose(OURS) == "DeepFN, by motion (ours, not the paper's)"
    assert whose("equalised") == "equalised (not the paper's)"
    assert tally(pd.DataFrame({"told": ["holds", "too few", "holds"]})) == "2 × holds, 1 × too few"


def test_both_methods_are_compared_where_both_are_there():
    def compared(normaliser, *arms):
        return Study.compared.fget(SimpleNamespace(normaliser=normaliser, arms=arms))

    assert compared(PAPERS, "original", PAPERS, OURS) == (PAPERS, OURS)
    assert compared(PAPERS, "original", PAPERS) == (PAPERS,)
    assert compared(OURS, PAPERS, OURS) == (OURS,)


def test_a_budget_is_told_beside_the_papers():
    costs = {PAPERS: {"images": 1_280_000, "networks": 11}, OURS: {"images": 6400, "networks": 1}}
    frames = pd.DataFrame({"dataset": "BP4D", "participant": 2 * list("abcdefghijk")})  # the template among them
    joint = SimpleNamespace(joint_iterations=1)
    study = SimpleNamespace(compared=(PAPERS, OURS), frames=frames, settings=joint, cost=costs.get)
    text = budget(study).text
    assert "DeepFN has had 1,280,000 images through the encoder for everybody (2 % of the paper's), in 11 netw" in text
    assert "start from among them; DeepFN, by motion has had 6,400 images through the encoder for everybody" in text
    assert "(0.01 % of the paper's), in 1 network. The paper's 50,000 iterations a person" in text
    assert "6,400,000 images for one person and 64,000,000 for these 10." in text
    alone = SimpleNamespace(compared=("equalised",), frames=frames)
    assert "equalised has no network. The paper's" in budget(alone).text


def test_an_interval_plot_takes_comparisons_estimates_and_the_papers_values():
    a, b = (pd.Series([50.0, 52, 55 + more], ["F1", "F2", "F3"]) for more in (1, 2))
    found = {"a": compare(a, b, QUICK), "b, of a name that is longer than a line": mean_interval(a, QUICK)}
    figure = figures.interval_plot(found, "Two", margin=2.0, paper={"a": 4.6})
    ours, paper = figure.data
    assert list(ours.x) == [found["a"].difference.value, a.mean()] and list(ours.y)[0] == "a"
    assert ours.y[1] == "b, of a name that is<br>longer than a line"
    assert paper.x[0] == 4.6 and np.isnan(paper.x[1])
    assert figures.interval_plot(figures.interval_rows(found)).data[0].x == ours.x


def test_bars_of_the_conditions_have_their_constants_and_the_papers_values():
    scores, constants = world()
    lines = condition_table(scores, constants, QUICK)
    figure = figures.condition_bars(lines, "Bars")
    bars, marks = ([trace for trace in figure.data if trace.type == kind] for kind in ("bar", "scatter"))
    assert [bar.name for bar in bars] == ["original", "DeepFN", "oracle"]
    assert [bar.y[0] for bar in bars] == lines["mean"].tolist()
    assert [mark.name for mark in marks] == ["best constant"] * 3 + ["paper"] * 2
    assert [mark.showlegend for mark in marks] == [True, False, False, True, False]
    assert [mark.y[0] for mark in marks] == [*lines["constant"], 55.0, 59.6]


def test_the_first_page_says_what_the_reference_run_found():
    """Its paragraph is the one that the committed tables give; where these changed, put the new one there."""
    page = (project_root() / "book" / "index.md").read_text()
    assert " ".join(reference.headline().split()) in " ".join(page.split())


def test_the_reference_run_has_all_that_its_readers_ask_for():
    scored = set(reference.reference_arms())
    rivals = {arms.ORIGINAL, arms.SUBTRACTED, arms.STABILISED, arms.UNTRAINED, arms.ORACLE}
    assert {*rivals, arms.OURS} <= scored
    assert set(reference.reference_card()["arms"]) == scored
    courses = reference.reference_courses()
    assert courses is None or (courses.groupby("person")["iteration"].count() >= 3).all()


def test_a_part_of_the_reference_run_takes_the_place_of_its_earlier_lines(tmp_path):
    order = {"arm": ["original", "deepfn"], "family": ["people", "gender"]}

    def lines(arm, family, *values):
        return pd.DataFrame({"arm": arm, "family": family, "kept": values})

    for name in ("table.csv", "table.parquet"):
        path = tmp_path / name
        for part in (lines("deepfn", "people", 1, 2), lines("deepfn", "gender", 3), lines("original", "people", 4)):
            _keep(path, part, ["arm", "family"], order)
        _keep(path, lines("deepfn", "people", 5), ["arm", "family"], order)
        found = pd.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
        assert found["arm"].tolist() == ["original", "deepfn", "deepfn"]
        assert found["family"].tolist() == ["people", "people", "gender"]
        assert found["kept"].tolist() == [4, 5, 3] and found["kept"].dtype == int


def test_repetitions_that_the_tables_have_are_not_made_again(tmp_path):
    assert _repetitions_there(tmp_path, "deepfn", "people") == set()
    for repetition in (0, 1, 5):
        line = pd.DataFrame({"arm": ["deepfn"], "family": ["people"], "repetition": [repetition], "f1": [0.5]})
        _keep(tmp_path / reference.TRAINED, line, ["arm", "family", "repetition"], {"arm": ["deepfn"]})
    assert _repetitions_there(tmp_path, "deepfn", "people") == {0, 1, 5}
    assert _repetitions_there(tmp_path, "deepfn", "gender") == _repetitions_there(tmp_path, "x", "people") == set()


def test_all_arms_have_their_first_repetitions_before_any_has_the_next(monkeypatch, tmp_path):
    line = pd.DataFrame({"arm": ["deepfn"], "family": ["people"], "f1": [0.5]})
    for repetition in range(4):
        _keep(tmp_path / reference.TRAINED, line.assign(repetition=repetition), ["arm", "family", "repetition"], {})
    splits, scored = pd.DataFrame({"repetition": range(6)}), []
    study = SimpleNamespace(settings=SimpleNamespace(repetitions=6), draw=lambda families: splits)

    def told(folder, study, name, arm, some, order):
        scored.append((name, some["repetition"].tolist()))

    monkeypatch.setattr(making, "_score", told)
    given = tmp_path, study, {"original": None, "deepfn": None}, (), ["people"]
    making._make_scores(*given, again=False)
    assert scored == [("original", [0, 1, 2, 3]), ("original", [4, 5]), ("deepfn", [4, 5])]
    scored.clear()
    making._make_scores(*given, again=True)
    assert ("deepfn", [0, 1, 2, 3]) in scored and len(scored) == 4


def test_under_the_reference_profile_all_is_read_and_nothing_made(tmp_path):
    study = Study.open("reference", artefacts=str(tmp_path / "store"))
    assert study.on_reference and not Study.open("quick").on_reference and not study.changed(seed=1).on_reference
    assert set(study.scores["arm"]) == set(study.trained["arm"]) == set(study.arms)
    bp4d = study.participants[study.participants["dataset"] == "BP4D"]
    counted = study.frames.groupby("participant", observed=True).size()
    assert set(study.scores["participant"]) < set(study.participants["participant"]) == set(counted.index)
    assert len(bp4d) == 41 and set(bp4d["gender"]) == {"female", "male"}
    one = study.scores.iloc[0]
    shown = study.frames.loc[study.frames["participant"] == one["participant"], one["action_unit"]]
    assert ((shown == 1).sum(), (shown >= 0).sum()) == (one["n_positive"], one["n_frames"])
    judged = study.claims(Plan(samples=10))
    assert all(set(rows["run"]) <= {"", "reference run"} and (rows["here"] == "").all() for rows in judged.values())
    assert str(budget(study)) and not (tmp_path / "store").exists()


def test_whose_scores_a_page_shows(tmp_path):
    study = Study.open("smoke", artefacts=str(tmp_path / "store"))
    assert study.basis("this") is study and study.basis("reference").on_reference
    for name in ("disfa", "groups", "ict_facekit"):  # the run is about nobody's own data, groups or faces
        other = study.changed(**{name: str(tmp_path)})
        assert other.basis("reference") is other and not other.on_reference
    with pytest.raises(StudyError, match='run is "reference" or "this", not \'mine\''):
        study.basis("mine")
    said = str(stands_on(study, study.basis("reference"), ["person-dependent", "person-independent"]))
    assert (
        "These numbers are the reference run's (`deepfn reference`, " in said and "profile smoke, beside them" in said
    )
    assert "60 epochs, one of own tasks 400." in said and "person-independent 40 and 4" in said
    assert not (tmp_path / "store").exists()


def test_a_missing_reference_table_is_named(monkeypatch, tmp_path):
    with pytest.raises(StudyError, match="has not scored 'nobody'; `deepfn reference --only 'nobody'` does"):
        reference.reference_mean("nobody")
    monkeypatch.setattr(reference, "reference_folder", lambda: tmp_path)
    reference.reference_scores.cache_clear()
    with pytest.raises(StudyError, match="scores.parquet cannot be read .* `deepfn reference` makes it"):
        reference.reference_scores()
    reference.reference_scores.cache_clear()


def test_a_verdict_on_faces_from_scans_stands_beside_the_first_familys(monkeypatch):
    """Ours against four arms whose difference is known: there as here, only there, opposite, and nowhere to be told."""
    random = np.random.default_rng(5)

    def invented(less: dict[str, float]) -> pd.DataFrame:
        keys = [(r, f"P{p:02d}", "AU01") for r in range(4) for p in range(20)]
        own = random.normal(0.6, 0.05, len(keys))
        lines = []
        for arm, points in {reference.OURS: 0.0, **less}.items():
            table = pd.DataFrame(keys, columns=["repetition", "participant", "action_unit"])
            f1 = own - points / 100 + random.normal(0, 0.01, len(keys))
            lines.append(table.assign(arm=arm, f1=f1, accuracy=f1, roc_auc=f1))
        return pd.concat(lines).assign(condition=reference.STRANGERS, train_group="all")

    here = invented({"original": 10, "equalised": 0, "stabilised": 5, "oracle": -5})
    there = invented({"original": 8, "equalised": 6, "stabilised": -4, "oracle": 0, "only-there": 3})
    monkeypatch.setattr(reference, "reference_scores", lambda: here)
    monkeypatch.setattr(reference, "reference_arms", lambda condition=reference.STRANGERS: list(here["arm"].unique()))
    monkeypatch.setattr(reference, "scans_scores", lambda: there)
    found = reference.carried_over(Plan(samples=400)).set_index("arm")
    assert found["verdict"].to_dict() == {
        "original": reference.CARRIES,
        "equalised": reference.NEW,
        "stabilised": reference.OPPOSITE,
        "oracle": reference.UNTOLD,
    }
    assert found.loc["original", "first"].value == pytest.approx(10, abs=1)
    assert found.loc["original", "scans"].value == pytest.approx(8, abs=1)


def test_without_a_run_on_faces_from_scans_there_are_no_scores_and_a_lost_picture_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "reference_folder", lambda: tmp_path)
    reference.scans_scores.cache_clear()
    assert reference.scans_scores() is None
    reference.scans_scores.cache_clear()
    with pytest.raises(StudyError, match="scans/faces.png cannot be read"):
        reference.scans_faces()
