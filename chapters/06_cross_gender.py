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
# # Across gender
#
# **Does a classifier trained on women fail on men because their faces differ, or are some faces simply easier to
# read, whoever the classifier was trained on?**
#
# The paper's second experiment splits BP4D by gender. *Within* means training and testing in the same group,
# *cross* in different ones. Two things are easily mixed up in such a design: the **match** of training and test group,
# and how hard the **test group** is by itself. Only the first is about generalization.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 6  # of the resampling

# %%
from functools import partial

import numpy as np
import pandas as pd
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, table
from deepfn_lib.settings import load_settings
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
figures.use_theme()
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, margin=margin, seed=statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > experiments in which women were used as part of the testing set yielded better performance (§5.2)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | real women and men | rendered ones | no licence needed | differences are the renderer's |
# | within minus cross | and the test group's own level | two effects, one table | says which is which |
# | intensity on average | per frame and per active frame | two meanings of intense | separates often from strong |
# | no floor | best constant, ROC AUC | base rates differ by group | seeing apart from guessing |
# | two-sample t-test | and paired, Welch's, Holm's | who is in both is known | fewer accidents |
#
# With rendered people, a difference between women and men is a property of the corpus and says nothing about people.
# What carries over is the method: the same cells run on the licensed recordings.

# %% [markdown]
# ## A toy: four numbers, two effects
#
# Let a matched classifier be worth 2 points and women be 3 points easier to read. The four scores follow.

# %%
toy = pd.DataFrame([[58.0, 53.0], [56.0, 55.0]], index=["trained on women", "trained on men"], columns=["women", "men"])
table(toy.reset_index(names=""), "Made-up scores: match 2, test group 3.")

# %% [markdown]
# Write $s_{ab}$ for training on group $a$ and testing on $b$, with groups $f$ and $m$. Then
#
# $$\mathrm{match} = \tfrac12\left[(s_{ff} - s_{mf}) + (s_{mm} - s_{fm})\right], \qquad
# \mathrm{tested} = \tfrac12\left[(s_{ff} + s_{mf}) - (s_{mm} + s_{fm})\right].$$
#
# The match compares two classifiers on the *same* people, so what makes a person easy drops out. The tested effect
# averages over the classifiers, so the match drops out.


# %%
def two_effects(s):
    """Match and test-group effect of a two-by-two table, rows trained on, columns tested on."""
    (ff, fm), (mf, mm) = np.asarray(s)
    return ((ff - mf) + (mm - fm)) / 2, ((ff + mf) - (mm + fm)) / 2


assert two_effects(toy) == (2.0, 3.0)

# %% [markdown]
# The library does the same from participants' scores, where each person has a score from both classifiers: the match
# is then a paired comparison, the test group's level one between different people. It must agree with the four
# numbers when everybody in a group is alike.

# %%
alike = pd.DataFrame({
    "own": [58.0] * 3 + [55.0] * 3, "other": [56.0] * 3 + [53.0] * 3, "test_group": ["female"] * 3 + ["male"] * 3
})  # fmt: skip
check = statistics.crossed_effects(alike, "female", "male", plan)
assert (check.match.difference.value, check.tested.difference.value) == two_effects(toy)

# %% [markdown]
# ## The run

# %%
scores = study.scores(settings, store)
constants = study.constants(settings, store)
conditions = ["gender-dependent", "gender-independent"]
arms = list(dict.fromkeys(scores["arm"]))
normalised = "deepfn" if "deepfn" in arms else next(a for a in arms if a not in ("original", "oracle"))
label = figures.arm_label(normalised)

# %%
lines = statistics.direction_table(scores, constants, plan, conditions)
figures.direction_bars(
    lines, "Fig. 5 redrawn: each training and testing group. Whiskers: bootstrap over participants; dashes: the best "
    "constant of the same splits.",
)  # fmt: skip

# %% [markdown]
# Look at the columns by *test* group before comparing within with cross. If both classifiers do better on the same
# group, that group is easier here. And look at the dashes: a group that moves more often in the units that are
# coded has a better constant, without any picture.

# %%
shown = ["train_group", "test_group", "arm", "participants", "mean", "sd", "low", "high", "constant", "roc_auc"]
few = lines[lines["arm"].isin(["original", normalised, "oracle"])]
table(few[shown], "Scores of each direction, percent.", formats={"participants": "d"},
      headings={"train_group": "trained on", "test_group": "tested on", "roc_auc": "ROC AUC"})  # fmt: skip

# %%
by_condition = statistics.condition_table(scores, constants, plan, conditions=conditions)
columns = ["condition", "arm", "participants", "mean", "low", "high", "paper", "constant", "share", "roc_auc"]
table(by_condition[columns], "Both directions together, beside Table 5; the last but one column is the share of the "
      "oracle's gain.", formats={"participants": "d", "share": ".2f"}, headings={"roc_auc": "ROC AUC"})  # fmt: skip

