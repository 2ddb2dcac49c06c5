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
watched_repetition = 0  # which random split of the person-independent condition is watched
shown_unit = "AU12"  # the action unit whose best and worst answers are pictured

# %% [markdown]
# One thread is enough for a network of this size, and makes this page come out the same twice.

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow(threads=1)

# %%
import keras
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from deepfn_lib import page, study
from deepfn_lib.artefacts import Store
from deepfn_lib.frames import BP4D_ACTION_UNITS, SHARED_ACTION_UNITS
from deepfn_lib.measures import score
from deepfn_lib.page import figures, table
from deepfn_lib.recognition import bank, networks, protocol
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics import published
from deepfn_lib.statistics.constants import always_absent, always_present, indifference
from IPython.display import Markdown, display
from keras import layers

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
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
display(Markdown(
    f"F1 is {f1:.3f}, accuracy {accuracy:.3f}, so the toy's score is **{toy_score:.3f}**, or "
    f"{100 * toy_score:.1f} as the paper writes it."
))  # fmt: skip

# %% [markdown]
# The library does this for all participants and units at once. It has to agree with our ten frames.

# %%
library = score.evaluate(truth[:, None], answer[:, None].astype(float), np.zeros(10, int), 1, settings.empty_f1)
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
by_constant = {"always present": always_present(share), "always absent": always_absent(share)}
turning_point = indifference()

# %%
figure = go.Figure()
for name, values in by_constant.items():
    figure.add_scatter(x=share, y=100 * values, mode="lines", name=name)
