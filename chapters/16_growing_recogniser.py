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
# # Does the benefit last?
#
# **Is normalisation still worth its price when there are more people to learn from, or a better recogniser?**
#
# Everything so far was measured with one small network from 1998 and four people to train it on. A recogniser with more
# examples of how people differ may learn for itself to look past the person. If it does, a normaliser helps most where
# data are few, and is a detour where they are many.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
training_people = [4, 8, 16]  # numbers of people to train the study's classifier on
classifiers = ["lenet-5", "modern"]  # from simple to complex, trained on the study's number of people
growth_arms = ["original", "deepfn", "oracle"]  # arms to compare; the first is what the others gain over
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 16  # of the resampling

# %%
from functools import cache

import numpy as np
import pandas as pd
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, interval_text, table
from deepfn_lib.recognition import growth
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
# > we would expect to see greater DeepFN benefits when reducing the number of training subjects as well as reducing the
# > complexity of the network [...] In contrast, we may expect decreased benefits when significantly increasing the
# > number of training subjects as well as increasing the complexity of the neural network. (§6)
#
# The paper leaves it at the expectation. Here it is measured.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | four training people | four and more | its question | fewer people are left to test |
# | LeNet-5 | and a small modern residual network | its question | an answer for one step up |
# | 50 epochs | the profile's epochs at every size | one protocol | more people make more steps |
# | all eight conditions | person-independent | the condition without groups | says nothing about groups |
#
# Training sets are nested: the people of a small one are part of every larger one. And since larger sets leave fewer
# people to test, sizes are compared over those people whom all of them tested, in the same repetition.

# %% [markdown]
# ## A toy: learning what to look past
#
# Invented people whose "faces" are thirty numbers. An expression moves all of them a little. People differ from one
# another in ten directions, and by much more. A linear classifier learns to tell expression from rest, once on the
# numbers as they are and once with everybody's own offset removed, which is what a perfect normaliser does.


# %%
def invented_people(number, random, features=30, ways=10, frames=40):
    """Numbers of `number` people at rest and with an expression: normalised, as they are, and labels of 1 and -1."""
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(features, ways)))[0].T
    person = random.normal(size=(number, 1, ways)) @ directions * 3
    labels = random.choice([-1.0, 1.0], size=(number, frames))
    shown = labels[..., None] * 0.15 + random.normal(size=(number, frames, features)) * 0.4
    return shown.reshape(-1, features), (shown + person).reshape(-1, features), labels.ravel()


# %%
def right(train, test, labels, test_labels):
    """Share of `test_labels` that a least-squares classifier of `train` names rightly, percent."""
    bias = [np.column_stack([x, np.ones(len(x))]) for x in (train, test)]
    weights = np.linalg.lstsq(bias[0], labels, rcond=None)[0]
    return 100 * np.mean(np.sign(bias[1] @ weights) == test_labels)


# %%
toy_sizes, draws = [2, 4, 8, 16, 32], 20
lines = []
for n in toy_sizes:
    for draw in range(draws):
        random = np.random.default_rng([settings.seed, n, draw])
        (calm, raw, y), (calm_test, raw_test, y_test) = invented_people(n, random), invented_people(50, random)
        lines += [{"arm": "original", "people": n, "right": right(raw, raw_test, y, y_test)},
                  {"arm": "oracle", "people": n, "right": right(calm, calm_test, y, y_test)}]  # fmt: skip

# %%
toy = pd.DataFrame(lines).groupby(["arm", "people"], sort=False)["right"].mean().rename("mean").reset_index()
toy_gain = toy.pivot(index="people", columns="arm", values="mean").eval("oracle - original")
assert toy_gain[toy_sizes[0]] > toy_gain[toy_sizes[-1]]
figures.curves(toy, "people", "A linear classifier on invented people, as they are and with the person removed.",
               "training people", "right, %", log_x=True)  # fmt: skip

# %% [markdown]
# With few people the classifier cannot know which differences are the person's; with more people than there are ways to
# differ it has seen them all and ignores them, and then removing the person gains little. Whether sixteen
# people are "many" for faces depends on how many ways there are for faces to differ. That is the empirical question.

# %% [markdown]
# ## The run
#
# The study's own size comes from the scores of chapter 05; the others are trained here, on the same draws of people.

# %%
arms = [arm for arm in growth_arms if arm in study.arms(settings, store)]
everything, notices = growth.growing_scores(settings, store, arms, training_people, classifiers)
for notice in notices:
    print(notice)
scores = growth.tested_in_all(everything)
shared, tested = scores["participant"].nunique(), everything["participant"].nunique()
display(Markdown(f"{shared} of {tested} participants were tested at every size; all comparisons are over them."))

# %%
base = arms[0]
own = (settings.train_people, settings.classifier)