# %% [markdown]
# ## Match and test group, apart
#
# For every arm the two effects, with intervals over participants. A normalisation that removes what separates the
# groups should bring the match to zero. It need not touch the other effect.


# %%
def effects(arm, value="score"):
    people = statistics.crossed_scores(scores, "gender", arm, value)
    return statistics.crossed_effects(people, "female", "male", plan)


crossed = {arm: effects(arm) for arm in arms}

# %%
rows = [
    {"label": f"{name}, {figures.arm_label(arm)}", "difference": c.difference.value, "low": c.difference.low,
     "high": c.difference.high}
    for name in ("match", "tested") for arm in arms for c in [getattr(crossed[arm], name)]
]  # fmt: skip
figures.interval_plot(
    pd.DataFrame(rows), "Match (own minus other group's classifier) and test group (women minus men), points; the "
    "grey band counts as similar.", margin=margin,
)  # fmt: skip

# %% [markdown]
# The same for the constants, which see no faces at all. Whatever difference they show between women and men comes
# from base rates.

# %%
floors = [
    statistics.participant_constants(
        constants, condition="gender-dependent", test_group=group, column="best_constant_score"
    )
    for group in ("female", "male")
]  # fmt: skip
floor_gap = statistics.compare(*floors, plan)
real = [statistics.published(f"constants.{group}.best-constant").value for group in ("female", "male")]
auc = effects("original", "roc_auc")
display(Markdown(
    f"Women minus men: the best constants {floor_gap}; classifiers on original faces {crossed['original'].tested}, by "
    f"ROC AUC {auc.tested}. On the real label lists the best constants have {real[0]:.1f} for women and {real[1]:.1f} "
    "for men, so in the paper a difference of this sign is expected before any face is looked at."
))  # fmt: skip

# %% [markdown]
# ## Are women's movements more intense?
#
# The paper explains the difference by intensity: besides present or absent, coders grade five units from A, a trace,
# to E, the strongest possible; files hold 1 to 5, and 0 for absent. "More intense on average" has two meanings.
# Averaged over *all* frames, somebody who smiles often is intense; over *active* frames only, somebody who smiles
# strongly is.

# %%
faces = study.faces(settings, store)
graded = [f"{unit}_intensity" for unit in ("AU06", "AU10", "AU12", "AU14", "AU17")]
bp4d = faces.frames[faces.frames["dataset"] == "BP4D"]
levels = bp4d[graded].astype(float).where(lambda v: v >= 0)  # −1: not coded
gender = faces.participants.set_index("participant")["gender"].astype(str)
assert levels.max().max() <= 5

# %%
per_person = {
    "all frames": levels.groupby(bp4d["participant"]).mean(),
    "active frames": levels.where(levels > 0).groupby(bp4d["participant"]).mean(),
}  # each: participants × units


def women_minus_men(values):
    """Compare one number a participant between the genders, on the scale of the values."""
    return statistics.compare(*(values[gender.reindex(values.index) == g] for g in ("female", "male")), plan)


# %% [markdown]
# A participant is one number again; frames of one person are no independent evidence.

# %%
intensity = {name: women_minus_men(values.mean(axis=1).dropna()) for name, values in per_person.items()}
rows = [
    {"what": f"{name}, {unit}", "women": c.first, "men": c.second, "difference": c.difference.value,
     "low": c.difference.low, "high": c.difference.high, "p": c.ours.p, "effect": c.effect}
    for name, values in per_person.items()
    for unit, c in [("mean of the five", intensity[name])]
    + [(column.removesuffix("_intensity"), women_minus_men(values[column].dropna())) for column in graded]
]  # fmt: skip
digits = dict.fromkeys(("women", "men", "difference", "low", "high", "effect"), ".2f")
table(pd.DataFrame(rows), "Intensity (0–5) over participants: Welch's test and Hedges' g.", formats=digits)

# %% [markdown]
# If intensity explains the difference, a person with stronger movements should score higher *within* each gender too.
# The correlation inside each group is a weak check, but one that the group means cannot pass by accident.

# %%
original = statistics.crossed_scores(scores, "gender", "original")
level = original[["own", "other"]].mean(axis=1).dropna()
strength = per_person["all frames"].mean(axis=1).reindex(level.index)
inside = {
    group: float(np.corrcoef(level[members], strength[members])[0, 1]) if len(members) > 2 else np.nan
    for group in ("female", "male")
    for members in [level.index[(gender.reindex(level.index) == group) & strength.notna()]]
}
display(Markdown("Correlation of intensity and score: " + ", ".join(f"{g} {r:.2f}" for g, r in inside.items()) + "."))

# %% [markdown]
# ## Against the paper, claim by claim


# %%
people = partial(statistics.participant_scores, scores)


claim = partial(statistics.table_claim, scores, plan=plan)


