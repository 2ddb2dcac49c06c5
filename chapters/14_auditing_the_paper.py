# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Auditing the paper
#
# **Do the paper's numbers agree with each other, and do they say what its sentences say?**
#
# For this chapter nothing is trained and no face is needed. A table of means, standard deviations and sizes contains
# enough to recompute most of the tests that a text quotes, and more: what those tests could have found, and what a
# predictor without eyes would have scored. This is not a hunt. Papers are typed by people, and an audit of our own
# pages would find things too.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
power = 0.8  # chance of finding a difference that exists
toy_seed = 14  # of the made-up study

# %%
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score
from statsmodels.stats.power import TTestIndPower

from deepfn_lib import page, statistics
from deepfn_lib.page import figures, interval_text, p_text, say, table
from deepfn_lib.statistics import published, published_table
from deepfn_lib.statistics.constants import always_absent, always_present, indifference
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
figures.use_theme()
plan = statistics.Plan(confidence=confidence, margin=margin)

# %% [markdown]
# ## What the paper says, and how we read it
#
# > To compare performance across conditions, we used two-sample t-test comparisons with a significance score when
# > p < 0.05. (§4.3)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | p-values, three decimals | recomputed from Tables 4 and 5 | they have all that is needed | agreement, or not |
# | means, SDs: one decimal | every p has the range rounding leaves | 55.0 may be 54.95 | few false alarms |
# | p > 0.05 read as "similar" | a test for similarity | a small study sees nothing | other conclusions |
# | no chance level | constants from public label lists | base rates earn points | another zero |
#
# The published numbers are data: `data_manifests/published.csv` holds each with its section and place. A verdict is one
# of four:

# %%
AGREES, ROUNDING = "agrees", "agrees within rounding"
DISAGREES, UNCHECKED = "does not agree", "cannot be checked"

# %% [markdown]
# ## A toy: a study whose data we have
#
# Two conditions of 15 made-up people each. We know the p of the data; a reader of the printed table does not.


# %%
class Cell(NamedTuple):
    """Mean, SD and people in a table; `half_unit` is half of the mean's last digit."""

    value: float
    sd: float
    n: int
    half_unit: float = 0.05


# %%
def printed(sample):
    """What a table with one decimal shows of a sample."""
    mean, sd = (round(float(v), 1) for v in (sample.mean(), sample.std(ddof=1)))
    return Cell(mean, sd, len(sample))


# %%
rng = np.random.default_rng(toy_seed)
samples = rng.normal(55, 6, 15), rng.normal(50, 5, 15)
true_p = stats.ttest_ind(*samples).pvalue
one, two = map(printed, samples)

# %%
say(
    "Printed: {one.value} ({one.sd}) and {two.value} ({two.sd}). "
    "From the data, p = {p:.4f}.",
    one=one,
    two=two,
    p=true_p,
)

# %% [markdown]
# ## From equation to code
#
# With means $m_i$, standard deviations $s_i$ and sizes $n_i$, Student's test needs nothing else:
#
# $$t = \frac{m_1 - m_2}{s\sqrt{1/n_1 + 1/n_2}}, \qquad s^2 = \frac{(n_1-1)s_1^2 + (n_2-1)s_2^2}{n_1+n_2-2}.$$


# %%
def pooled_sd(first, second):
    """The s of the equation."""
    squares = (first.n - 1) * first.sd**2 + (second.n - 1) * second.sd**2
    return np.sqrt(squares / (first.n + second.n - 2))


# %%
def standard_error(first, second):
    """Of the difference of the means: the denominator of t."""
    return pooled_sd(first, second) * np.sqrt(1 / first.n + 1 / second.n)


# %%
def p_of_printed(first, second):
    """Two-sided p of the two-sample t-test from two cells of a table."""
    t = (first.value - second.value) / standard_error(first, second)
    return 2 * stats.t.sf(abs(t), first.n + second.n - 2)


# %%
exact = (Cell(sample.mean(), sample.std(ddof=1), len(sample)) for sample in samples)
assert np.isclose(p_of_printed(*exact), true_p)

# %% [markdown]
# Printed numbers are rounded, so the true values lie in a small box around them. The p grows with either SD and falls
# with the distance of the means: its extremes sit at two corners of the box. Where the means may be the same, the
# largest p is 1.

# %%
SD_HALF_UNIT = 0.05  # SDs are printed with one decimal


