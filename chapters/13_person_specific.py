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
# # When does person-specific data pay?
#
# **How many coded frames of a person must one have before a classifier trained on that person alone is better than one
# trained on four strangers?**
#
# The paper's person-dependent models see four of a person's eight tasks, well over a thousand coded frames, and
# their score is read as what recognition could reach. A trained coder may need half an hour for a minute of video
# (§1), so the honest price of that score is hours of work for each new person. The paper fixes the number of frames;
# here it is the question.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
frames_per_person = [8, 15, 30, 60, 0]  # coded training frames of each point; 0: all
people = 3  # participants of the curve that is trained here, drawn by the seed; 0: all
write = ""  # file for the curve's rows: so the reference run keeps them
curve_arms = []  # arms of the curve beside the original, the paper's method and ours
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 13  # of the resampling

# %%
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import display

from deepfn_lib import page, statistics
from deepfn_lib.arms import ORIGINAL
from deepfn_lib.page import figures, say, table
from deepfn_lib.page.figures import arm_label
from deepfn_lib.recognition import protocol
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
settings = study.settings
figures.use_theme()
plan = statistics.Plan(confidence, bootstrap_samples, margin, statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > 60.3% can be considered as the optimal performing results for our experimental setting in which no individual
# > differences exists. (§5.1)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | all frames of four tasks | from a handful to all of them | labels have a price | a curve, not a point |
# | 50 epochs | as many steps at every point | few frames make short epochs | shows data, not patience |
# | every participant | a drawn part of them | time | wider intervals |
# | 50 epochs of well over a thousand frames | 400 of a hundred, in the reference run | short epochs | trained |
# | two tasks choose the epoch | the same at every point | only training frames change | flatters the small points |
# | DeepFN | and a method of our own, named as such | it is not the paper's | two answers |
#
# The line on epochs flatters the left end of the curve: somebody with eight coded frames of a person would not have two
# more coded tasks to choose an epoch on. What the curve shows there is an upper bound.

# %% [markdown]
# ## A toy: nested samples and equal steps
#
# Two details decide whether such a curve can be read. The frames of a small point must be *part* of those of a
# larger one, or the luck of the draw comes and goes along the curve. And the number of steps must not fall with the
# number of frames, or we measure impatience.


# %%
def fewer_frames(split, n, seed):
    """The model with `n` of its training frames; a smaller `n` takes part of them."""
    random = protocol.generator(seed, "frames", split.train_group, split.repetition)
    chosen = random.permutation(len(split.train))[:n]
    return replace(split, train=np.sort(split.train[chosen]), label=f"-{n:05d}")


# %%
rows = np.arange(180)
somebody = protocol.Split("person", "somebody", 0, rows[:120], rows[120:], {})
few, more = (fewer_frames(somebody, n, settings.seed).train for n in (8, 30))
assert set(few) <= set(more) <= set(somebody.train)

# %% [markdown]
# With batches of 32, all 120 frames make four steps an epoch and eight frames make one. Equal steps then mean four
# times the epochs.


# %%
def batches(n_frames, batch):
    """Optimiser steps of one epoch, the last of them maybe on a smaller batch."""
    return -(-n_frames // batch)


def equal_steps(n_frames, of_frames, epochs, batch):
    """Epochs on `n_frames` with as many steps as `epochs` on `of_frames`, or more."""
    steps = epochs * batches(of_frames, batch)
    return -(-steps // batches(n_frames, batch))


# %%
toy = pd.DataFrame({"frames": [8, 30, 60, 120]})
toy["epochs"] = [equal_steps(n, 120, epochs=20, batch=32) for n in toy["frames"]]
toy["steps"] = toy["epochs"] * batches(toy["frames"], 32)
assert toy["epochs"].iloc[-1] == 20 and toy["steps"].min() >= toy["steps"].iloc[-1]
table(toy, "Epochs that keep the number of steps.", dict.fromkeys(toy, "d"))

# %% [markdown]
# ## The run
#
# Each point trains its own models: participants × repetitions × arms, in the same bank as all others. Test tasks are
# those of the person-dependent condition.


# %%
def people_of_curve(splits, number, seed):
    """So many of the people who have models of their own, drawn; 0: all."""
    everyone = np.sort(splits["train_group"].unique())
    order = protocol.generator(seed, "people of the curve").permutation(everyone)
    return order[:number] if number else everyone


def point_models(splits, n, training, seed):
    """The models of one point; whoever has fewer than `n` frames has none."""
    models = []
    for split in splits:
        all_frames = len(split.train)
        if all_frames >= n:
            steps = equal_steps(
                n or all_frames, all_frames, training.epochs, training.batch
            )
            fewer = fewer_frames(split, n, seed) if n else split
            models.append(replace(fewer, epochs=steps))
    return models


# %%
def curve_scores(study, splits, counts, training, arms):
    """Scores of all points, with a column `frames_per_person`: the mean number."""
    tables = []
    for n in counts:
        if models := point_models(splits, n, training, study.settings.seed):
            scores = study.scores_of_models(models, arms)
            had = round(np.mean([len(model.train) for model in models]))
            tables.append(scores.assign(frames_per_person=had))
    return pd.concat(tables, ignore_index=True)


# %% [markdown]
# A classifier of one person has a hundred frames, four batches an epoch. To learn from them to the end takes hundreds
# of epochs, at each point of the curve, for each person and arm: more than a reader waits for. So the curve below is
# the reference run's, where there is one for these data, and what this run has had time for is shown beside it, as
# what it is: unfinished.

# %%
compared = study.compared
arms = [arm for arm in study.arms if arm in (ORIGINAL, *compared, *curve_arms)]
kept = statistics.reference_curve() if study.has_reference and not write else None
epochs = settings.person_epochs or settings.epochs
here = None

# %%
if not study.on_reference or kept is None:
    splits = study.draw(("person",))
    chosen = people_of_curve(splits, people, settings.seed)
    whole = study.models(splits[splits["train_group"].isin(chosen)])
    training = replace(study.training, epochs=epochs)
    here = curve_scores(study, whole, frames_per_person, training, arms)
    if write:
        here.to_parquet(write, index=False, compression="zstd")

# %%
if kept is not None:
    curve, source = kept, "the reference run"
    scores, constants = statistics.reference_scores(), statistics.reference_constants()
    epochs_of_curve = statistics.reference_card()["settings"]["person_epochs"]
    arms = [arm for arm in arms if arm in set(curve["arm"])]
else:
    curve, source, epochs_of_curve = here, "this run", epochs
    scores, constants = study.scores, study.constants
drawn = sorted(curve["participant"].unique())

# %%
keys = ["arm", "frames_per_person", "participant", "repetition"]
trainings = len(curve[keys].drop_duplicates())
say(
    "The curve is of {source}: {people} participants, {trainings} trainings of as many "
    "steps as {epochs} epochs of all frames have.",
    source=source,
    people=len(drawn),
    trainings=trainings,
    epochs=epochs_of_curve,
)

# %% [markdown]
# A point is the mean over participants of the paper's score, its whisker the bootstrap interval over participants.


# %%
def point(rows, value="score"):
    """Mean over participants with its interval, percent."""
    values = statistics.participant_scores(rows, value=value)
    mean = statistics.mean_interval(values, plan)
    return {"mean": mean.value, "low": mean.low, "high": mean.high}


# %%
def all_points(value="score"):
    """One row for each arm and number of frames."""
    keys = ["arm", "frames_per_person"]
    groups = curve.groupby(keys, sort=False)
    lines = pd.DataFrame({key: point(rows, value) for key, rows in groups}).T
    return lines.rename_axis(keys).reset_index()


points = all_points()

# %% [markdown]
# The comparison is with classifiers that have never seen the person: the person-independent models of the same run, on
# those of the same participants whom they tested, with four strangers' frames. They have many more frames than any
# point of the curve, so what is compared is not the quantity of labels but whose they are.

# %%
same_people = scores[scores["participant"].isin(drawn)]
floor = statistics.participant_constants(
    constants[constants["participant"].isin(drawn)], "person-dependent"
)


# %%
def strangers(arm, value="score"):
    """The person-independent score of the curve's participants, one number each."""
    which = ("person-independent", arm)
    return statistics.participant_scores(same_people, *which, value=value)


levels = {arm: strangers(arm) for arm in arms}

# %% [markdown]
# The horizontal axis is logarithmic: each point has about twice the frames of the one before it, and twice the
# coder's hours. A curve that rises in a straight line here pays less and less for every further hour.


# %%
def curve_figure(rows, levels, caption, y):
    """Curves over the number of frames; dotted, the level of each arm."""
    x, x_title = "frames_per_person", "coded frames of the person"
    figure = figures.curves(rows, x, caption, x_title, y, log_x=True)
    for arm, values in levels.items():
        line = {"dash": "dot", "color": figures.arm_colour(arm)}
        figure.add_hline(y=values.mean(), line=line)
    return figure


# %%
caption = (
    "Score over the number of coded training frames of the person. Dotted: classifiers "
    "trained on strangers, same participants; grey: the best constant learnt from the "
    "person's own training tasks."
)
figure = curve_figure(points, levels, caption, "score, %")
figure.add_hline(y=floor.mean(), line={"color": "#9A9A9A", "width": 1})
figure

# %% [markdown]
# And how far this run's own trainings came, at its own budget of steps. A curve that lies low here has not been
# trained; it is no evidence about persons.

# %%
shown = []
if kept is not None and here is not None:
    for (arm, n), rows in here.groupby(["arm", "frames_per_person"], sort=False):
        whom = curve["participant"].isin(rows["participant"].unique())
        same = curve[whom & (curve["arm"] == arm)]
        nearest = same["frames_per_person"].unique()
        nearest = nearest[np.abs(nearest - n).argmin()] if len(nearest) else n
        long = statistics.participant_scores(same[same["frames_per_person"] == nearest])
        short = statistics.participant_scores(rows)
        shown.append([arm_label(arm), n, len(short), short.mean(), long.mean()])

# %%
if shown:
    heads = f"{epochs} epochs, this run", f"{epochs_of_curve} epochs, reference run"
    columns = ["arm", "frames", "participants", *heads]
    caption = "The same points trained briefly and to the end, same people, percent."
    display(table(pd.DataFrame(shown, columns=columns), caption))

# %% [markdown]
# The grey line is the trap of this condition. A constant learnt from a person's own tasks knows that person's base
# rates, which is worth something before any pixel is looked at; part of what the paper calls person-specific
# learning is this. To see how much of the rise is *seeing*, look at the area under the ROC curve, which a constant
# cannot move from 50.

# %%
caption = (
    "The same models by ROC AUC; dotted, the classifiers trained on four strangers."
)
auc_levels = {arm: strangers(arm, "roc_auc") for arm in arms}
curve_figure(all_points("roc_auc"), auc_levels, caption, "ROC AUC, %")

# %% [markdown]
# If this curve is flat while the other rises, what the classifier learns from the person is how often the person
# moves; if both rise, it learns what the movement looks like on this face. The two are easily taken for one another,
# and only the second is what one would call recognition.

# %% [markdown]
# ## Where the lines cross
#
# For every point: the person's own frames against four strangers', over the same participants, and how many
# participants are better off with their own. Negative means that the strangers win.


# %%
def at(arm, n):
    """The rows of one point."""
    return curve[(curve["arm"] == arm) & (curve["frames_per_person"] == n)]


def own_minus_strangers(arm, n):
    """The person's own frames against strangers', over the same participants."""
    own = statistics.participant_scores(at(arm, n))
    return statistics.compare(own, levels[arm], plan)


# %%
counts = sorted(curve["frames_per_person"].unique())
crossing = {(arm, n): own_minus_strangers(arm, n) for arm in arms for n in counts}
p_values = [comparison.ours.p for comparison in crossing.values()]
adjusted = dict(zip(crossing, statistics.holm(p_values, plan.level)))

# %%
rows = [
    {
        "arm": arm_label(arm),
        "frames": n,
        "participants": found.difference.n,
        "own frames minus strangers": str(found),
        "p (paired, Holm)": adjusted[arm, n],
    }
    for (arm, n), found in crossing.items()
]

# %%
formats = {"frames": "d", "participants": "d", "p (paired, Holm)": page.p_text}
caption = "A person's own coded frames against four strangers'."
table(pd.DataFrame(rows), caption, formats)

# %% [markdown]
# The p-values are Holm-adjusted over all rows of this table, because it asks the same question at every point. The
# participants of a row are those for whom both numbers exist; a person who happened to train the strangers' models
# in every repetition drops out of the comparison.

# %% [markdown]
# And the other question of the paper's §5.1: are strangers' frames, once normalised, as good as the person's own
# without normalisation? The verdict on its sentence, over all participants, is in chapter 05; here are the people of
# this curve, and the frames that they have at its right end.

# %%
fewest, most = counts[0], counts[-1]
own = statistics.participant_scores(at(ORIGINAL, most))
similar = {arm: statistics.compare(levels[arm], own, plan) for arm in compared}

# %%
labels = {page.whose(arm): found for arm, found in similar.items()}
caption = (
    f"Strangers, normalised, minus the own {most} frames as filmed; the grey band is "
    "the margin of chapter 05."
)
figures.interval_plot(labels, caption, margin=margin)

# %%
page.budget(study)

# %% [markdown]
# ## Against the paper
#
# The paper has one point of this curve: all frames of four tasks. Ours is the right end, on fewer people and rendered
# faces, beside the whole person-dependent condition of the same run.

# %%
ends = []
for arm in arms:
    condition = statistics.participant_scores(scores, "person-dependent", arm)
    quoted = statistics.published_score("person-dependent", arm)
    line = {
        "arm": arm_label(arm),
        "curve, right end": point(at(arm, most))["mean"],
        "whole condition": str(statistics.mean_interval(condition, plan)),
        "paper": f"{quoted.value:.1f} ({quoted.sd:.1f})" if quoted else "",
    }
    ends.append(line)

# %%
table(pd.DataFrame(ends), "The person-dependent score, percent.")

# %% [markdown]
# ## What we learned


# %%
def first_win(arm):
    """The fewest frames that surely beat the strangers' score, in words."""
    won = [n for n in counts if crossing[arm, n].difference.low > 0]
    if won:
        return f"from {min(won)} frames on"
    return f"at none of the points up to {most} frames"


# %%
def rise(arm, value):
    """The means at the two ends."""
    first, last = (point(at(arm, n), value)["mean"] for n in (fewest, most))
    return f"{first:.1f} to {last:.1f}"


# %%
wins = "; ".join(f"{first_win(arm)} ({arm_label(arm)})" for arm in arms)
rises = "; ".join(f"{rise(arm, 'score')} ({arm_label(arm)})" for arm in arms)
say(
    "Training on the person beats training on four strangers, with an interval above "
    "zero, {wins}. From {fewest} to {most} frames the score goes from {rises}, and ROC "
    "AUC from {auc_rises}. A constant that knows the person's base rates has "
    "{floor:.1f}. Whether person-specific data pays is therefore a matter of how many "
    "frames one can afford to code, and a score of this condition is no ceiling: it "
    "still depends on that number.",
    wins=wins,
    fewest=fewest,
    most=most,
    rises=rises,
    auc_rises="; ".join(rise(arm, "roc_auc") for arm in arms),
    floor=floor.mean(),
)

# %%
for arm, found in similar.items():
    words = (
        "Four strangers' frames with **{whose}** minus own {most} as filmed: {found}."
    )
    display(say(words, whose=page.whose(arm), most=most, found=found))

# %% [markdown]
# ## Exercises
#
# **1.** A coder is paid by the frame. At a price of half an hour for a minute of video at 25 frames a second (§1), what
# do the points of the curve cost?

# %% tags=["hide-cell"]
minutes_per_frame = 30 / (60 * 25)
price = pd.DataFrame({"frames": counts})
price["coder's minutes"] = price["frames"] * minutes_per_frame
price["score, %"] = [point(at(ORIGINAL, n))["mean"] for n in counts]
caption = f"Price and score, {arm_label(ORIGINAL)} faces."
table(price, caption, formats={"frames": ".0f"})

# %% [markdown]
# **2.** Which action units need the person most? Compare each unit's ROC AUC at the left and at the right end.


# %% tags=["hide-cell"]
def unit_auc(n):
    """ROC AUC of each action unit at one point, mean over people, percent."""
    return statistics.action_unit_scores(at(ORIGINAL, n), value="roc_auc").mean()


# %% tags=["hide-cell"]
units = pd.DataFrame({str(n): unit_auc(n) for n in (fewest, most)})
units["rise"] = units[str(most)] - units[str(fewest)]
units = units.sort_values("rise", ascending=False)

# %% tags=["hide-cell"]
caption = f"ROC AUC at {fewest} and {most} frames, percent."
table(units.reset_index(), caption, headings={"action_unit": "action unit"})

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
