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
# # What the study asks
#
# **A program learns to read facial movements from some people's faces. Why does it read other people's worse, and does
# it help to move every face onto one and the same person first?**
#
# That is the question of Hernandez, McDuff, Rudovic, Fung and Czerwinski's DeepFN, and this book asks it again by
# running all of it. This chapter needs no training: it explains what there is to be read in a face, shows on three
# rendered people why another face is in the way, follows the data through the book, and says what you may conclude from
# its numbers and what not.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
shown_people = ["F001", "M004", "M002"]  # rendered BP4D participants in the pictures
shown_units = [1, 4, 6, 12, 15, 17]  # action units in the first picture

# %%
import numpy as np
import pandas as pd

from deepfn_lib import page
from deepfn_lib.arms import ORIGINAL, PAPERS
from deepfn_lib.page import say, table
from deepfn_lib.recognition.protocol import CONDITIONS
from deepfn_lib.rendering.toys import render_moment
from deepfn_lib.statistics import published_score
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
seed = study.settings.seed

# %% [markdown]
# ## What the paper says, and where we differ
#
# > DeepFN, a deep facial appearance normalization method that minimizes appearance differences across people to help
# > facilitate the task of facial action unit recognition. (§6)
#
# The paper trains recognisers on one group of people and tests them on the same group or on another: within and across
# people, genders, skin types and datasets. It does so on faces as filmed, and on faces that its network has normalised.
# Every chapter lists its own deviations; these concern all of them, and the last chapter has the full list.
#
# The paper's method is DeepFN, a network for each person, and the paper's sentences are judged on it. Beside it stands
# a method of our own, *DeepFN, by motion* (chapter 18): one network for everybody that carries movement from face to
# face, learnt from the same unlabelled pictures. Its claims are ours, are listed apart, and say nothing about the
# paper. Whatever either has earned, it has earned at a budget of training, and each chapter with verdicts says at
# which.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | BP4D and DISFA | rendered corpora, or your licensed copies | anyone can run it | on the method, not people |
# | 50,000 iterations a person | so in `paper`; far fewer in `quick`, from a joint start | two cores | a budget, told |
# | one method | one of our own beside it, named as such | what else pictures allow | two lists of verdicts |
# | two arms | cheap baselines and an oracle too | a gain needs a floor and a ceiling | tells what a network adds |
# | a test that takes rows as independent | intervals over participants | people are what is sampled | honest widths |

# %% [markdown]
# ## FACS in five minutes
#
# The *Facial Action Coding System* (FACS) describes a face by what its muscles do. Each movement that can be told
# apart is an *action unit* (AU) with a number. Trained coders go through a video frame by frame and write down which
# units are there (*occurrence*: yes or no) and, for some, how strongly (*intensity*: A to E, stored as 1 to 5). Nothing
# is said about feelings. A smile is AU12; whether its owner is glad is another question, and not asked here.
#
# Each row below is one rendered person, each column one unit at full strength and nothing else.

# %%
NAMES = {
    1: "inner brow raiser",
    4: "brow lowerer",
    6: "cheek raiser",
    12: "lip corner puller",
    15: "lip corner depressor",
    17: "chin raiser",
}


# %%
def row_of_units(person):
    """A person at rest, then with one action unit at a time: uint8 (128, 128) each."""
    moments = [{}, *({unit: 1.0} for unit in shown_units)]
    return [render_moment(person, moment, seed=seed) for moment in moments]


faces = {person: row_of_units(person) for person in shown_people}

# %%
columns = ["at rest", *(f"AU{unit:02d}" for unit in shown_units)]
said = "; ".join(f"AU{unit:02d} {NAMES[unit]}" for unit in shown_units if unit in NAMES)
caption = f"One action unit at a time, on three rendered people. {said}."
who = [[f"rendered-bp4d/{person}"] * len(columns) for person in faces]
page.face_grid(list(faces.values()), who, shown_people, columns, caption=caption)

# %% [markdown]
# Cover all columns but one and compare the rows: the same movement, three different pictures. Then cover all rows but
# one: the movements differ by little that a computer would find large. A recogniser gets 64 × 64 grey values and must
# find the small difference inside the large one.

# %% [markdown]
# ## A toy: how much of a picture is the person?
#
# Since these people are rendered we can count. Take all pictures above as vectors $x_{pu}$ of person $p$ and unit $u$,
# subtract the mean picture, and split their variance into what the person explains, what the unit explains, and a rest
# that belongs to both together (the same unit looks different on another face):
#
# $$\sum_{p,u} \lVert x_{pu}-\bar x\rVert^2 = \underbrace{U\sum_p \lVert \bar x_{p\cdot}-\bar x\rVert^2}_{\text{person}}
# + \underbrace{P\sum_u \lVert \bar x_{\cdot u}-\bar x\rVert^2}_{\text{unit}} + \text{rest}.$$


