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
power = 0.8  # chance of finding a difference that exists, for what the tests could have seen
toy_seed = 14  # of the made-up study

# %%
import numpy as np
import pandas as pd
from deepfn_lib import page, statistics
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, interval_text, p_text, table
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics import audit, constants, published
from deepfn_lib.statistics import audit_sums as arithmetic
from IPython.display import Markdown, display
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score
from statsmodels.stats.power import TTestIndPower

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
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
# of four: *agrees*, *agrees within rounding*, *does not agree*, *cannot be checked*.

# %% [markdown]
# ## A toy: a study whose data we have
#
# Two conditions of 15 made-up people each. We know the p of the data; a reader of the printed table does not.

# %%
rng = np.random.default_rng(toy_seed)
first, second = rng.normal(55, 6, 15), rng.normal(50, 5, 15)
true_p = stats.ttest_ind(first, second).pvalue
printed = [round(float(v), 1) for v in (first.mean(), first.std(ddof=1), second.mean(), second.std(ddof=1))]
display(
    Markdown(f"Printed: {printed[0]} ({printed[1]}) and {printed[2]} ({printed[3]}). From the data, p = {true_p:.4f}.")
)

# %% [markdown]
# ## From equation to code
#
# With means $m_i$, standard deviations $s_i$ and sizes $n_i$, Student's test needs nothing else:
#
# $$t = \frac{m_1 - m_2}{s\sqrt{1/n_1 + 1/n_2}}, \qquad s^2 = \frac{(n_1-1)s_1^2 + (n_2-1)s_2^2}{n_1+n_2-2}.$$


# %%
def p_of_printed(m1, s1, n1, m2, s2, n2):
    """Two-sided p of the two-sample t-test from a table's numbers."""
    df = n1 + n2 - 2
    spread = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / df)
    t = (m1 - m2) / (spread * np.sqrt(1 / n1 + 1 / n2))
    return 2 * stats.t.sf(abs(t), df)


# %%
exact = p_of_printed(first.mean(), first.std(ddof=1), 15, second.mean(), second.std(ddof=1), 15)
assert np.isclose(exact, true_p)

# %% [markdown]
# Printed numbers are rounded, so the true values lie in a small box around them. The p grows with either SD and falls
# with the distance of the means: its extremes sit at two corners of the box.


# %%
def p_box(m1, s1, n1, m2, s2, n2, half=0.05):
    """Smallest and largest p over all tables that print the same."""
    d = abs(m1 - m2)
    near, far = max(d - 2 * half, 0), d + 2 * half
    return p_of_printed(far, s1 - half, n1, 0, s2 - half, n2), p_of_printed(near, s1 + half, n1, 0, s2 + half, n2)


low, high = p_box(printed[0], printed[1], 15, printed[2], printed[3], 15)
assert low <= true_p <= high
display(Markdown(f"A reader can say: between {low:.4f} and {high:.4f}. The truth is inside."))

# %% [markdown]
# ## The run: every p-value the paper quotes
#
# The library does the same for each quoted p, with the sizes of Table 4: 40 participants for people and genders, 15 for
# skin, 67 for the two datasets.

# %%
tests = audit.audit_p_values()
tests["range"] = [
    f"{p_text(a)} to {p_text(b)}" if b >= 0.0005 else "" for a, b in tests[["p_low", "p_high"]].fillna(0).to_numpy()
]
shown = ["section", "claim", "quoted", "p", "range", "verdict", "first", "second", "sizes"]
table(tests[shown].fillna({"first": "", "second": "", "sizes": ""}), "Quoted and recomputed p-values.",
      headings={"p": "recomputed", "range": "with rounding"})  # fmt: skip

# %%
quotes = tests[~tests["claim"].str.endswith("-text")]  # one p is quoted for a score that is printed twice
counts = quotes["verdict"].value_counts()
odd = quotes[quotes["verdict"] == audit.DISAGREES]
assert quotes.loc[quotes["claim"].str.endswith("gain-independent"), "p"].max() < 0.001
listed = "; ".join(f"§{r.section}, {r.claim} ({r.quoted}, here {p_text(r.p)})" for r in odd.itertuples())
display(Markdown("; ".join(f"{n} × *{v}*" for v, n in counts.items()) + f". Not in agreement: {listed}."))

# %% [markdown]
# What cannot be checked is compared in a figure only: women against men, darker against lighter skin, each pair of
# datasets, and the intensities.
#
# ### Two numbers for one score
#
# > Person-dependent models with DeepFN maintained a performance of 61.4% (§5.1)
#
# Table 5 prints 61.1. The quoted p decides between them.

