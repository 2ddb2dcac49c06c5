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
# # Across datasets
#
# **Is a classifier lost in another dataset because faces look different there, or because movements are rarer
# there?**
#
# The paper's last experiment trains on BP4D or on DISFA and tests on both, with the five action units that the two
# share. DISFA's people watch a video and mostly sit still; BP4D's go through eight tasks made to move them. So two
# things change with the dataset: what a face looks like (camera, light), and the *prior*, how often each unit occurs.
# Normalising faces can only mend the first.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 8  # of the resampling

# %%
from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.errors import StudyError
from deepfn_lib.frames import SHARED_ACTION_UNITS
from deepfn_lib.page import figures, table
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics.constants import always_absent, always_present, indifference
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
figures.use_theme()
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, margin=margin, seed=statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > the difference in class priors across the two datasets may have limited the ability to learn (§5.4)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | DISFA's 0–5 made 0/1: not said | present from 2 on | the literature's rule | rarer units |
# | priors named as a reason | priors measured | it can be counted | a floor for each direction |
# | score only | and ROC AUC | priors do not move it | looks apart from priors |
# | template from BP4D | the same | the rule of §3.2 | DISFA is further from it |
# | two-sample t-test | paired, Welch's, Holm's too | who is in both is known | fewer accidents |

# %% [markdown]
# ## A toy: a constant that travels
#
# Chapter 04 has shown what "always present" and "always absent" score where a share $p$ of the frames is positive:
#
# $$\tfrac12\left(\tfrac{2p}{1+p} + p\right) \quad\text{and}\quad \tfrac12(1 - p).$$
#
# They cross at $p = (\sqrt{17} - 3)/4$. A unit that lies above it in one dataset and below it in the other punishes
# whoever learnt the prior on the wrong side. Take a unit present in half of the frames here and a twentieth there.

# %%
here_rate, there_rate = 0.50, 0.05
best_here = "present" if here_rate > indifference() else "absent"
travels = always_present(there_rate) if best_here == "present" else always_absent(there_rate)
stays = max(always_present(there_rate), always_absent(there_rate))
assert np.isclose(always_present(indifference()), always_absent(indifference()))
display(Markdown(f"Learnt here, “always {best_here}” scores {100 * travels:.1f} there; the best constant there has "
                 f"{100 * stays:.1f}."))  # fmt: skip

# %% [markdown]
# No pixel was involved, and the travelling constant loses more than any gap of the paper.

