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
gallery_people = ["F001", "M004", "M002"]  # rendered BP4D participants whose action units are pictured
watched_person = "F008"  # rendered BP4D participant of the toy session
watched_task = "T1"  # its task
mean_arms = ["original", "equalised", "deepfn", "oracle"]  # faces whose group averages are drawn (Fig. 2)
resamples = 4000  # bootstrap resamples of participants for every interval

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from deepfn_lib import page, study
from deepfn_lib.artefacts import Store
from deepfn_lib.datasets.manifests import load_manifest
from deepfn_lib.frames import (
    BP4D_ACTION_UNITS,
    BP4D_INTENSITIES,
    SHARED_ACTION_UNITS,
    labels,
)
from deepfn_lib.page import figures, table
from deepfn_lib.rendering import expressions, people, toys
from deepfn_lib.rendering import label_statistics as known
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics import Plan, difference_interval, mean_interval, published
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
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
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 6: "cheek raiser", 7: "lid tightener",
    10: "upper lip raiser", 12: "lip corner puller", 14: "dimpler", 15: "lip corner depressor", 17: "chin raiser",
    23: "lip tightener", 24: "lip pressor",
}  # fmt: skip
shared = [int(unit[2:]) for unit in SHARED_ACTION_UNITS]
assert [f"AU{unit:02d}" for unit in NAMES] == list(BP4D_ACTION_UNITS)


# %%
def gallery(units):
    """A grid of faces: a person a row; at rest, then one action unit a column."""
    rows = [
        [toys.render_moment(one, {unit: 1.0} if unit else {}, seed=settings.seed) for unit in (0, *units)]
        for one in gallery_people
    ]
    heads = ["at rest", *(f"AU{unit:02d}{'*' if unit in shared else ''}" for unit in units)]
    who = [[f"rendered-bp4d/{one}"] * len(heads) for one in gallery_people]
    names = "; ".join(f"AU{unit:02d} {NAMES[unit]}" for unit in units)
    return page.face_grid(rows, who, gallery_people, heads, caption=f"One unit at a time. {names}.")


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
rest, smile = ({one: toys.render_moment(one, units, seed=settings.seed).astype(float) for one in gallery_people}
               for units in ({}, {12: 1.0}))  # fmt: skip
between = np.mean([np.abs(rest[a] - rest[b]).mean() for a in rest for b in rest if a < b])
within = np.mean([np.abs(smile[one] - rest[one]).mean() for one in rest])
assert between > within
display(Markdown(
    f"Between two of these people a pixel differs by {between:.0f} grey levels on average; a full smile moves it by "
    f"{within:.0f}."
))  # fmt: skip

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
course = expressions.make_course(settings.seed, person, watched_task, seconds=20.0, frame_rate=25.0)
seconds = np.arange(len(course.level)) / 25.0
shown = [known.UNITS.index(unit) for unit in (6, 12)]
activation = course.activation[:, shown].mean(axis=2)  # (frames, 2): mean of left and right
agree = np.mean(code(activation) == course.level[:, shown])
assert agree > 0.9  # left and right differ a little, so their mean can fall on the other side of a limit

# %%
figure = go.Figure()
for column, unit in enumerate((6, 12)):
    line = {"width": 2, "color": figures.SPARE_COLOURS[column]}
    figure.add_scatter(x=seconds, y=activation[:, column], name=f"AU{unit:02d}", line=line)
    figure.add_scatter(
        x=seconds, y=course.level[:, shown[column]] / 5, name=f"AU{unit:02d}, code / 5",
        line={**line, "width": 1, "shape": "hv", "dash": "dot"},
    )  # fmt: skip
figures.finish(figure, "Cheek raiser and lip corner puller of one rendered session, and the codes they are given.",
               x="seconds", y="activation, code / 5")  # fmt: skip

# %% [markdown]
# The two rise and fall together but not in step, as they do in life. Events last from a fraction of a second to many
# seconds, so neighbouring frames say nearly the same. A dataset of a hundred thousand frames is a dataset of a few
# thousand events, of some dozens of people.