def p_range(first, second):
    """Smallest and largest p over all tables that print these two cells."""

    def corner(distance, shift):
        sds = first.sd + shift, second.sd + shift
        return p_of_printed(Cell(distance, sds[0], first.n), Cell(0, sds[1], second.n))

    distance = abs(first.value - second.value)
    reach = first.half_unit + second.half_unit
    smallest = corner(distance + reach, -SD_HALF_UNIT)
    return smallest, corner(max(distance - reach, 0), SD_HALF_UNIT)


# %%
low, high = p_range(one, two)
assert low <= true_p <= high

# %%
say(
    "A reader can say: between {low:.4f} and {high:.4f}. The truth is inside.",
    low=low,
    high=high,
)

# %% [markdown]
# A quoted number agrees if the recomputed one rounds to it, or lies below it where the paper quotes a bound ($p <
# 0.001$). It agrees within rounding if some number of the range does.

# %%
DUST = 1e-9  # what binary fractions lose of 5.3


def compare_quoted(quoted, number, low, high):
    """The verdict on a quoted number, from the recomputed one and its range."""
    bottom, top = quoted.value - quoted.half_unit, quoted.value + quoted.half_unit
    if "<" in quoted.relation:
        bottom, top = 0, quoted.value
    bottom, top = bottom - DUST, top + DUST
    if bottom <= number <= top:
        return AGREES
    return ROUNDING if low <= top and high >= bottom else DISAGREES


# %% [markdown]
# ## The run: every p-value the paper quotes
#
# The same for each quoted p, with the sizes of Table 4: 40 participants for people and genders, 15 for skin, 67 for the
# two datasets. One thing the paper does not say: whether its SDs divide by $n - 1$, those of a sample, or by $n$, those
# of a population, which `numpy.std` gives unless it is asked otherwise. A test needs the first; so both are tried.

# %%
READINGS = ("sample", "population")


def read_as(cell, reading):
    """A cell with the SD of a sample, if what is printed is that of `reading`."""
    larger = np.sqrt(cell.n / (cell.n - 1)) if reading == "population" else 1.0
    return cell.model_copy(update={"sd": cell.sd * larger})


# %%
def compared_cells(quoted):
    """The two cells of Table 5 that a quoted p compares."""
    return published(quoted.first), published(quoted.second)


# %%
def as_printed(cell):
    """A cell as the paper shows it: mean (SD)."""
    return f"{cell.printed} ({cell.sd:.1f})"


# %%
def audited(key):
    """A quoted p beside the ones that Table 5 gives."""
    quoted = published(key)
    sign = quoted.relation.replace("<=", "≤")
    row = {"section": quoted.section, "claim": key.removeprefix("p.")}
    row["quoted"] = f"{sign} {quoted.printed}"
    if not quoted.first:
        return row | dict.fromkeys(READINGS, UNCHECKED)
    cells = compared_cells(quoted)
    for reading in READINGS:
        pair = [read_as(cell, reading) for cell in cells]
        p, ends = p_of_printed(*pair), p_range(*pair)
        row |= {f"p_{reading}": p, reading: compare_quoted(quoted, p, *ends)}
        row |= {f"ends_{reading}": " to ".join(map(p_text, ends)) if p > 0.0005 else ""}
    row |= {"first": as_printed(cells[0]), "second": as_printed(cells[1])}
    return row | {"sizes": f"{cells[0].n} + {cells[1].n}"}


# %%
def audit_p_values():
    """One row for each p-value of the paper."""
    keys = published_table().query("unit == 'p'").index
    return pd.DataFrame([audited(key) for key in keys])


# %%
tests = audit_p_values()
shown = ["section", "claim", "quoted", "first", "second", "sizes"]
headings = {}
for reading in READINGS:
    shown += [f"p_{reading}", f"ends_{reading}", reading]
    headings |= {f"p_{reading}": f"{reading} SD: p", f"ends_{reading}": "with rounding"}

# %%
table(tests[shown].fillna(""), "Quoted and recomputed p-values.", headings=headings)

# %%
quotes = tests[~tests["claim"].str.endswith("-text")]  # a score printed twice has one p
odd = {reading: quotes[quotes[reading] == DISAGREES] for reading in READINGS}
gains_unseen = quotes["claim"].str.endswith("gain-independent")
assert quotes.loc[gains_unseen, "p_sample"].max() < 0.001


