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
# # Across skin types
#
# **Does a classifier trained on lighter skin read darker skin less well, and can seven against eight people tell?**
#
# The paper's third experiment, and its smallest. Skin is described by the six *Fitzpatrick types*, which grade how
# skin reacts to sun; the paper calls types 1 and 2 lighter and 5 and 6 darker and leaves out the middle. That gives
# seven lighter and eight darker participants, six of the darker ones women. With so few, two questions come before
# any difference: how small a difference could be seen, and what else separates the groups.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 7  # of the resampling and of the toy

# %%
from functools import partial

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, table
from deepfn_lib.settings import load_settings
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)

# %%
figures.use_theme()
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, margin=margin, seed=statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > people with darker skin were used as part of the testing set yielded better performance (§5.3)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | types from three raters | the renderer's own | exact for rendered people | none unclear |
# | "similar" from p = 0.110 and 0.290 | an equivalence test | few people give a large p | similarity is to be shown |
# | gender named as a reason | the difference adjusted for it | they overlap | whose effect it is |
# | two-sample t-test | paired, Welch's, Holm's too | small and overlapping groups | fewer accidents |
#
# Skin types of real participants are sensitive and are not shipped with the book; without a list of groups this
# page has no results and says so.

# %% [markdown]
# ## A toy: a difference that belongs to somebody else
#
# Take the paper's groups: eight darker participants of whom six are women, seven lighter ones of whom two are. Let
# skin have *no* effect and let every woman score 4 points higher than every man.

# %%
toy = pd.DataFrame({
    "darker": [1] * 8 + [0] * 7, "female": [1] * 6 + [0] * 2 + [1] * 2 + [0] * 5
})  # fmt: skip

# %%
toy["score"] = 50.0 + 4.0 * toy["female"]
raw = toy.groupby("darker")["score"].mean().diff().iloc[-1]
assert np.isclose(raw, 4 * (6 / 8 - 2 / 7))
display(Markdown(f"Darker minus lighter: {raw:+.2f} points, none of them skin."))

# %% [markdown]
# The difference is the women's advantage times the difference in their share. A linear model with both takes it out:
#
# $$s_i = \beta_0 + \beta_1\,\mathrm{darker}_i + \beta_2\,\mathrm{female}_i + \varepsilon_i.$$


# %%
def adjusted(data):
    """The skin term of the model with gender: points, interval and p. NaN where it cannot be estimated."""
    if data.nunique()[["darker", "female"]].min() < 2 or len(data) < 5:
        return dict.fromkeys(("value", "low", "high", "p"), np.nan)
    fit = smf.ols("score ~ darker + female", data).fit()
    low, high = fit.conf_int(plan.level).loc["darker"]
    return {"value": fit.params["darker"], "low": low, "high": high, "p": fit.pvalues["darker"]}


# %%
assert abs(adjusted(toy)["value"]) < 1e-9

# %% [markdown]
# The price is power: the model has to tell two things apart with fifteen people. How small a difference would the
# paper's test find four times in five with 7 and 8 people, at the spread of Table 5?

# %%
sizes = [int(statistics.published(f"participants.{group}").value) for group in ("darker", "lighter")]
spread = statistics.published("skin-dependent.original").sd

# %%
needed = statistics.detectable(spread, *sizes, level=plan.level)
display(Markdown(
    f"With {sizes[0]} and {sizes[1]} participants and an SD of {spread:.1f} points: **{needed:.1f} points**. Smaller "
    "differences between the groups will mostly be missed, so a large p says little."
))  # fmt: skip

# %% [markdown]
# ## The run

# %%
scores = study.scores(settings, store)
constants = study.constants(settings, store)

# %%
participants = study.faces(settings, store).participants.set_index("participant")
conditions = ["skin-dependent", "skin-independent"]
arms = list(dict.fromkeys(scores["arm"]))
normalised = "deepfn" if "deepfn" in arms else next(a for a in arms if a not in ("original", "oracle"))
label = figures.arm_label(normalised)

# %%
here = scores[scores["condition"].isin(conditions)]
groups = participants[(participants["dataset"] == "BP4D") & (participants["skin_group"].astype(str) != "")]
there = set(conditions) <= set(here["condition"])
if not there:
    display(Markdown(
        "**No skin groups in this run.** No list of skin types was given, or a group is too small to train and to test "
        "on. The rest of this page is therefore empty."
    ))  # fmt: skip

