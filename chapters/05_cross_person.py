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
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 5  # of the resampling

# %%
from functools import partial

import numpy as np
import pandas as pd
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, interval_text, p_text, table
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics.comparisons import equivalence
from IPython.display import Markdown, display
from scipy import stats

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
figures.use_theme()
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, margin=margin, seed=statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > This finding suggests that DeepFN can effectively minimize individual differences associated with appearance.
# > (§5.1)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | two-sample t-test everywhere | it, and a paired test | the same people are in both | smaller p, same effect |
# | "similar" from a large p | an equivalence test with a margin | absent evidence proves nothing | fewer claims stand |
# | no floor, no ceiling | best constant, oracle | a gain needs a scale | points become shares |
# | one normalised arm | cheap arms beside it | a network must be earned | what is due to DeepFN |
# | no correction | Holm's over this page | many questions, one page | larger p |
#
# The classifier, the splits and the repetitions are those of chapter 04.

# %% [markdown]
# ## A toy: eight people, measured twice
#
# Whether a gap is "significant" depends on what the test believes about the two columns of numbers. Take eight people
# who differ by tens of points, and let every one of them lose about three points. We know the answer: there is a
# loss.

# %%
before = pd.Series([40, 45, 50, 55, 60, 65, 70, 75], index=list("abcdefgh"), dtype=float)
after = before - [2.5, 3.5, 3, 3, 2, 4, 3.5, 2.5]
toy = statistics.compare(after, before, plan)
assert toy.paper.p > 0.5 and toy.ours.p < 0.001
display(Markdown(f"Two-sample: p = {p_text(toy.paper.p)}; paired: p {p_text(toy.ours.p)}; difference {toy}."))

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
assert np.isclose(wide, equivalence(after, before, 5, are_paired=True)) and wide < 0.05 < narrow
display(Markdown(f"A loss of three points is within five (p {p_text(wide)}), not within two (p = {p_text(narrow)})."))

# %% [markdown]
# ## The run
#
# Scores are a row for each repetition, participant and action unit. A participant's score is the mean over units and
# then over the repetitions that tested the participant, as in §4.3; the participant is the unit of every test below.

# %%
scores = study.scores(settings, store)
constants = study.constants(settings, store)
conditions = ["person-dependent", "person-independent"]
arms = list(dict.fromkeys(scores["arm"]))
normalised = "deepfn" if "deepfn" in arms else next(a for a in arms if a not in ("original", "oracle"))

# %%
here = scores[scores["condition"].isin(conditions)]
display(Markdown(
    f"{here['participant'].nunique()} participants, {here['repetition'].nunique()} repetitions, {len(arms)} arms. "
    f"The normalised arm of this page's claims is **{figures.arm_label(normalised)}**."
))  # fmt: skip

# %%
lines = statistics.condition_table(here, constants, plan, conditions=conditions)
lines["interval"] = [interval_text(*row) for row in lines[["mean", "low", "high"]].itertuples(index=False)]
lines["published"] = [f"{m:.1f} ({s:.1f})" if np.isfinite(m) else "" for m, s in zip(lines["paper"], lines["paper_sd"])]
shown = ["condition", "arm", "participants", "interval", "sd", "published", "constant", "best_constant", "roc_auc"]
table(lines[shown], "Score over participants, percent. Constants see no image.", formats={"participants": "d"},
      headings={"published": "paper (SD)", "best_constant": "best constant", "roc_auc": "ROC AUC"})  # fmt: skip

# %% [markdown]
# Read the constants first. A constant answers the same for every frame; the best one is chosen on the training people
# of the same split. What a classifier has above it comes from pictures. ROC AUC asks only whether frames with the
# movement are ranked above those without, and no constant moves it from 50.

# %%
figures.condition_bars(
    lines, "Person-dependent and person-independent scores. Whiskers: bootstrap over participants; diamonds: the "
    "paper; dashes: the best constant of the same splits.",
)  # fmt: skip

# %% [markdown]
# ## The gap
#
# The gap is the within score minus the cross score on original faces. In the paper it is the ruler against which
# normalisation is measured, so its own uncertainty matters.


# %%
people = partial(statistics.participant_scores, scores)