# %%
def counted(reading):
    """How the quoted p-values fare if SDs are those of `reading`, in words."""
    counts = quotes[reading].value_counts()
    told = "; ".join(f"{n} × *{verdict}*" for verdict, n in counts.items())
    listed = "; ".join(
        f"§{row.section}, {row.claim} ({row.quoted}, here {p_text(row.p_sample)})"
        for row in odd[reading].itertuples()
    )
    return f"With SDs of a {reading}: {told}. Not in agreement: {listed or 'none'}."


# %%
say(" ".join(counted(reading) for reading in READINGS))

# %% [markdown]
# So nothing is wrong with the paper's p-values, if its SDs are those of a population: the simplest reading, and one
# that its own software suggests. What cannot be checked is compared in a figure only: women against men, darker against
# lighter skin, each pair of datasets, and the intensities.
#
# ### Two numbers for one score
#
# > Person-dependent models with DeepFN maintained a performance of 61.4% (§5.1)
#
# Table 5 prints 61.1. The quoted p decides between them, with either reading.

# %%
rivals = tests[tests["claim"].str.startswith("person.keeps-dependent")]
for reading in READINGS:
    assert rivals[reading].tolist() == [ROUNDING, DISAGREES]

# %%
say(
    "{both} The p was computed from the table's number, not from the text's.",
    both=" ".join(
        f"With {r.first} the p is {p_text(r.p_population)} ({r.ends_population}): "
        f"*{r.population}*."
        for r in rivals.itertuples()
    ),
)

# %% [markdown]
# ### How many people were in the skin conditions?
#
# Table 4 has 15 with a skin type. Three exact p-values of §5.3 involve the two skin conditions, so sizes can be sought
# that allow all three. A comparison within one condition takes that condition's number on both sides.


# %%
def resized(cell, within, cross):
    """The cell with `within` or `cross` people, as its condition is."""
    size = cross if "-independent" in cell.key else within
    return cell.model_copy(update={"n": size})


# %%
def fits(quoted, within, cross, reading):
    """Whether rounding lets a quoted p be right at these sizes."""
    cells = (resized(cell, within, cross) for cell in compared_cells(quoted))
    pair = [read_as(cell, reading) for cell in cells]
    return compare_quoted(quoted, p_of_printed(*pair), *p_range(*pair)) != DISAGREES


# %%
def sizes_that_fit(keys, most, reading):
    """Sizes (within, cross) up to `most` at which every quoted p can be right."""
    quotes, sizes = [published(key) for key in keys], range(3, most + 1)
    pairs = [(within, cross) for within in sizes for cross in sizes]
    return [one for one in pairs if all(fits(q, *one, reading) for q in quotes)]


# %%
skin_keys = ["p.skin.gap", "p.skin.keeps-dependent", "p.skin.matches-dependent"]
fitting = {one: sizes_that_fit(skin_keys, 20, one) for one in READINGS}
assert (15, 15) in fitting["population"] and (15, 15) not in fitting["sample"]

# %%
say(
    "Sizes that fit (within, cross), for SDs of a population: {population}; of a "
    "sample: {sample}. Table 4's (15, 15) is among the first.",
    **{one: ", ".join(map(str, sizes)) for one, sizes in fitting.items()},
)

# %% [markdown]
# ## Sums, averages, sizes
#
# The text quotes gaps, within minus cross, and average gains, DeepFN minus original. Both are differences of Table 5.

# %%
FAMILIES = ("person", "gender", "skin", "dataset")
KINDS, PAPER_ARMS = ("dependent", "independent"), ("original", "deepfn")


# %%
def score_gap(name, arm):
    """Within minus cross in one arm, points."""
    within, cross = (published(f"{name}-{kind}.{arm}") for kind in KINDS)
    return within.value - cross.value


# %%
def score_gain(condition):
    """What DeepFN adds in one condition, points."""
    original, deepfn = (published(f"{condition}.{arm}") for arm in PAPER_ARMS)
    return deepfn.value - original.value


# %%
ROUNDING_REACH = 0.1  # of a difference of two scores, and of a mean of such differences


def sum_row(what, key, value, low=None, high=None):
    """A quoted number beside the recomputed one and the range rounding leaves it."""
    quoted = published(key)
    low = value - ROUNDING_REACH if low is None else low
    high = value + ROUNDING_REACH if high is None else high
    row = {"section": quoted.section, "what": what, "quoted": quoted.printed}
    row |= {"recomputed": value, "low": low, "high": high}
    return row | {"verdict": compare_quoted(quoted, value, low, high)}


