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
# # Photographs: strangers, and what is left of them
#
# **What does a normaliser that was trained on this study's people do to real photographs of others, and how well can
# those others still be recognised?**
#
# Everything so far was measured on the people of two datasets, which by default are rendered. Here are forty people
# that nobody rendered: the Database of Faces, photographs taken between 1992 and 1994 at the Olivetti Research
# Laboratory. They carry no action units, so recognition cannot be scored. But they carry names, and that is enough for
# the other half of the promise. A normaliser is meant to take identity away; if a stranger's normalised photographs can
# still be told from another's, identity has leaked.
#
# Images by AT&T Laboratories Cambridge (F. Samaria and A. Harter, *Parameterisation of a stochastic model for human
# face identification*, 1994).

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
plain_arms = [
    "original",
    "equalised",
    "median-subtracted",
    "flow-residual",
    "motion-untrained",
]  # untrained
calibration_photos = 4  # of each person's ten, for their median face
gallery_photos = 3  # of each person's ten, with names; the rest are to be named
draws = 5  # times that photographs are given these roles anew
seed_of_roles = 15  # for drawing them
resamples = 4000  # bootstrap resamples of people for every interval

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from deepfn_lib import arms, page
from deepfn_lib.datasets.manifests import load_manifest
from deepfn_lib.faces import images
from deepfn_lib.page import figures, say, table
from deepfn_lib.statistics import Plan, mean_interval
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
plan = Plan(samples=resamples)
figures.use_theme()

# %% [markdown]
# ## What the paper says, and where we differ
#
# The paper shows normalised faces and lets the eye judge that they look alike. It has no measure of the identity that
# is left, and no person from outside its two datasets.
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | one network for each person | DeepFN, by motion: one for all | a stranger has no network | any leak is that one's |
# | video of minutes | ten photographs a person | that is what there is | a median over few frames |
# | faces judged by eye | re-identification against chance | an eye is no measure | numbers with intervals |
# | – | identity only, no action units | no labels | says nothing about recognition |
#
# Two cautions. A network that gives everyone the same picture, whatever they do, would remove identity perfectly and be
# useless; so we also measure how much still *moves*. And ten photographs of a session share light and hair: to
# recognise someone here is easier than to recognise them a year later.

# %%
card = load_manifest("orl")
fields = ("title", "source", "licence", "access", "showable_reason")
rows = [{"": field, "photographs": getattr(card, field)} for field in fields]
table(pd.DataFrame(rows), "Data card of the photographs.")

# %% [markdown]
# The terms ask for credit and are silent on whether these people agreed to be published. So this page shows means over
# many of them, and a grey card where single faces would be.
#
# ## A toy whose answer we know
#
# Eight "people" are eight random patterns; each of their ten "photographs" is the pattern plus noise. Re-identification
# should be perfect when patterns are strong, and no better than guessing once they are gone.

# %%
random = np.random.default_rng(seed_of_roles)
toy_names = np.repeat([f"person {k}" for k in range(8)], 10)
patterns = random.normal(size=(8, 12, 12)).repeat(10, axis=0)
noise = random.normal(size=(80, 12, 12))

# %% [markdown]
# ### From equation to code
#
# A *gallery* holds faces with names. A *probe* gets the name of the gallery face it correlates with most, and the
# *re-identification rate* is the share of probes $x_i$ of person $p_i$ that are named rightly:
#
# $$R = \frac{1}{n}\sum_{i=1}^{n} \Big[\, p\big(\arg\max_{g}\, \rho(x_i, x_g)\big) = p_i \Big],
# \qquad \rho = \text{correlation over pixels}.$$
#
# Correlation ignores brightness and contrast, so nobody is recognised by the exposure alone. Chance is one over the
# number of people.


# %%
def rate(gallery, names, probes, truth):
    """Share of probes (n, h, w) named rightly by their most correlated gallery face."""
    both = np.corrcoef(
        np.concatenate([probes, gallery]).reshape(len(probes) + len(gallery), -1)
    )
    nearest = both[: len(probes), len(probes) :].argmax(axis=1)
    return np.mean(names[nearest] == truth)