# %% [markdown]
# ## The run: what is in the folders
#
# `study.faces` indexes both datasets, finds and aligns a face for each labelled frame, and keeps account of what it
# had to leave out. From here on nothing knows whether the folders hold rendered people or licensed ones.

# %%
faces = study.faces(settings, store)
template = study.template(settings, store)
rendered = faces.truth is not None

# %%
cards = {name: load_manifest(manifest) for name, manifest in faces.manifests.items()}
fields = ("title", "source", "licence", "access", "regenerate")
table(pd.DataFrame([{"": field, **{name: getattr(one, field) for name, one in cards.items()}} for field in fields]),
      "Data card of the datasets in this run.")  # fmt: skip

# %%
lost = faces.exclusions.groupby("dataset")["frames"].sum()
per_dataset = faces.frames.groupby("dataset").agg(
    participants=("participant", "nunique"), frames=("frame", "size")
)  # fmt: skip
sessions = faces.frames.drop_duplicates(["dataset", "participant", "task"]).groupby("dataset").size()
per_dataset["sessions"], per_dataset["left out"] = sessions, lost.reindex(per_dataset.index).fillna(0).astype(int)

# %%
table(per_dataset.reset_index(), "Labelled frames with an aligned face, and labelled frames without one.",
      formats={column: "d" for column in per_dataset.columns})  # fmt: skip

# %% [markdown]
# Reasons for leaving a frame out are counted with it. An empty table here means that every labelled frame has a face.

# %%
reasons = faces.exclusions[faces.exclusions["frames"] > 0].groupby(["dataset", "reason"])["frames"].sum()
table(reasons.reset_index(), "Frames left out, by reason.", formats={"frames": "d"})

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
members = faces.participants[faces.participants["participant"] != template.participant]
bp4d, women = members["dataset"] == "BP4D", members["gender"] == "female"
groups = {
    "female": bp4d & women, "male": bp4d & (members["gender"] == "male"),
    "darker": bp4d & (members["skin_group"] == "darker"), "lighter": bp4d & (members["skin_group"] == "lighter"),
    "bp4d": bp4d, "disfa": members["dataset"] == "DISFA",
}  # fmt: skip

# %%
rows = [
    {"group": name, "participants": int(chosen.sum()), "of whom women": int((chosen & women).sum()),
     "the paper": int(published(f"participants.{name}").value)}
    for name, chosen in groups.items()
]  # fmt: skip
sizes = pd.DataFrame(rows)
table(sizes, "Table 4: participants of each group, without the template.",
      formats={column: "d" for column in sizes.columns[1:]})  # fmt: skip

# %% [markdown]
# The split by skin is not independent of the split by gender: most of the darker group are women and most of the
# lighter are men. Whatever differs between women and men will also show between darker and lighter skin, and no
# analysis of fifteen people can pull the two apart. Keep this in mind for chapter 07.

# %%
if rendered and settings.bp4d_people == 41:
    assert (sizes["participants"] == sizes["the paper"])[sizes["group"] != "disfa"].all()
    assert int((groups["darker"] & women).sum()) == published("participants.darker-female").value
    assert int((groups["lighter"] & women).sum()) == published("participants.lighter-female").value

# %% [markdown]
# ## Figure 2: the average face of each group
#
# The mean of a group's aligned faces shows what its members share: geometry that agrees stays sharp, geometry that
# differs blurs. Above the faces the paper puts the histogram of their luminance. Each participant counts once, however
# many frames they have.

# %%
everyone = faces.person_names()
keys = (members["dataset"] + "/" + members["participant"]).to_numpy()
pictured = {name: keys[chosen.to_numpy()] for name, chosen in groups.items() if chosen.any()}
arms = [arm for arm in mean_arms if arm != "oracle" or rendered]


# %%
def person_means(arm):
    """The mean face of each participant: name -> float (64, 64)."""
    images, means = study.arm(settings, store, arm), {}
    for one in keys:
        rows = np.flatnonzero(everyone == one)
        means[one] = images[rows].mean(axis=0, dtype=np.float64)
    return means


