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
# # Recognising action units
#
# **What does a score of 55 mean, and does a small network earn more than somebody who never looks at the face?**
#
# The Facial Action Coding System describes a face by its muscles. Each *action unit* (AU) is one visible movement
# with a number: AU12 pulls the lip corners up, AU04 lowers the brows. Trained coders watch a video frame by frame
# and write down which units *occur*. A classifier that does the same gives, for each frame, one yes or no for each
# unit. This chapter builds the paper's classifier, its loss and its score from section 3.3 and 4.3, watches one
# training, and finds out how much of the score comes for free.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
watched_arm = "original"  # the faces on which one training is watched
watched_repetition = 0  # which random split of the person-independent condition
shown_unit = "AU12"  # the action unit whose best and worst answers are pictured

# %% [markdown]
# One thread is enough for a network of this size, and makes this page come out the same twice.

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow(threads=1)

# %%
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from keras import layers

from deepfn_lib import page
from deepfn_lib.frames import BP4D_ACTION_UNITS, SHARED_ACTION_UNITS
from deepfn_lib.measures import score
from deepfn_lib.page import figures, say, table
from deepfn_lib.recognition import bank, networks
from deepfn_lib.statistics import published
from deepfn_lib.statistics.constants import always_absent, always_present, indifference
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
settings = study.settings
figures.use_theme()

# %% [markdown]
# ## What the paper says, and where we differ
#
# Section 3.3 takes LeNet-5, "a simple and lightweight solution (388K parameters)", and binary cross-entropy, which
# lets several units be active in one image. Section 4.3 trains it with Adam and keeps the epoch with the best F1 on
# two validation people.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | no activation in dense layers | ReLU | as its convolutions; classic LeNet used tanh | small |
# | no batch size | `classifier_batch` | something has to be chosen | as of the learning rate |
# | no word on inputs' scale | less the training mean, over the deviation | else low contrast loses | one rule for all |
# | 50 epochs for every model | `epochs`, `person_epochs` for one person | short epochs, few steps | fewer steps |
# | 20 repetitions | `repetitions`, `person_repetitions` | forty people, a model each | more noise |
# | F1 of a unit that never occurs | a policy, `empty_f1` | 0/0 has no value | large in DISFA, see below |
# | missing labels not mentioned | masked in loss and score | some frames were never coded | none where all are |
# | no chance level | constants that see no image | a score needs its floor | changes how Table 5 reads |

# %% [markdown]
# ## A toy: ten frames and one action unit
#
# Ten frames, of which the coder marked three. Our pretended classifier says "present" in three as well, and is right
# in two of them. Can you compute its score before you read on?

# %%
truth = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
answer = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0])

# %% [markdown]
# Four kinds of frame: hits, false alarms, misses, and correct silences.

# %%
hits = np.sum((truth == 1) & (answer == 1))
false_alarms = np.sum((truth == 0) & (answer == 1))
misses = np.sum((truth == 1) & (answer == 0))
silences = np.sum((truth == 0) & (answer == 0))

# %% [markdown]
# *Accuracy* is the share of frames that are right. *F1* ignores the silences and asks how well the "present" answers
# and the "present" frames overlap:
#
# $$\mathrm{accuracy} = \frac{\mathrm{hits} + \mathrm{silences}}{\mathrm{all}}, \qquad
# F_1 = \frac{2\,\mathrm{hits}}{2\,\mathrm{hits} + \mathrm{false\ alarms} + \mathrm{misses}}.$$
#
# > we first computed the average between the F1-score and accuracy for each of the action units (at a threshold of
# > 0.5), and then aggregated them for each of the participants. (§4.3)

# %%
accuracy = (hits + silences) / len(truth)
f1 = 2 * hits / (2 * hits + false_alarms + misses)
toy_score = (f1 + accuracy) / 2

# %%
say(
    "F1 is {f1:.3f}, accuracy {accuracy:.3f}, so the toy's score is **{score:.3f}**, "
    "or {percent:.1f} as the paper writes it.",
    f1=f1,
    accuracy=accuracy,
    score=toy_score,
    percent=100 * toy_score,
)