# %% [markdown]
# For the datasets the text's 2.1 and Table 5 together leave one free number. Table 5 averages over participants, 40 of
# BP4D and 27 of DISFA. Its cross row and the 2.1, the gain from BP4D to DISFA, give the gain from DISFA to BP4D. Its
# within row gives only the weighted sum of the other two, $40a + 27b$, and the mean of the three depends on how far $a$
# and $b$ are apart. We take them as equal, and let the range have each of them between nothing and twice the row's
# gain.


# %%
def dataset_row():
    """§5.4's 8.3: the mean gain of three combinations of datasets."""
    n, m = (published(f"participants.{name}").value for name in ("bp4d", "disfa"))
    carried = published("gain.dataset.bp4d-disfa").value
    back = ((n + m) * score_gain("dataset-independent") - m * carried) / n
    within = score_gain("dataset-dependent")
    a = np.linspace(0, 2 * within, 201)
    b = ((n + m) * within - n * a) / m
    means = ((a + b + back) / 3)[(b >= 0) & (b <= 2 * within)]
    return sum_row(
        "dataset gain of three combinations",
        "gain.dataset.three",
        (2 * within + back) / 3,
        means.min() - ROUNDING_REACH,
        means.max() + ROUNDING_REACH,
    )


# %%
def audit_sums():
    """Gaps and average gains that the text quotes, from Table 5."""
    rows = [sum_row(f"{f} gap", f"gap.{f}", score_gap(f, "original")) for f in FAMILIES]
    unseen = "person-independent"
    what = f"gain over action units, {unseen}"
    rows.append(sum_row(what, "gain.person.au", score_gain(unseen)))
    for name in ("gender", "skin"):
        mean = sum(score_gain(f"{name}-{kind}") for kind in KINDS) / 2
        rows.append(sum_row(f"{name} gain over the combinations", f"gain.{name}", mean))
    return pd.DataFrame([*rows, dataset_row()])


# %%
sums = audit_sums()
sums["allowed"] = [f"{a:.2f} to {b:.2f}" for a, b in sums[["low", "high"]].to_numpy()]

# %%
table(
    sums[["section", "what", "quoted", "recomputed", "allowed", "verdict"]],
    "Quoted gaps and gains, points.",
    formats={"recomputed": ".2f"},
    headings={"allowed": "rounding allows"},
)

# %% [markdown]
# Table 5 averages over participants, a figure's four bars may be averaged alike. For the skin conditions the two
# differ, because one group has seven people and the other eight. If the two groups' gains are $d$ apart, the average of
# bars is $d\,(1/2 - 7/15)$ away from the average of people.


# %%
def direction_gap_needed(sizes, quoted, recomputed):
    """The d at which bars average to the quoted gain, people to the recomputed one."""
    small, large = sorted(sizes)
    if small == large:
        raise ValueError("groups of equal size have one average")
    return (quoted.value - recomputed) / (0.5 - small / (small + large))


# %% [markdown]
# And the SD of Figure 4's twelve gains, of which the mean and both ends are quoted: it is least where the other ten are
# alike, and greatest where all but one stand at the ends.


# %%
def smallest_sd(mean, highest, lowest, n):
    """The least SD of n numbers with this mean and these ends."""
    rest = (n * mean - highest - lowest) / (n - 2)
    return np.std([highest, lowest] + [rest] * (n - 2), ddof=1)


# %%
def largest_sd(mean, highest, lowest, n):
    """The greatest SD that they can have."""
    at_top = n * (mean - lowest) / (highest - lowest)  # maxima that carry the sum
    whole = int(np.floor(at_top))
    between = lowest + (at_top - whole) * (highest - lowest)
    values = [highest] * whole + [between] + [lowest] * (n - whole - 1)
    return np.std(values[:n], ddof=1)


# %%
lighter, darker = (
    int(published(f"participants.{group}").value) for group in ("lighter", "darker")
)
skin = sums.set_index("what").loc["skin gain over the combinations", "recomputed"]
quoted = published("gain.skin")
units, most, least = (published(f"gain.person.{n}") for n in ("au", "AU04", "AU14"))
spreads = units.value, most.value, least.value, units.n

# %%
say(
    "To turn {skin:.1f} into the quoted {quoted.printed} by weighting bars instead of "
    "people, tests on lighter skin would have to gain {apart:.0f} points more than "
    "tests on darker skin. The paper does say that darker skin gains least. Figure "
    "4's SD of {units.sd} over twelve gains is possible: with its mean, largest and "
    "smallest the SD lies between {low:.1f} and {high:.1f}.",
    skin=skin,
    quoted=quoted,
    apart=direction_gap_needed((lighter, darker), quoted, skin),
    units=units,
    low=smallest_sd(*spreads),
    high=largest_sd(*spreads),
)