within, cross = (people(condition, "original") for condition in conditions)
gap = statistics.compare(within, cross, plan)
quoted = statistics.published("gap.person")

# %%
auc_gap = statistics.compare(*(people(condition, "original", "roc_auc") for condition in conditions), plan)
floors = [statistics.participant_constants(constants, condition) for condition in conditions]
floor_gap = statistics.compare(*floors, plan)
display(Markdown(
    f"The gap is {gap}, the paper's {quoted.printed}. The best constants alone, which see nothing, have a gap of "
    f"{floor_gap}: a constant learnt from a person's own tasks knows that person's base rates. By ROC AUC the gap is "
    f"{auc_gap}."
))  # fmt: skip

# %% [markdown]
# If the constants have a gap of their own, part of the distance between the two conditions is *knowing how often* the
# person moves, which no change of the face's looks can supply.

# %% [markdown]
# ## What normalisation gives back
#
# Every arm, minus the original faces, over the same participants and splits.

# %%
others = [arm for arm in arms if arm != "original"]
gains = {
    (condition, arm): statistics.compare(people(condition, arm), people(condition, "original"), plan)
    for condition in conditions for arm in others
}  # fmt: skip
figures.interval_plot(
    pd.DataFrame([
        {"label": f"{figures.arm_label(arm)}, {condition}", "difference": c.difference.value,
         "low": c.difference.low, "high": c.difference.high}
        for (condition, arm), c in gains.items()
    ]),
    "Gain over original faces, points; the grey band counts as similar.", margin=margin,
)  # fmt: skip

# %% [markdown]
# The *oracle* is the exact answer that only rendered faces have: the same moment on the template's face. An arm's
# share is its gain in units of the oracle's; it stays empty where the oracle's own gain is not above zero.

# %%
shares = lines[lines["arm"].isin([a for a in others if a != "oracle"])].copy()
shares["share"] = [
    interval_text(*row, digits=2) for row in shares[["share", "share_low", "share_high"]].itertuples(index=False)
]
shares["gain"] = [str(gains[c, a]) for c, a in zip(shares["condition"], shares["arm"])]
table(shares[["condition", "arm", "gain", "share"]], "Gain over the original, and share of the oracle's gain.")

# %% [markdown]
# ## Figure 4: action unit by action unit

# %%
units = statistics.action_unit_table(scores, "person-independent", plan, arms=["original", normalised, "oracle"])
figures.action_unit_bars(units, "Fig. 4 redrawn: person-independent score of each action unit.")

# %% [markdown]
# The paper's bars have standard errors; ours are intervals over participants. Gains are easier to read as
# differences, since a person who is hard in one arm is hard in the other.

# %%
figures.action_unit_bars(units[units["arm"] != "original"], "Gain of each action unit over the original.", "gain")

# %%
unit_gains = units[units["arm"] == normalised].set_index("action_unit")["gain"].dropna()
published_units = {name: statistics.published(f"gain.person.{name}").value for name in ("au", "AU04", "AU14")}
rows = [
    {"what": "mean over the units", "here": unit_gains.mean(), "paper": published_units["au"]},
    {"what": "SD over the units", "here": unit_gains.std(), "paper": statistics.published("gain.person.au").sd},
    {"what": "AU04, the paper's largest", "here": unit_gains.get("AU04", np.nan), "paper": published_units["AU04"]},
    {"what": "AU14, the paper's smallest", "here": unit_gains.get("AU14", np.nan), "paper": published_units["AU14"]},
]
table(pd.DataFrame(rows), "Gains of the units, points.", formats={"here": "+.1f", "paper": "+.1f"})

# %% [markdown]
# A largest and a smallest of twelve always exist. Whether AU04 *is* the largest is asked by resampling participants
# and counting how often it comes first.

# %%
cells = {arm: statistics.action_unit_scores(scores, "person-independent", arm) for arm in ("original", normalised)}
unit_differences = (cells[normalised] - cells["original"]).dropna(how="any")
first = statistics.rank_share(unit_differences, "AU04", plan) if len(unit_differences) > 1 else np.nan
last = statistics.rank_share(unit_differences, "AU14", plan, highest=False) if len(unit_differences) > 1 else np.nan
ranks = {name: statistics.rank_verdict(share, plan)
         for name, share in (("AU04 gains most", first), ("AU14 gains least", last))}  # fmt: skip
