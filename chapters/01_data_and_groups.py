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
# # The data and its groups
#
# **Who is in the data, what do their faces do, and what differs between the groups that the study sets against each
# other?**
#
# A classifier that was trained on some people and fails on others fails for a reason: they look different, they move
# differently, or they were filmed differently. Before any training we look at the people. This chapter explains what
# an action unit is, counts participants and labels, compares both with what is published, and draws the two pictures
# that the paper has of its data: the average faces of the groups (Fig. 2) and the action units themselves (Fig. 3).

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
gallery_people = ["F001", "M004", "M002"]  # rendered BP4D participants, pictured
watched_person = "F008"  # rendered BP4D participant of the toy session
watched_task = "T1"  # its task
mean_arms = ["original", "equalised", "", "oracle"]  # of Fig. 2; empty: the normaliser
resamples = 4000  # bootstrap resamples of participants for every interval

# %%
from itertools import combinations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display

from deepfn_lib import arms, page
from deepfn_lib.datasets.manifests import load_manifest
from deepfn_lib.faces import images
from deepfn_lib.frames import (
    BP4D_ACTION_UNITS,
    BP4D_INTENSITIES,
    SHARED_ACTION_UNITS,
    labels,
)
from deepfn_lib.page import figures, say, table
from deepfn_lib.rendering import expressions, people, toys
from deepfn_lib.rendering import label_statistics as known
from deepfn_lib.statistics import Plan, difference_interval, mean_interval, published
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
settings = study.settings
plan = Plan(samples=resamples)
figures.use_theme()

# %% [markdown]
# ## What the paper says, and where we differ
#
# Section 4.2 takes two datasets. BP4D films 41 people while they talk, play, watch and feel pain; DISFA films 27
# people who watch a video. Trained coders went through both frame by frame. Both are lent to researchers who sign an
# agreement, so the default of this book is something else: people who do not exist.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | BP4D and DISFA | rendered corpora in their formats, or yours | anyone can run it | see below |
# | authors rated skin type | drawn by the renderer, or a file | ratings are not published | Table 4 by design |
# | intensity from 1 to 8 | 0 to 5, and 9 for "could not be coded" | that is what the files hold | none on the results |
# | DISFA's occurrences, unsaid how | present from B (2) on | the literature's rule | a setting, `disfa_threshold` |
# | around 140K and 130K images | as many as the profile's frame rates give | time | wider intervals |
#
# So results on the default data say whether the *method* works, and nothing about people. What the rendered people
# do follows published statistics of the real labels: how often each unit occurs, how much
# people differ, how long an event lasts, how much more women show than men, and which task elicits how much. These
# numbers were fixed before any classifier was trained and were never changed after.

# %% [markdown]
# ## A toy: what an action unit is
#
# The Facial Action Coding System takes a face apart into *action units* (AU), each the visible effect of one muscle
# or a few. It names no emotions: a smile is AU12 (and AU06 if the eyes take part), whatever it means. With rendered
# people we can do what no photographer can: ask for exactly one unit, on exactly the same face.
#
# Fig. 3 of the paper shows its twelve. Here are ours, on three people, at full strength; a star marks those that
# DISFA has too.

# %%
NAMES = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    6: "cheek raiser",
    7: "lid tightener",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    17: "chin raiser",
    23: "lip tightener",
    24: "lip pressor",
}
shared = [int(unit[2:]) for unit in SHARED_ACTION_UNITS]
assert [f"AU{unit:02d}" for unit in NAMES] == list(BP4D_ACTION_UNITS)


# %%
def drawn(person, units, **camera):
    """One rendered person with some units, of strength 0-1: uint8 (128, 128)."""
    return toys.render_moment(person, units, seed=settings.seed, **camera)