figure.add_vline(x=turning_point, line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(
    figure, "What a constant answer earns when a unit occurs in a given share of the frames. "
    "At the dotted line the two constants are worth the same.", x="share of frames with the unit", y="score, %",
)  # fmt: skip

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
faces = study.faces(settings, store)
template = study.template(settings, store)
analysed = faces.frames[faces.frames["participant"] != template.participant]


def counts(dataset, units):
    """Coded frames and frames with the unit: two tables, participants × action units."""
    frames = analysed[analysed["dataset"] == dataset]
    labels, people = frames[list(units)], frames["participant"].astype(str)
    return (labels >= 0).groupby(people).sum(), (labels == 1).groupby(people).sum()


# %% [markdown]
# Three predictors that see no image: always present, always absent, and for each unit the one of the two that is
# better on average. The third is the strongest constant there is, and no published table of the paper shows it.


# %%
def blind_scores(dataset, units, empty_f1):
    """Mean score over participants and units, in percent, of each image-free predictor."""
    coded, present = counts(dataset, units)
    always, never = (score.constant_score(present, coded, says, empty_f1) for says in (True, False))
    better = np.where(np.nanmean(always, axis=0) > np.nanmean(never, axis=0), always, never)
    each = {"always present": always, "always absent": never, "best constant": better}
    return {name: 100 * np.nanmean(np.nanmean(values, axis=1)) for name, values in each.items()}


# %%
available = [d for d in ("BP4D", "DISFA") if (analysed["dataset"] == d).any()]
tasks = [("BP4D", BP4D_ACTION_UNITS), *((d, SHARED_ACTION_UNITS) for d in ("BP4D", "DISFA"))]
blind = [
    {"dataset": d, "units": len(units), **blind_scores(d, units, settings.empty_f1)}
    for d, units in tasks if d in available
]  # fmt: skip
table(pd.DataFrame(blind), "Scores of predictors that see no image, percent.", formats={"units": "d"})

# %% [markdown]
# ### A unit that never occurs
#
# What is F1 when a participant never shows a unit and the classifier never claims it? The fraction is 0/0 and the
# paper is silent. Granting 0 punishes a perfect answer; granting 1 rewards silence; leaving the unit out changes the
# mean over units. The policy of this run is the setting `empty_f1`; here is what it is worth to the best constant.

# %%
policies = [
    {"policy": policy, **{d: blind_scores(d, SHARED_ACTION_UNITS, policy)["best constant"] for d in available}}
    for policy in score.EMPTY_F1
]  # fmt: skip
cells = {d: int((counts(d, SHARED_ACTION_UNITS)[1] == 0).to_numpy().sum()) for d in available}

# %%
table(pd.DataFrame(policies), "Best constant on the five shared units under each policy for an empty F1, percent.")

# %%
display(Markdown(
    "Participant × unit cells without a single positive frame: "
    + ", ".join(f"{n} in {d}" for d, n in cells.items()) + ". Where there are none the policies agree."
))  # fmt: skip

# %% [markdown]
# ## From Table 3 to a network
#
# Two convolutions that see, each followed by an average over 2×2 pixels, and three dense layers that decide. The face
# comes in as 64×64 grey values between 0 and 1; twelve sigmoids say how likely each unit is.

# %%
lenet = keras.Sequential([
    keras.Input((64, 64, 1)),
    layers.Conv2D(6, 3, activation="relu"),   # 62, 62, 6
    layers.AveragePooling2D(2),               # 31, 31, 6
    layers.Conv2D(16, 3, activation="relu"),  # 29, 29, 16
    layers.AveragePooling2D(2),               # 14, 14, 16
    layers.Flatten(),                         # 3136
    layers.Dense(120, activation="relu"),
    layers.Dense(84, activation="relu"),
    layers.Dense(12, activation="sigmoid"),
])  # fmt: skip

# %% [markdown]
# The paper's "388K" is a check on our reading of the table: kernels of 3×3 without padding, and a flattened vector of
# 3136. Another padding would change the count.

# %%
assert lenet.count_params() == networks.LENET_PARAMETERS[12] == 388_564
assert [w.shape for w in lenet.weights] == [w.shape for w in networks.build("lenet-5", 12, seed=0).weights]

# %% [markdown]
# Nearly all of these parameters sit in one place. The first dense layer holds the weights from every pixel of the
# sixteen small maps to 120 units: LeNet-5 is mostly a table of *where* on the face something has to be bright or
# dark. That is the reason to expect that it suffers when the next face has its mouth elsewhere, and gains when all
# faces are moved onto one template.

# %%
largest = max(lenet.layers, key=lambda layer: layer.count_params())
part = largest.count_params() / lenet.count_params()
display(Markdown(f"{part:.0%} of the weights are in one dense layer."))

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
assert np.isclose(bank.masked_cross_entropy(labels, tf.constant(said)), masked_cross_entropy(labels, said))

# %%
said_otherwise = np.where(labels < 0, 0.1, said)
assert masked_cross_entropy(labels, said_otherwise) == masked_cross_entropy(labels, said)

# %% [markdown]
# ## One training, watched
#
# Section 4.3 draws four people to train on and two to choose the epoch; all others are tested. The draw is seeded by
# the name of the pool and the repetition, so every arm of the study meets the same people.

# %%
sizes = protocol.Sizes(
    settings.train_people, settings.validation_people, settings.train_tasks, settings.validation_tasks
)
drawn, notices = protocol.draw_splits(
    faces.frames, faces.participants, template=template.participant, repetitions=watched_repetition + 1,
    sizes=sizes, seed=settings.seed, families=("people",),
)  # fmt: skip
split = protocol.rows_of(drawn, faces.frames)[watched_repetition]

# %%
test_rows = split.tests["BP4D"]
people = faces.frames["participant"].astype(str).to_numpy()
parts = {"train": split.train, "validation": split.validation, "test": test_rows}
drawn_table = [{"part": n, "participants": len(set(people[r])), "frames": len(r)} for n, r in parts.items()]
table(pd.DataFrame(drawn_table), "Who does what in the watched split.", formats={"participants": "d", "frames": "d"})

# %% [markdown]
# `Bank` is Keras's model and Adam, compiled into one call for all epochs; the tests of this repository hold it
# against `keras.Model.fit` with the same shuffles. A study needs a thousand of these trainings for each arm, so it
# matters that nothing is built twice.

# %%
images = study.arm(settings, store, watched_arm)
y = faces.frames[list(BP4D_ACTION_UNITS)].to_numpy(np.int8)
training = bank.Training(
    classifier=settings.classifier, epochs=settings.epochs, batch=settings.classifier_batch,
    learning_rate=settings.classifier_learning_rate, empty_f1=settings.empty_f1,
)  # fmt: skip
classifier = bank.Bank(training, action_units=12)

# %%
course = classifier.train(
    images[split.train], y[split.train], images[split.validation], y[split.validation], seed=settings.seed
)

# %%
epochs = np.arange(1, len(course.losses) + 1)
figure = go.Figure()
figure.add_scatter(x=epochs, y=course.losses, name="training loss")
figure.add_scatter(x=epochs, y=course.validation_f1, name="validation F1")
figure.add_vline(x=int(epochs[course.best_epoch]), line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(
    figure, "One training: loss on the training people and F1 on the validation people after each epoch. "
    "The dotted line is the epoch whose weights are kept.", x="epoch", y="loss, F1 (0–1)",
)  # fmt: skip

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
probabilities = classifier.predict(images[test_rows])
who, groups = np.unique(people[test_rows], return_inverse=True)
measures = score.evaluate(y[test_rows], probabilities, groups, len(who), settings.empty_f1)
scores = score.score(measures["f1"], measures["accuracy"])
constants = np.stack([
    score.constant_score(measures["n_positive"], measures["n_frames"], says, settings.empty_f1)
    for says in (False, True)
])  # fmt: skip

# %% [markdown]
# The constant is chosen on the training people only, as a blind competitor would have to.

# %%
train_people, train_groups = np.unique(people[split.train], return_inverse=True)
rates = score.evaluate(
    y[split.train], np.zeros((len(split.train), 12)), train_groups, len(train_people), settings.empty_f1
)
learnt = [score.constant_score(rates["n_positive"], rates["n_frames"], s, settings.empty_f1) for s in (False, True)]
says_present = np.nanmean(learnt[1], axis=0) > np.nanmean(learnt[0], axis=0)
floor = np.where(says_present, constants[1], constants[0])

# %%
by_unit = pd.DataFrame({"action unit": BP4D_ACTION_UNITS})
for name in ("f1", "accuracy", "roc_auc"):
    by_unit[name] = 100 * np.nanmean(measures[name], axis=0)
by_unit["score"], by_unit["constant"] = 100 * np.nanmean(scores, axis=0), 100 * np.nanmean(floor, axis=0)
by_unit["above it"] = by_unit["score"] - by_unit["constant"]
table(by_unit, "One classifier on people it has not seen, mean over test participants, percent.",
      headings={"f1": "F1", "roc_auc": "ROC AUC"}, formats={"above it": "+.1f"})  # fmt: skip

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
chance, truth_shown = probabilities[:, unit], y[test_rows, unit]
kinds = {
    "hit": (truth_shown == 1, chance), "false alarm": (truth_shown == 0, chance),
    "miss": (truth_shown == 1, -chance), "silence": (truth_shown == 0, -chance),
}  # fmt: skip


# %%
def surest(person, kind):
    """The test row of a person where the network was surest in this way; None where there is none."""
    right_kind, sureness = kinds[kind]
    says = (chance >= score.THRESHOLD) == (kind in ("hit", "false alarm"))
    candidates = np.flatnonzero(right_kind & says & (groups == person))
    return test_rows[candidates[np.argmax(sureness[candidates])]] if len(candidates) else None


# %%
def kinds_found(person):
    return sum(surest(person, kind) is not None for kind in kinds)


columns = sorted(range(len(who)), key=kinds_found, reverse=True)[:5]  # equals keep the order of their names
grid = [[surest(person, kind) for person in columns] for kind in kinds]
names = faces.people()
page.face_grid(
    [[None if row is None else faces.images[row] for row in line] for line in grid],
    [[() if row is None else (names[row],) for row in line] for line in grid],
    list(kinds), [who[p] for p in columns],
    caption=f"{shown_unit}: where the classifier was surest, rightly and wrongly; a column is one test participant.",
)  # fmt: skip

# %% [markdown]
# Look down a column: the same face, in a hit and a miss, shows how strong a movement has to be before the network
# dares to answer. Look along a row: false alarms tend to come in the people whose resting face resembles somebody
# else's movement. That is the variance which the paper's normalisation is meant to remove.

# %% [markdown]
# ## Against the paper and the baselines

# %%
quoted, draws = published("person-independent.original"), published("repetitions.person-independent")
display(Markdown(
    f"The paper's person-independent score on original faces is {quoted.printed} ({quoted.sd}), over {draws.printed} "
    f"repetitions and {quoted.n} people. The watched split is one draw, so the comparison here is with the constant of "
    "its own people, participant by participant."
))  # fmt: skip

# %%
person_scores, person_floor = 100 * np.nanmean(scores, axis=1), 100 * np.nanmean(floor, axis=1)
figure = go.Figure()
figure.add_scatter(x=person_floor, y=person_scores, mode="markers", name="test participant", text=who)
reach = [min(person_floor.min(), person_scores.min()) - 2, max(person_floor.max(), person_scores.max()) + 2]
figure.add_scatter(x=reach, y=reach, mode="lines", name="no better than blind", line={"dash": "dot"})
figures.finish(
    figure, "Each test participant of the watched split: the classifier's score over the constant's.",
    x="score of the constant, %", y="score of the classifier, %",
)  # fmt: skip

# %% [markdown]
# People for whom the constant earns much lie to the right, and the classifier's points rise with it: part of the
# difference between people, and between groups of people, is in their base rates and not in their faces. Chapter 09
# puts the constant of the same split beside every number of Table 5 for this reason.

# %% [markdown]
# ## What we learned

# %%
above = int((by_unit["above it"] > 0).sum())
gain = person_scores - person_floor
agreement = np.corrcoef(person_floor, person_scores)[0, 1]
auc = by_unit["roc_auc"].mean()

# %%
display(Markdown(
    f"""In this split the classifier scores {person_scores.mean():.1f} on people it has not seen, and a constant that
learnt nothing but base rates from the same training people scores {person_floor.mean():.1f}: {gain.mean():+.1f} points
for looking at the face, with {np.mean(gain > 0):.0%} of the {len(gain)} test participants above their constant. It
beats the constant on {above} of 12 units, and its mean ROC AUC is {auc:.1f}, where 50 is blindness. Over participants,
the classifier's score and the constant's correlate at {agreement:.2f}. So a score of this kind is read from its
floor, which is nearer to {person_floor.mean():.0f} than to 0."""
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** The threshold of 0.5 is fixed by the paper. Choose, for each unit, the threshold that gives the best score on
# the validation people, and test it. How much of the score was hiding behind the threshold?

# %% tags=["hide-cell"]
validation = classifier.predict(images[split.validation])
steps = np.linspace(0.05, 0.95, 19)


def score_at(rows, chances, thresholds):
    """Mean score over the units, percent, all people of `rows` taken together."""
    moved = (chances >= thresholds).astype(float)
    result = score.evaluate(y[rows], moved, np.zeros(len(rows), int), 1, settings.empty_f1)
    return 100 * score.score(result["f1"], result["accuracy"])[0]


choices = np.array([score_at(split.validation, validation, step) for step in steps])
chosen = steps[np.nanargmax(np.nan_to_num(choices, nan=-1.0), axis=0)]
fixed, moved = (np.nanmean(score_at(test_rows, probabilities, at)) for at in (score.THRESHOLD, chosen))
display(Markdown(f"Thresholds from two people change the test score by {moved - fixed:+.1f} points (frames pooled)."))

# %% [markdown]
# **2.** The paper expects less benefit from normalisation for a stronger classifier. Train the library's small modern
# network on the same split. Does it see more? (Chapter 16 does so for several arms, and asks about the benefit.)

# %% tags=["hide-cell"]
stronger = bank.Bank(bank.Training(**{**training.as_dict(), "classifier": "modern"}), action_units=12)
stronger.train(
    images[split.train], y[split.train], images[split.validation], y[split.validation], seed=settings.seed,
    epochs=max(settings.epochs // 2, 1),
)  # fmt: skip
result = score.evaluate(y[test_rows], stronger.predict(images[test_rows]), groups, len(who), settings.empty_f1)
modern_score = 100 * np.nanmean(score.score(result["f1"], result["accuracy"]))
display(Markdown(
    f"The modern network scores {modern_score:.1f} after half the epochs, LeNet-5 {person_scores.mean():.1f}; "
    f"ROC AUC {100 * np.nanmean(result['roc_auc']):.1f} against {auc:.1f}."
))  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
