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
# # Does the template matter?
#
# **The paper moves everyone onto the most expressive participant. Would another face have done as well?**
#
# Chapter 03 followed the paper's rule: count how often each person shows each *action unit*, a single visible movement
# of the face, and take the person with the highest median. The reasoning is that a face which shows much gives the
# network much to learn from. It is plausible, and nobody tested it. Here several templates compete, from the most to
# the least expressive, and one that is nobody at all: the mean of all faces.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
templates = 3  # competing participants, evenly spaced by rank, from first to last
network_templates = 2  # how many of them, evenly spaced, get a joint network
network_iterations = 1000  # of each joint network
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 12  # of the resampling

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow()

# %%
from dataclasses import replace

import numpy as np
import pandas as pd

from deepfn_lib import page, statistics
from deepfn_lib.arms import OURS
from deepfn_lib.faces import images
from deepfn_lib.page import figures, say, table
from deepfn_lib.study import Study
from deepfn_lib.template import MeanFace

# %%
study = Study.open(profile, overrides, artefacts)
figures.use_theme()
plan = statistics.Plan(confidence, bootstrap_samples, margin, statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > this work leveraged the images of the most expressive subject of the BP4D dataset which was more likely to capture a
# > rich gamut of facial variations (§3.2)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | one template | several, and the mean face | the question of this chapter | one score for each |
# | the template leaves the analysis | all candidates leave it | the same people are tested with each | fewer people |
# | one network per person and template | three methods that cost less | dozens of networks per template | below |
#
# The three are the *flow residual* (no network: what a face does is added to the template's median after their
# geometries are matched); *DeepFN, by motion* (chapter 18: one network that is shown whichever face is to be worn, so
# another template costs no training); and, for some templates, the *joint* network of chapter 02, Eq. 1 summed over
# everybody, whose template's decoder learns from the template's own frames. If a rich gamut helps, it has to help the
# last.

# %% [markdown]
# ## A toy: what a template can and cannot do
#
# Take faces of four pixels. The template's usual face is $T$, a person's is $P$, and a frame of theirs is $P + e$
# with expression $e$. The residual method returns $T + e$. Now compare two frames with different expressions.

# %%
random = np.random.default_rng(study.settings.seed)
person, expressions = random.normal(size=4), random.normal(size=(2, 4))
first, second = (random.normal(size=4) + expressions for _ in range(2))  # templates
assert np.allclose(first[0] - first[1], second[0] - second[1])

# %% [markdown]
# The difference between two frames is the same on either template. In this linear world the template only shifts all
# faces alike, and a classifier can undo that with its biases. A template can matter only through what is *not* linear:
# grey levels that are cut off at black and white, the bending from one geometry to another, and for a network, the
# expressions that it has seen.

# %% [markdown]
# ## The candidates
#
# The candidates have evenly spaced ranks. The function is short enough to check by hand: of ten ranked people, three
# candidates are the first, the last, and one in the middle.


# %%
def candidates(ranking, number):
    """Names at evenly spaced ranks of `ranking`, the first and the last among them."""
    number = min(number, len(ranking))
    places = np.linspace(0, len(ranking) - 1, number).round().astype(int)
    return [str(name) for name in ranking.index[np.unique(places)]]


# %%
ranked = pd.DataFrame(index=[f"P{k}" for k in range(10)])
assert candidates(ranked, 3) == ["P0", "P4", "P9"]

# %%
faces, chosen = study.faces, study.template
names = candidates(chosen.ranking, templates)
ranks = chosen.ranking.loc[names, ["rank", "median"]]
caption = (
    "The candidates: rank by the paper's rule, and median count of frames over action "
    "units."
)
headings = {"median": "median frames"}
table(ranks.rename_axis("participant").reset_index(), caption, headings=headings)

# %%
worn = {name: replace(chosen, participant=name) for name in names}
worn |= {MeanFace().name: MeanFace()}
manifest = faces.manifests[chosen.dataset]
wearers = {name: (f"{manifest}/{name}",) for name in names}

# %%
page.face_grid(
    [[template.face_among(faces) for template in worn.values()]],
    [[*wearers.values(), page.Mean(faces.people())]],
    column_labels=list(worn),
    caption="Median faces of the candidates, and the mean of all medians.",
)

# %% [markdown]
# ## The run
#
# Every candidate is the template of an arm. The joint networks get the same small budget each. A LeNet-5 then learns
# from four people and is tested on the others, with the same splits for every arm.

# %%
arms = {}
for name, template in worn.items():
    arms[f"{name}, residual"] = study.wearing(template).arm_path("flow-residual")
for name, template in worn.items():
    arms[f"{name}, motion"] = study.wearing(template).arm_path(OURS)

# %%
iterations = min(network_iterations, study.joint.iterations)
recipe = replace(study.joint, iterations=iterations)
for name in candidates(ranks, network_templates):
    other = study.wearing(worn[name])
    arms[f"{name}, joint network"] = other.joint_arms({name: recipe})[name]

# %%
scores = study.scores_of(arms, left_out=names)
of = {arm: scores[scores["arm"] == arm] for arm in arms}
by_arm = {arm: statistics.participant_scores(rows) for arm, rows in of.items()}

# %%
result = []
for arm, values in by_arm.items():
    mean = statistics.mean_interval(values, plan)
    found = {"score": mean.value, "low": mean.low, "high": mean.high}
    auc = 100 * of[arm]["roc_auc"].mean()
    result.append({"template": arm, **found, "ROC AUC": auc})

# %%
result = pd.DataFrame(result)
caption = "Person-independent score by template, %, with its interval, and ROC AUC, %."
table(result, caption)

# %% [markdown]
# ## What it looks like
#
# One moment of one person, moved to every template. The expression should be the same in all of them.

# %%
tested = faces.frames["dataset"] == chosen.dataset
tested = tested & ~faces.frames["participant"].isin(names)
rows = np.flatnonzero(tested)
rows = rows[:: max(1, len(rows) // 200)]

# %%
equal = images.equalise(faces.images[rows]).astype(int)
own = np.stack([faces.medians[name] for name in faces.names[rows]])
unusual = np.abs(equal - own).mean(axis=(1, 2))
row = int(rows[np.argmax(unusual)])

# %%
source = faces.people()[row]
frame = images.equalise(faces.images[row : row + 1])[0]
moved = [np.load(path, mmap_mode="r")[row] for path in arms.values()]
people = [(source, *wearers.get(arm.rpartition(",")[0], ())) for arm in arms]

# %%
page.face_grid(
    [[frame, *moved]],
    [[source, *people]],
    column_labels=["the frame", *arms],
    caption="One frame on every template.",
)

# %% [markdown]
# ## Against the paper's rule
#
# The paper's own template is the first candidate. Does it beat the others, with the same people tested?

# %%
against = {}
for kind in ("residual", "motion", "joint network"):
    alike = [arm for arm in arms if arm.endswith(kind)]
    for arm in alike[1:]:
        label = f"{kind}: {names[0]} less {arm.rpartition(',')[0]}"
        less = by_arm[alike[0]] - by_arm[arm]
        against[label] = statistics.mean_interval(less, plan)

# %%
caption = (
    "The paper's template less each other one, points, paired by participant; in grey "
    "what counts as similar."
)
figures.interval_plot(against, caption, margin=margin)

# %% [markdown]
# ## What we learned

# %%
lines = figures.interval_rows(against)
better, worse = lines["low"] > 0, lines["high"] < 0
similar = (lines["low"] > -margin) & (lines["high"] < margin)
untold = ~similar & ~better & ~worse
score = result.set_index("template")["score"]

# %%
say(
    "Between the best template (**{best}**) and the worst lie {spread:.1f} points. Of "
    "{comparisons} comparisons the most expressive participant wins {better} and loses "
    "{worse} beyond chance; in {similar}, these included or not, the whole interval "
    "lies within ±{margin:g} points, which we call similar. {untold} cannot be told "
    "with {people} people.",
    best=score.idxmax(),
    spread=score.max() - score.min(),
    comparisons=len(against),
    better=better.sum(),
    worse=worse.sum(),
    similar=similar.sum(),
    untold=untold.sum(),
    margin=margin,
    people=len(by_arm[score.idxmax()]),
)

# %% [markdown]
# Expressiveness is one property of a template. Others may matter as much and are easier to have: an even light, an open
# brow, a skin on which creases show, and consent to be the face that everybody wears. The last is not a technical
# matter, and the discussion comes back to it.

# %% [markdown]
# ## Exercises
#
# **1.** Is the rank by the median the whole story? Correlate the candidates' medians with their scores.
#
# ```{dropdown} A solution
# Below, for the method without a network.
# ```

# %% tags=["hide-cell"]
residual = score[[f"{name}, residual" for name in names]]
link = np.corrcoef(ranks["median"], residual)[0, 1]
say(
    "Correlation over {candidates} candidates: {link}. With so few, any value can be "
    "chance.",
    candidates=len(names),
    link=f"{link:.2f}" if np.isfinite(link) else "not defined",
)

# %% [markdown]
# **2.** Run the chapter with `templates = 8`. Does the spread between templates grow, and should it, by chance alone?

# %%
page.card(study)