def gallery(units):
    """A grid of faces: a person a row; at rest, then one action unit a column."""
    moments = [{}, *({unit: 1.0} for unit in units)]
    rows = [[drawn(one, moment) for moment in moments] for one in gallery_people]
    heads = ["at rest", *(f"AU{unit:02d}{'*' * (unit in shared)}" for unit in units)]
    who = [[f"rendered-bp4d/{one}"] * len(heads) for one in gallery_people]
    names = "; ".join(f"AU{unit:02d} {NAMES[unit]}" for unit in units)
    caption = f"One unit at a time. {names}."
    return page.face_grid(rows, who, gallery_people, heads, caption=caption)


# %%
gallery([1, 2, 4, 6, 7])

# %% [markdown]
# The upper face. The brows go up at their inner or outer ends (01, 02) and crease the forehead, or come down and
# together (04). Cheeks that rise (06) narrow the eye from below and fan out lines at its corner; lids can tighten
# without them (07).

# %%
gallery([10, 12, 14])

# %%
gallery([15, 17, 23, 24])

# %% [markdown]
# The lower face. Look at 14, 23 and 24: small changes at the corners and the red of the lips. Coders find them hard
# and so do classifiers. Now compare down the columns. The same unit looks different on another face, and two faces at
# rest differ by more than a face from itself with a unit: that is the problem of the paper in one picture.

# %%
rest = {one: drawn(one, {}).astype(float) for one in gallery_people}
smile = {one: drawn(one, {12: 1.0}).astype(float) for one in gallery_people}
pairs = combinations(rest.values(), 2)
between = np.mean([np.abs(one - other).mean() for one, other in pairs])
within = np.mean([np.abs(smile[one] - rest[one]).mean() for one in rest])
assert between > within

# %%
say(
    "Between two of these people a pixel differs by {between:.0f} grey levels on "
    "average; a full smile moves it by {within:.0f}.",
    between=between,
    within=within,
)

# %% [markdown]
# ### From an activation to a code
#
# Coders do not measure. They say *whether* a unit occurs and, for some units, how strongly, from A (a trace) to E (the
# maximum), which the files store as 1 to 5. In the renderer an activation is a number $a$ between 0 and 1 and the code
# is how many of five fixed limits it has reached:
#
# $$\mathrm{code}(a) = \sum_{k=1}^{5} [a \ge \ell_k], \qquad \mathrm{occurs}(a) = [\mathrm{code}(a) \ge 1].$$


# %%
def code(activation, limits=expressions.LEVELS):
    """Intensity code 0-5 of activations in 0..1."""
    return (np.asarray(activation)[..., None] >= limits).sum(-1)


assert code([0.0, 0.19, 0.20, 0.9]).tolist() == [0, 0, 1, 5]

# %% [markdown]
# One session, at the full 25 frames a second, shows what such a label file is made of. The lines are what the face
# does; below them, the codes that it earns. The check asks whether the library's codes are the ones of the equation.

# %%
person = people.make_person(settings.seed, "BP4D", watched_person)
course = expressions.make_course(
    settings.seed, person, watched_task, seconds=20.0, frame_rate=25.0
)
seconds = np.arange(len(course.level)) / 25.0
shown = [known.UNITS.index(unit) for unit in (6, 12)]
activation = course.activation[:, shown].mean(axis=2)  # (frames, 2): of left and right

# %%
# Left and right differ a little, so their mean can fall on the other side of a limit.
agree = np.mean(code(activation) == course.level[:, shown])
assert agree > 0.9

# %%
figure = go.Figure()
for column, unit in enumerate((6, 12)):
    name, line = f"AU{unit:02d}", {"width": 2, "color": figures.SPARE_COLOURS[column]}
    figure.add_scatter(x=seconds, y=activation[:, column], name=name, line=line)
    codes = course.level[:, shown[column]] / 5
    line = {**line, "width": 1, "shape": "hv", "dash": "dot"}
    figure.add_scatter(x=seconds, y=codes, name=f"{name}, code / 5", line=line)