# %% [markdown]
# Who is in the groups, and how the genders fall, beside the paper's Table 4.

# %%
if there:
    counts = groups.groupby("skin_group").agg(
        participants=("gender", "size"), women=("gender", lambda g: int((g == "female").sum()))
    ).reset_index()  # fmt: skip
    for column, suffix in (("paper", ""), ("paper, women", "-female")):
        counts[column] = [int(statistics.published(f"participants.{g}{suffix}").value) for g in counts["skin_group"]]
    display(table(counts, "Participants of the two groups.", headings={"skin_group": "skin"}))

# %% [markdown]
# ## Figure 6, and Table 5's two rows
#
# Each training group is tested on both. Dashes are the best constant, which sees no face.

# %%
if there:
    lines = statistics.direction_table(here, constants, plan, conditions)
    display(figures.direction_bars(
        lines, "Fig. 6 redrawn: each training and testing group. Whiskers: bootstrap over participants; dashes: the "
        "best constant of the same splits.",
    ))  # fmt: skip

# %%
if there:
    by_condition = statistics.condition_table(here, constants, plan, conditions=conditions)
    columns = ["condition", "arm", "participants", "mean", "low", "high", "paper", "constant", "share", "roc_auc"]
    display(table(by_condition[columns], "Scores, percent; share of the oracle's gain; ROC AUC of the same models.",
                  formats={"participants": "d", "share": ".2f"}, headings={"roc_auc": "ROC AUC"}))  # fmt: skip

# %% [markdown]
# The paper's unnormalised cross score is about what a constant earns on the real labels. Below, its number and the
# constants' beside it: a classifier there may not have been reading faces at all.

# %%
if there:
    paper_cross = statistics.published("skin-independent.original")
    paper_floor = statistics.published("constants.bp4d-12.best-constant")
    display(Markdown(
        f"The paper's cross score on original faces is {paper_cross.printed} (SD {paper_cross.sd:.1f}); the best "
        f"constant on BP4D's public labels {paper_floor.printed} (SD {paper_floor.sd:.1f})."
    ))  # fmt: skip

# %% [markdown]
# ## Match and test group, apart
#
# Chapter 06 derives the two effects: *match* is what the own group's classifier has over the other's on the same
# people, *tested* what darker participants have over lighter ones under both.


# %%
def skin_effects(arm, value="score"):
    people = statistics.crossed_scores(here, "skin", arm, value)
    return statistics.crossed_effects(people, "darker", "lighter", plan)


if there:
    crossed = {arm: skin_effects(arm) for arm in arms}
    rows = [
        {"label": f"{name}, {figures.arm_label(arm)}", "difference": c.difference.value, "low": c.difference.low,
         "high": c.difference.high}
        for name in ("match", "tested") for arm in arms for c in [getattr(crossed[arm], name)]
    ]  # fmt: skip
    display(figures.interval_plot(pd.DataFrame(rows), "Match and test group (darker minus lighter), points.",
                                  margin=margin))  # fmt: skip

# %% [markdown]
# Then the test group's level again, with gender held fixed. If the two differ much, the groups' genders were part of
# the answer.


# %%
def told(number):
    """A difference in words; few people may leave none."""
    return "not computable with so few" if "nan" in str(number) else str(number)


def group_level(arm):
    """Each participant's mean over both classifiers, with skin group and gender as 0 and 1."""
    people = statistics.crossed_scores(here, "skin", arm).dropna()
    gender = participants["gender"].reindex(people.index)
    return pd.DataFrame({
        "score": people[["own", "other"]].mean(axis=1), "darker": (people["test_group"] == "darker").astype(int),
        "female": (gender == "female").astype(int),
    })  # fmt: skip


if there:
    held = {arm: adjusted(group_level(arm)) for arm in arms}
    rows = [{"arm": figures.arm_label(arm), "darker minus lighter": told(crossed[arm].tested),
             "gender held fixed": page.interval_text(h["value"], h["low"], h["high"], sign=True), "p": h["p"]}
            for arm, h in held.items()]  # fmt: skip
    display(table(pd.DataFrame(rows), "Test group's level, points, without and with gender in the model."))

# %% [markdown]
# ## Against the paper, claim by claim
#
# Two sentences say "higher", two say "similar". For the latter the equivalence test of chapter 05 decides.


# %%
people = partial(statistics.participant_scores, here)


# %%
claim = partial(statistics.table_claim, here, plan=plan)


# %%
within, cross = conditions