# %% [markdown]
# Layers give parameters, repetitions give models, people give networks. Each filter of a convolution, and each unit of
# a dense layer, has a weight for everything it sees and a bias.


# %%
def in_convolution(inputs, filters, kernel):
    """Parameters of a convolution."""
    return (kernel * kernel * inputs + 1) * filters


# %%
def in_dense(inputs, units):
    """Parameters of a dense layer."""
    return (inputs + 1) * units


# %%
def encoder_parameters():
    """Parameters of Table 1."""
    sizes = (1, 128), (128, 256), (256, 512), (512, 1024)
    total = sum(in_convolution(i, o, 5) for i, o in sizes)
    total += in_dense(8 * 8 * 1024, 1024) + in_dense(1024, 4 * 4 * 1024)
    return total + in_convolution(1024, 2048, 3)


# %%
def decoder_parameters():
    """Parameters of Table 2: one decoder."""
    sizes = (512, 1024), (256, 512), (128, 256), (64, 128)
    return sum(in_convolution(i, o, 3) for i, o in sizes) + in_convolution(32, 1, 5)


# %%
def lenet_parameters(outputs):
    """Parameters of Table 3, LeNet-5."""
    total = in_convolution(1, 6, 3) + in_convolution(6, 16, 3)
    total += in_dense(14 * 14 * 16, 120) + in_dense(120, 84)
    return total + in_dense(84, outputs)


# %%
def classifiers():
    """Models of each row of Table 5, one arm: repetitions by people or directions."""
    rows = published_table().query("unit == 'repetitions'")
    return (rows["value"] * rows["n"]).astype(int)


# %%
encoder, decoder = encoder_parameters(), decoder_parameters()
twelve, five = lenet_parameters(12), lenet_parameters(5)
thousands = published("parameters.lenet-5").value
assert twelve // 1000 == thousands == round(five / 1000)

# %%
people = published("participants.bp4d").value + published("participants.disfa").value
images = published("iterations").value * 2 * published("batch").value
numbers = {
    "encoder (Table 1), parameters": encoder,
    "one decoder (Table 2), parameters": decoder,
    "encoder and two decoders, parameters": encoder + 2 * decoder,
    "LeNet-5 with 12 outputs, parameters": twelve,
    "LeNet-5 with 5 outputs, parameters": five,
    "classifiers in Table 5, for each arm": classifiers().sum(),
    "normalising networks, one a person": int(people),
    "images each of them is shown": int(images),
}

# %%
table(
    pd.DataFrame(numbers.items(), columns=["what", "number"]),
    "Sizes, from the layers and the protocol.",
    formats={"number": ",d"},
)

# %% [markdown]
# "388K" is LeNet-5 with five outputs, rounded, or with twelve, cut. Table 5 gives the person-independent condition 20
# × 2 repetitions although it has one direction, people to people; what the factor of two counts there is not said.

# %% [markdown]
# ## Does normalisation close the gaps?
#
# > generalization gaps when considering gender (∆2.4%), skin type (∆5.3%), and dataset (∆9.4%), which were
# > significantly reduced with the use of DeepFN (Abstract)
#
# The paper compares the *normalised* cross score with the *original* within score. Normalisation lifts both, so that
# comparison mixes "the gap is smaller" with "everything is higher". Like with like, the gap is within minus cross in
# each arm, and what DeepFN closes is the difference of the two gaps. Its standard error is $\sqrt{\sum s_i^2 / n_i}$
# over four cells taken as independent, which is all that a table of means and SDs allows.


# %%
def gap_closed(name, confidence):
    """The gap of each arm, what DeepFN closes of it with its interval, and its p."""
    cells = [published(f"{name}-{kind}.{arm}") for kind in KINDS for arm in PAPER_ARMS]
    error = np.sqrt(sum(cell.sd**2 / cell.n for cell in cells))
    df = sum(cell.n - 1 for cell in cells)
    reach = stats.t.ppf((1 + confidence) / 2, df) * error
    before, after = (score_gap(name, arm) for arm in PAPER_ARMS)
    closed = before - after
    row = {"condition": name, "gap_original": before, "gap_deepfn": after}
    row |= {"closed": closed, "low": closed - reach, "high": closed + reach}
    row["p"] = 2 * stats.t.sf(abs(closed) / error, df)
    return row | {"left_of_original": cells[0].value - cells[-1].value}