# %%
caption = (
    "Cheek raiser and lip corner puller of one rendered session, and the codes they "
    "are given."
)
figures.finish(figure, caption, x="seconds", y="activation, code / 5")

# %% [markdown]
# The two rise and fall together but not in step, as they do in life. Events last from a fraction of a second to many
# seconds, so neighbouring frames say nearly the same. A dataset of a hundred thousand frames is a dataset of a few
# thousand events, of some dozens of people.

# %% [markdown]
# ## The run: what is in the folders
#
# `study.faces` indexes both datasets, finds and aligns a face for each labelled frame, and keeps account of what it
# had to leave out. From here on nothing knows whether the folders hold rendered people or licensed ones. What the
# readers of the folders found odd stands below, a line each.

# %%
faces = study.faces
template = study.template
rendered = faces.truth is not None

# %%
for notice in faces.notices:
    print(notice)

# %%
cards = {name: load_manifest(file) for name, file in faces.manifests.items()}
shown = pd.DataFrame({"": ["title", "source", "licence", "access", "regenerate"]})
for name, card in cards.items():
    shown[name] = [getattr(card, field) for field in shown[""]]
table(shown, "Data card of the datasets in this run.")

# %%
sessions = faces.frames.drop_duplicates(["dataset", "participant", "task"])
lost = faces.exclusions.groupby("dataset")["frames"].sum()

# %%
by_dataset = faces.frames.groupby("dataset")["participant"]
per_dataset = by_dataset.agg(participants="nunique", frames="size")
per_dataset["sessions"] = sessions.groupby("dataset").size()
per_dataset["left out"] = lost.reindex(per_dataset.index).fillna(0).astype(int)
caption = "Labelled frames with an aligned face, and labelled frames without one."
table(per_dataset.reset_index(), caption)

# %% [markdown]
# Reasons for leaving a frame out are counted with it. An empty table here means that every labelled frame has a face.

# %%
some = faces.exclusions[faces.exclusions["frames"] > 0]
reasons = some.groupby(["dataset", "reason"])["frames"].sum()
table(reasons.reset_index(), "Frames left out, by reason.")

# %% [markdown]
# ## Table 4: the groups
#
# Four splits are studied: by person, by gender, by skin type and by dataset. Skin follows Fitzpatrick's scale of six
# phototypes, and only its ends are compared:
#
# > we group participants into lighter skin (types below or equal to II) and darker skin (types above or equal to V).
# > (§4.1)
#
# The template's participant leaves first, which is why the paper counts 40 of 41.

# %%
participants = faces.participants
members = participants[participants["participant"] != template.participant]
bp4d, gender = members["dataset"] == "BP4D", members["gender"]
women, skin = gender == "female", members["skin_group"]

# %%
groups = {
    "female": bp4d & women,
    "male": bp4d & (gender == "male"),
    "darker": bp4d & (skin == "darker"),
    "lighter": bp4d & (skin == "lighter"),
    "bp4d": bp4d,
    "disfa": members["dataset"] == "DISFA",
}

# %%
sizes = pd.DataFrame({"group": list(groups)})
sizes["participants"] = [int(chosen.sum()) for chosen in groups.values()]
sizes["of whom women"] = [int((chosen & women).sum()) for chosen in groups.values()]
sizes["the paper"] = [int(published(f"participants.{name}").value) for name in groups]
table(sizes, "Table 4: participants of each group, without the template.")

# %% [markdown]
# The split by skin is not independent of the split by gender: most of the darker group are women and most of the
# lighter are men. Whatever differs between women and men will also show between darker and lighter skin, and no
# analysis of fifteen people can pull the two apart. Keep this in mind for chapter 07.

# %%
if rendered and settings.bp4d_people == 41:
    asked = sizes[sizes["group"] != "disfa"]
    assert (asked["participants"] == asked["the paper"]).all()
    for name in ("darker", "lighter"):
        there = int((groups[name] & women).sum())
        assert there == published(f"participants.{name}-female").value

