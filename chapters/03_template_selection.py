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
# # Choosing the template
#
# **Whose face should everybody be given, and how much does that choice hang on a few frames?**
#
# DeepFN moves every face onto one other face, the *template*. What the template's decoder has never seen it cannot
# draw: a person who never wrinkles the nose gives nobody a wrinkled nose. So the paper wants its most expressive
# participant, and gives a rule that finds this participant from the labels alone. The rule is one line of NumPy. This
# chapter writes it, runs it, and then asks what a one-line rule deserves to be asked: by how much did the winner win,
# would the next frame or the next task have changed it, and would a different reading of the same sentence?

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
resamples = 2000  # times that the participants' tasks are drawn anew
shown_people = 5  # how many of the ranking are pictured
seed_of_resampling = 3  # for the drawn tasks

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display

from deepfn_lib import arms, page
from deepfn_lib.datasets.manifests import load_manifest, template_notice
from deepfn_lib.frames import BP4D_ACTION_UNITS, DISFA_ACTION_UNITS, SHARED_ACTION_UNITS
from deepfn_lib.page import figures, say, table
from deepfn_lib.study import Study
from deepfn_lib.template import count_activations, rank_participants

# %%
study = Study.open(profile, overrides, artefacts)
figures.use_theme()

# %% [markdown]
# ## What the paper says, and where we differ
#
# > we first counted the number of facial action unit activations for each person, and then selected the participant
# > for which the median across all action units was the highest in the dataset (§3.2)
#
# The template is taken from BP4D, as its camera and light are those of most images. It then leaves the analysis: no
# classifier is trained or tested on the one face that everyone wears.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | "number of activations" | frames in which a unit is present | the plain reading | other readings: see below |
# | codes that are missing | not an activation | nobody saw one | none on rendered faces |
# | ties | the first identifier | something must decide | shown in the table |
# | the chosen participant is not named | computed, and the ranking shown | so that it can be checked | none |
# | consent to be the template | recorded in the manifest | one face is in every picture | what may be shown |

# %% [markdown]
# ## A toy that we can do in our heads
#
# Three people, three units. Ann smiles all day and does little else. Bea does a bit of everything. Cem is between.

# %%
toy = pd.DataFrame(
    {"AU01": [2, 30, 10], "AU04": [5, 35, 20], "AU12": [400, 40, 60]},
    index=pd.Index(["Ann", "Bea", "Cem"], name="person"),
)
shown = toy.assign(mean=toy.mean(axis=1), median=toy.median(axis=1))
table(shown.reset_index(), "Frames in which each person shows each unit.")

# %% [markdown]
# The mean would take Ann, whose smile outweighs all she does not do. The median asks for the unit in the middle of
# her list, and that is rare. It takes Bea, from whom a decoder can learn all three. That is the point of the rule:
# the median rewards *variety*, not volume.
#
# ## From the sentence to a function
#
# With $y_{p,t,a} \in \{0, 1\}$ saying whether participant $p$ shows unit $a$ in frame $t$, the rule is
#
# $$c_{p,a} = \sum_t y_{p,t,a}, \qquad \text{template} = \arg\max_p\ \operatorname{median}_a\ c_{p,a}.$$


# %%
def most_expressive(counts):
    """The participant (row) with the highest median over action units (columns)."""
    return counts.median(axis=1).sort_index().idxmax()


# %%
assert most_expressive(toy) == "Bea"
assert toy.mean(axis=1).idxmax() == "Ann"
assert rank_participants(toy).index[0] == "Bea"  # the library's, with ranks and ties

# %% [markdown]
# With twelve units the median is the mean of the sixth and seventh in each participant's own order. Two different
# people may be judged by two different pairs of units: the rule never asks *which* units are rich, only that at least
# half of them are.
#
# ## The run: the whole ranking
#
# The library counts over the frames that have a face, so that the template's decoder can be trained on what was
# counted.

# %%
faces = study.faces
template = study.template
ranking = template.ranking
people = faces.frames[faces.frames["dataset"] == template.dataset]

# %%
units = [unit for unit in BP4D_ACTION_UNITS if unit in ranking]
units = units or list(DISFA_ACTION_UNITS)
counts = count_activations(people, units)
assert most_expressive(counts) == template.participant