# %%
def audit_gaps(confidence=0.95):
    """One row for each kind of gap, points."""
    return pd.DataFrame([gap_closed(name, confidence) for name in FAMILIES])


# %%
gaps = audit_gaps(plan.confidence)
closed = {
    row.condition: statistics.Estimate(row.closed, row.low, row.high)
    for row in gaps.itertuples()
}

# %%
figures.interval_plot(
    closed,
    "Gap without DeepFN minus gap with it, points; positive: closed. Intervals take "
    "the four means as independent; the grey band counts as similar.",
    x="closed, points",
    margin=margin,
)

# %%
headings = {
    "gap_original": "gap, original",
    "gap_deepfn": "gap, DeepFN",
    "left_of_original": "original within − DeepFN cross",
}
table(gaps, "Within minus cross, points.", headings=headings)

# %%
narrower = gaps.loc[gaps["low"] > 0, "condition"]
wider = gaps.loc[gaps["closed"] < 0, "condition"]

# %%
say(
    "Shown to be narrower, like with like: {narrower}. Wider by Table 5's own means: "
    "{wider}. The normalised cross scores are higher, clearly; but for those "
    "conditions the within scores rose by as much or more.",
    narrower=", ".join(narrower) or "none",
    wider=", ".join(wider) or "none",
)

# %% [markdown]
# The same people are in all four cells. If their scores go together the true intervals are narrower than these; a table
# of means cannot tell.

# %% [markdown]
# ## What "similar" is worth
#
# Four large p-values are read as similarity. The test that could show it needs a margin; and before reading anything
# into "no difference" one wants to know which difference the test would have found. Similarity is shown if both
# differences as large as the margin, up and down, are rejected (TOST); the nearer one decides.


# %%
def p_of_similarity(first, second, margin):
    """p of two one-sided tests, from two cells of a table."""
    distance = margin - abs(first.value - second.value)
    df = first.n + second.n - 2
    return stats.t.sf(distance / standard_error(first, second), df)


# %%
SIMILAR = (
    "person.matches-dependent",
    "person.keeps-dependent",
    "skin.keeps-dependent",
    "skin.matches-dependent",
)


# %%
def told_similar(claim, plan, power):
    """The difference, TOST, and what the t-test would have found."""
    quoted = published(f"p.{claim}")
    first, second = compared_cells(quoted)
    difference, sd = first.value - second.value, pooled_sd(first, second)
    quantile = stats.t.ppf((1 + plan.confidence) / 2, first.n + second.n - 2)
    reach = quantile * standard_error(first, second)
    p = p_of_similarity(first, second, plan.margin)
    row = {"section": quoted.section, "claim": claim, "p_quoted": quoted.printed}
    row |= {
        "difference": difference,
        "low": difference - reach,
        "high": difference + reach,
    }
    row |= {"p_similar": p, "sd": sd, "n": first.n}
    row["detectable"] = statistics.detectable(sd, first.n, second.n, power, plan.level)
    return row | {"verdict": "similar" if p < plan.level else "not shown"}


# %%
def audit_similar(plan, power=0.8):
    """One row for each claim."""
    return pd.DataFrame([told_similar(claim, plan, power) for claim in SIMILAR])


# %%
similar_claims = audit_similar(plan, power)
intervals = similar_claims[["difference", "low", "high"]].to_numpy()
similar_claims["interval"] = [interval_text(*row, sign=True) for row in intervals]
shown = "section claim p_quoted interval verdict p_similar detectable".split()
shown_similar = (similar_claims["verdict"] == "similar").sum()

# %%
table(
    similar_claims[shown],
    f"Similarity within {margin:g} points; detectable: found with power {power:g}.",
    headings={"p_quoted": "p, quoted", "p_similar": "p, similar"},
)

# %%
say(
    "Similar within {margin:g} points: {shown} of {n}. The tests would have found "
    "{least:.1f} to {most:.1f} points; a true difference below that had a fair chance "
    "to be called similar.",
    margin=margin,
    shown=shown_similar,
    n=len(similar_claims),
    least=similar_claims["detectable"].min(),
    most=similar_claims["detectable"].max(),
)

# %% [markdown]
# ### Many tests
#
# Holm's correction over everything that can be recomputed asks each p to be small enough for the whole family.

# %%
checked = quotes[quotes["p_population"].notna()]
ps = checked["p_population"]
significant, still = ps < plan.level, statistics.holm(ps, plan.level) < plan.level