# %% [markdown]
# Once every face has mean 0 and length 1, a correlation is a scalar product, and one product of matrices compares all
# probes with all of the gallery. On photographs we use this quicker form; on the toy the two must agree.


# %%
def standardise(faces):
    """Faces (n, h, w) as vectors float32 (n, h w) of mean 0 and length 1."""
    vectors = faces.reshape(len(faces), -1).astype(np.float32)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-6)


# %%
def nearest_neighbour(gallery, names, probes):
    """The name of the most correlated gallery face for each probe."""
    return names[np.argmax(standardise(probes) @ standardise(gallery).T, axis=1)]


# %%
named, unnamed = np.arange(80) % 10 < 5, np.arange(80) % 10 >= 5
toy_rates = {}
for strength in (1.0, 0.3, 0.1, 0.0):
    toy = strength * patterns + noise
    gallery, probes, truth = toy[named], toy[unnamed], toy_names[unnamed]
    toy_rates[strength] = rate(gallery, toy_names[named], probes, truth)
    read = nearest_neighbour(gallery, toy_names[named], probes)
    assert np.mean(read == truth) == toy_rates[strength]

# %%
shown = pd.DataFrame({"strength of the pattern": list(toy_rates)})
shown["named rightly, %"] = [100 * value for value in toy_rates.values()]
table(shown, "The toy: identity found where it is; chance is 12.5 %.")

# %%
assert toy_rates[1.0] == 1.0 and toy_rates[0.0] < 0.35

# %% [markdown]
# The second reader is a *linear probe*: multinomial logistic regression on the pixels. It may weigh pixels, so it finds
# identity that sits in a few of them, where plain correlation drowns it. The pixels are first turned onto the gallery's
# principal axes, which loses nothing and is quicker, and scaled to a variance of 1 on average.


# %%
def linear_probe(gallery, names, probes):
    """The names that logistic regression on the gallery's pixels gives the probes."""
    with threadpool_limits(1):  # matrices this small would have threads mostly wait
        named = standardise(gallery)
        axes = PCA().fit(named)
        scale = np.sqrt(axes.explained_variance_.mean())
        model = LogisticRegression(C=1.0, max_iter=2000)
        model.fit(axes.transform(named) / scale, names)
        return model.predict(axes.transform(standardise(probes)) / scale)


# %%
READERS = {"nearest neighbour": nearest_neighbour, "linear probe": linear_probe}

# %% [markdown]
# ### The median must not tell
#
# Our methods take a person's median face. Were it taken over gallery and probes together, subtracting it would tie them
# to each other: the more one of them is above the median, the more the others are below. So every person's photographs
# get one of three roles: *calibration*, for the median only, *gallery*, and *probe*. The roles are drawn several times.

# %%
CALIBRATION, GALLERY, PROBE = 0, 1, 2


# %%
def assign_roles(people, calibration, gallery, random):
    """A role for every face, int (n,): so many of each person's, the rest probes."""
    roles = np.full(len(people), PROBE)
    needed = calibration + gallery + 1
    for person, rows in images.by_person(people):
        if len(rows) < needed:
            raise ValueError(f"{person} has {len(rows)} faces; {needed} are needed")
        rows = random.permutation(rows)
        roles[rows[:calibration]] = CALIBRATION
        roles[rows[calibration : calibration + gallery]] = GALLERY
    return roles


# %%
def drawn_roles(names, *seed):
    """A role for each face of `names`, drawn by a seed."""
    random = np.random.default_rng(seed)
    return assign_roles(names, calibration_photos, gallery_photos, random)


# %%
probe_photos = 10 - calibration_photos - gallery_photos
of_each = np.bincount(drawn_roles(toy_names, 0)) / 8
assert of_each.tolist() == [calibration_photos, gallery_photos, probe_photos]

# %% [markdown]
# Of a gallery a reader sees faces and names, of the probes faces only; calibration faces it never sees.


# %%
def reidentify(faces, people, roles):
    """For each reader, which probes it names rightly: bool, in the probes' order."""
    gallery, probes = roles == GALLERY, roles == PROBE
    right = {}
    for name, read in READERS.items():
        named = read(faces[gallery], people[gallery], faces[probes])
        right[name] = named == people[probes]
    return right