# %%
def variance_shares(pictures):
    """Shares of the variance of pictures (people, units, pixels), by its sources."""
    x = pictures - pictures.mean(axis=(0, 1))
    person, unit = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    both = x - person - unit
    parts = {"the person": person, "the action unit": unit, "both together": both}
    whole = {name: np.broadcast_to(part, x.shape) for name, part in parts.items()}
    return {name: (part**2).sum() / (x**2).sum() for name, part in whole.items()}


# %%
toy = np.array([[[0.0], [1.0]], [[10.0], [11.0]]])  # people 10 apart, units 1
shares = variance_shares(toy)
assert np.isclose(shares["the person"], 100 / 101)
assert np.isclose(shares["both together"], 0)
noise = np.random.default_rng(0).normal(size=(3, 4, 5))
assert np.isclose(sum(variance_shares(noise).values()), 1)

# %%
flat = [[face.ravel() for face in row] for row in faces.values()]
pictures = np.array(flat, float)  # (people, units, pixels)
shares = variance_shares(pictures)
percent = 100 * pd.Series(shares).rename_axis("what")
table(
    percent.reset_index(name="share of the variance, %"),
    "What the pictures above consist of.",
)

# %% [markdown]
# The classifier wants the second line. If it has seen many people it can learn to look past the first; the paper's
# recognisers see four, and have every reason to mistake the habits of those four for the movement. The idea of the
# paper is to remove the first line from the pictures instead: move everybody's expression to one person's face.

# %% [markdown]
# ## From equation to picture
#
# Write a picture as $X = f(\text{person}, \text{expression}, \text{camera and light})$. Normalisation looks for a
# mapping
#
# $$N\bigl(f(p, e, c)\bigr) = f(t, e, c_t)$$
#
# with one person $t$, the *template*, for all: same expression, template's face. For rendered people the right hand
# side can simply be drawn. We call it the *oracle*; no method can know it for a photograph. Here is the first person of
# the picture above as the template.


# %%
def moved_to(template, moment):
    """Everyone's picture of a moment, and what a perfect normaliser makes of it."""
    filmed = [render_moment(person, moment, seed=seed) for person in shown_people]
    return filmed, [render_moment(template, moment, seed=seed)] * len(filmed)


moments = {"smile": {6: 0.7, 12: 0.9}, "doubt": {1: 0.8, 4: 0.7, 15: 0.6}}
pairs = {name: moved_to(shown_people[0], moment) for name, moment in moments.items()}

# %%
lines = [line for pair in pairs.values() for line in pair]
names = [f"{name}, {kind}" for name in pairs for kind in ("as filmed", "oracle")]
own = [f"rendered-bp4d/{person}" for person in shown_people]
worn = [(one, own[0]) for one in own]

# %%
caption = (
    "Two expressions on three people, and what a perfect normaliser would make of "
    "them; template: the first."
)
page.face_grid(lines, [own, worn] * len(pairs), names, shown_people, caption=caption)

# %% [markdown]
# In the oracle's rows the columns are alike: what is left is the expression. Chapter 02 builds the paper's network,
# which has to find such a mapping from unlabelled video alone, and chapter 10 measures how near it comes.

# %%
for _, oracle in pairs.values():
    spread = np.ptp([face.astype(int) for face in oracle], axis=0)
    assert spread.max() == 0  # nothing of the people is left

# %% [markdown]
# ## How the data flow
#
#     corpora --> faces --> template --> arms --> scores --> tables and figures
#
# A chapter opens a *study*: settings, and a folder of artefacts. What it asks of the study is made where it is missing,
# left on disk and never computed twice; the card at the end of each chapter lists what was read. The work itself is
# done in the rooms of the library, which are the folders of `deepfn_lib`.
#
# | asked for | what it is | rooms | chapter |
# |---|---|---|---|
# | `study.corpora` | rendered BP4D and DISFA in their official layouts, or your folders | `rendering` | 01 |
# | `study.faces` | found, aligned, cut out, with their codes; and what was left out | `datasets`, `faces` | 01 |
# | `study.template` | the most expressive participant, who then leaves the analysis | `template.py` | 03, 12 |
# | `study.arm(name)` | original, baselines, DeepFN, ours, the oracle | `faces`, `normaliser` | 02, 10, 11 |
# | `study.scores` | one row a condition, arm, repetition, participant and unit | `recognition`, `measures` | 04 |
# | on the page | tables and figures from those rows, with tests | `statistics`, `page` | 05 to 09, 13, 14, 16 |