# %%
say(
    "{before} of {n} recomputed tests are below {level:.2f}; after Holm {after}. "
    "Lost: {lost}.",
    before=significant.sum(),
    n=len(checked),
    level=plan.level,
    after=still.sum(),
    lost=", ".join(checked.loc[significant & ~still, "claim"]) or "none",
)

# %% [markdown]
# ## What would chance score?
#
# The score is the mean of F1 and accuracy. If a share $p$ of the frames shows a unit, whoever always says "present"
# gets F1 $2p/(1+p)$ and accuracy $p$; whoever always says "absent" gets F1 0 and accuracy $1-p$. Chapters 04 and 08
# hold their scores against these two as well.

# %%
truth = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
for guess, formula in ((1, always_present), (0, always_absent)):
    said = np.full(10, guess)
    f1 = f1_score(truth, said, zero_division=0)
    assert np.isclose(formula(0.2), (f1 + accuracy_score(truth, said)) / 2)

# %% [markdown]
# A coin that says "present" with chance $q$ has, over many frames, F1 $2pq/(p+q)$ and accuracy $pq + (1-p)(1-q)$.


# %%
def coin(p, q):
    """Its score: mean of F1 and accuracy."""
    return (2 * p * q / (p + q) + p * q + (1 - p) * (1 - q)) / 2


# %%
rates = np.linspace(0.01, 0.9, 60)
scores = {
    "always present": always_present(rates),
    "always absent": always_absent(rates),
    "coin": coin(rates, rates),
}
rows = pd.DataFrame(scores, index=pd.Index(rates, name="rate")).mul(100).reset_index()
rows["rate"] *= 100

# %%
figures.curves(
    rows.melt("rate", var_name="predictor", value_name="mean"),
    "rate",
    "Score of predictors that see no image, by how often the unit is there; the coin "
    "says 'present' as often as it is.",
    "frames with the unit, %",
    "score, %",
    by="predictor",
)

# %% [markdown]
# The better of the two constants is never bad: at its worst, where the two lines cross, it still has more than a
# third. So a score of 50 on this measure means little until one knows the base rates.

# %%
crossing = indifference()
lowest = always_absent(crossing)
assert np.isclose(always_present(crossing), lowest) and lowest > 1 / 3

# %%
say(
    "The lines cross at {crossing:.1%} of frames, with a score of {score:.1f}.",
    crossing=crossing,
    score=100 * lowest,
)

# %% [markdown]
# The public label lists of both datasets give the constants of the real data. They are context, computed with the
# paper's measure and the template left out; in a licensee's run every score has its own beside it. For the dataset
# rows we weight the two datasets by their participants, as Table 5 does. A classifier of a person's own tasks can know
# that person's base rates, so its rival is the best constant of *each* person. One difference is to be known: these
# constants count F1 as 0 where a person never shows a unit, and this book's scores count it 1 for a classifier that
# stays silent there (chapter 04 shows what that is worth).


# %%
def real_constant(kind, sets):
    """Mean over all participants of one constant predictor on the real labels."""
    values = [published(f"constants.{name}.{kind}") for name in sets]
    return np.average([v.value for v in values], weights=[v.n for v in values])


# %%
def over_the_floor(condition):
    """A condition's original score beside the best constants of the real labels."""
    both = ("bp4d-5", "disfa-5")
    sets = both if condition.startswith("dataset") else ("bp4d-12",)
    original = published(f"{condition}.original")
    each = "-each" if condition == "person-dependent" else ""
    best = real_constant(f"best-constant{each}", sets)
    row = {"condition": condition, "original": original.value, "best constant": best}
    if condition == "dataset-independent":
        row["carried over"] = real_constant("carried-over", both)
    return row | {"above": original.value - best}


# %%
conditions = [f"{family}-{kind}" for family in FAMILIES for kind in KINDS]
floor = pd.DataFrame([over_the_floor(condition) for condition in conditions])
columns = ["condition", "original", "best constant", "carried over", "above"]

# %%
table(
    floor[columns],
    "Table 5's original scores and the best constants of the real labels, percent.",
    formats={"above": "+.1f"},
)

# %%
nearest, farthest = floor.sort_values("above").iloc[[0, -1]].itertuples()
best = {g: published(f"constants.{g}.best-constant").value for g in ("female", "male")}