# %% [markdown]
# ## The same faces, changed without a network
#
# Every way in which faces are shown to a classifier is called an *arm*. Chapters 02 and 10 train networks that make
# some of them; these need none, and are what a network must beat to be worth its training.

# %%
plain = [arm for arm in arms.ARMS if arm.change]
rows = [{"arm": arm.label, "what a classifier sees": arm.what} for arm in plain]
table(pd.DataFrame(rows), "The arms that need no network.")

# %% [markdown]
# The simplest of those that know the person subtracts what somebody mostly looks like. With $E$ for the equalisation
# of a face's histogram and $x_{pt}$ for frame $t$ of person $p$, pixel by pixel,
#
# $$m_p = \operatorname{median}_t E(x_{pt}), \qquad
# y_{pt} = \min\bigl(255, \max\bigl(0,\ 128 + E(x_{pt}) - m_p\bigr)\bigr).$$
#
# Middle grey says "as always". No label is used, and nobody else's face; where somebody has many frames, the median is
# taken over evenly spaced ones. Chapter 10 derives the flow residual, which puts the same difference on the template.

# %%
filmed = faces.images[faces.rows(template.name)[:100]]
equalised = images.equalise(filmed)
median = images.median_face(equalised)
subtracted = np.clip(128 + equalised.astype(int) - median, 0, 255)
assert (subtracted == images.median_subtracted(filmed, median, None)).all()

# %% [markdown]
# ## Figure 2: the average face of each group
#
# The mean of a group's aligned faces shows what its members share: geometry that agrees stays sharp, geometry that
# differs blurs. Above the faces the paper puts the histogram of their luminance. Each participant counts once, however
# many frames they have.

# %%
everyone = faces.names
keys = (members["dataset"] + "/" + members["participant"]).to_numpy()
pictured = {name: keys[chosen] for name, chosen in groups.items() if chosen.any()}
wanted = [name or study.normaliser for name in mean_arms]
shown_arms = [name for name in wanted if rendered or not arms.find(name).exact]


# %%
def person_means(arm):
    """The mean face of each participant: name -> float (64, 64)."""
    pictures, means = study.arm(arm), {}
    for one in keys:
        rows = np.flatnonzero(everyone == one)
        means[one] = pictures[rows].mean(axis=0, dtype=np.float64)
    return means


# %%
def group_means(arm):
    """The mean face of each group, in which everybody counts once: uint8 (64, 64)."""
    means, found = person_means(arm), {}
    for name, who in pictured.items():
        mean = np.mean([means[one] for one in who], axis=0)
        found[name] = mean.round().astype(np.uint8)
    return found


averages = {arm: group_means(arm) for arm in shown_arms}

# %%
by_group = {name: {arm: averages[arm][name] for arm in shown_arms} for name in pictured}
caption = (
    "Luminance of each group's average face, before and after normalisation (Fig. 2, "
    "top row)."
)
figures.luminance_histograms(by_group, caption)

# %%
to_manifest = dict(zip(everyone, faces.people()))
means_of = [page.Mean(to_manifest[one] for one in who) for who in pictured.values()]
rows = [list(averages[arm].values()) for arm in shown_arms]

# %%
page.face_grid(
    rows,
    [means_of] * len(rows),
    [figures.arm_label(arm) for arm in shown_arms],
    list(pictured),
    caption="Average face of each group (Fig. 2): as filmed, and after normalisation.",
)

# %% [markdown]
# In the first row the groups can be told apart at a glance by brightness, outline and how soft the features are. In
# the following rows they should look alike: that is what normalisation promises. DeepFN is built in chapter 02, its
# other kinds in chapter 10; the oracle, which exists for rendered faces only, is the same moment rendered on the
# template's face, and shows what complete success would be. How alike the groups have become can be measured on the
# averages themselves.