# %%
averages = {}
for arm in arms:
    means = person_means(arm)
    averages[arm] = {
        name: np.mean([means[one] for one in who], axis=0).round().astype(np.uint8) for name, who in pictured.items()
    }  # fmt: skip

# %%
figures.luminance_histograms(
    {name: {arm: averages[arm][name] for arm in arms} for name in pictured},
    "Luminance of each group's average face, before and after normalisation (Fig. 2, top row).",
)

# %%
to_manifest = dict(zip(everyone, faces.people()))
means_of = [page.Mean(to_manifest[one] for one in who) for who in pictured.values()]
page.face_grid(
    [[averages[arm][name] for name in pictured] for arm in arms], [means_of] * len(arms),
    [figures.arm_label(arm) for arm in arms], list(pictured),
    caption="Average face of each group (Fig. 2): as filmed, and after normalisation.",
)  # fmt: skip

# %% [markdown]
# In the first row the groups can be told apart at a glance by brightness, outline and how soft the features are. In
# the following rows they should look alike: that is what normalisation promises. DeepFN is trained in chapter 02; the
# oracle, which exists for rendered faces only, is the same moment rendered on the template's face, and shows what
# complete success would be. How alike the groups have become can be measured on the averages themselves.


# %%
def group_spread(arm):
    """Mean absolute difference between the average faces of all pairs of groups, grey levels."""
    pictures = [image.astype(float) for image in averages[arm].values()]
    return np.mean([np.abs(a - b).mean() for i, a in enumerate(pictures) for b in pictures[:i]])


spreads = {arm: group_spread(arm) for arm in arms}
table(pd.DataFrame([{"arm": figures.arm_label(arm), "grey levels": value} for arm, value in spreads.items()]),
      "How far the groups' average faces are from each other.")  # fmt: skip

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
observed = shares("BP4D", BP4D_ACTION_UNITS) if bp4d.any() else pd.DataFrame(columns=BP4D_ACTION_UNITS)
estimates = {unit: mean_interval(observed[unit], plan) for unit in observed.columns}
rates = pd.DataFrame({
    "action unit": BP4D_ACTION_UNITS,
    "here": [estimates[unit].value for unit in BP4D_ACTION_UNITS],
    "low": [estimates[unit].low for unit in BP4D_ACTION_UNITS],
    "high": [estimates[unit].high for unit in BP4D_ACTION_UNITS],
    "published": known.BP4D_RATE["all"],
    "SD here": observed.std(ddof=0).to_numpy(), "SD published": known.BP4D_SPREAD,
})  # fmt: skip
rates["covered"] = rates["published"].between(rates["low"], rates["high"])

# %%
figure = go.Figure()
figure.add_bar(
    x=rates["action unit"], y=rates["here"], name="here",
    error_y={"type": "data", "symmetric": False, "array": rates["high"] - rates["here"],
             "arrayminus": rates["here"] - rates["low"]},
)  # fmt: skip
figure.add_scatter(x=rates["action unit"], y=rates["published"], name="published", mode="markers",
                   marker={"symbol": "diamond", "size": 9, "color": figures.PAPER_COLOUR})  # fmt: skip
figures.finish(figure, "Share of frames with each action unit in BP4D; bars are means over participants with 95 % "
               "intervals, diamonds the published rates.", x="", y="frames, %")  # fmt: skip

# %%
table(rates.drop(columns=["low", "high"]), "Rates of BP4D's action units and their SD between participants, percent.",
      formats={"covered": lambda value: "yes" if value else "no"}, headings={"covered": "in the interval"})  # fmt: skip

# %% [markdown]
# Two things here will matter later. The frequent units occur in half of all frames, and chapter 04 shows how
# much a classifier earns by always claiming them. And the spread between participants is as large as the rates of the
# rare units: some people hardly show them, and four training people may be four of those.