# %% [markdown]
# ## The run: the conditions to come
#
# A *condition* says who trains and who is tested. Four questions, each asked *within* a group and *across*. The paper's
# percentages below are the mean of F1 and accuracy (chapter 04), over participants.

# %%
rows = []
for name in CONDITIONS:
    quoted = [published_score(name, arm) for arm in (ORIGINAL, PAPERS)]
    filmed, normalised = (one.value if one else np.nan for one in quoted)
    rows.append({"condition": name, "filmed": filmed, "normalised": normalised})
paper = pd.DataFrame(rows)

# %%
headings = {"filmed": "faces as filmed", "normalised": "normalised by DeepFN"}
table(paper, "The paper's Table 5: means in percent.", headings=headings)

# %% [markdown]
# ## Against the paper and the baselines
#
# Two things are worth knowing before one is impressed by any number of that table. The score rewards knowing how often
# a unit occurs, so a predictor that never looks at the picture earns points; each chapter prints the best such
# *constant* beside the scores. And a gain means little without knowing what there was to gain; that is what the oracle
# is for.

# %% [markdown]
# ## What rendered people can tell, and what they cannot
#
# They can tell whether the *method* does what it claims: the exact answer is known, the labels are free of error, who
# differs from whom and by how much is known, and everyone can repeat it. If DeepFN cannot move the expression of a
# rendered face, one would not trust it with a photograph.
#
# They cannot tell how well recognition works on people; whether a group of real people is treated worse than another;
# or whether the gains of the paper are right. Rendered skin is a colour, rendered gender a shape and an average amount
# of movement, and both were put there by us. No habits of a culture, no beard, no glasses, no hand before the face,
# no coder's doubt. A result on these corpora that contradicts the paper is no refutation, and one that agrees is no
# confirmation: it is a statement about the method under known circumstances. With the two licences the same commands
# run on the real data, and then the tables speak about people.

# %% [markdown]
# ## What we learned

# %%
gain = paper["normalised"] - paper["filmed"]
closest, widest = (paper["condition"][row] for row in (gain.idxmin(), gain.idxmax()))

# %%
say(
    "In the three rendered people above, {person:.0f} % of what differs between "
    "pictures is the person and {unit:.0f} % the action unit. The paper's answer to "
    "the question of this book is yes in all of its {conditions} conditions, by "
    "{least:.1f} points ({closest}) to {most:.1f} ({widest}). What it is here, at "
    "which budget and how sure, stands in chapters 05 to 09, for the paper's method "
    "and for ours, and is summed up in chapter 17.",
    person=percent["the person"],
    unit=percent["the action unit"],
    conditions=len(paper),
    least=gain.min(),
    closest=closest,
    most=gain.max(),
    widest=widest,
)

# %% [markdown]
# ## Exercises
#
# **1.** Does somebody who turns the head still look more like themself than like others who look ahead? Repeat the
# split of the variance with a head that turns by up to 20 degrees in place of the action units.


# %% tags=["hide-cell"]
def turned(person):
    """A person at rest, ahead and turned by 10 and 20 degrees: a row of pixels each."""
    views = [render_moment(person, {}, seed=seed, yaw=yaw) for yaw in (0.0, 10.0, 20.0)]
    return [view.ravel() for view in views]


by_pose = variance_shares(np.array([turned(one) for one in shown_people], float))

# %% tags=["hide-cell"]
say(
    "Turning the head explains {turn:.0f} % of the variance, the person {person:.0f} "
    "%. Alignment (chapter 01) takes out shifts, turns in the plane and size, but not "
    "this.",
    turn=100 * by_pose["the action unit"],
    person=100 * by_pose["the person"],
)

# %% [markdown]
# **2.** Would it be enough to subtract each person's face at rest? Compare the shares after doing so.

# %% tags=["hide-cell"]
relative = pictures[:, 1:] - pictures[:, :1]
after = 100 * pd.Series(variance_shares(relative)).rename_axis("what")
caption = "After subtracting each person's face at rest."
table(after.reset_index(name="share, %"), caption)

# %% [markdown]
# Such a subtraction is one of the baselines of this book (*median subtracted*, chapter 01; the median face stands for
# rest, which nobody labels in a video). The last line says what it leaves behind: how differently the same movement
# shows on different faces.

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