# %%
say(
    "{low.condition} is {low.above:+.1f} points from the best constant, "
    "{high.condition} {high.above:+.1f}. Constants carried from one dataset to the "
    "other score {carried:.1f}: part of the largest gap is base rates that differ "
    "between datasets. And the best constants have {women:.1f} for women and "
    "{men:.1f} for men, a difference of {difference:.1f} points that no face is "
    "needed for.",
    low=nearest,
    high=farthest,
    carried=floor["carried over"].max(),
    women=best["female"],
    men=best["male"],
    difference=best["female"] - best["male"],
)

# %% [markdown]
# Scores of other papers are not comparable: strong systems train on full training sets with fixed folds and pool their
# frames.

# %%
say(
    "They report mean F1 of {low.printed} to {high.printed} on BP4D; redrawing the "
    "folds alone is reported to move F1 by about ± {folds.printed} points (arXiv "
    "2604.02162).",
    low=published("strong-systems.f1-low"),
    high=published("strong-systems.f1-high"),
    folds=published("folds.f1"),
)

# %% [markdown]
# ## Sentences against sentences
#
# What no arithmetic settles, with what this book does:
#
# | the paper says | and also | here |
# |---|---|---|
# | the loss is the RMSE (§3.1) | Eq. 1 is the mean absolute error | Eq. 1; RMSE is a setting |
# | intensities range from 1 to 8 (§4.2) | the files hold 0 to 5, and 9 for missing | 0 to 5 |
# | 20 × 2 repetitions, person-independent (Table 5) | one direction, people to people | one direction |
# | gaps "significantly reduced" (Abstract) | no test of a gap against a gap | tested, like with like, above |
# | "very similar" (§5.1) | p = 0.375 | an equivalence test |

# %% [markdown]
# ## What we learned

# %%
say(
    "Of {quotes} quoted p-values {unchecked} cannot be checked; of the others all but "
    "{odd} agree with Table 5 at least within rounding, if its SDs are those of a "
    "population, and all but {odd_sample} if of a sample. Of {sums} sums {wrong} is "
    "not in agreement.",
    quotes=len(quotes),
    odd=len(odd["population"]) or "none",
    odd_sample=len(odd["sample"]),
    unchecked=(quotes["sample"] == UNCHECKED).sum(),
    sums=len(sums),
    wrong=(sums["verdict"] == DISAGREES).sum(),
)

# %%
say(
    "That DeepFN's scores are higher than the originals' in every cross condition "
    "follows from the table. Other sentences do not: a narrower gap, like with like, "
    "is shown for {narrower} of {gaps} conditions; similarity within {margin:g} "
    "points for {similar} of {claims}; and on original faces {floored} of "
    "{conditions} conditions score within {margin:g} points of a constant, or below "
    "it.",
    narrower=len(narrower),
    gaps=len(gaps),
    margin=margin,
    similar=shown_similar,
    claims=len(similar_claims),
    floored=(floor["above"] <= margin).sum(),
    conditions=len(floor),
)

# %% [markdown]
# None of this says that the method does not work. It says which questions the table leaves to a new experiment, and
# those are the ones that chapters 05 to 10 ask.

# %% [markdown]
# ## Exercises
#
# **1.** Which margin would make each "similar" true? It is the end of the interval that TOST looks at.

# %% tags=["hide-cell"]
quantile = stats.t.ppf(plan.confidence, 2 * similar_claims["n"] - 2)
reach = quantile * similar_claims["sd"] * np.sqrt(2 / similar_claims["n"])
needed = similar_claims[["section", "claim"]].copy()
needed["margin"] = similar_claims["difference"].abs() + reach
table(needed, "Smallest margin, points, at which similarity would be shown.")

# %% [markdown]
# **2.** How many people would each condition need to find two points?

# %% tags=["hide-cell"]
needs = {}
for name in ("person-dependent", "skin-dependent", "dataset-dependent"):
    effect = 2.0 / published(f"{name}.original").sd
    people = TTestIndPower().solve_power(effect, power=power, alpha=plan.level)
    needs[name] = int(np.ceil(people))
table(
    pd.DataFrame(needs.items(), columns=["condition", "people in each"]),
    "To find two points with the power above.",
)

# %% [markdown]
# **3.** A coin that says "present" in every second frame: what does it score at base rates of 10, 30 and 60 %?

# %% tags=["hide-cell"]
say(
    "10%: {rare:.1f}, 30%: {some:.1f}, 60%: {often:.1f}",
    rare=100 * coin(0.1, 0.5),
    some=100 * coin(0.3, 0.5),
    often=100 * coin(0.6, 0.5),
)

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