# %% [markdown]
# DISFA is sparser. Its codes are intensities, and what counts as present is decided by a threshold; the table shows
# both readings of the five shared units.


# %%
def disfa_rates(threshold):
    """Share of DISFA's coded frames with intensity at least `threshold`, percent, for the shared units."""
    rows = faces.frames[faces.frames["dataset"] == "DISFA"]
    level = rows[[f"{unit}_intensity" for unit in SHARED_ACTION_UNITS]].to_numpy()
    return 100 * np.mean(level >= threshold, axis=0) if len(rows) else np.full(len(SHARED_ACTION_UNITS), np.nan)


# %%
table(pd.DataFrame({
    "action unit": SHARED_ACTION_UNITS, "from B on": disfa_rates(2),
    "published": [known.DISFA_RATE[unit] for unit in shared], "from A on": disfa_rates(1),
}), "Share of DISFA's frames with each shared action unit, percent.")  # fmt: skip

# %% [markdown]
# ### Women and men
#
# In the published labels women show more on all twelve units. If the groups differ in how much they show, then a
# score that pays for frequent units differs between them before anybody has looked at a face.

# %%
active = observed.sum(axis=1) / 100  # mean number of units active in a frame, one value a participant
by_gender = {gender: active[active.index.isin(faces.participants.query("gender == @gender")["participant"])]
             for gender in ("female", "male")}  # fmt: skip
difference = difference_interval(by_gender["female"], by_gender["male"], plan)
expected = (np.sum(known.BP4D_RATE["female"]) - np.sum(known.BP4D_RATE["male"])) / 100

# %%
display(Markdown(
    f"A woman has {by_gender['female'].mean():.1f} of the twelve units active in an average frame, a man "
    f"{by_gender['male'].mean():.1f}; the difference is {difference}, where the published rates give {expected:.1f}."
))  # fmt: skip

# %% [markdown]
# ### Tasks
#
# BP4D's eight tasks were made to elicit different things, from an amusing talk to a cold hand. Person-dependent models
# are trained on some tasks and tested on others, so tasks differ as people do.

# %%
frames = faces.frames[faces.frames["dataset"] == "BP4D"]
density = (frames[list(BP4D_ACTION_UNITS)] == 1).sum(axis=1).groupby(frames["task"].astype(str)).mean()
figure = go.Figure()
figure.add_bar(x=density.index, y=density, name="here")
figure.add_scatter(x=list(known.BP4D_DENSITY), y=list(known.BP4D_DENSITY.values()), name="published", mode="markers",
                   marker={"symbol": "diamond", "size": 9, "color": figures.PAPER_COLOUR})  # fmt: skip
figures.finish(figure, "Mean number of BP4D's twelve action units active in a frame, by task.", x="task",
               y="action units")  # fmt: skip

# %% [markdown]
# ### Which come together
#
# Units are not independent: a smile brings the cheeks along, a raised brow is usually raised at both ends. A
# classifier can use this, and a confusion between two units that mostly come together costs it little.

# %%
together = (frames[list(BP4D_ACTION_UNITS)] == 1).astype(float).corr()
figure = go.Figure(go.Heatmap(z=together.to_numpy(), x=BP4D_ACTION_UNITS, y=BP4D_ACTION_UNITS, zmin=-1, zmax=1,
                              colorscale="RdBu_r", colorbar={"title": "r"}))  # fmt: skip
figure.update_yaxes(autorange="reversed")
figures.finish(figure, "Correlation of occurrences over all frames of BP4D.", height=460)

# %% [markdown]
# ### How strongly
#
# Five of BP4D's units also have intensities. Among the frames in which the unit occurs, most codes are low: a
# classifier mostly sees traces and slight movements, not the full ones of our gallery.

# %%
levels = {unit: frames[f"{unit}_intensity"] for unit in BP4D_INTENSITIES}
table(pd.DataFrame([
    {"action unit": unit, **{name: 100 * np.mean(level[level > 0] == number) if (level > 0).any() else np.nan
                             for number, name in enumerate("ABCDE", start=1)}}
    for unit, level in levels.items()
]), "Intensity codes among frames in which the unit occurs, percent.")  # fmt: skip