# %%
within, cross = conditions
claims = [
    claim("within beats cross, original", "higher", (within, "original"), (cross, "original"), "p.gender.gap"),
    claim(
        f"{label} beats original, cross",
        "higher",
        (cross, normalised),
        (cross, "original"),
        "p.gender.gain-independent",
    ),
    claim(
        f"{label} beats original, within",
        "higher",
        (within, normalised),
        (within, "original"),
        "p.gender.gain-dependent",
    ),
]

# %% [markdown]
# The sentence about women holds in the paper "irrespective of" training group and arm, so it is four claims. The
# paper tested intensity too, without saying on which of the two meanings; both are listed. Intensities have their own
# scale, so no margin in points applies to them: the claim holds if the test rejects after Holm's correction, fails if
# the whole interval is negative.

# %%
quoted = statistics.published("p.gender.women-beat-men")
claims += [
    statistics.Claim(
        f"women beat men, trained on {group}, {figures.arm_label(arm)}", "higher",
        statistics.compare(people(None, arm, train_group=group, test_group="female"),
                           people(None, arm, train_group=group, test_group="male"), plan),
        paper_p=f"{quoted.relation} {quoted.printed}",
    )
    for arm in ("original", normalised) for group in ("female", "male")
]  # fmt: skip
judged = statistics.judge(claims, plan)

# %%
display(Markdown("> " + statistics.RULE))
p_columns = {"paper_p": "p, paper's value", "p_two_sample": "p, paper's test", "p_ours": "p, ours", "p_holm": "p, Holm"}
columns = ["claim", "paper", "difference", "low", "high", "test", *p_columns, "effect", "verdict"]
table(judged[columns], "The claims of §5.2; differences in points.", headings=p_columns, formats={"effect": ".2f"})

# %%
adjusted = dict(zip(intensity, statistics.holm([c.ours.p for c in intensity.values()], plan.level)))


def intensity_verdict(name):
    d = intensity[name].difference
    if adjusted[name] < plan.level:
        return statistics.HOLDS if d.value > 0 else statistics.FAILS
    return statistics.FAILS if d.high < 0 else statistics.OPEN


verdicts = {name: intensity_verdict(name) for name in intensity}
display(Markdown("Women more intense: " + "; ".join(f"over {name}, **{v}**" for name, v in verdicts.items()) + "."))

# %% [markdown]
# The paper also concludes that normalisation works "beyond gender" because the normalised cross score exceeds the
# original within score. And it reports one average gain over the four combinations.

# %%
beyond = statistics.compare(people(cross, normalised), people(within, "original"), plan)
means = lines.pivot_table(index=["train_group", "test_group"], columns="arm", values="mean")
gains = (means[normalised] - means["original"]).dropna()
display(Markdown(
    f"{label}, cross, minus original, within: {beyond}. Mean gain over the {len(gains)} combinations: "
    f"{gains.mean():+.1f} points, from {gains.min():+.1f} to {gains.max():+.1f}; the paper's "
    f"{statistics.published('gain.gender').printed}."
))  # fmt: skip

# %% [markdown]
# ## What we learned

# %%
strong, often = intensity["active frames"], intensity["all frames"]
display(Markdown(
    f"On these faces the match of training and test gender is worth {crossed['original'].match}, and a woman in the "
    f"test {crossed['original'].tested} over a man; the best constants differ by {floor_gap}. With {label} the match "
    f"is {crossed[normalised].match}. Women's intensity is {often.first:.2f} over all frames against men's "
    f"{often.second:.2f}, and {strong.first:.2f} against {strong.second:.2f} over active frames. The paper's "
    f"{len(judged)} claims: " + ", ".join(f"{n} × {verdict}" for verdict, n in judged["verdict"].value_counts().items())
    + ". The gap is paired over people, so the ease of a test group cancels in it; the four bars of Fig. 5 show both "
    "effects at once, and should not be read as generalization alone."
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Compute match and test-group effect by ROC AUC for every arm. Which of the two effects was base rates?

# %% tags=["hide-cell"]
rows = [
    {"arm": figures.arm_label(arm), "match": str(e.match), "women minus men": str(e.tested)}
    for arm in arms for e in [effects(arm, "roc_auc")]
]  # fmt: skip
table(pd.DataFrame(rows), "The two effects by ROC AUC.")

# %% [markdown]
# **2.** Which action units does the match depend on? Compute it for each unit.

# %% tags=["hide-cell"]
units = sorted(scores.loc[scores["condition"].isin(conditions), "action_unit"].unique())
matches = {u: statistics.crossed_effects(
    statistics.crossed_scores(scores[scores["action_unit"] == u], "gender", "original"), "female", "male", plan
).match for u in units}  # fmt: skip
table(pd.DataFrame({"action unit": units, "match": [str(m) for m in matches.values()]}),
      "Match of each unit, original.")  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