# %% [markdown]
# The library does this for all participants and units at once. It has to agree with our ten frames.

# %%
labels, chances = truth[:, None], answer[:, None].astype(float)
library = score.evaluate(labels, chances, np.zeros(10, int), 1, settings.empty_f1)
assert np.isclose(score.score(library["f1"], library["accuracy"]), toy_score)

# %% [markdown]
# ## What does silence earn?
#
# Suppose a unit occurs in a share $p$ of the frames, and a predictor has no camera. If it always says "present",
# every frame with the unit is a hit, so its accuracy is $p$ and its F1 is $2p/(1+p)$. If it always says "absent",
# its accuracy is $1-p$ and its F1 is zero. The score is the mean of the two, and so a constant answer earns
# something at every $p$.

# %%
share = np.linspace(0.01, 0.99, 99)
by_constant = {
    "always present": always_present(share),
    "always absent": always_absent(share),
}

# %%
figure = go.Figure()
for name, values in by_constant.items():
    figure.add_scatter(x=share, y=100 * values, mode="lines", name=name)
figure.add_vline(x=indifference(), line={"dash": "dot", "color": "#7F7F7F"})
caption = (
    "What a constant answer earns when a unit occurs in a given share of the frames. "
    "At the dotted line the two constants are worth the same."
)
figures.finish(figure, caption, x="share of frames with the unit", y="score, %")

# %% [markdown]
# Both lines meet at $p = (\sqrt{17}-3)/4$, a little over a quarter. For units that are more frequent than this the
# blind thing to do is to say "present" all the time, and for frequent units it earns a lot. Where the lines are low,
# near the crossing, is where a classifier can show what it sees. A unit can therefore score higher than another for
# no other reason than that it occurs more often, and so can a group of people.

# %% [markdown]
# ### The same on the labels of this study
#
# The template's participant never takes part in the analysis (§3.2). For everyone else we count, for each unit, the
# frames that were coded and the frames in which it occurs.

# %%
faces = study.faces
own = faces.frames["participant"] == study.template.participant
analysed = faces.frames[~own]


# %%
def counts(dataset, units):
    """Coded frames and frames with the unit: two tables, participants × units."""
    frames = analysed[analysed["dataset"] == dataset]
    labels, people = frames[list(units)], frames["participant"].astype(str)
    return (labels >= 0).groupby(people).sum(), (labels == 1).groupby(people).sum()


# %% [markdown]
# Three predictors that see no image: always present, always absent, and for each unit the one of the two that is
# better on average. The third is the strongest constant there is, and no published table of the paper shows it.


# %%
def blind_scores(dataset, units, empty_f1):
    """Mean score over participants and units, percent, of image-free predictors."""
    coded, present = counts(dataset, units)
    always = score.constant_score(present, coded, True, empty_f1)
    never = score.constant_score(present, coded, False, empty_f1)
    better = np.nanmean(always, axis=0) > np.nanmean(never, axis=0)
    best = np.where(better, always, never)
    each = {"always present": always, "always absent": never, "best constant": best}
    means = {name: np.nanmean(values, axis=1) for name, values in each.items()}
    return {name: 100 * np.nanmean(mean) for name, mean in means.items()}


# %%
datasets = [name for name in ("BP4D", "DISFA") if (analysed["dataset"] == name).any()]
tasks = [(name, SHARED_ACTION_UNITS) for name in datasets]
if "BP4D" in datasets:
    tasks.insert(0, ("BP4D", BP4D_ACTION_UNITS))

# %%
rows = []
for dataset, units in tasks:
    found = blind_scores(dataset, units, settings.empty_f1)
    rows.append({"dataset": dataset, "units": len(units), **found})
table(pd.DataFrame(rows), "Scores of predictors that see no image, percent.")

# %% [markdown]
# ### A unit that never occurs
#
# What is F1 when a participant never shows a unit and the classifier never claims it? The fraction is 0/0 and the
# paper is silent. Granting 0 punishes a perfect answer; granting 1 rewards silence; leaving the unit out changes the
# mean over units. The policy of this run is the setting `empty_f1`; here is what it is worth to the best constant.