def rows_at(size):
    """The rows of one size: (training people, classifier)."""
    return scores[(scores["train_people"] == size[0]) & (scores["classifier"] == size[1])]


@cache
def level(size, arm, value="score"):
    """Participants' scores of one size and arm, percent."""
    return statistics.participant_scores(rows_at(size), "person-independent", arm, value=value)


def benefit(size, arm):
    """What each participant gains over the original faces at one size, points."""
    return level(size, arm) - level(size, base)


# %%
@cache
def gain_of(size, arm):
    """The mean benefit with its interval."""
    return statistics.mean_interval(benefit(size, arm), plan)


@cache
def share_of(size, arm):
    """How much of what perfect normalisation gains an arm gains, in words."""
    share = statistics.oracle_share(level(size, arm), level(size, base), level(size, "oracle"), plan)
    return interval_text(share.value, share.low, share.high, digits=2)


def line_of(size, arm):
    """One row of the tables: the mean with its interval, AUC, the gain over the original, the oracle's share."""
    mean = statistics.mean_interval(level(size, arm), plan)
    row = {"train_people": size[0], "classifier": size[1], "arm": arm, "mean": mean.value, "low": mean.low,
           "high": mean.high, "roc_auc": level(size, arm, "roc_auc").mean()}  # fmt: skip
    if arm != base:
        gain = gain_of(size, arm)
        row["gain"] = interval_text(gain.value, gain.low, gain.high, sign=True)
    if "oracle" in arms and arm not in (base, "oracle"):
        row["share"] = share_of(size, arm)
    return row


# %%
sizes = list(scores[growth.POINT].drop_duplicates().sort_values(growth.POINT).itertuples(index=False, name=None))
lines = pd.DataFrame([line_of(size, arm) for size in sizes for arm in arms])
text = lines.assign(arm=lines["arm"].map(figures.arm_label)).drop(columns=["low", "high"])
text["train_people"] = text["train_people"].astype(str)
headings = {"train_people": "training people", "mean": "score, %", "roc_auc": "ROC AUC, %",
            "gain": f"gain over {figures.arm_label(base)}", "share": "share of the oracle's gain"}  # fmt: skip

# %% [markdown]
# ## More people to learn from

# %%
more = lines[lines["classifier"] == settings.classifier]
figures.curves(
    more, "train_people", f"Person-independent score of {settings.classifier} over the number of people it was trained "
    "on; the same test people at every number.", "training people", "score, %", log_x=True,
)  # fmt: skip

# %%
table(text[text["classifier"] == settings.classifier].drop(columns="classifier"),
      "Scores by number of training people.", headings=headings)  # fmt: skip

# %% [markdown]
# Look at the distance between the lines and not at their slope. Parallel lines say that the normaliser adds something
# that more people do not teach; lines that meet say that people and normaliser teach the same thing. The oracle's line
# shows how much there is to add. Where it rises faster than the others, the share falls although the gain does not: a
# sign that with more people the classifier can use details that the normaliser does not carry over.

# %% [markdown]
# ## What is normalisation worth in people?
#
# The same comparison as a price: the original faces of more people against normalised faces of the study's number.
# While the difference is negative, normalising is worth more than finding and coding the additional people.

# %%
normalised = next((arm for arm in arms if arm not in (base, "oracle")), arms[-1])
bought = {
    size[0]: statistics.compare(level(size, base), level(own, normalised), plan)
    for size in sizes if size[1] == settings.classifier and size[0] >= own[0]
}  # fmt: skip
adjusted = dict(zip(bought, statistics.holm([c.ours.p for c in bought.values()], plan.level)))

# %%
rows = [{"people, original faces": str(n), "minus": f"{own[0]}, {figures.arm_label(normalised)}", "difference": str(c),
         "p (paired, Holm)": adjusted[n]} for n, c in bought.items()]  # fmt: skip
table(pd.DataFrame(rows), "Original faces of more people against normalised faces of few, points.",
      formats={"p (paired, Holm)": page.p_text})  # fmt: skip

# %% [markdown]
# ## A stronger classifier
#
# The modern network has residual blocks and group normalisation, and looks at the same 64 × 64 pixels of the same
# training people. It stands for one step up from LeNet-5, and not for the state of the art.

# %%
table(text[text["train_people"] == str(own[0])].drop(columns="train_people"),
      f"Scores by classifier, {own[0]} training people.", headings=headings)  # fmt: skip

# %% [markdown]
# Compare the step from one classifier to the other with the step from one arm to the other. The first costs a few lines
# of Keras, the second a normaliser. All benefits side by side, those of perfect normalisation included:

# %%
benefits = []
for size in sizes:
    for arm in arms[1:]:
        gain = gain_of(size, arm)
        benefits.append({"label": f"{size[0]} people, {size[1]}: {figures.arm_label(arm)}", "difference": gain.value,
                         "low": gain.low, "high": gain.high})  # fmt: skip
