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
templates = 3  # participants who compete, evenly spaced by rank, the first and the last among them
network_templates = 2  # how many of them, again evenly spaced, also get a network of their own
network_share = 0.1  # iterations of each network, as a share of shared_iterations
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 12  # of the resampling

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow()

# %%
import numpy as np
import pandas as pd
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.faces import images
from deepfn_lib.normaliser import comparison, sensitivity
from deepfn_lib.page import figures, table
from deepfn_lib.recognition.arms import arm_scores
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
# > this work leveraged the images of the most expressive subject of the BP4D dataset which was more likely to capture a
# > rich gamut of facial variations (§3.2)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | one template | several, and the mean face | the question of this chapter | one score for each |
# | the template leaves the analysis | all candidates leave it | the same people are tested with each | fewer people |
# | one network per person and template | two methods that cost less | dozens of networks per template | see below |
#
# The two methods are the *flow residual* (no network: what a face does is added to the template's median after their
# geometries are matched) and, for some templates, the *transplanted* reference network of chapter 10, which learns from
# the template's own expressions and from nothing else. If a rich gamut helps, it has to help the second.

# %% [markdown]
# ## A toy: what a template can and cannot do
#
# Take faces of four pixels. The template's usual face is $T$, a person's is $P$, and a frame of theirs is $P + e$
# with expression $e$. The residual method returns $T + e$. Now compare two frames with different expressions.

# %%
random = np.random.default_rng(settings.seed)
person, expressions = random.normal(size=4), random.normal(size=(2, 4))
moved = {name: random.normal(size=4) + expressions for name in ("first template", "second template")}
differences = [faces[0] - faces[1] for faces in moved.values()]
assert np.allclose(*differences)

# %% [markdown]
# The difference between two frames is the same on either template. In this linear world the template only shifts all
# faces alike, and a classifier can undo that with its biases. A template can matter only through what is *not* linear:
# grey levels that are cut off at black and white, the bending from one geometry to another, and for a network, the
# expressions that it has seen.

# %% [markdown]
# ## The candidates
#
# The library picks evenly spaced ranks. The function is short enough to check by hand: of ten ranked people, three
# candidates are the first, the last, and one in the middle.

# %%
ranked = pd.DataFrame(index=[f"P{k}" for k in range(10)])
assert sensitivity.candidates(ranked, 3) == ["P0", "P4", "P9"]

# %%
data, chosen = study.faces(settings, store), study.template(settings, store)
names = sensitivity.candidates(chosen.ranking, templates)
ranks = chosen.ranking.loc[names, ["rank", "median"]]
table(
    ranks.rename_axis("participant").reset_index(),
    "The candidates: rank by the paper's rule, and median count of frames over action units.",
    headings={"median": "median frames"},
)

# %%
medians = images.median_faces(data.images, data.person_names())
mean_face = np.mean(list(medians.values()), axis=0).round().astype(np.uint8)
manifest = data.manifests[chosen.dataset]
who = [f"{manifest}/{name}" for name in names]
page.face_grid(
    [[*(medians[f"{chosen.dataset}/{name}"] for name in names), mean_face]],
    [[*who, page.Mean(data.people())]],
    column_labels=[*names, sensitivity.MEAN_FACE],
    caption="Median faces of the candidates, and the mean of all medians.",
)  # fmt: skip

# %% [markdown]
# ## The run
#
# Every candidate is the template of an arm. The networks get a small part of the study's budget, the same for each. A
# LeNet-5 then learns from four people and is tested on the others, with the same splits for every arm.

# %%
arms = {
    f"{name}, residual": sensitivity.template_arm(settings, store, sensitivity.RESIDUAL, name)
    for name in [*names, sensitivity.MEAN_FACE]
}
smaller = comparison.budget(settings, network_share)
places = np.unique(np.linspace(0, len(names) - 1, network_templates).round().astype(int))
for name in [names[place] for place in places]:
    arms[f"{name}, network"] = sensitivity.template_arm(smaller, store, sensitivity.NETWORK, name)