# %%
rows = []
for policy in score.EMPTY_F1:
    found = {name: blind_scores(name, SHARED_ACTION_UNITS, policy) for name in datasets}
    best = {name: scores["best constant"] for name, scores in found.items()}
    rows.append({"policy": policy, **best})

# %%
caption = (
    "Best constant on the five shared units under each policy for an empty F1, percent."
)
table(pd.DataFrame(rows), caption)

# %%
cells = []
for name in datasets:
    _, present = counts(name, SHARED_ACTION_UNITS)
    cells.append(f"{(present == 0).to_numpy().sum()} in {name}")
say(
    "Participant × unit cells without a single positive frame: {cells}. Where there "
    "are none the policies agree.",
    cells=", ".join(cells),
)

# %% [markdown]
# ## From Table 3 to a network
#
# Two convolutions that see, each followed by an average over 2×2 pixels, and three dense layers that decide. The face
# comes in as 64×64 numbers; twelve sigmoids say how likely each unit is.

# %%
lenet = keras.Sequential(
    [
        keras.Input((64, 64, 1)),
        layers.Conv2D(6, 3, activation="relu"),  # 62, 62, 6
        layers.AveragePooling2D(2),  # 31, 31, 6
        layers.Conv2D(16, 3, activation="relu"),  # 29, 29, 16
        layers.AveragePooling2D(2),  # 14, 14, 16
        layers.Flatten(),  # 3136
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(12, activation="sigmoid"),
    ]
)

# %% [markdown]
# The paper's "388K" is a check on our reading of the table: kernels of 3×3 without padding, and a flattened vector of
# 3136. Another padding would change the count.

# %%
assert lenet.count_params() == networks.LENET_PARAMETERS[12] == 388_564
theirs = networks.build("lenet-5", 12, seed=0)
assert [w.shape for w in lenet.weights] == [w.shape for w in theirs.weights]

# %% [markdown]
# Nearly all of these parameters sit in one place. The first dense layer holds the weights from every pixel of the
# sixteen small maps to 120 units: LeNet-5 is mostly a table of *where* on the face something has to be bright or
# dark. That is the reason to expect that it suffers when the next face has its mouth elsewhere, and gains when all
# faces are moved onto one template.

# %%
part = max(layer.count_params() for layer in lenet.layers) / lenet.count_params()
say("{part:.0%} of the weights are in one dense layer.", part=part)

# %% [markdown]
# ## The loss, with missing labels
#
# Binary cross-entropy asks of each unit separately how surprised the network was by the label $y$ when it said $\hat
# p$:
#
# $$\ell = -\frac{1}{|M|}\sum_{(i,a)\in M} \bigl[\,y_{ia}\log \hat p_{ia} + (1-y_{ia})\log(1-\hat p_{ia})\bigr],$$
#
# where $M$ holds the pairs of frame $i$ and unit $a$ that somebody coded. A missing label is stored as −1 and is
# outside
# $M$: it neither pulls nor pushes.


# %%
def masked_cross_entropy(labels, probabilities):
    coded = labels >= 0
    surprise = labels * np.log(probabilities) + (1 - labels) * np.log(1 - probabilities)
    return -surprise[coded].mean()


# %% [markdown]
# Two frames and two units, one label missing. The library's loss must agree, and changing what the network says
# about the missing one must change nothing.

# %%
labels = np.array([[1, 0], [-1, 1]], "float32")
said = np.array([[0.8, 0.3], [0.6, 0.5]], "float32")
library = bank.masked_cross_entropy(labels, tf.constant(said))
assert np.isclose(library, masked_cross_entropy(labels, said))

# %%
others = np.where(labels < 0, 0.1, said)
assert masked_cross_entropy(labels, others) == masked_cross_entropy(labels, said)

# %% [markdown]
# ## One training, watched
#
# Section 4.3 draws four people to train on and two to choose the epoch; all others are tested. The draw is seeded by
# the name of the pool and the repetition, so every arm of the study meets the same people.