# %%
sentences = [
    ("within beats cross, original", "higher", (within, "original"), (cross, "original"), "p.skin.gap"),
    (f"{label} beats original, cross", "higher", (cross, normalised), (cross, "original"), "p.skin.gain-independent"),
    (f"{label}, within, is similar to original, within", "similar", (within, normalised), (within, "original"),
     "p.skin.keeps-dependent"),
    (f"{label}, cross, is similar to original, within", "similar", (cross, normalised), (within, "original"),
     "p.skin.matches-dependent"),
]  # fmt: skip

# %%
claims = [claim(*sentence) for sentence in sentences] if there else []

# %% [markdown]
# The sentence about darker skin is said of every training group and arm: four more claims.


# %%
def darker_beat_lighter(group, arm):
    darker, lighter = (people(None, arm, train_group=group, test_group=g) for g in ("darker", "lighter"))
    quoted = statistics.published("p.skin.darker-beat-lighter")
    return statistics.Claim(f"darker beats lighter, trained on {group}, {figures.arm_label(arm)}", "higher",
                            statistics.compare(darker, lighter, plan),
                            paper_p=f"{quoted.relation} {quoted.printed}")  # fmt: skip


if there:
    claims += [darker_beat_lighter(g, arm) for arm in ("original", normalised) for g in ("darker", "lighter")]
    judged = statistics.judge(claims, plan)

# %%
if there:
    display(Markdown("> " + statistics.RULE))
    p_columns = {"paper_p": "p, paper's value", "p_two_sample": "p, paper's test", "p_ours": "p, ours",
                 "p_holm": "p, Holm", "p_similar": "p, similar"}  # fmt: skip
    columns = ["claim", "paper", "difference", "low", "high", "test", *p_columns, "effect", "verdict"]
    display(table(judged[columns], "The claims of §5.3; differences in points.", headings=p_columns,
                  formats={"effect": ".2f"}))  # fmt: skip

# %% [markdown]
# The paper gives one average gain over the four combinations and says it is smallest where darker skin is both
# trained and tested on.

# %%
if there:
    means = lines.pivot_table(index=["train_group", "test_group"], columns="arm", values="mean")
    gains = (means[normalised] - means["original"]).dropna().sort_values()
    display(Markdown(
        f"Mean gain over {len(gains)} combinations: {gains.mean():+.1f} points (paper "
        f"{statistics.published('gain.skin').printed}); the smallest, {gains.iloc[0]:+.1f}, is "
        f"{' → '.join(gains.index[0])} (paper: darker → darker)."
    ))  # fmt: skip

# %% [markdown]
# ## What we learned

# %%
if there:
    original = crossed["original"]
    display(Markdown(
        f"On {original.match.difference.n} participants tested by both classifiers the match of skin groups is worth "
        f"{told(original.match)}, and {told(crossed[normalised].match)} with {label}. Darker minus lighter test "
        f"people: {told(original.tested)}; with gender held fixed {told(format(held['original']['value'], '+.1f'))}. "
        "The paper's "
        f"{len(judged)} claims: " + ", ".join(f"{n} × {v}" for v, n in judged["verdict"].value_counts().items())
        + f". A study of this size finds differences between the groups from about {needed:.0f} points on; with so "
        "few people most answers have to stay open, the paper's included."
    ))  # fmt: skip
else:
    display(Markdown("Nothing: this run has no skin groups."))

# %% [markdown]
# ## Exercises
#
# **1.** How many participants in each group would it take to find, four times in five, a difference as large as the
# paper's gap between within and cross?

# %% tags=["hide-cell"]
gap = statistics.published("gap.skin").value
enough = next(n for n in range(4, 200) if statistics.detectable(spread, n, n, level=plan.level) <= gap)
display(Markdown(f"{enough} in each group for a gap of {gap:.1f} points at an SD of {spread:.1f}."))

# %% [markdown]
# **2.** In the toy, make the groups' shares of women as equal as seven and eight allow. What happens to the raw
# difference, and why is that better than adjusting for it afterwards?

# %% tags=["hide-cell"]
balanced = toy.assign(female=[1, 0] * 4 + [1, 0] * 3 + [0])
balanced["score"] = 50.0 + 4.0 * balanced["female"]
left = balanced.groupby("darker")["score"].mean().diff().iloc[-1]
display(Markdown(f"From {raw:+.2f} to {left:+.2f} points. Balance needs no model to be right; adjustment does."))

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