# %%
medians = ranking["median"]
say(
    "The rule takes **{first}**, with a median of {median:,.1f} frames over {units} "
    "action units; {second} follows {margin:,.1f} frames behind, and the last of "
    "{people} participants has {last:,.1f}.",
    first=template.participant,
    median=medians.iloc[0],
    units=len(units),
    second=ranking.index[1],
    margin=medians.iloc[0] - medians.iloc[1],
    people=len(ranking),
    last=medians.iloc[-1],
)

# %%
orange, blue, grey = map(figures.arm_colour, (arms.PAPERS, arms.ORIGINAL, arms.ORACLE))
colours = [orange if rank == 1 else blue for rank in ranking["rank"]]
figure = go.Figure()
figure.add_bar(x=ranking.index, y=medians, marker_color=colours, name="median")
caption = (
    "Median over action units of the frames in which each participant shows them; the "
    "template in orange."
)
figures.finish(figure, caption, y="frames, median")

# %% [markdown]
# The bars fall slowly from left to right: expressive people are no class of their own, and where the rule cuts is a
# matter of the first few places. Those places deserve a closer look.

# %%
top = ranking.drop(columns="tied").head(10).rename_axis("participant").reset_index()
caption = "The first ten of the ranking, and their frames with each action unit."
table(top, caption)

# %% [markdown]
# Read along the rows. The template needs not lead in any column; it needs to be weak in few.
#
# ## How sure is the winner?
#
# A count has no error bar, but a participant's eight tasks could have been eight others. We draw each participant's
# tasks anew, with replacement, and apply the rule again; the share of draws in which somebody wins says how much the
# choice owes to the tasks that happened to be filmed. Frames themselves would be the wrong thing to draw: neighbours
# are nearly copies, and drawing copies makes anything look certain.

# %%
person, task = (people[column].astype(str) for column in ("participant", "task"))
by_task = (people[units] == 1).groupby([person, task]).sum()
# participant -> (tasks, units)
sessions = {one: rows.to_numpy() for one, rows in by_task.groupby(level=0)}
order = sorted(sessions)


# %%
def winners(draws, random):
    """The share of draws of everyone's tasks in which each participant wins."""
    medians = []
    for one in order:
        drawn = random.integers(0, len(sessions[one]), (draws, len(sessions[one])))
        medians.append(np.median(sessions[one][drawn].sum(axis=1), axis=1))
    found, times = np.unique(np.argmax(medians, axis=0), return_counts=True)
    shares = pd.Series(times / draws, index=[order[k] for k in found])
    return shares.sort_values(ascending=False)


# %%
certainty = winners(resamples, np.random.default_rng(seed_of_resampling))
share = float(certainty.get(template.participant, 0.0))
shown = 100 * certainty.head(6).rename_axis("participant")
caption = "Who would be the template, had the tasks been drawn anew."
table(shown.reset_index(name="wins, % of draws"), caption)

# %% [markdown]
# ### A few frames more or less
#
# Loaders differ. One drops frames in which a face detector failed, another those without landmarks, a third reads code
# 9 as present. How many of the winner's frames would have to go, for each unit alike, before the second takes over?


# %%
def survives(lost):
    """Whether the template still wins without `lost` of its frames with each unit."""
    spoiled = counts.copy()
    left = spoiled.loc[template.participant] - lost
    spoiled.loc[template.participant] = left.clip(lower=0)
    return most_expressive(spoiled) == template.participant


# %%
losses = range(1, int(counts.max().max()) + 2)
bearable = max(next((lost for lost in losses if not survives(lost)), 0) - 1, 0)
labelled = len(people) / len(order)
say(
    "The choice bears the loss of {bearable} frames for each unit, out of "
    "{labelled:,.0f} labelled frames a participant: {share:.1f} %.",
    bearable=bearable,
    labelled=labelled,
    share=100 * bearable / labelled,
)

# %% [markdown]
# ### The same sentence, read otherwise
#
# "Number of activations" may also mean events: times that a unit *begins*. Or one may count shares, so that a longer
# film gives no advantage. Or take the mean, as Ann would like. And the median may run over the five units that the two
# datasets share. Each is a reasonable reading, and each is a few characters of code.