# %%
scores = arm_scores(settings, store, arms, left_out=names)
by_arm = {arm: statistics.participant_scores(scores, "person-independent", arm=arm) for arm in arms}

# %%
result = []
for arm, values in by_arm.items():
    found = statistics.mean_interval(values, plan)
    auc = 100 * scores.loc[scores["arm"] == arm, "roc_auc"].mean()
    result.append({"template": arm, "score": found.value, "low": found.low, "high": found.high, "ROC AUC": auc})

# %%
result = pd.DataFrame(result)
table(result, "Person-independent score by template, %, with its interval, and ROC AUC, %.")

# %% [markdown]
# ## What it looks like
#
# One moment of one person, moved to every template. The expression should be the same in all of them.

# %%
exclude = [f"{chosen.dataset}/{name}" for name in names]
everyone = data.person_names()
others = np.flatnonzero((data.frames["dataset"] == chosen.dataset).to_numpy() & ~np.isin(everyone, exclude))
own_median = {name: medians[name] for name in np.unique(everyone[others])}
some = others[:: max(1, len(others) // 200)]
equal = images.equalise(data.images[some]).astype(int)
unusual = [np.abs(face - own_median[everyone[r]]).mean() for face, r in zip(equal, some)]
row = int(some[int(np.argmax(unusual))])

# %%
shown = [images.equalise(data.images[row : row + 1])[0], *(np.load(path, mmap_mode="r")[row] for path in arms.values())]
source = data.people()[row]
template_of = [arm.rpartition(",")[0] for arm in arms]
people = [source, *((source,) if t == sensitivity.MEAN_FACE else (source, f"{manifest}/{t}") for t in template_of)]
page.face_grid(
    [shown], [people], column_labels=["the frame", *arms], caption="One frame on every template.",
)  # fmt: skip

# %% [markdown]
# ## Against the paper's rule
#
# The paper's own template is the first candidate. Does it beat the others, with the same people tested?

# %%
rule, rows = names[0], []
for kind in ("residual", "network"):
    own = f"{rule}, {kind}"
    for arm in [name for name in arms if name.endswith(kind) and name != own]:
        found = statistics.mean_interval((by_arm[own] - by_arm[arm]).dropna(), plan)
        label = f"{kind}: {rule} less {arm.rpartition(',')[0]}"
        rows.append({"label": label, "difference": found.value, "low": found.low, "high": found.high})

# %%
against = pd.DataFrame(rows)
figures.interval_plot(
    against, "The paper's template less each other one, points, paired by participant; in grey what counts as similar.",
    margin=margin,
)  # fmt: skip

# %% [markdown]
# ## What we learned

# %%
better, worse = (against["low"] > 0).sum(), (against["high"] < 0).sum()
similar = (against["low"] > -margin) & (against["high"] < margin)
open_ones = (~similar & (against["low"] <= 0) & (against["high"] >= 0)).sum()
best = result.set_index("template")["score"].idxmax()
spread = result["score"].max() - result["score"].min()
display(Markdown(
    f"Between the best template (**{best}**) and the worst lie {spread:.1f} points. Of {len(against)} comparisons the "
    f"most expressive participant wins {better} and loses {worse} beyond chance; in {similar.sum()}, these included or "
    f"not, the whole interval lies within ±{margin:g} points, which we call similar. {open_ones} cannot be told with "
    f"{len(by_arm[best])} people."
))  # fmt: skip

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
residual = result[result["template"].isin([f"{name}, residual" for name in names])]
link = np.corrcoef(ranks["median"], residual["score"])[0, 1]
display(Markdown(f"Correlation over {len(names)} candidates: {link:.2f}. With so few, any value can be chance."))

# %% [markdown]
# **2.** Run the chapter with `templates = 8`. Does the spread between templates grow, and should it, by chance alone?

# %%
page.card(settings, store)