# %% [markdown]
# ## The run
#
# First faces: the same detector, points and crop as in chapter 01, on photographs of 92 by 112 pixels.

# %%
with_face, photographs = study.photographs
found = photographs.loc[photographs["found"], "person"].to_numpy(str)
names, times = np.unique(found, return_counts=True)
names = names[times > calibration_photos + gallery_photos]
chosen = np.isin(found, names)
faces, people = with_face[chosen], found[chosen]
chance = 1 / len(names)

# %%
say(
    "{found} of {all} photographs have a face that the detector finds; {people} "
    "people have enough of them. Chance is {chance:.1%}.",
    found=len(found),
    all=len(photographs),
    people=len(names),
    chance=chance,
)

# %% [markdown]
# Arms of the study that can serve a stranger: as photographed, equalised, with the median subtracted, with the
# difference or the movement brought to the template's median by optical flow, and by DeepFN by motion (chapter 18),
# whose network is applied as it is: it has never seen a photograph. The paper's method has no network for a stranger.

# %%
shared = arms.OURS  # the paper's method has no network for a stranger
pictured = [*plain_arms, shared]


# %%
def arms_of_strangers(calibration):
    """Each arm's faces uint8 (n, 64, 64); medians over the faces in `calibration`."""
    return {
        arm: study.of_strangers(arm, faces, people, calibration) for arm in pictured
    }


# %%
def identified(pictures, names, roles):
    """One row an arm and person: the share of their probes that each reader names."""
    found = []
    for arm, some in pictures.items():
        right = pd.DataFrame(reidentify(some, names, roles))
        by_person = right.groupby(names[roles == PROBE]).mean()
        found.append(by_person.rename_axis("person").reset_index().assign(arm=arm))
    return pd.concat(found)


# %%
results = []
for draw in range(draws):
    roles = drawn_roles(people, seed_of_roles, draw)
    pictures = arms_of_strangers(roles == CALIBRATION)
    results.append(identified(pictures, people, roles))
strangers = pd.concat(results)

# %% [markdown]
# ### The same test on the study's own people
#
# How well can people be told apart when normalisation is *exact*? The oracle arm knows: it is the same face for all, so
# what is recognised there is not a face but a habit, the way somebody holds the head or presses the lips. No method
# should be blamed for that. Ten frames of each participant, spread over their video, stand in for ten photographs.

# %%
own = dict(images.by_person(study.faces.names))
own.pop(study.template.name)
enough = [rows for rows in own.values() if len(rows) >= 10]
spread = [np.linspace(0, len(rows) - 1, 10).astype(int) for rows in enough]
ten_each = np.concatenate([rows[some] for rows, some in zip(enough, spread)])
people_here = study.faces.names[ten_each]
chance_here = 1 / len(enough)

# %%
pictured_here = [*pictured, arms.ORACLE] if study.faces.truth is not None else pictured
pictures_here = {arm: np.asarray(study.arm(arm)[ten_each]) for arm in pictured_here}

# %%
results = []
for draw in range(draws):
    roles_here = drawn_roles(people_here, seed_of_roles, draw, 1)
    results.append(identified(pictures_here, people_here, roles_here))
known = pd.concat(results)

# %% [markdown]
# ### How much still moves
#
# For each person we take the standard deviation over their photographs, pixel by pixel, and average it over the face.
# A normaliser that has gone deaf gives everyone one still picture, and this falls to nothing.


# %%
def movement(pictures, names):
    """Mean SD within a person, grey levels, over people: pictures (n, h, w)."""
    each = [pictures[rows].astype(float) for _, rows in images.by_person(names)]
    return np.mean([some.std(axis=0).mean() for some in each])


# %%
moves = {arm: movement(some, people) for arm, some in pictures.items()}
moves_here = {arm: movement(some, people_here) for arm, some in pictures_here.items()}

# %% [markdown]
# ## What it looks like
#
# Single people stay hidden, as the manifest wants it; the grey card below is the gate at work, not an error.