# %%
coded = (people[units] == 1).astype(int)
before = coded.groupby(person + task).shift(fill_value=0)
begins = ((coded == 1) & (before == 0)).groupby(person).sum()
five = [unit for unit in SHARED_ACTION_UNITS if unit in counts]

# %%
readings = {
    "frames, median (the paper)": counts.median(axis=1),
    "events, median": begins.median(axis=1),
    "share of frames, median": coded.groupby(person).mean().median(axis=1),
    "frames, mean": counts.mean(axis=1),
    "frames, rarest unit": counts.min(axis=1),
    "frames, median of the five shared units": counts[five].median(axis=1),
}

# %%
rows = []
for reading, value in readings.items():
    ordered = value.sort_index().sort_values(ascending=False, kind="stable").index
    row = {"reading": reading, "first": ordered[0], "second": ordered[1]}
    row["rank of the paper's"] = ordered.get_loc(template.participant) + 1
    rows.append(row)
table(pd.DataFrame(rows), "The template under other readings of the rule.")

# %%
agreeing = sum(row["first"] == template.participant for row in rows[1:])
assert rows[0]["first"] == template.participant

# %% [markdown]
# Chapter 12 goes on from here: it normalises to other templates of this ranking and measures whether any classifier
# notices.
#
# ## What it looks like
#
# The first of the ranking, each by their median face (at every pixel the median over all their frames, so what a
# person mostly looks like) and by the frames with the most units at once, one from each of four tasks. Pictures are
# shown where the manifest allows it.


# %%
def liveliest(one, number=4):
    """The rows with the most action units at once, one from each of the first tasks."""
    rows = people[person == one]
    active = (rows[units] == 1).sum(axis=1)
    return active.groupby(rows["task"].astype(str)).idxmax().tolist()[:number]


