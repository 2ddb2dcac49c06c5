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
# # Across people
#
# **How much does a classifier lose on people it has never seen, and does a normalised face give that back?**
#
# This is the paper's first experiment. A *person-dependent* classifier learns from four of a person's eight tasks and
# is tested on others of the same person; a *person-independent* one learns from four people and is tested on
# strangers. The difference is called the generalization gap. All of it is BP4D, twelve action units (the numbered
# facial movements of chapter 04), and nothing but the choice of training frames differs.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
run = "reference"  # whose scores stand here: the reference run's, or of "this" one
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 5  # of the resampling

# %%
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import display
from scipy import stats

from deepfn_lib import page, statistics
from deepfn_lib.arms import ORACLE, ORIGINAL, find
from deepfn_lib.page import figures, interval_text, p_text, say, table
from deepfn_lib.page.figures import arm_label
from deepfn_lib.statistics.comparisons import equivalence
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
basis = study.basis(run)
figures.use_theme()
plan = statistics.Plan(
    confidence=confidence,
    samples=bootstrap_samples,
    margin=margin,
    seed=statistics_seed,
)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > This finding suggests that DeepFN can effectively minimize individual differences associated with appearance.
# > (§5.1)
#
# > However, normalizing the data with the newly introduced DeepFN significantly increased the performance of
# > person-independent models (59.6%), effectively reducing the gap. (Abstract)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | two-sample t-test everywhere | it, and a paired test | the same people are in both | smaller p, same effect |
# | "similar" from a large p | no loss of a margin, tested | absent evidence proves nothing | fewer claims stand |
# | no floor, no ceiling | best constant, oracle | a gain needs a scale | points become shares |
# | one normalised arm | cheap arms beside it | a network must be earned | what is due to DeepFN |
# | and no other method | one of our own, judged apart | it is not the paper's | two lists of verdicts |
# | a gap "reduced", untested | a gap tested against a gap | like with like | what the gap itself does |
# | no correction | Holm's over all sentences of chapters 05-08 | many questions, one paper | larger p |
# | participants are drawn | and models, with their splits and seeds | each has luck | wider intervals |
#
# The classifier, the splits and the repetitions are those of chapter 04.

# %% [markdown]
# ## A toy: eight people, measured twice
#
# Whether a gap is "significant" depends on what the test believes about the two columns of numbers. Take eight people
# who differ by tens of points, and let every one of them lose about three points. We know the answer: there is a
# loss.

# %%
before = pd.Series([40.0, 45, 50, 55, 60, 65, 70, 75], index=list("abcdefgh"))
after = before - [2.5, 3.5, 3, 3, 2, 4, 3.5, 2.5]
toy = statistics.compare(after, before, plan)
assert toy.paper.p > 0.5 and toy.ours.p < 0.001

# %%
say(
    "Two-sample: p = {paper}; paired: p {ours}; difference {toy}.",
    paper=p_text(toy.paper.p),
    ours=p_text(toy.ours.p),
    toy=toy,
)

# %% [markdown]
# The two-sample test compares three points with the spread *between* people and sees nothing. The paired test looks
# at each person's own loss. Neither is wrong arithmetic; only one of them uses that the rows belong together.

# %% [markdown]
# ## From equation to code
#
# With the differences $d_i$ of $n$ participants, the paired test is
#
# $$t = \frac{\bar d}{s_d / \sqrt{n}}, \qquad n - 1 \text{ degrees of freedom.}$$


# %%
def paired_t(first, second):
    """Two-sided p of the paired t-test; both indexed by participant."""
    d = (first - second).dropna()
    t = d.mean() / (d.std(ddof=1) / np.sqrt(len(d)))
    return 2 * stats.t.sf(abs(t), len(d) - 1)


assert np.isclose(paired_t(after, before), toy.ours.p)

# %% [markdown]
# And "similar"? The paper reads it from p = 0.375. But a large p is what a small study gives, whatever the truth. A
# test *for* similarity needs a margin $\delta$, the difference one would not care about, and turns the question
# round: it must reject both that the difference is below $-\delta$ and that it is above $\delta$. These are two
# one-sided tests (TOST); the larger of the two p-values counts.


# %%
def similar(first, second, delta):
    """p of two one-sided paired tests that the mean difference lies within ± delta."""
    d = (first - second).dropna()
    error, df = d.std(ddof=1) / np.sqrt(len(d)), len(d) - 1
    above = stats.t.sf((d.mean() + delta) / error, df)
    below = stats.t.cdf((d.mean() - delta) / error, df)
    return max(above, below)