# %%
watched = study.changed(repetitions=watched_repetition + 1)
split = watched.models(watched.draw(("people",)))[watched_repetition]
test_rows = split.tests["BP4D"]

# %%
people = faces.frames["participant"].astype(str).to_numpy()
parts = {"train": split.train, "validation": split.validation, "test": test_rows}
shown = pd.DataFrame({"part": list(parts)})
shown["participants"] = [len(set(people[rows])) for rows in parts.values()]
shown["frames"] = [len(rows) for rows in parts.values()]
table(shown, "Who does what in the watched split.")

# %% [markdown]
# `Bank` is Keras's model and Adam, compiled into one call for all epochs; the tests of this repository hold it
# against `keras.Model.fit` with the same shuffles. A study needs a thousand of these trainings for each arm, so it
# matters that nothing is built twice.
#
# It sees a picture $x$ as
#
# $$x' = (x - \bar x) / s,$$
#
# where $\bar x$ is the mean picture of the training frames and $s$ their deviation from it, one number over all pixels.
# Without this, an arm whose pictures have little contrast would lose for its contrast alone; with it, one rule holds
# for every arm, and the setting `classifier_inputs` has the other, grey levels over 255.

# %%
images = study.arm(watched_arm)
own_mean, s = bank.scale(images[split.train], "standardised")
standardised = (images[split.train] - own_mean) / s
assert np.allclose(standardised.mean(axis=0), 0, atol=1e-3)
assert np.isclose(standardised.std(), 1, atol=1e-3)

# %%
say(
    "Here $s$ is {s:.1f} of 255 grey levels; this run has the inputs {inputs}.",
    s=s,
    inputs=settings.classifier_inputs,
)

# %%
y = faces.frames[list(BP4D_ACTION_UNITS)].to_numpy(np.int8)
classifier = bank.Bank(study.training, action_units=12)

# %%
seen = images[split.train], y[split.train]
asked = images[split.validation], y[split.validation]
course = classifier.train(*seen, *asked, seed=settings.seed)

# %%
epochs = np.arange(1, len(course.losses) + 1)
kept = int(epochs[course.best_epoch])
caption = (
    "One training: loss on the training people and F1 on the validation people after "
    "each epoch. The dotted line is the epoch whose weights are kept."
)