# %%
names = faces.people()
grid, who = [], []
for one in ranking.index[:shown_people]:
    own, best = people.index[person == one], liveliest(one)
    median = np.median(faces.images[own[:: max(len(own) // 400, 1)]], axis=0)
    grid.append([median.astype(np.uint8), *(faces.images[row] for row in best)])
    who.append([names[best[0]], *(names[row] for row in best)])

# %%
places = enumerate(ranking.index[:shown_people], start=1)
first = [f"{place}. {one}" for place, one in places]
heads = ["median", *(f"task {k}" for k in range(1, max(map(len, grid))))]
caption = "The most expressive participants, as filmed."
page.face_grid(grid, who, first, heads, caption=caption)

# %% [markdown]
# A template with a striking look would be a poor choice for another reason: beard, glasses or a fringe hide what moves.
# The rule does not look at faces and cannot know; a human should, and this picture is where.
#
# ### What the template has to offer
#
# For each unit, the frames the decoder can learn it from, beside the participant who shows it most and the median
# participant. A short bar is a unit that DeepFN will find hard to draw on anyone.

# %%
figure, own = go.Figure(), counts.loc[template.participant]
for name, values, colour in (
    ("template", own, orange),
    ("median participant", counts.median(), blue),
    ("richest participant", counts.max(), grey),
):
    figure.add_bar(x=units, y=values[units], name=name, marker_color=colour)

# %%
caption = (
    "Frames with each action unit: the template, the median and the richest "
    "participant."
)
figures.finish(figure, caption, y="frames")

# %%
poorest = own.idxmin()
above = int((own > counts.median()).sum())

# %% [markdown]
# ## Against the paper
#
# The paper does not say who its template was. On the real BP4D the rule can be computed by anyone who holds the
# labels, and lists of them have been published frame by frame; the ranking that follows from those is in the dataset's
# manifest, as a check for licensees and never as a default.

# %%
entries = load_manifest("bp4d").template_ranking
published = pd.DataFrame([entry.model_dump() for entry in entries])
published["here"] = published["participant"].map(medians)
published["rank here"] = published["participant"].map(ranking["rank"])

# %%
caption = "The ranking on the published label lists of BP4D, and here."
headings = {"median": "on BP4D's labels"}
table(published, caption, formats={"rank here": ".0f"}, headings=headings)

# %%
verdict = "are of another dataset, so they cannot be compared"
if study.corpora.rendered:
    verdict = (
        "are those of rendered people who only bear the same identifiers, so they "
        "cannot be compared"
    )
elif template.dataset == "BP4D":
    verdict = "differ: see `deepfn check` for what was left out"
    if (published["here"] == published["median"]).all():
        verdict = "agree, frame for frame"

# %%
leader, second = published.iloc[0], published.iloc[1]
say(
    "On the real labels {leader} leads {second} by {lead:.0f} frames of "
    "{median:,.1f}: a loader that drops a handful of frames, or reads a 9 as a 1, can "
    "change whose face the whole study wears. The medians here {verdict}.",
    leader=leader["participant"],
    second=second["participant"],
    lead=leader["median"] - second["median"],
    median=leader["median"],
    verdict=verdict,
)

# %% [markdown]
# ### Consent
#
# One participant's face will be on every normalised picture, and in the weights of the decoder. That is more than most
# release forms foresee, so a manifest must record the consent before the template's face or its decoder may be shown
# or exported; the analysis itself may run on the machine of whoever signed the agreement.

# %%
file, one = faces.manifests[template.dataset], template.participant
allowed = f"{one} may be the template: its consent is recorded in {file}.yml."
say("{notice}", notice=template_notice(file, one) or allowed)

# %% [markdown]
# ## What we learned

# %%
say(
    "The rule gives everyone the face of **{template}**, and it is {how}: with the "
    "tasks drawn anew the same participant wins {share:.0%} of the time. Of {others} "
    "other readings of the sentence {agreeing} agree, and the choice bears the loss "
    "of {bearable} frames for each unit. The template shows {above} of {units} units "
    "more often than the median participant does, and has least to offer for "
    "{poorest}, with {frames:,} frames. Whether any of this matters to a classifier "
    "is the subject of chapter 12.",
    template=template.participant,
    how="a narrow choice" if share < 0.5 else "a clear choice",
    share=share,
    others=len(rows) - 1,
    agreeing=agreeing,
    bearable=bearable,
    above=above,
    units=len(units),
    poorest=poorest,
    frames=own[poorest],
)

# %%
circle = (
    "On rendered people a clear choice is none of nature's: the renderer sets how "
    "active each person is, and gave this one more than the others."
)
display(say(circle if study.corpora.rendered else "These are filmed people's counts."))

# %% [markdown]
# ## Exercises
#
# **1.** The median is one quantile of many. From which quantile of a participant's counts does the winner change?


# %% tags=["hide-cell"]
def first_at(quantile):
    """Who has the highest quantile of the counts over action units."""
    return counts.quantile(quantile, axis=1).sort_index().idxmax()


quantiles = [k / 20 for k in range(21)]
won = [str(q) for q in quantiles if first_at(q) == template.participant]
say("The template wins at these quantiles: {won}.", won=", ".join(won) or "none")

# %% [markdown]
# **2.** Choose the *two* participants whose frames together have the highest median: would a template of two people be
# much richer than one?

# %% tags=["hide-cell"]
pairs = [(one, other) for k, one in enumerate(order) for other in order[:k]]
together = {pair: np.median(counts.loc[list(pair)].sum()) for pair in pairs}
best = max(sorted(together), key=together.get)

# %% tags=["hide-cell"]
say(
    "{pair} reach {median:,.1f}, {ratio:.1f} times the template's median.",
    pair=" and ".join(best),
    median=together[best],
    ratio=together[best] / medians.iloc[0],
)

# %% [markdown]
# **3.** Is the winner a matter of gender? Repeat the choice among women and among men.

# %% tags=["hide-cell"]
gender = faces.participants.set_index("participant")["gender"]
for group in ("female", "male"):
    some = counts[[gender.get(one, "") == group for one in counts.index]]
    if len(some):
        best, median = most_expressive(some), some.median(axis=1).max()
        words = "Among {group} participants: {best}, median {median:,.1f}."
        display(say(words, group=group, best=best, median=median))

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