# %%
wide, narrow = similar(after, before, 5), similar(after, before, 2)
assert np.isclose(wide, equivalence(after, before, 5, are_paired=True))
assert wide < 0.05 < narrow
say(
    "A loss of three points is within five (p {wide}), not within two (p = {narrow}).",
    wide=p_text(wide),
    narrow=p_text(narrow),
)

# %% [markdown]
# ## The run
#
# Scores are a row for each repetition, participant and action unit. A participant's score is the mean over units and
# then over the repetitions that tested the participant, as in §4.3; the participant is the unit of every test below.

# %%
scores, constants, arms = basis.scores, basis.constants, basis.arms
compared = basis.compared
conditions = ["person-dependent", "person-independent"]

# %%
page.stands_on(study, basis, conditions)

# %%
here = scores[scores["condition"].isin(conditions)]
there = set(here[["condition", "arm"]].itertuples(index=False, name=None))
say(
    "{arms} arms. The claims are judged on {compared}, each in a list of its own.",
    arms=len(arms),
    compared=" and on ".join(map(page.whose, compared)),
)


# %%
def with_interval(rows, value, low, high, digits=1):
    """`value (low to high)` of three columns, a text for each row."""
    each = rows[[value, low, high]].itertuples(index=False)
    return [interval_text(*row, digits=digits) for row in each]


# %%
lines = statistics.condition_table(here, constants, plan, conditions=conditions)
papers = zip(lines["paper"], lines["paper_sd"])
shown = lines.assign(
    arm=lines["arm"].map(arm_label),
    interval=with_interval(lines, "mean", "low", "high"),
    published=[f"{m:.1f} ({sd:.1f})" if np.isfinite(m) else "" for m, sd in papers],
)

# %%
headings = {
    "published": "paper (SD)",
    "constant": "constant",
    "best_constant": "best constant",
    "roc_auc": "ROC AUC",
}
columns = ["condition", "arm", "participants", "interval", "sd", *headings]
caption = "Score over participants, percent. Constants see no image."
table(shown[columns], caption, headings=headings)

# %% [markdown]
# Read the constants first. A constant answers the same for every frame; the best one is chosen on the training people
# of the same split. What a classifier has above it comes from pictures. ROC AUC asks only whether frames with the
# movement are ranked above those without, and no constant moves it from 50.

# %%
caption = (
    "Person-dependent and person-independent scores. Whiskers: interval over "
    "participants and models; diamonds: the paper; dashes: the best constant of the "
    "same splits."
)
figures.condition_bars(lines, caption)

# %% [markdown]
# ## The gap
#
# The gap is the within score minus the cross score on original faces. In the paper it is the ruler against which
# normalisation is measured, so its own uncertainty matters.


# %%
people = partial(statistics.repetition_scores, scores)


def gap_by(value, arm=ORIGINAL):
    """Own tasks minus strangers on one arm, by one measure."""
    both = [people(condition, arm, value=value) for condition in conditions]
    return statistics.compare(*both, plan)


# %%
gap, auc_gap = gap_by("score"), gap_by("roc_auc")
floors = [statistics.participant_constants(constants, name) for name in conditions]
floor_gap = statistics.compare(*floors, plan)

# %%
say(
    "The gap is {gap}, the paper's {quoted}. The best constants alone, which see "
    "nothing, have a gap of {floor_gap}: a constant learnt from a person's own tasks "
    "knows that person's base rates. By ROC AUC the gap is {auc_gap}.",
    gap=gap,
    quoted=statistics.published("gap.person").printed,
    floor_gap=floor_gap,
    auc_gap=auc_gap,
)

# %% [markdown]
# If the constants have a gap of their own, part of the distance between the two conditions is *knowing how often* the
# person moves, which no change of the face's looks can supply.
#
# The abstract says that DeepFN reduces the gap. Like with like, that is the gap on normalised faces against the gap on
# original ones: an arm that lifts both conditions by the same leaves the gap as it is.

# %%
ruler = [arm for arm in arms if arm in (ORIGINAL, *compared, ORACLE)]
ruler = [arm for arm in ruler if all((name, arm) in there for name in conditions)]
gap_on = {arm: gap_by("score", arm) for arm in ruler}
both = {"gap": gap_on, "gap, ROC AUC": {arm: gap_by("roc_auc", arm) for arm in ruler}}

# %%
shown = pd.DataFrame({"arm": [arm_label(arm) for arm in ruler]})
for what, found in both.items():
    shown[what] = [str(found[arm]) for arm in ruler]
table(shown, "Own tasks minus strangers on each arm.")

# %% [markdown]
# ## What normalisation gives back
#
# Every arm, minus the original faces, over the same participants and splits.