# %%
def group_spread(arm):
    """Mean absolute difference of all pairs of groups' average faces, grey levels."""
    pictures = [image.astype(float) for image in averages[arm].values()]
    pairs = combinations(pictures, 2)
    return np.mean([np.abs(one - other).mean() for one, other in pairs])


# %%
spreads = {arm: group_spread(arm) for arm in shown_arms}
shown = pd.Series(spreads).rename(figures.arm_label).rename_axis("arm")
caption = "How far the groups' average faces are from each other."
table(shown.reset_index(name="grey levels"), caption)

# %% [markdown]
# ## Against the published labels: how often
#
# Labels of the real datasets are not public frame by frame, but lists of them have been posted, and rates, spreads and
# run lengths were computed from those. If our corpora are to stand in, a unit that is frequent there must be frequent
# here, and people must differ as much.


# %%
def shares(dataset, units):
    """Share of coded frames with each unit, percent: participants × units."""
    rows = faces.frames[faces.frames["dataset"] == dataset]
    y, coded = labels(rows, units)
    per_frame = pd.DataFrame(np.where(coded, 100 * y, np.nan), columns=units)
    return per_frame.groupby(rows["participant"].astype(str).to_numpy()).mean()


# %%
observed = shares("BP4D", list(BP4D_ACTION_UNITS))
estimates = [mean_interval(observed[unit], plan) for unit in BP4D_ACTION_UNITS]

# %%
rates = pd.DataFrame({"action unit": BP4D_ACTION_UNITS})
rates["here"] = [estimate.value for estimate in estimates]
rates["published"] = known.BP4D_RATE["all"]
rates["SD here"] = observed.std(ddof=0).to_numpy()
rates["SD published"] = known.BP4D_SPREAD
low = np.array([estimate.low for estimate in estimates])
high = np.array([estimate.high for estimate in estimates])
rates["covered"] = rates["published"].between(low, high)


# %%
def mark_published(figure, x, y):
    """Diamonds where the published labels are."""
    marker = {"symbol": "diamond", "size": 9, "color": figures.PAPER_COLOUR}
    figure.add_scatter(x=x, y=y, name="published", mode="markers", marker=marker)


# %%
figure, here = go.Figure(), rates["here"]
error = {"type": "data", "array": high - here, "arrayminus": here - low}
figure.add_bar(x=rates["action unit"], y=here, name="here", error_y=error)
mark_published(figure, rates["action unit"], rates["published"])

# %%
caption = (
    "Share of frames with each action unit in BP4D; bars are means over participants "
    "with 95 % intervals, diamonds the published rates."
)
figures.finish(figure, caption, y="frames, %")

# %%
caption = "Rates of BP4D's action units and their SD between participants, percent."
table(rates, caption, headings={"covered": "in the interval"})

# %% [markdown]
# Two things here will matter later. The frequent units occur in half of all frames, and chapter 04 shows how
# much a classifier earns by always claiming them. And the spread between participants is as large as the rates of the
# rare units: some people hardly show them, and four training people may be four of those.

# %% [markdown]
# DISFA is sparser. Its codes are intensities, and what counts as present is decided by a threshold; the table shows
# both readings of the five shared units.


# %%
def disfa_rates(threshold):
    """Share of DISFA's coded frames with a code of at least `threshold`, percent."""
    rows = faces.frames[faces.frames["dataset"] == "DISFA"]
    level = rows[[f"{unit}_intensity" for unit in SHARED_ACTION_UNITS]]
    return 100 * (level >= threshold).mean().to_numpy()


# %%
shown = pd.DataFrame({"action unit": SHARED_ACTION_UNITS})
shown["from B on"] = disfa_rates(2)
shown["published"] = [known.DISFA_RATE[unit] for unit in shared]
shown["from A on"] = disfa_rates(1)
table(shown, "Share of DISFA's frames with each shared action unit, percent.")