display(Markdown("; ".join(f"**{claim}**: {verdict}" for claim, verdict in ranks.items())
                 + f". AU04 comes first in {first:.0%} of the resamples, AU14 last in {last:.0%}."))  # fmt: skip

# %% [markdown]
# ## Against the paper, claim by claim
#
# Four sentences of §5.1, each with the paper's test, ours, and the mixed model in which a participant and a
# repetition are both draws: two scores of one trained classifier share its luck.


# %%
claim = partial(statistics.table_claim, scores, plan=plan, mixed=True)


# %%
own, strangers, label = *conditions, figures.arm_label(normalised)
claims = [
    claim("own tasks beat strangers, original", "higher", (own, "original"), (strangers, "original"), "p.person.gap"),
    claim(f"{label} beats original on strangers", "higher", (strangers, normalised), (strangers, "original"),
          "p.person.gain-independent"),
    claim(f"{label} on strangers is similar to original on own tasks", "similar", (strangers, normalised),
          (own, "original"), "p.person.matches-dependent"),
    claim(f"{label} keeps the own-task score", "similar", (own, normalised), (own, "original"),
          "p.person.keeps-dependent"),
]  # fmt: skip
judged = statistics.judge(claims, plan)

# %%
display(Markdown("> " + statistics.RULE))
p_columns = {"paper_p": "p, paper's value", "p_two_sample": "p, paper's test", "p_ours": "p, paired",
             "p_holm": "p, Holm", "p_similar": "p, similar", "p_mixed": "p, mixed model"}  # fmt: skip
columns = ["claim", "paper", "difference", "low", "high", *p_columns, "effect", "verdict"]
table(judged[columns], "The claims of §5.1; differences in points.", headings=p_columns, formats={"effect": ".2f"})

# %% [markdown]
# Where the paired test and the mixed model part, it is because the few repetitions' own luck is counted in the second
# and not in the first. A p from the mixed model with a handful of repetitions is large for a good reason.
# Where a condition was run once, as `quick` runs the person-dependent one, the model has no repetitions to tell apart
# and its place stays empty.

# %% [markdown]
# ## What we learned

# %%
main = lines[lines["condition"] == strangers].set_index("arm")
cheap = [a for a in others if a not in (normalised, "oracle")]
best = max(cheap, key=lambda a: main["mean"][a], default=None)
beside = (
    f" Of the arms without that network the highest mean (picked after looking) has {figures.arm_label(best)}, with "
    f"{gains[strangers, best]}." if best else ""
)  # fmt: skip
display(Markdown(
    f"Strangers' classifiers score {main['mean']['original']:.1f} on original faces, where the best constant has "
    f"{main['constant']['original']:.1f}; own tasks are worth {gap} more. {label} changes the score on strangers by "
    f"{gains[strangers, normalised]} and that on own tasks by {gains[own, normalised]}.{beside} Of the paper's "
    f"{len(judged)} sentences: "
    + "; ".join(f"“{row.claim}” {row.verdict}" for row in judged.itertuples()) + "."
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** At which margin would "similar" just be shown for the normalised strangers against the original own tasks?
# Tabulate the p of equivalence over the margin.

# %% tags=["hide-cell"]
margins = np.linspace(0.5, 12, 24)
a, b = people(strangers, normalised), people(own, "original")
shared = a.index.intersection(b.index)
ps = [equivalence(a[shared], b[shared], m, are_paired=True) for m in margins]
enough = [m for m, p in zip(margins, ps) if p < plan.level]
display(Markdown(f"From a margin of {enough[0]:.1f} points." if enough else "Not within 12 points on these data."))
table(pd.DataFrame({"margin": margins, "p": ps}).iloc[::4], "p of similarity at each margin.")

# %% [markdown]
# **2.** Repeat the gap's test with ROC AUC in place of the score. Does its verdict change?

# %% tags=["hide-cell"]
by_auc = statistics.judge([statistics.Claim("own tasks beat strangers, ROC AUC", "higher", auc_gap)], plan)
table(by_auc[["claim", "difference", "low", "high", "p_ours", "verdict"]], "The gap by ROC AUC, points.",
      headings={"p_ours": "p, paired"})  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