# %%
others = [arm for arm in arms if arm != ORIGINAL]
gains = {}
for condition in conditions:
    original = people(condition, ORIGINAL)
    for arm in [arm for arm in others if (condition, arm) in there]:
        gain = statistics.compare(people(condition, arm), original, plan)
        gains[condition, arm] = gain

# %%
labels = [f"{arm_label(arm)}, {name}" for name, arm in gains]
caption = "Gain over original faces, points; the grey band counts as similar."
figures.interval_plot(dict(zip(labels, gains.values())), caption, margin=margin)

# %% [markdown]
# The *oracle* is the exact answer that only rendered faces have: the same moment on the template's face. An arm's
# share is its gain in units of the oracle's; it stays empty where the oracle's own gain is not above zero.

# %%
shares = lines[~lines["arm"].isin([ORIGINAL, ORACLE])]
told = shares[["condition"]].assign(
    arm=shares["arm"].map(arm_label),
    gain=[str(gains[pair]) for pair in zip(shares["condition"], shares["arm"])],
    share=with_interval(shares, "share", "share_low", "share_high", digits=2),
)
table(told, "Gain over the original, and share of the oracle's gain.")

# %% [markdown]
# ## Figure 4: action unit by action unit

# %%
own, strangers = conditions
shown_arms = [arm for arm in arms if arm in (ORIGINAL, *compared, ORACLE)]
units = statistics.action_unit_table(scores, strangers, plan, arms=shown_arms)
caption = "Fig. 4 redrawn: person-independent score of each action unit."
figures.action_unit_bars(units, caption)

# %% [markdown]
# The paper's bars have standard errors; ours are intervals over participants. Gains are easier to read as
# differences, since a person who is hard in one arm is hard in the other.

# %%
moved = units[units["arm"] != ORIGINAL]
caption = "Gain of each action unit over the original."
figures.action_unit_bars(moved, caption, "gain")

# %%
quoted = {
    name: statistics.published(f"gain.person.{name}") for name in ("au", "AU04", "AU14")
}
whats = ["mean over the units", "SD over the units"]
whats += ["AU04, the paper's largest", "AU14, the paper's smallest"]
by_unit = pd.DataFrame({"what": whats})
papers = [quoted["au"].value, quoted["au"].sd]
by_unit["the paper's DeepFN"] = [*papers, quoted["AU04"].value, quoted["AU14"].value]


# %%
def unit_gains(arm):
    """An arm's gains of the units: mean, SD, and those of AU04 and AU14."""
    rows = units[units["arm"] == arm].set_index("action_unit")
    gain = rows["gain"].dropna()
    return [gain.mean(), gain.std(), gain.get("AU04"), gain.get("AU14")]


# %%
for arm in compared:
    by_unit[f"{arm_label(arm)} here"] = unit_gains(arm)
signed = dict.fromkeys(by_unit.columns[1:], "+.1f")
table(by_unit, "Gains of the units, points.", formats=signed)

# %% [markdown]
# A largest and a smallest of twelve always exist. Whether AU04 *is* the largest is another question: its gain must be
# above that of each of the eleven others. It stands in the list below, with the difference to the nearest of them.

# %% [markdown]
# ## Against the paper, claim by claim
#
# The paper's sentences stand in `data_manifests/claims.csv`, each with its place and the difference that it is about.
# All of them, those of chapters 06 to 08 among them, are one list, judged once, by one rule, on the paper's method.
# The same sentences with our method in DeepFN's place are nobody's but ours, and a list of their own. Where the
# reference run (chapter 18) has a sentence's cells, the verdict stands on it, else on this run. Below each table unfold
# the tests, how many people and models there were, which run it is, and what this run has beside the reference's.

# %%
say("> {rule}", rule=statistics.RULE)

# %% [markdown]
# A *model* is one trained classifier: its split, and its luck. Two scores of one model share this luck, as two scores
# of one person share the person. So a score's part in a difference, its weight times its distance from the mean, is
# added up twice, over each participant and over each model, and what both count is taken off:
#
# $$\operatorname{var} = \sum_p \Bigl(\sum_{r} a_{pr}\Bigr)^2 + \sum_r \Bigl(\sum_{p} a_{pr}\Bigr)^2
# - \sum_{p,r} a_{pr}^2 ,$$
#
# each sum of squares with its usual $n/(n-1)$. A classifier of one person's own tasks is drawn with the person and
# adds nothing. With few models Student's t is wide, and should be.


# %%
def error_of(scores):
    """The standard error of a mean over participants, of scores that fill a table."""
    apart = (scores - scores.mean()) / len(scores)
    cells = apart.unstack("repetition").to_numpy()
    parts = [
        len(sums) / (len(sums) - 1) * np.square(sums).sum()
        for sums in (cells.sum(axis=1), cells.sum(axis=0))
    ]
    return np.sqrt(max(sum(parts) - np.square(cells).sum(), *parts))