# %%
rivals = tests[tests["claim"].str.startswith("person.keeps-dependent")].set_index("first")
sentences = [f"With {name} the p is {p_text(r.p)} ({r.range}): *{r.verdict}*." for name, r in rivals.iterrows()]
display(Markdown(" ".join(sentences) + " The p was computed from the table's number, not from the text's."))
assert set(rivals["verdict"]) == {audit.ROUNDING, audit.DISAGREES}

# %% [markdown]
# ### How many people were in the skin conditions?
#
# The skin gap is quoted with p = 0.025, which 15 participants cannot give. Three exact p-values of §5.3 involve the two
# skin conditions; we look for the sizes that allow all three.

# %%
skin_keys = ["p.skin.gap", "p.skin.keeps-dependent", "p.skin.matches-dependent"]
fitting = audit.sizes_that_fit(skin_keys, most=20)
assert (15, 15) not in fitting
display(Markdown(f"Sizes that fit (within, cross): {', '.join(map(str, fitting))}; Table 4 has (15, 15)."))

# %% [markdown]
# There is a plain way to lose somebody. Of seven people with lighter skin six train and validate, so a repetition tests
# one of them.

# %%
sizes = {k: int(published(f"participants.{k}").value) for k in ("lighter", "darker", "train", "validation")}
lighter, all_skin = sizes["lighter"], sizes["lighter"] + sizes["darker"]
tested, draws = lighter - sizes["train"] - sizes["validation"], int(published("repetitions.skin-dependent").value)
never = 1 - audit.all_tested(lighter, tested, draws)
display(Markdown(
    f"In {draws} draws of {tested} out of {lighter}, somebody is never drawn with probability {never:.2f}. "
    f"That would make {all_skin - 1} people in the within condition. It does not explain fewer than {all_skin} in the "
    "cross condition, where everybody of the other group is tested; for that the paper offers no reading."
))  # fmt: skip

# %% [markdown]
# ## Sums, averages, sizes

# %%
sums = arithmetic.audit_sums()
sums["allowed"] = [f"{a:.2f} to {b:.2f}" for a, b in sums[["low", "high"]].to_numpy()]
table(sums[["section", "what", "quoted", "recomputed", "allowed", "verdict"]], "Quoted gaps and gains, points.",
      formats={"recomputed": ".2f"}, headings={"allowed": "rounding allows"})  # fmt: skip

# %% [markdown]
# Table 5 averages over participants, a figure's four bars may be averaged alike. For the skin conditions the two
# differ, because one group has seven people and the other eight. For the datasets the text's 2.1 and Table 5 together
# leave one free number; a range stands for it.

# %%
skin = sums.set_index("what").loc["skin gain over the combinations"]
apart = arithmetic.direction_gap_needed("skin", (7, 8), published("gain.skin"), skin["recomputed"])
units, most, least = (published(f"gain.person.{name}") for name in ("au", "AU04", "AU14"))
spread = [f(units.value, most.value, least.value, units.n) for f in (arithmetic.smallest_sd, arithmetic.largest_sd)]
display(Markdown(
    f"To turn {skin['recomputed']:.1f} into the quoted {published('gain.skin').printed} by weighting bars instead of "
    f"people, tests on lighter skin would have to gain {apart:.0f} points more than tests on darker skin. The paper "
    f"does say that darker skin gains least. Figure 4's SD of {units.sd} over twelve gains is possible: "
    f"with its mean, largest and smallest the SD lies between {spread[0]:.1f} and {spread[1]:.1f}."
))  # fmt: skip

# %% [markdown]
# Layers give parameters, repetitions give models, people give networks.