# %% [markdown]
# ## What the pictures look like
#
# One frame each of eight participants of either dataset, as it comes out of detection and alignment: their first frame
# with at least two of the shared units, not their best.

# %%
lively = faces.frames.index[(faces.frames[list(SHARED_ACTION_UNITS)] == 1).sum(axis=1) >= 2]
firsts = pd.Series(lively).groupby(everyone[lively]).first()
picks = [row for name in ("BP4D", "DISFA") for row in firsts[firsts.index.str.startswith(name)][:8]]
names = faces.people(picks)
lines = [list(range(start, min(start + 8, len(picks)))) for start in range(0, len(picks), 8)]

# %%
if picks:
    display(page.face_grid(
        [[faces.images[picks[i]] for i in line] for line in lines], [[names[i] for i in line] for line in lines],
        caption="Aligned faces: the first frame with two or more of the shared units, participants by name.",
    ))  # fmt: skip

# %% [markdown]
# ## What we learned

# %%
covered = int(rates["covered"].sum())
smaller = min(int(groups["lighter"].sum()), int(groups["darker"].sum()))
change = "".join(
    f" and {spreads[arm]:.0f} for {figures.arm_label(arm)}" for arm in arms if arm != "original"
)  # fmt: skip

# %%
display(Markdown(
    f"""There are {len(members)} participants without the template, in groups of which the smallest has {smaller}. They
differ in looks: the average faces of the groups are {spreads['original']:.0f} grey levels apart for the original
faces{change}. They differ in what they do: women have {difference.value:+.1f} units more active than men
({difference.low:+.1f} to {difference.high:+.1f}). And the labels are a fair stand-in where we could check them: of
the twelve published rates, {covered} lie in the interval of ours, and rates correlate with the published ones at
{np.corrcoef(rates['here'], rates['published'])[0, 1]:.2f}. What is *not* checked, because it cannot be, is whether
rendered faces are as hard as photographed ones; chapter 15 turns to photographs."""
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Which two units come together most often, and which most rarely, compared with what independence would give?

# %% tags=["hide-cell"]
pairs = together.where(np.triu(np.ones(together.shape, bool), 1)).stack().dropna().sort_values()
display(Markdown(f"Most together: {' and '.join(pairs.index[-1])} (r = {pairs.iloc[-1]:.2f}); "
                 f"least: {' and '.join(pairs.index[0])} (r = {pairs.iloc[0]:.2f})."))  # fmt: skip

# %% [markdown]
# **2.** Is AU12 at half strength half as visible? Render a ladder of strengths and measure the change from rest.

# %% tags=["hide-cell"]
ladder = [toys.render_moment(gallery_people[0], {12: step}, seed=settings.seed) for step in (0, 0.25, 0.5, 0.75, 1)]
visible = [np.abs(image.astype(float) - ladder[0]).mean() for image in ladder]
assert (np.diff(visible) > 0).all()
display(page.face_grid([ladder], [[f"rendered-bp4d/{gallery_people[0]}"] * 5], column_labels=list("0¼½¾1"),
                              caption="AU12 at rising strength."))  # fmt: skip
display(Markdown(f"At half strength {visible[2] / visible[4]:.0%} of the full change is there."))

# %% [markdown]
# **3.** The same person before the other camera: render a participant in DISFA's scene. What would a classifier
# that was trained on BP4D have to get used to?

# %% tags=["hide-cell"]
scenes = [toys.render_moment(gallery_people[0], {}, seed=settings.seed, scene=scene, whole=True)
          for scene in ("BP4D", "DISFA")]  # fmt: skip
page.face_grid([scenes], [[f"rendered-bp4d/{gallery_people[0]}"] * 2], column_labels=["BP4D", "DISFA"],
                      caption="One person in both scenes: other camera angle, lens and light.", cell=256)  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