figures.interval_plot(pd.DataFrame(benefits), "Gain over the original faces at every size, with its interval. The "
                      "band is what counts as similar.", x="gain, points", margin=margin)  # fmt: skip

# %% [markdown]
# ## Against the paper
#
# The expectation is two statements, and a reader who has to decide needs two more: is there still a benefit at the
# largest number of people, and with the stronger classifier?


# %%
def higher(text, first, second):
    return statistics.Claim(text, "higher", statistics.compare(first, second, plan))


# %%
by_people = [size for size in sizes if size[1] == settings.classifier]
by_classifier = [(own[0], name) for name in classifiers if (own[0], name) in sizes]
steps = [*zip(by_people[:1], by_people[-1:]), *zip(by_classifier, by_classifier[1:])]
steps = [(small, large) for small, large in steps if small != large]


def named(size):
    return f"{size[1]}, {size[0]} people"


# %%
claims = []
for small, large in steps:
    claims += [
        higher(f"{named(large)}: {figures.arm_label(normalised)} beats the original", level(large, normalised),
               level(large, base)),
        higher(f"the benefit is larger with {named(small)} than with {named(large)}", benefit(small, normalised),
               benefit(large, normalised)),
    ]  # fmt: skip

# %%
judged = statistics.judge(claims, plan)
table(judged[["claim", "difference", "low", "high", "participants", "p_holm", "verdict"]],
      "The paper's expectation, and what a reader needs beside it; points.", headings={"p_holm": "p, Holm"},
      formats={"participants": "d", "p_holm": page.p_text})  # fmt: skip

# %% [markdown]
# ## What we learned


# %%
def gains(of_sizes):
    """The benefit at each of some sizes, in words."""
    found = {size: gain_of(size, normalised) for size in of_sizes}
    return ", ".join(f"{interval_text(g.value, g.low, g.high, sign=True)} ({named(size)})" for size, g in found.items())


# %%
caught_up = [n for n, c in bought.items() if n > own[0] and c.difference.high >= 0]
price = (
    f"The original faces of {min(caught_up)} people are the first that are no longer surely worse than the normalised "
    f"ones of {own[0]}." if caught_up else f"The original faces of {max(bought)} people are still surely worse than "
    f"the normalised ones of {own[0]}." if max(bought) > own[0] else ""
)  # fmt: skip
of_oracle = ""
if "oracle" in arms:
    told = [f"{share_of(size, normalised)} ({named(size)})" for size in dict.fromkeys([*by_people, *by_classifier])]
    of_oracle = f"Of what perfect normalisation gains, that is a share of {', '.join(told)}. "
verdicts = "; ".join(f"{row.claim}: *{row.verdict}*" for row in judged.itertuples())
display(Markdown(
    f"Under the profile {settings.profile}, {figures.arm_label(normalised)} gains {gains(by_people)} over faces as "
    f"filmed; by classifier, {gains(by_classifier)}. {of_oracle}{price} Of the statements: {verdicts}."
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Which action units stop needing the normaliser as people are added? Compare the benefit of each unit at the two
# ends.


# %% tags=["hide-cell"]
def unit_benefit(size):
    """Benefit of each action unit, mean over participants, points."""
    by_arm = {
        arm: statistics.action_unit_scores(rows_at(size), "person-independent", arm).mean()
        for arm in (normalised, base)
    }  # fmt: skip
    return by_arm[normalised] - by_arm[base]


units = pd.DataFrame({f"{by_people[0][0]} people": unit_benefit(by_people[0]),
                      f"{by_people[-1][0]} people": unit_benefit(by_people[-1])})  # fmt: skip
table(units.rename_axis("action unit").reset_index(), "Benefit by action unit, points.",
      formats=dict.fromkeys(units, "+.1f"))  # fmt: skip

# %% [markdown]
# **2.** In the toy, what happens if people differ in as many ways as there are numbers?

# %% tags=["hide-cell"]
wide = []
for n in toy_sizes:
    random = np.random.default_rng([settings.seed, n])
    (calm, raw, y), (calm_test, raw_test, y_test) = (invented_people(k, random, ways=30) for k in (n, 50))
    wide.append({"training people": str(n), "as they are": right(raw, raw_test, y, y_test),
                 "person removed": right(calm, calm_test, y, y_test)})  # fmt: skip
assert all(row["person removed"] - row["as they are"] > toy_gain[toy_sizes[-1]] for row in wide)
table(pd.DataFrame(wide), "Thirty ways to differ in thirty numbers: right, percent.")

# %% [markdown]
# Nothing is left that belongs to the expression alone, so no number of people teaches the classifier to look past the
# person, and the normaliser keeps its benefit for good.

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