# %%
template = study.template
template_person = f"{study.faces.manifests[template.dataset]}/{template.participant}"
everyone = [f"orl/{one}" for one in names]
faces_shown = [pictures[arms.ORIGINAL][0], pictures[shared][0]]
who = [everyone[0], (everyone[0], template_person)]
page.face_grid([faces_shown], [who], caption="One photograph, before and after.")

# %% [markdown]
# What may be shown is the mean over everybody. A sharp mean is a sign of success here: it says that the faces under it
# have the same geometry.

# %%
means = {
    arm: some.mean(axis=0).round().astype(np.uint8) for arm, some in pictures.items()
}
labels = [figures.arm_label(arm) for arm in means]
mean = page.Mean(everyone)
worn = {True: (mean, template_person), False: mean}
who = [worn[arms.find(arm).wears_template] for arm in means]

# %%
caption = (
    "The mean of all photographs in each arm; images by AT&T Laboratories Cambridge."
)
page.face_grid([list(means.values())], [who], column_labels=labels, caption=caption)

# %% [markdown]
# Sharpness can be counted: the mean gradient of the mean face, against that of the mean photograph.

# %%
gradients = {arm: np.gradient(mean.astype(float)) for arm, mean in means.items()}
sharpness = pd.Series({arm: np.hypot(*some).mean() for arm, some in gradients.items()})
shown = sharpness.rename(figures.arm_label).rename_axis("arm")
caption = "Mean gradient of the mean face, grey levels a pixel."
table(shown.reset_index(name="gradient"), caption)

# %% [markdown]
# The mean of subtracted faces is almost flat, as it should be: what is left after the median has nothing in common from
# one person to the next. The arms that wear the template's face inherit its edges.

# %% [markdown]
# ## Who can still be recognised

# %%
readers = list(READERS)


def in_short(results, moves):
    """One row an arm: probes named rightly, with intervals over people; movement."""
    rows = {}
    for arm, moved in moves.items():
        rows[arm] = {"arm": figures.arm_label(arm)}
        some = results[results["arm"] == arm].groupby("person")[readers].mean()
        for reader in readers:
            estimate = mean_interval(100 * some[reader], plan)
            ends = {f"{reader}, low": estimate.low, f"{reader}, high": estimate.high}
            rows[arm] |= {reader: estimate.value, **ends}
        rows[arm]["movement"] = moved
    return pd.DataFrame.from_dict(rows, orient="index")


# %%
theirs, ours = in_short(strangers, moves), in_short(known, moves_here)
columns = ["arm", *readers, "movement"]

# %%
caption = (
    "Photographs: probes named rightly, %; chance is {:.1f} %. Movement in grey levels."
)
table(theirs[columns], caption.format(100 * chance))

# %%
caption = "The study's own people: probes named rightly, %; chance is {:.1f} %."
table(ours[columns], caption.format(100 * chance_here))

# %% [markdown]
# Read each table downwards. The first rows say how easy the task is before anything is done: photographs of one session
# share hair, light and outline, so this is recognition made easy. What a row takes off that number is identity that its
# method removes. The linear probe is mostly the better reader of the two; where it is far ahead, identity sits in few
# pixels, where plain correlation does not look.
#
# Then read across. An arm that hides people and hardly moves has not normalised anybody, it has only fallen silent; an
# arm that hides people and moves as much as before has done what was asked. And compare the two tables: a method that
# was trained on the study's people and hides *them* may still know nothing about a stranger.

# %%
figure = go.Figure()
for reader, symbol in zip(readers, ("circle", "square")):
    value, low, high = (theirs[f"{reader}{end}"] for end in ("", ", low", ", high"))
    error = {"type": "data", "array": high - value, "arrayminus": value - low}
    look = {"mode": "markers", "marker": {"size": 10, "symbol": symbol}}
    figure.add_scatter(x=theirs["arm"], y=value, error_y=error, name=reader, **look)