# %%
p = np.linspace(0, 1, 101)
figure = go.Figure()
figure.add_scatter(x=p, y=100 * always_present(p), name="always present", line={"color": "#D55E00"})
figure.add_scatter(x=p, y=100 * always_absent(p), name="always absent", line={"color": "#0072B2"})
figure.add_vline(x=indifference(), line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(figure, "The paper's score of two constants over the share of positive frames.", x="share of positive "
               "frames", y="score, %", height=300)  # fmt: skip

# %% [markdown]
# ## The priors of the two datasets
#
# How often does each shared unit occur? Shares are means over participants, of the frames that are coded.

# %%
frames = study.faces(settings, store).frames
labels = frames[list(SHARED_ACTION_UNITS)].astype(float).where(lambda v: v >= 0)
person_rates = labels.groupby([frames["dataset"].astype(str), frames["participant"].astype(str)]).mean()
rates = person_rates.groupby("dataset").mean().T  # units × datasets
crossing = rates[(rates > indifference()).nunique(axis=1) > 1].index

# %%
table((rates * 100).reset_index(names="action unit"), "Share of positive frames, percent of coded frames.")

# %%
display(Markdown(
    f"{len(crossing)} of {len(rates)} units lie on different sides of the crossing at {indifference():.0%}"
    + (f": {', '.join(crossing)}. For these the better constant changes with the dataset." if len(crossing) else ".")
))  # fmt: skip

# %% [markdown]
# ## The run

# %%
scores = study.scores(settings, store)
constants = study.constants(settings, store)
conditions = ["dataset-dependent", "dataset-independent"]
arms = list(dict.fromkeys(scores["arm"]))
normalised = "deepfn" if "deepfn" in arms else next(a for a in arms if a not in ("original", "oracle"))
label = figures.arm_label(normalised)
if not set(conditions) <= set(scores["condition"]):
    raise StudyError("this chapter compares two datasets and the run has one; give both BP4D and DISFA")

# %%
scores, whole = scores[scores["condition"].isin(conditions)], scores
lines = statistics.direction_table(scores, constants, plan, conditions)
figures.direction_bars(
    lines, "Fig. 7 redrawn: each training and testing dataset. Whiskers: bootstrap over participants; dashes: the "
    "best constant of the training people, carried to the test people.",
)  # fmt: skip

# %% [markdown]
# Read the dashes across: they fall where the training set's priors mislead. If the bars follow the dashes, the figure
# shows priors.

# %%
by_condition = statistics.condition_table(scores, constants, plan, conditions=conditions)
columns = ["condition", "arm", "participants", "mean", "low", "high", "paper", "constant", "best_constant", "share",
           "roc_auc"]  # fmt: skip
table(by_condition[columns], "Both directions together, beside Table 5. Constant: learnt in training; best constant: "
      "of the test people. Share: of the oracle's gain.", formats={"participants": "d", "share": ".2f"},
      headings={"best_constant": "best constant", "roc_auc": "ROC AUC"})  # fmt: skip

# %% [markdown]
# The same bracket exists for the paper's own cross score: constants carried over on the real labels below it, the
# target's best constants above.

# %%
sizes = np.array([statistics.published(f"participants.{name}").value for name in ("bp4d", "disfa")])
carried, own = (
    np.average([statistics.published(f"constants.{name}-5.{kind}").value for name in ("bp4d", "disfa")], weights=sizes)
    for kind in ("carried-over", "best-constant")
)
paper_cross = statistics.published("dataset-independent.original")
display(Markdown(
    f"On the real label lists, carried constants {carried:.1f}, the paper's cross score on original faces "
    f"{paper_cross.printed}, the target's own best constants {own:.1f}."
))  # fmt: skip

# %% [markdown]
# ## How much of the gap is prior?
#
# The gap is the within score minus the cross score of the same participants. Beside it, the gap of the constants,
# which is prior alone, and the gap in ROC AUC, which is no prior at all.


# %%
people = partial(statistics.participant_scores, scores)


def gap(arm, value="score"):
    return statistics.compare(*(people(condition, arm, value=value) for condition in conditions), plan)


floors = [statistics.participant_constants(constants, condition) for condition in conditions]
floor_gap = statistics.compare(*floors, plan)

# %%
rows = [
    {"label": f"{name}, {figures.arm_label(arm)}", "difference": c.difference.value, "low": c.difference.low,
     "high": c.difference.high}
    for name, value in (("score", "score"), ("ROC AUC", "roc_auc")) for arm in arms for c in [gap(arm, value)]
]  # fmt: skip
d = floor_gap.difference
rows.append({"label": "score, constants", "difference": d.value, "low": d.low, "high": d.high})
figures.interval_plot(
    pd.DataFrame(rows), "Within minus cross, points; the grey band counts as similar.", margin=margin,
    x="within minus cross, points",
)  # fmt: skip

# %% [markdown]
# ### By direction
#
# The paper's gains are 8.3 points in three combinations and 2.1 from BP4D to DISFA, and it offers two reasons: priors
# and a template far from DISFA. If priors were all, the gain in ROC AUC would be as large there as elsewhere.


# %%
def direction_gain(train, test, value):
    arms_of = (people(None, arm, value=value, train_group=train, test_group=test) for arm in (normalised, "original"))
    return statistics.compare(*arms_of, plan)


pairs = list(lines[["train_group", "test_group"]].drop_duplicates().itertuples(index=False, name=None))
gains = {pair: [direction_gain(*pair, value) for value in ("score", "roc_auc")] for pair in pairs}

# %%
three = np.mean([g[0].difference.value for pair, g in gains.items() if pair != ("BP4D", "DISFA")])
rows = [{"trained on": a, "tested on": b, "gain, score": str(s), "gain, ROC AUC": str(r)}
        for (a, b), (s, r) in gains.items()]  # fmt: skip
display(table(pd.DataFrame(rows), f"Gain of {label} over original faces."))
display(Markdown(f"Mean of the three others: {three:+.1f} points (paper "
                 f"{statistics.published('gain.dataset.three').printed})."))  # fmt: skip

# %% [markdown]
# ### Match and dataset
#
# The two effects of chapter 06: *match*, own against other dataset's classifier on the same people, and *tested*,
# BP4D's people minus DISFA's under both.

# %%
rows = []
for arm in arms:
    e = statistics.crossed_effects(statistics.crossed_scores(scores, "dataset", arm), "BP4D", "DISFA", plan)
    rows.append({"arm": figures.arm_label(arm), "match": str(e.match), "BP4D minus DISFA": str(e.tested)})
table(pd.DataFrame(rows), "The two effects, points.")

# %% [markdown]
# ## Against the paper, claim by claim


# %%
claim = partial(statistics.table_claim, scores, plan=plan)


# %%
within, cross = conditions
claims = [
    claim("within beats cross, original", "higher", (within, "original"), (cross, "original"), "p.dataset.gap"),
    claim(
        f"{label} beats original, cross",
        "higher",
        (cross, normalised),
        (cross, "original"),
        "p.dataset.gain-independent",
    ),
    claim(
        f"{label} beats original, within",
        "higher",
        (within, normalised),
        (within, "original"),
        "p.dataset.gain-dependent",
    ),
    claim(f"a gap remains with {label}", "higher", (within, normalised), (cross, normalised), "p.dataset.gap-deepfn"),
]

# %% [markdown]
# The paper also says that within beats cross in each combination of Fig. 7. For people of one dataset that is one
# claim each: their own classifier against the other's.


# %%
def own_beats_other(test, arm):
    other = "DISFA" if test == "BP4D" else "BP4D"
    quoted = statistics.published("p.dataset.within-beats-cross")
    both = [people(None, arm, train_group=group, test_group=test) for group in (test, other)]
    return statistics.Claim(f"on {test}, own beats other, {figures.arm_label(arm)}", "higher",
                            statistics.compare(*both, plan), paper_p=f"{quoted.relation} {quoted.printed}")  # fmt: skip


claims += [own_beats_other(test, arm) for arm in ("original", normalised) for test in ("BP4D", "DISFA")]
judged = statistics.judge(claims, plan)

# %%
display(Markdown("> " + statistics.RULE))
p_columns = {"paper_p": "p, paper's value", "p_two_sample": "p, paper's test", "p_ours": "p, ours", "p_holm": "p, Holm"}
columns = ["claim", "paper", "difference", "low", "high", "test", *p_columns, "effect", "verdict"]
table(judged[columns], "The claims of §5.4; differences in points.", headings=p_columns, formats={"effect": ".2f"})

# %% [markdown]
# Last, a remark of the paper that is easy to check: BP4D → BP4D here is the person-independent condition with five
# units instead of twelve, and slightly higher for it.

# %%
five = people(None, "original", train_group="BP4D", test_group="BP4D")
twelve = statistics.participant_scores(whole, "person-independent", "original")
remark = statistics.compare(five, twelve, plan)
display(Markdown(f"Five units minus twelve, original faces: {remark}."))

# %% [markdown]
# ## What we learned

# %%
score_gap, auc_gap, after = gap("original"), gap("original", "roc_auc"), gap(normalised)
display(Markdown(
    f"Changing the dataset costs {score_gap} on original faces (paper {statistics.published('gap.dataset').printed}); "
    f"constants, which see no face, lose {floor_gap}; ROC AUC, which knows no prior, {auc_gap}. With {label} "
    f"the gap is {after}. From BP4D to DISFA {label} gains {gains['BP4D', 'DISFA'][0]}, by ROC AUC "
    f"{gains['BP4D', 'DISFA'][1]}. The paper's {len(judged)} claims: "
    + ", ".join(f"{n} × {v}" for v, n in judged["verdict"].value_counts().items())
    + ". Whatever the faces look like, a score at a fixed threshold carries the training set's priors with it."
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Which unit loses most by the change of dataset? Compare its gap with that of its constant.

# %% tags=["hide-cell"]
rows = []
for unit in SHARED_ACTION_UNITS:
    one, floor = (t[t["action_unit"] == unit] for t in (scores, constants))
    seen = [statistics.participant_scores(one, c, "original") for c in conditions]
    blind = [statistics.participant_constants(floor, c) for c in conditions]
    rows.append({"action unit": unit, "classifier": str(statistics.compare(*seen, plan)),
                 "constant": str(statistics.compare(*blind, plan))})  # fmt: skip
table(pd.DataFrame(rows), "Within minus cross of each unit, original faces.")

# %% [markdown]
# **2.** DISFA's rule for "present" is ours (from intensity 2 on). How do its priors change if a trace already counts?
# Set `disfa_threshold` to 1 in the parameters and run again; the shares can be computed at once.

# %% tags=["hide-cell"]
disfa = frames[frames["dataset"] == "DISFA"]
levels = disfa[[f"{unit}_intensity" for unit in SHARED_ACTION_UNITS]].astype(float).where(lambda v: v >= 0)
shares = pd.DataFrame({f"from {t}": ((levels >= t).where(levels.notna()).mean() * 100) for t in (1, 2, 3)})
table(shares.reset_index(names="unit").replace("_intensity", "", regex=True),
      "Positive frames of DISFA by rule, percent.")  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
