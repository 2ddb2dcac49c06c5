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
from deepfn_lib.artefacts import Store
from deepfn_lib.page import table
from deepfn_lib.recognition.protocol import CONDITIONS
from deepfn_lib.rendering.toys import render_moment
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics import published_score
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)

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
# | the paper | here | why | effect |
# |---|---|---|---|
# | BP4D and DISFA | rendered corpora, or your licensed copies | anyone can run it | on the method, not people |
# | a network for each person | also one for all, named as such | a day's work in minutes | another method |
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
NAMES = {1: "inner brow raiser", 4: "brow lowerer", 6: "cheek raiser", 12: "lip corner puller",
         15: "lip corner depressor", 17: "chin raiser"}  # fmt: skip


# %%
def row_of_units(person):
    """A person at rest, then with one action unit at a time: uint8 (128, 128) each."""
    moments = [{}, *({unit: 1.0} for unit in shown_units)]
    return [render_moment(person, moment, seed=settings.seed) for moment in moments]


faces = {person: row_of_units(person) for person in shown_people}

# %%
columns = ["at rest", *(f"AU{unit:02d}" for unit in shown_units)]
said = "; ".join(f"AU{unit:02d} {NAMES[unit]}" for unit in shown_units if unit in NAMES)
page.face_grid(
    list(faces.values()), [[f"rendered-bp4d/{person}"] * len(columns) for person in faces],
    shown_people, columns, caption=f"One action unit at a time, on three rendered people. {said}.",
)  # fmt: skip

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
    """Shares of the variance that person, unit and their interplay explain; pictures (people, units, pixels)."""
    x = pictures - pictures.mean(axis=(0, 1))
    person, unit = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    parts = {"the person": person, "the action unit": unit, "both together": x - person - unit}
    total = (x**2).sum()
    return {name: (np.broadcast_to(part, x.shape) ** 2).sum() / total for name, part in parts.items()}


# %%
toy = np.array([[[0.0], [1.0]], [[10.0], [11.0]]])  # two people, two units, one pixel: 10 apart, and 1 apart
shares = variance_shares(toy)
assert np.isclose(shares["the person"], 100 / 101) and np.isclose(shares["both together"], 0)
assert np.isclose(sum(variance_shares(np.random.default_rng(0).normal(size=(3, 4, 5))).values()), 1)

# %%
pictures = np.array([[face.ravel() for face in row] for row in faces.values()], float)  # (people, units, pixels)
shares = variance_shares(pictures)
table(pd.DataFrame({"what": shares.keys(), "share of the variance, %": [100 * s for s in shares.values()]}),
      "What the pictures above consist of.")  # fmt: skip

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
    """Everyone's picture of a moment, and what a perfect normaliser would make of it."""
    filmed = [render_moment(person, moment, seed=settings.seed) for person in shown_people]
    return filmed, [render_moment(template, moment, seed=settings.seed)] * len(filmed)


moments = {"smile": {6: 0.7, 12: 0.9}, "doubt": {1: 0.8, 4: 0.7, 15: 0.6}}
pairs = {name: moved_to(shown_people[0], moment) for name, moment in moments.items()}

# %%
lines = [line for pair in pairs.values() for line in pair]
names = [f"{name}, {kind}" for name in pairs for kind in ("as filmed", "oracle")]
own = [f"rendered-bp4d/{person}" for person in shown_people]
page.face_grid(
    lines, [own, [(one, own[0]) for one in own]] * len(pairs), names, shown_people,
    caption="Two expressions on three people, and what a perfect normaliser would make of them; template: the first.",
)  # fmt: skip

# %% [markdown]
# In the oracle's rows the columns are alike: what is left is the expression. Chapter 02 builds the paper's network,
# which has to find such a mapping from unlabelled video alone, and chapter 10 measures how near it comes.

# %%
perfect = [np.ptp([face.astype(int) for face in oracle], axis=0).max() for _, oracle in pairs.values()]
assert max(perfect) == 0  # nothing of the people is left

# %% [markdown]
# ## How the data flow
#
# Every arrow is one call of `deepfn_lib.study`, and leaves an artefact on disk that is never computed twice. The card
# at the end of each chapter lists those it read.
#
# | step | what it makes | chapter |
# |---|---|---|
# | corpora | rendered BP4D and DISFA in their official layouts, or your folders | 01 |
# | faces | found, aligned, cut out, grey, with their codes; and what was left out | 01 |
# | template | the most expressive participant, who then leaves the analysis | 03, 12 |
# | arms | the same frames in several versions: original, baselines, DeepFN, oracle | 02, 10, 11 |
# | scores | one row a condition, arm, repetition, participant and action unit | 04 |
# | chapters | every table and figure of the paper from those rows, with tests | 05 to 09, 13, 14, 16 |

# %% [markdown]
# ## The run: the conditions to come
#
# A *condition* says who trains and who is tested. Four questions, each asked *within* a group and *across*. The paper's
# percentages below are the mean of F1 and accuracy (chapter 04), over participants.

# %%
rows = []
for name in CONDITIONS:
    quoted = {arm: published_score(name, arm) for arm in ("original", "deepfn")}
    rows.append({"condition": name, **{arm: q.value if q else np.nan for arm, q in quoted.items()}})
paper = pd.DataFrame(rows)
table(paper, "The paper's Table 5: means in percent.",
      headings={"original": "faces as filmed", "deepfn": "normalised by DeepFN"})  # fmt: skip

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
gain = paper["deepfn"] - paper["original"]
closest, widest = paper["condition"][gain.idxmin()], paper["condition"][gain.idxmax()]
display(Markdown(
    f"In the three rendered people above, {100 * shares['the person']:.0f} % of what differs between pictures is the "
    f"person and {100 * shares['the action unit']:.0f} % the action unit. The paper's answer to the question of this "
    f"book is yes in all of its {len(paper)} conditions, by {gain.min():.1f} points ({closest}) to {gain.max():.1f} "
    f"({widest}). What ours is, and how sure, stands in chapters 05 to 09 and is summed up in chapter 17."
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Does somebody who turns the head still look more like themself than like others who look ahead? Repeat the
# split of the variance with a head that turns by up to 20 degrees in place of the action units.

# %% tags=["hide-cell"]
turned = np.array([
    [render_moment(person, {}, seed=settings.seed, yaw=yaw).ravel() for yaw in (0.0, 10.0, 20.0)]
    for person in shown_people
], float)  # fmt: skip
by_pose = variance_shares(turned)
display(Markdown(
    f"Turning the head explains {100 * by_pose['the action unit']:.0f} % of the variance, the person "
    f"{100 * by_pose['the person']:.0f} %. Alignment (chapter 01) takes out shifts, turns in the plane and size, but "
    "not this."
))  # fmt: skip

# %% [markdown]
# **2.** Would it be enough to subtract each person's face at rest? Compare the shares after doing so.

# %% tags=["hide-cell"]
relative = pictures[:, 1:] - pictures[:, :1]
after = variance_shares(relative)
table(pd.DataFrame({"what": after.keys(), "share, %": [100 * s for s in after.values()]}),
      "After subtracting each person's face at rest.")  # fmt: skip

# %% [markdown]
# Such a subtraction is one of the baselines of this book (*median-subtracted*; the median face stands for rest, which
# nobody labels in a video). The last line says what it leaves behind: how differently the same movement shows on
# different faces.

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