# %%
figure = go.Figure()
figure.add_scatter(x=epochs, y=course.losses, name="training loss")
figure.add_scatter(x=epochs, y=course.validation_f1, name="validation F1")
figure.add_vline(x=kept, line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(figure, caption, x="epoch", y="loss, F1 (0–1)")

# %% [markdown]
# The loss falls as long as one lets it; F1 on two other people stops rising early and then wanders. What falls after
# that point is the error on four faces that the network learns by heart. Two validation people also choose the epoch
# with little evidence, and that adds noise to every score of the study.

# %% [markdown]
# ## What does it see?
#
# The test people's frames go through the kept weights. Their scores follow the paper: each participant for each unit,
# then the mean. Beside each unit stands what the best constant earns on the same people.


# %%
def evaluated(rows, chances):
    """What `score.evaluate` finds, person by person, and the people's names."""
    who, groups = np.unique(people[rows], return_inverse=True)
    return score.evaluate(y[rows], chances, groups, len(who), settings.empty_f1), who


def of_constants(found):
    """Scores of always saying "absent", and "present", on what `evaluated` counted."""
    counted = found["n_positive"], found["n_frames"]
    policy = settings.empty_f1
    return [score.constant_score(*counted, says, policy) for says in (False, True)]


# %%
probabilities = classifier.predict(images[test_rows])
measures, who = evaluated(test_rows, probabilities)
scores = score.score(measures["f1"], measures["accuracy"])

# %% [markdown]
# The constant is chosen on the training people only, as a blind competitor would have to.

# %%
silent = np.zeros((len(split.train), 12))  # only the base rates are asked for
absent, present = of_constants(evaluated(split.train, silent)[0])
says_present = np.nanmean(present, axis=0) > np.nanmean(absent, axis=0)
absent, present = of_constants(measures)
floor = np.where(says_present, present, absent)

# %%
by_unit = pd.DataFrame({"action unit": BP4D_ACTION_UNITS})
for name in ("f1", "accuracy", "roc_auc"):
    by_unit[name] = 100 * np.nanmean(measures[name], axis=0)
by_unit["score"] = 100 * np.nanmean(scores, axis=0)
by_unit["constant"] = 100 * np.nanmean(floor, axis=0)
by_unit["above it"] = by_unit["score"] - by_unit["constant"]

# %%
caption = (
    "One classifier on people it has not seen, mean over test participants, percent."
)
headings = {"f1": "F1", "roc_auc": "ROC AUC"}
table(by_unit, caption, formats={"above it": "+.1f"}, headings=headings)

# %% [markdown]
# ROC AUC is the chance that a frame with the unit gets a higher probability than one without, for the same person. It
# is 50 for a constant whatever the base rate, so it says whether something is *seen*, where the score also pays for
# knowing how often a unit occurs. A unit can have an AUC well above 50 and a score below the constant: the order of
# its probabilities is right, the threshold of 0.5 is not.

# %% [markdown]
# ### Its best and worst answers
#
# Each column is one test participant: the surest hit, the surest false alarm, the surest miss and the surest silence
# for the unit named in the parameters; a gap means that there is none. Participants with the fewest gaps come first,
# and among equals those first in the alphabet, so nobody is picked for effect.

# %%
unit = BP4D_ACTION_UNITS.index(shown_unit)
chance, coded = probabilities[:, unit], y[test_rows, unit]
kinds = {
    "hit": (coded == 1, chance),
    "false alarm": (coded == 0, chance),
    "miss": (coded == 1, -chance),
    "silence": (coded == 0, -chance),
}


# %%
def surest(person, kind):
    """The test row of a person where the network was surest in this way, or None."""
    right_kind, sureness = kinds[kind]
    says = (chance >= score.THRESHOLD) == (kind in ("hit", "false alarm"))
    rows = np.flatnonzero(right_kind & says & (people[test_rows] == person))
    return test_rows[rows[np.argmax(sureness[rows])]] if len(rows) else None


def kinds_found(person):
    return sum(surest(person, kind) is not None for kind in kinds)


# %%
# Equals keep the order of their names.
columns = sorted(who, key=kinds_found, reverse=True)[:5]
grid = [[surest(person, kind) for person in columns] for kind in kinds]
names = faces.people()


# %%
def face_in(row):
    return None if row is None else faces.images[row]


def people_in(row):
    return () if row is None else (names[row],)


# %%
caption = (
    f"{shown_unit}: where the classifier was surest, rightly and wrongly; a column is "
    "one test participant."
)
pictures = [[face_in(row) for row in line] for line in grid]
shown = [[people_in(row) for row in line] for line in grid]
page.face_grid(pictures, shown, list(kinds), columns, caption=caption)

# %% [markdown]
# Look down a column: the same face, in a hit and a miss, shows how strong a movement has to be before the network
# dares to answer. Look along a row: false alarms tend to come in the people whose resting face resembles somebody
# else's movement. That is the variance which the paper's normalisation is meant to remove.

# %% [markdown]
# ## Against the paper and the baselines

# %%
quoted = published("person-independent.original")
draws = published("repetitions.person-independent")
say(
    "The paper's person-independent score on original faces is {quoted.printed} "
    "({quoted.sd}), over {draws.printed} repetitions and {quoted.n} people. The "
    "watched split is one draw, so the comparison here is with the constant of its "
    "own people, participant by participant.",
    quoted=quoted,
    draws=draws,
)

# %%
ours, blind = (100 * np.nanmean(values, axis=1) for values in (scores, floor))
ends = [min(*ours, *blind) - 2, max(*ours, *blind) + 2]
caption = (
    "Each test participant of the watched split: the classifier's score over the "
    "constant's."
)

# %%
figure, dots = go.Figure(), {"dash": "dot"}
figure.add_scatter(x=blind, y=ours, mode="markers", name="test participant", text=who)
figure.add_scatter(x=ends, y=ends, mode="lines", name="no better than blind", line=dots)
titles = {"x": "score of the constant, %", "y": "score of the classifier, %"}
figures.finish(figure, caption, **titles)

# %% [markdown]
# People for whom the constant earns much lie to the right, and the classifier's points rise with it: part of the
# difference between people, and between groups of people, is in their base rates and not in their faces. Chapter 09
# puts the constant of the same split beside every number of Table 5 for this reason.

# %% [markdown]
# ## What we learned

# %%
above = int((by_unit["above it"] > 0).sum())
gain = ours - blind
agreement = np.corrcoef(blind, ours)[0, 1]
auc = by_unit["roc_auc"].mean()

# %%
together = "cannot be correlated here"
if np.isfinite(agreement):
    together = f"correlate at {agreement:.2f}"

# %%
say(
    "In this split the classifier scores {ours:.1f} on people it has not seen, and a "
    "constant that learnt nothing but base rates from the same training people scores "
    "{blind:.1f}: {gain:+.1f} points for looking at the face, with {better:.0%} of "
    "the {people} test participants above their constant. It beats the constant on "
    "{above} of 12 units, and its mean ROC AUC is {auc:.1f}, where 50 is blindness. "
    "Over participants, the classifier's score and the constant's {together}. So a "
    "score of this kind is read from its floor, which is nearer to {blind:.0f} than "
    "to 0.",
    ours=ours.mean(),
    blind=blind.mean(),
    gain=gain.mean(),
    better=np.mean(gain > 0),
    people=len(gain),
    above=above,
    auc=auc,
    together=together,
)

# %% [markdown]
# ## Exercises
#
# **1.** The threshold of 0.5 is fixed by the paper. Choose, for each unit, the threshold that gives the best score on
# the validation people, and test it. How much of the score was hiding behind the threshold?


# %% tags=["hide-cell"]
def score_at(rows, chances, thresholds):
    """Mean score over the units, percent, all people of `rows` taken together."""
    moved, together = (chances >= thresholds).astype(float), np.zeros(len(rows), int)
    found = score.evaluate(y[rows], moved, together, 1, settings.empty_f1)
    return 100 * score.score(found["f1"], found["accuracy"])[0]


# %% tags=["hide-cell"]
steps = np.linspace(0.05, 0.95, 19)
validation = classifier.predict(images[split.validation])
each = np.array([score_at(split.validation, validation, step) for step in steps])
chosen = steps[np.nanargmax(np.nan_to_num(each, nan=-1.0), axis=0)]

# %% tags=["hide-cell"]
fixed = np.nanmean(score_at(test_rows, probabilities, score.THRESHOLD))
moved = np.nanmean(score_at(test_rows, probabilities, chosen))
say(
    "Thresholds from two people change the test score by {change:+.1f} points (frames "
    "pooled).",
    change=moved - fixed,
)

# %% [markdown]
# **2.** The paper expects less benefit from normalisation for a stronger classifier. Train the library's small modern
# network on the same split. Does it see more? (Chapter 16 does so for several arms, and asks about the benefit.)

# %% tags=["hide-cell"]
stronger = bank.Bank(replace(study.training, classifier="modern"), action_units=12)
half = max(settings.epochs // 2, 1)
stronger.train(*seen, *asked, seed=settings.seed, epochs=half)
found, _ = evaluated(test_rows, stronger.predict(images[test_rows]))

# %% tags=["hide-cell"]
say(
    "The modern network scores {modern:.1f} after half the epochs, LeNet-5 "
    "{lenet:.1f}; ROC AUC {modern_auc:.1f} against {auc:.1f}.",
    modern=100 * np.nanmean(score.score(found["f1"], found["accuracy"])),
    lenet=ours.mean(),
    modern_auc=100 * np.nanmean(found["roc_auc"]),
    auc=auc,
)

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