# %%
index = pd.MultiIndex.from_product(
    [[f"BP4D/{r}" for r in range(4)], before.index], names=["repetition", "participant"]
)
lucky = np.repeat([1.0, -2.0, 0.5, 2.0], len(before))
invented = pd.Series(lucky + np.tile(after - before, 4), index)

# %%
assert np.isclose(
    error_of(invented), statistics.contrast([(1.0, invented)], plan).error
)
say(
    "The loss of three points above, with four models' luck added, has an error of "
    "{both:.2f} points; over participants alone it would have {alone:.2f}.",
    both=error_of(invented),
    alone=(after - before).sem(),
)

# %%
page.budget(basis)

# %%
asked = study.claims(plan, "person")
for arm, rows in asked.items():
    caption = f"§5.1 and the abstract, {page.whose(arm)}; differences in points."
    display(page.claim_table(rows, caption))

# %% [markdown]
# Chapter 09 has the paper's two-sample test beside ours. Had these classifiers finished learning?

# %%
young = statistics.last_gains(basis.trained)
young = 100 * young.unstack("family").reindex(columns=["person", "people"])
headings = {"arm": "arm", "person": "own tasks", "people": "strangers"}
caption = (
    "What the last tenth of the epochs still added to the validation F1, points, the "
    "mean over models."
)
table(
    young.rename(index=arm_label).reset_index(),
    caption,
    {"person": ".2f", "people": ".2f"},
    headings,
)

# %% [markdown]
# ## What we learned

# %%
main = lines[lines["condition"] == strangers].set_index("arm")
cheap = [arm for arm in others if arm not in compared and not find(arm).exact]
beside = ""
if cheap:
    best = main["mean"][cheap].idxmax()
    beside = (
        " Of the other arms the highest mean on strangers (picked after looking) has "
        f"{arm_label(best)}, with {gains[strangers, best]}."
    )

# %%
say(
    "Strangers' classifiers score {mean:.1f} on original faces, where the best "
    "constant has {constant:.1f}; own tasks are worth {gap} more.{beside}",
    mean=main["mean"][ORIGINAL],
    constant=main["constant"][ORIGINAL],
    gap=gap,
    beside=beside,
)

# %%
for arm, rows in asked.items():
    sentence = say(
        "**{whose}** changes the score on strangers by {on_strangers} and that on own "
        "tasks by {on_own}. The gap with it is {left}; that it is reduced: {closed}. "
        "Of its {number} sentences: {verdicts}.",
        whose=page.whose(arm),
        on_strangers=gains.get((strangers, arm), "(not scored)"),
        on_own=gains.get((own, arm), "(not scored)"),
        left=gap_on.get(arm, "(not scored)"),
        closed=page.found(rows, "person.reduces"),
        number=len(rows),
        verdicts=page.tally(rows),
    )
    display(sentence)

# %% [markdown]
# ## Exercises
#
# **1.** At which margin would "similar" just be shown for the normalised strangers against the original own tasks?
# Tabulate the p of equivalence over the margin.

# %% tags=["hide-cell"]
margins = np.linspace(0.5, 12, 24)
tabulated = pd.DataFrame({"margin": margins})
for arm in compared:
    ends = [(1.0, people(strangers, arm)), (-1.0, people(own, ORIGINAL))]
    found = statistics.contrast(ends, plan)
    tabulated[arm_label(arm)] = [found.within(delta) for delta in margins]

# %% tags=["hide-cell"]
for name in tabulated.columns[1:]:
    enough = margins[tabulated[name] < plan.level]
    found = f"from {enough[0]:.1f} points" if len(enough) else "not within 12 points"
    display(say("{name}: {found}.", name=name, found=found))
digits = dict.fromkeys(tabulated.columns[1:], p_text)
table(tabulated.iloc[::4], "p of similarity at each margin.", formats=digits)

# %% [markdown]
# **2.** Repeat the gap's interval, over participants and models, with ROC AUC in place of the score. Is it the same
# story?

# %% tags=["hide-cell"]
for value in ("score", "roc_auc"):
    ends = [
        statistics.repetition_scores(scores, name, ORIGINAL, value=value)
        for name in conditions
    ]
    found = statistics.contrast([(1.0, ends[0]), (-1.0, ends[1])], plan)
    words = "{value}: own tasks less strangers {found}, over {people} people."
    told = {"value": value, "found": found.difference, "people": found.people}
    display(say(words, **told))

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