# %%
size, trained = arithmetic.network_parameters(), arithmetic.models()
networks = int(published("participants.bp4d").value + published("participants.disfa").value)
images = int(published("iterations").value * 2 * published("batch").value)
rows = [
    ("encoder (Table 1), parameters", size["encoder"]), ("one decoder (Table 2), parameters", size["decoder"]),
    ("encoder and two decoders, parameters", size["encoder"] + 2 * size["decoder"]),
    ("LeNet-5 with 12 outputs, parameters", size["lenet-5, 12 outputs"]),
    ("LeNet-5 with 5 outputs, parameters", size["lenet-5, 5 outputs"]),
    ("classifiers in Table 5, for each arm", trained["models"].sum()),
    ("normalising networks, one a person", networks), ("images each of them is shown", images),
]  # fmt: skip
thousands = published("parameters.lenet-5").value
assert size["lenet-5, 12 outputs"] // 1000 == thousands == round(size["lenet-5, 5 outputs"] / 1000)
table(
    pd.DataFrame(rows, columns=["what", "number"]), "Sizes, from the layers and the protocol.", formats={"number": ",d"}
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
# each arm, and what DeepFN closes is the difference of the two gaps.

# %%
gaps = arithmetic.audit_gaps(plan.confidence)
rows = gaps.rename(columns={"condition": "label", "closed": "difference"})
figures.interval_plot(
    rows, "Gap without DeepFN minus gap with it, points; positive: closed. Intervals take the four means as "
    "independent; the grey band counts as similar.", x="closed, points", margin=margin,
)  # fmt: skip

# %%
headings = {
    "gap_original": "gap, original",
    "gap_deepfn": "gap, DeepFN",
    "left_of_original": "original within − DeepFN cross",
}
table(gaps, "Within minus cross, points.", headings=headings)

# %%
narrower = gaps[gaps["low"] > 0]["condition"].tolist()
wider = gaps[gaps["closed"] < 0]["condition"].tolist()
display(Markdown(
    f"Shown to be narrower, like with like: {', '.join(narrower) or 'none'}. Wider by Table 5's own means: "
    f"{', '.join(wider) or 'none'}. The normalised cross scores are higher, clearly; but for those conditions the "
    "within scores rose by as much or more."
))  # fmt: skip

# %% [markdown]
# The same people are in all four cells. If their scores go together the true intervals are narrower than these; a table
# of means cannot tell.

# %% [markdown]
# ## What "similar" is worth
#
# Four large p-values are read as similarity. The test that could show it needs a margin; and before reading anything
# into "no difference" one wants to know which difference the test would have found.

# %%
similar_claims = audit.audit_similar(plan, power)
similar_claims["interval"] = [
    interval_text(*r, sign=True) for r in similar_claims[["difference", "low", "high"]].to_numpy()
]
table(similar_claims[["section", "claim", "p_quoted", "interval", "verdict", "p_similar", "detectable"]],
      f"Similarity within {margin:g} points; detectable: found with power {power:g}.",
      headings={"p_quoted": "p, quoted", "p_similar": "p, similar"})  # fmt: skip

# %%
shown_similar = int((similar_claims["verdict"] == "similar").sum())
display(Markdown(
    f"Similar within {margin:g} points: {shown_similar} of {len(similar_claims)}. The tests would have found "
    f"{similar_claims['detectable'].min():.1f} to {similar_claims['detectable'].max():.1f} points; a true difference "
    "below that had a fair chance to be called similar."
))  # fmt: skip

# %% [markdown]
# ### Many tests
#
# Holm's correction over everything that can be recomputed asks each p to be small enough for the whole family.

# %%
checked = quotes[quotes["p"].notna()]
adjusted = statistics.holm(checked["p"], plan.level)
lost = checked.loc[(checked["p"] < plan.level) & (adjusted >= plan.level), "claim"]
before, after = int((checked["p"] < plan.level).sum()), int((adjusted < plan.level).sum())
display(Markdown(
    f"{before} of {len(checked)} recomputed tests are below {plan.level:.2f}; after Holm {after}. Lost: "
    f"{', '.join(lost) or 'none'}."
))  # fmt: skip

# %% [markdown]
# ## What would chance score?
#
# The score is the mean of F1 and accuracy. If a share $p$ of the frames shows a unit, whoever always says "present"
# gets F1 $2p/(1+p)$ and accuracy $p$; whoever always says "absent" gets F1 0 and accuracy $1-p$.


# %%
def score_of_yes(p):
    """Always present: mean of F1 and accuracy."""
    return (2 * p / (1 + p) + p) / 2


def score_of_no(p):
    """Always absent."""
    return (1 - p) / 2


# %%
truth = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
for guess, formula in ((1, score_of_yes), (0, score_of_no)):
    said = np.full(10, guess)
    assert np.isclose(formula(0.2), (f1_score(truth, said, zero_division=0) + accuracy_score(truth, said)) / 2)

# %%
rates = np.linspace(0.01, 0.9, 60)
lines = {
    "always present": score_of_yes(rates),
    "always absent": score_of_no(rates),
    "coin": constants.coin(rates, rates),
}
rows = pd.DataFrame(
    [{"arm": n, "rate": p * 100, "mean": v * 100} for n, vs in lines.items() for p, v in zip(rates, vs)]
)
figures.curves(rows, "rate", "Score of predictors that see no image, by how often the unit is there; the coin says "
               "'present' as often as it is.", "frames with the unit, %", "score, %")  # fmt: skip

# %% [markdown]
# The better of the two constants is never bad: at its worst, where the two lines cross, it still has more than a
# third. So a score of 50 on this measure means little until one knows the base rates.

# %%
crossing = constants.indifference()
assert np.isclose(score_of_yes(crossing), score_of_no(crossing)) and score_of_no(crossing) > 1 / 3
display(Markdown(f"The lines cross at {crossing:.1%} of frames, with a score of {100 * score_of_no(crossing):.1f}."))

# %% [markdown]
# The public label lists of both datasets give the constants of the real data. They are context, computed with the
# paper's measure and the template left out; in a licensee's run every score has its own beside it. For the dataset
# rows we weight the two datasets by their participants, as Table 5 does.


# %%
def real_constant(kind, sets):
    """Mean over all participants of one constant predictor on the real labels."""
    values = [published(f"constants.{name}.{kind}") for name in sets]
    return float(np.average([v.value for v in values], weights=[v.n for v in values]))


# %%
scores = [key for key in statistics.published_table().index if key.endswith(".original")]
both = ("bp4d-5", "disfa-5")
rows = []
for key in scores:
    condition, score = key.removesuffix(".original"), published(key)
    sets = both if condition.startswith("dataset") else ("bp4d-12",)
    carried = real_constant("carried-over", both) if condition == "dataset-independent" else np.nan
    best = real_constant("best-constant", sets)
    rows.append({"condition": condition, "original": score.value, "best constant": best, "carried over": carried,
                 "above": score.value - best})  # fmt: skip
floor = pd.DataFrame(rows)
table(floor, "Table 5's original scores and the best constants of the real labels, percent.", formats={"above": "+.1f"})

# %%
low, high = floor.loc[floor["above"].idxmin()], floor.loc[floor["above"].idxmax()]
women, men = (published(f"constants.{g}.best-constant").value for g in ("female", "male"))
display(Markdown(
    f"{low['condition']} is {low['above']:+.1f} points from the best constant, {high['condition']} "
    f"{high['above']:+.1f}. Constants carried from one dataset to the other score "
    f"{real_constant('carried-over', both):.1f}: part of the "
    f"largest gap is base rates that differ between datasets. And the best constants have {women:.1f} for women and "
    f"{men:.1f} for men, a difference of {women - men:.1f} points that no face is needed for."
))  # fmt: skip

# %% [markdown]
# Scores of other papers are not comparable: strong systems train on full training sets with fixed folds and pool their
# frames.

# %%
strong = [published(f"strong-systems.f1-{end}").printed for end in ("low", "high")]
display(Markdown(f"They report mean F1 of {strong[0]} to {strong[1]} on BP4D; redrawing the folds alone is reported to "
                 f"move F1 by about ± {published('folds.f1').printed} points (arXiv 2604.02162)."))  # fmt: skip

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
wrong, floored = int((sums["verdict"] == audit.DISAGREES).sum()), int((floor["above"] <= margin).sum())
good = int(counts.get(audit.AGREES, 0) + counts.get(audit.ROUNDING, 0))
display(Markdown(
    f"""Of {len(quotes)} quoted p-values {good} agree with Table 5 at least within rounding, {len(odd)} not, and
{int(counts.get(audit.UNCHECKED, 0))} cannot be checked; of {len(sums)} sums {wrong} is not in agreement. That
DeepFN's scores are higher than the originals' in every cross condition follows from the table. Other sentences do
not: a narrower gap, like with like, is shown for {len(narrower)} of {len(gaps)} conditions; similarity within
{margin:g} points for {shown_similar} of {len(similar_claims)}; and on original faces {floored} of {len(floor)}
conditions score within {margin:g} points of a constant, or below it. None of this says that the method does not
work. It says which questions the table leaves to a new experiment, and those are the ones that chapters 05 to 10
ask."""
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Which margin would make each "similar" true? It is the end of the interval that TOST looks at.

# %% tags=["hide-cell"]
reach = (
    stats.t.ppf(plan.confidence, 2 * similar_claims["n"] - 2) * similar_claims["sd"] * np.sqrt(2 / similar_claims["n"])
)
needed = similar_claims[["section", "claim"]].assign(margin=similar_claims["difference"].abs() + reach)
table(needed, "Smallest margin, points, at which similarity would be shown.")

# %% [markdown]
# **2.** How many people would each condition need to find two points?

# %% tags=["hide-cell"]
needs = []
for name in ("person-dependent", "skin-dependent", "dataset-dependent"):
    effect = 2.0 / published(f"{name}.original").sd
    needs.append((name, int(np.ceil(TTestIndPower().solve_power(effect, power=power, alpha=plan.level)))))
table(pd.DataFrame(needs, columns=["condition", "people in each"]), "To find two points with the power above.")

# %% [markdown]
# **3.** A coin that says "present" in every second frame: what does it score at base rates of 10, 30 and 60 %?

# %% tags=["hide-cell"]
display(Markdown(", ".join(f"{p:.0%}: {100 * float(constants.coin(p, 0.5)):.1f}" for p in (0.1, 0.3, 0.6))))

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