# %% [markdown]
# ### Women and men
#
# In the published labels women show more on all twelve units. If the groups differ in how much they show, then a
# score that pays for frequent units differs between them before anybody has looked at a face.

# %%
active = observed.sum(axis=1) / 100  # units active in a frame, a mean a participant


def active_of(gender):
    """The participants of a gender among `active`."""
    some = participants["participant"][participants["gender"] == gender]
    return active[active.index.isin(some)]


# %%
of_women, of_men = active_of("female"), active_of("male")
difference = difference_interval(of_women, of_men, plan)
totals = {group: sum(known.BP4D_RATE[group]) / 100 for group in ("female", "male")}

# %%
words = say("BP4D is not here, or has too few women or men to compare them.")
if np.isfinite(difference.value):
    words = say(
        "A woman has {women:.1f} of the twelve units active in an average frame, a "
        "man {men:.1f}; the difference is {difference}, where the published rates "
        "give {expected:.1f}.",
        women=of_women.mean(),
        men=of_men.mean(),
        difference=difference,
        expected=totals["female"] - totals["male"],
    )
words

# %% [markdown]
# ### Tasks
#
# BP4D's eight tasks were made to elicit different things, from an amusing talk to a cold hand. Person-dependent models
# are trained on some tasks and tested on others, so tasks differ as people do.

# %%
frames = faces.frames[faces.frames["dataset"] == "BP4D"]
occurs = frames[list(BP4D_ACTION_UNITS)] == 1
density = occurs.sum(axis=1).groupby(frames["task"].astype(str)).mean()

# %%
figure = go.Figure()
figure.add_bar(x=density.index, y=density, name="here")
mark_published(figure, list(known.BP4D_DENSITY), list(known.BP4D_DENSITY.values()))
caption = "Mean number of BP4D's twelve action units active in a frame, by task."
figures.finish(figure, caption, x="task", y="action units")

# %% [markdown]
# ### Which come together
#
# Units are not independent: a smile brings the cheeks along, a raised brow is usually raised at both ends. A
# classifier can use this, and a confusion between two units that mostly come together costs it little.

# %%
together, units = occurs.astype(float).corr(), list(BP4D_ACTION_UNITS)
look = {"colorscale": "RdBu_r", "colorbar": {"title": "r"}, "zmin": -1, "zmax": 1}
figure = go.Figure(go.Heatmap(z=together.to_numpy(), x=units, y=units, **look))
figure.update_yaxes(autorange="reversed")
caption = "Correlation of occurrences over all frames of BP4D."
figures.finish(figure, caption, height=460)

# %% [markdown]
# ### How strongly
#
# Five of BP4D's units also have intensities. Among the frames in which the unit occurs, most codes are low: a
# classifier mostly sees traces and slight movements, not the full ones of our gallery.


# %%
def intensities(unit):
    """Share of each code, A to E, among the frames in which a unit occurs, percent."""
    level = frames[f"{unit}_intensity"]
    coded = level[level > 0]
    return [100 * (coded == number).mean() for number in range(1, 6)]


shown = [intensities(unit) for unit in BP4D_INTENSITIES]
shown = pd.DataFrame(shown, columns=list("ABCDE"))
shown.insert(0, "action unit", BP4D_INTENSITIES)
table(shown, "Intensity codes among frames in which the unit occurs, percent.")

# %% [markdown]
# ## What the pictures look like
#
# One frame each of eight participants of either dataset, as it comes out of detection and alignment: their first frame
# with at least two of the shared units, not their best.

# %%
active_here = (faces.frames[list(SHARED_ACTION_UNITS)] == 1).sum(axis=1)
lively = faces.frames.index[active_here >= 2]
firsts = pd.Series(lively).groupby(everyone[lively]).first()
of_each = [firsts[firsts.index.str.startswith(name)][:8] for name in ("BP4D", "DISFA")]
lines = [some.tolist() for some in of_each if len(some)]