# %%
caption = (
    "Strangers' photographs named rightly, with 95 % intervals over people; the "
    "dotted line is chance."
)
figure.add_hline(y=100 * chance, line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(figure, caption, y="named rightly, %")

# %% [markdown]
# ## Against the paper and the baselines
#
# The paper has no number to set beside these. The comparison that counts is with the arms that need no network. If
# subtracting a median hides as much of a person as a trained network does, the network must earn its cost elsewhere.

# %%
left = theirs[readers].max(axis=1)
filmed, equalised, *others = plain_arms
simple = left[others].idxmin()
still = {arm: moves[arm] / moves[equalised] for arm in (shared, simple)}
verdict = "hides" if left[shared] < left[simple] else "does not hide"

# %%
say(
    "DeepFN, by motion {verdict} more of a stranger than the best arm without one "
    "({simple}): {network:.0f} % against {best:.0f} % for the better reader. What "
    "moves is {moved:.0%} of the equalised photographs' movement, and "
    "{moved_simple:.0%} for the other.",
    verdict=verdict,
    simple=figures.arm_label(simple),
    network=left[shared],
    best=left[simple],
    moved=still[shared],
    moved_simple=still[simple],
)

# %% [markdown]
# ## What we learned

# %%
lows = theirs[[f"{reader}, low" for reader in readers]]
surely = (lows > 100 * chance).any(axis=1)
leaking = [figures.arm_label(arm) for arm in theirs.index[surely]]

# %%
floor = ""
if arms.ORACLE in ours.index:
    habits = ours.loc[arms.ORACLE, readers].max()
    floor = (
        " On the study's own people even the exact answer is named rightly "
        f"{habits:.0f} % of the time (chance {100 * chance_here:.1f} %): by habits, "
        "not by looks."
    )

# %%
lesson = "cannot be told apart by these two readers, which is no proof that none can"
if surely[shared]:
    lesson = "are not anonymous: whoever may not see the originals should not see them"

# %%
say(
    "A stranger's photographs are named rightly {original:.0f} % of the time as they "
    "are, and {network:.0f} % after DeepFN by motion, where chance is {chance:.1f} "
    "%. Above chance beyond doubt: {leaking}. So normalised faces {lesson}.{floor} "
    "The mean of the normalised photographs is {sharper:.1f} times as sharp as that "
    "of the originals.",
    original=left[filmed],
    network=left[shared],
    chance=100 * chance,
    leaking="; ".join(leaking) or "none",
    lesson=lesson,
    floor=floor,
    sharper=sharpness[shared] / sharpness[filmed],
)

# %% [markdown]
# ## Exercises
#
# **1.** Take the median over *all* of a person's photographs, gallery and probes included. What happens to the
# re-identification of the median-subtracted arm, and is it an honest gain?


# %% tags=["hide-cell"]
def named_right(pictures, roles):
    """Share of the photographs' probes that the nearest neighbour names rightly."""
    return np.mean(reidentify(pictures, people, roles)["nearest neighbour"])


# %% tags=["hide-cell"]
all_of_them = np.ones(len(people), bool)
everything = study.of_strangers(arms.SUBTRACTED, faces, people, all_of_them)
say(
    "{honest:.1%} falls to {cheat:.1%}: each probe now helps to hide its own gallery.",
    honest=named_right(pictures[arms.SUBTRACTED], roles),
    cheat=named_right(everything, roles),
)

# %% [markdown]
# **2.** Where does identity sit? Keep only the upper or the lower half of the equalised faces.

# %% tags=["hide-cell"]
whole = pictures[equalised]
for name, half in {"upper": whole[:, :32], "lower": whole[:, 32:]}.items():
    share = named_right(half, roles)
    display(say("By the {name} half: {share:.1%}.", name=name, share=share))

# %% [markdown]
# **3.** How much does a longer gallery help whoever wants to recognise people? Move the calibration photographs of
# the equalised arm, which needs none, to the gallery.

# %% tags=["hide-cell"]
longer = np.where(roles == CALIBRATION, GALLERY, roles)
say(
    "From {before:.1%} with {few} to {after:.1%} with {many}.",
    before=named_right(whole, roles),
    few=gallery_photos,
    after=named_right(whole, longer),
    many=gallery_photos + calibration_photos,
)

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