# %%
caption = (
    "Aligned faces: the first frame with two or more of the shared units, "
    "participants by name."
)
if lines:
    pictures = [[faces.images[row] for row in line] for line in lines]
    who = [faces.people(line) for line in lines]
    display(page.face_grid(pictures, who, caption=caption))

# %% [markdown]
# ## What we learned

# %%
covered = int(rates["covered"].sum())
smallest = min(int(groups["lighter"].sum()), int(groups["darker"].sum()))
agreement = rates["here"].corr(rates["published"])
others = [arm for arm in shown_arms if arm != arms.ORIGINAL]
change = [f"{figures.arm_label(arm)}: {spreads[arm]:.0f}" for arm in others]

# %%
looks = "With one group only, looks are not compared."
if len(pictured) > 1:
    looks = (
        "They differ in looks: the average faces of the groups are "
        f"{spreads[arms.ORIGINAL]:.0f} grey levels apart for the original faces "
        f"({'; '.join(change)})."
    )

# %%
differ = "What women and men do cannot be compared here."
if np.isfinite(difference.value):
    differ = (
        f"They differ in what they do: women have {difference.value:+.1f} units more "
        f"active than men ({difference.low:+.1f} to {difference.high:+.1f})."
    )
alike = ""
if np.isfinite(agreement):
    alike = f", and rates correlate with the published ones at {agreement:.2f}"

# %%
say(
    "There are {people} participants without the template, in groups of which the "
    "smallest has {smallest}. {looks} {differ} And the labels are a fair stand-in "
    "where we could check them: of the twelve published rates, {covered} lie in the "
    "interval of ours{alike}. What is *not* checked, because it cannot be, is whether "
    "rendered faces are as hard as photographed ones; chapter 15 turns to photographs.",
    people=len(members),
    smallest=smallest,
    looks=looks,
    differ=differ,
    covered=covered,
    alike=alike,
)

# %% [markdown]
# ## Exercises
#
# **1.** Which two units come together most often, and which most rarely, compared with what independence would give?

# %% tags=["hide-cell"]
upper = together.where(np.triu(np.ones(together.shape, bool), 1))
pairs = upper.stack().dropna().sort_values()
words = say("BP4D is not here.")
if len(pairs):
    ends = {"most": " and ".join(pairs.index[-1]), "high": pairs.iloc[-1]}
    ends |= {"least": " and ".join(pairs.index[0]), "low": pairs.iloc[0]}
    told = "Most together: {most} (r = {high:.2f}); least: {least} (r = {low:.2f})."
    words = say(told, **ends)
words

# %% [markdown]
# **2.** Is AU12 at half strength half as visible? Render a ladder of strengths and measure the change from rest.

# %% tags=["hide-cell"]
one = gallery_people[0]
ladder = [drawn(one, {12: strength}) for strength in (0, 0.25, 0.5, 0.75, 1)]
page.face_grid(
    [ladder],
    [[f"rendered-bp4d/{one}"] * 5],
    column_labels=list("0¼½¾1"),
    caption="AU12 at rising strength.",
)

# %% tags=["hide-cell"]
visible = [np.abs(image.astype(float) - ladder[0]).mean() for image in ladder]
assert (np.diff(visible) > 0).all()
half = visible[2] / visible[4]
say("At half strength {half:.0%} of the full change is there.", half=half)

# %% [markdown]
# **3.** The same person before the other camera: render a participant in DISFA's scene. What would a classifier
# that was trained on BP4D have to get used to?

# %% tags=["hide-cell"]
names = ["BP4D", "DISFA"]
scenes = [drawn(one, {}, scene=scene, whole=True) for scene in names]
caption = "One person in both scenes: other camera angle, lens and light."
who = [[f"rendered-bp4d/{one}"] * 2]
page.face_grid([scenes], who, column_labels=names, caption=caption, cell=256)

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
