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
calibration_photos = 4  # of each person's ten, for their median face
gallery_photos = 3  # of each person's ten, with names; the rest are to be named
draws = 5  # times that photographs are given these roles anew
seed_of_roles = 15  # for drawing them
resamples = 4000  # bootstrap resamples of people for every interval

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from deepfn_lib import page, study
from deepfn_lib.artefacts import Store
from deepfn_lib.datasets import orl
from deepfn_lib.datasets.manifests import load_manifest
from deepfn_lib.faces import images
from deepfn_lib.measures import identity
from deepfn_lib.normaliser.strangers import normalise_strangers, shared_method
from deepfn_lib.page import figures, table
from deepfn_lib.settings import load_settings
from deepfn_lib.statistics import Plan, mean_interval
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
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
# | one network for each person | one shared network | a stranger has no network | any leak is the shared one's |
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
table(pd.DataFrame([{"": field, "photographs": getattr(card, field)} for field in fields]),
      "Data card of the photographs.")  # fmt: skip

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
    both = np.corrcoef(np.concatenate([probes, gallery]).reshape(len(probes) + len(gallery), -1))
    nearest = both[: len(probes), len(probes) :].argmax(axis=1)
    return np.mean(names[nearest] == truth)


# %%
named, unnamed = np.arange(80) % 10 < 5, np.arange(80) % 10 >= 5
toy_rates = {}
for strength in (1.0, 0.3, 0.1, 0.0):
    toy = strength * patterns + noise
    toy_rates[strength] = rate(toy[named], toy_names[named], toy[unnamed], toy_names[unnamed])
    library = identity.nearest_neighbour(toy[named], toy_names[named], toy[unnamed])
    assert np.mean(library == toy_names[unnamed]) == toy_rates[strength]

# %%
shown = {"strength of the pattern": list(toy_rates), "named rightly, %": [100 * r for r in toy_rates.values()]}
table(pd.DataFrame(shown), "The toy: identity found where it is; chance is 12.5 %.")
assert toy_rates[1.0] == 1.0 and toy_rates[0.0] < 0.35

# %% [markdown]
# The second reader is a *linear probe*: multinomial logistic regression on the pixels. It may weigh pixels, so it finds
# identity that sits in a few of them, where plain correlation drowns it.
#
# ### The median must not tell
#
# Our methods take a person's median face. Were it taken over gallery and probes together, subtracting it would tie them
# to each other: the more one of them is above the median, the more the others are below. So every person's photographs
# get one of three roles: *calibration*, for the median only, *gallery*, and *probe*. The roles are drawn several times.

# %%
roles_of_toy = identity.assign_roles(toy_names, calibration_photos, gallery_photos, np.random.default_rng(0))
assert np.bincount(roles_of_toy).tolist() == [8 * calibration_photos, 8 * gallery_photos,
                                              8 * (10 - calibration_photos - gallery_photos)]  # fmt: skip

# %% [markdown]
# ## The run
#
# First faces: the same detector, points and crop as in chapter 01, on photographs of 92 by 112 pixels.

# %%
photographs, without_face = orl.photograph_faces(store, settings.crop_size, settings.alignment)
enough = pd.Series(photographs.people).value_counts() > calibration_photos + gallery_photos
chosen = np.isin(photographs.people, enough.index[enough])
faces, people = photographs.images[chosen], photographs.people[chosen]
chance = 1 / len(np.unique(people))

# %%
display(Markdown(
    f"{len(photographs.images)} of {len(photographs.images) + without_face} photographs have a face that the detector "
    f"finds; {len(np.unique(people))} people have enough of them. Chance is {chance:.1%}."
))  # fmt: skip

# %%
method = shared_method(settings)
study_faces = study.faces(settings, store)
person = study.template(settings, store)
template_name = person.name
template_rows = np.flatnonzero(study_faces.person_names() == template_name)
template_median = images.median_faces(study_faces.images[template_rows], np.full(len(template_rows), template_name))

# %% [markdown]
# Every arm of the study that can serve a stranger: as photographed, equalised, with the median subtracted, with the
# difference moved onto the template's median by optical flow, and through the shared network, which is applied as it
# is: it has never seen a photograph.


# %%
def arms_of_strangers(calibration):
    """Each arm's faces uint8 (n, 64, 64); medians over the photographs that `calibration` (n,) marks."""
    medians = images.median_faces(faces[calibration], people[calibration]) | template_median
    found = {
        name: images.make_arm(name, faces, people, template_name, medians=medians)
        for name in ("original", "equalised", "median-subtracted", "flow-residual")
    }
    found["deepfn"] = normalise_strangers(settings, store, method, faces, people, calibration)
    return found


# %%
def identified(arms, names, roles):
    """One row for each arm, reader and person: the share of that person's probes that are named rightly."""
    rows = []
    for arm, pictures in arms.items():
        for reader, right in identity.reidentify(pictures, names, roles).items():
            by_person = pd.Series(right).groupby(names[roles == identity.PROBE]).mean()
            rows += [{"arm": arm, "reader": reader, "person": one, "share": value} for one, value in by_person.items()]
    return pd.DataFrame(rows)


# %%
results = []
for draw in range(draws):
    random = np.random.default_rng([seed_of_roles, draw])
    roles = identity.assign_roles(people, calibration_photos, gallery_photos, random)
    arms = arms_of_strangers(roles == identity.CALIBRATION)
    results.append(identified(arms, people, roles))
strangers = pd.concat(results)

# %% [markdown]
# ### The same test on the study's own people
#
# How well can people be told apart when normalisation is *exact*? The oracle arm knows: it is the same face for all, so
# what is recognised there is not a face but a habit, the way somebody holds the head or presses the lips. No method
# should be blamed for that. Ten frames of each participant, spread over their video, stand in for ten photographs.

# %%
names_here = study_faces.person_names()
spread_rows = np.concatenate([
    rows[np.linspace(0, len(rows) - 1, 10).astype(int)]
    for one, rows in images.by_person(names_here) if len(rows) >= 10 and one != template_name
])  # fmt: skip
people_here = names_here[spread_rows]
known_arms = [arm for arm in (*arms, "oracle") if arm != "oracle" or study_faces.truth is not None]
pictures_here = {arm: np.asarray(study.arm(settings, store, arm)[spread_rows]) for arm in known_arms}

# %%
own_results = []
for draw in range(draws):
    random = np.random.default_rng([seed_of_roles, draw, 1])
    roles_here = identity.assign_roles(people_here, calibration_photos, gallery_photos, random)
    own_results.append(identified(pictures_here, people_here, roles_here))
own = pd.concat(own_results)
chance_here = 1 / len(np.unique(people_here))

# %% [markdown]
# ### How much still moves
#
# For each person we take the standard deviation over their photographs, pixel by pixel, and average it over the face.
# A normaliser that has gone deaf gives everyone one still picture, and this falls to nothing.


# %%
def movement(pictures, names):
    """Mean SD within a person, grey levels, over people: pictures (n, h, w), names (n,)."""
    return np.mean([pictures[rows].astype(float).std(axis=0).mean() for _, rows in images.by_person(names)])


moves = {arm: movement(pictures, people) for arm, pictures in arms.items()}
moves_here = {arm: movement(pictures, people_here) for arm, pictures in pictures_here.items()}

# %% [markdown]
# ## What it looks like
#
# Single people stay hidden, as the manifest wants it; the grey card below is the gate at work, not an error.

# %%
manifest_of_template = study_faces.manifests[person.dataset]
template_person = f"{manifest_of_template}/{person.participant}"
everyone = [f"orl/{one}" for one in np.unique(people)]
page.face_grid(
    [[arms["original"][0], arms["deepfn"][0]]], [[everyone[0], (everyone[0], template_person)]],
    caption="One photograph, before and after.",
)  # fmt: skip

# %% [markdown]
# What may be shown is the mean over everybody. A sharp mean is a sign of success here: it says that the faces under it
# have the same geometry.

# %%
means = {arm: pictures.mean(axis=0).round().astype(np.uint8) for arm, pictures in arms.items()}
mixed = {"flow-residual", "deepfn"}  # these arms wear the template's face
page.face_grid(
    [list(means.values())],
    [[(page.Mean(everyone), template_person) if arm in mixed else page.Mean(everyone) for arm in means]],
    column_labels=[figures.arm_label(arm) for arm in means],
    caption="The mean of all photographs in each arm; images by AT&T Laboratories Cambridge.",
)  # fmt: skip

# %% [markdown]
# Sharpness can be counted: the mean gradient of the mean face, against that of the mean photograph.

# %%
sharpness = {arm: np.hypot(*np.gradient(mean.astype(float))).mean() for arm, mean in means.items()}
table(pd.DataFrame([{"arm": figures.arm_label(arm), "gradient": value} for arm, value in sharpness.items()]),
      "Mean gradient of the mean face, grey levels a pixel.")  # fmt: skip

# %% [markdown]
# The mean of subtracted faces is almost flat, as it should be: what is left after the median has nothing in common from
# one person to the next. The arms that wear the template's face inherit its edges.

# %% [markdown]
# ## Who can still be recognised


# %%
def in_short(results, moves, chance):
    """One row an arm: re-identification by both readers with intervals over people, and movement."""
    rows = []
    for arm in moves:
        row = {"arm": figures.arm_label(arm)}
        for reader in identity.READERS:
            some = results[(results["arm"] == arm) & (results["reader"] == reader)]
            estimate = mean_interval(100 * some.groupby("person")["share"].mean(), plan)
            row |= {reader: estimate.value, f"{reader}, low": estimate.low, f"{reader}, high": estimate.high}
        rows.append(row | {"movement": moves[arm], "arm_name": arm})
    return pd.DataFrame(rows)


# %%
ours, theirs = in_short(own, moves_here, chance_here), in_short(strangers, moves, chance)
hidden = {"arm_name": None} | {f"{reader}, {end}": None for reader in identity.READERS for end in ("low", "high")}

# %%
table(theirs, f"Photographs: probes named rightly, %; chance is {100 * chance:.1f} %. Movement in grey levels.",
      headings=hidden)  # fmt: skip

# %%
table(ours, f"The study's own people: probes named rightly, %; chance is {100 * chance_here:.1f} %.", headings=hidden)

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
for reader, symbol in zip(identity.READERS, ("circle", "square")):
    error = {"type": "data", "symmetric": False, "array": theirs[f"{reader}, high"] - theirs[reader],
             "arrayminus": theirs[reader] - theirs[f"{reader}, low"]}  # fmt: skip
    figure.add_scatter(x=theirs["arm"], y=theirs[reader], error_y=error, mode="markers", name=reader,
                       marker={"size": 10, "symbol": symbol})  # fmt: skip
figure.add_hline(y=100 * chance, line={"dash": "dot", "color": "#7F7F7F"})
figures.finish(figure, "Strangers' photographs named rightly, with 95 % intervals over people; the dotted line is "
               "chance.", y="named rightly, %")  # fmt: skip

# %% [markdown]
# ## Against the paper and the baselines
#
# The paper has no number to set beside these. The comparison that counts is with the arms that need no network. If
# subtracting a median hides as much of a person as a trained network does, the network must earn its cost elsewhere.

# %%
by_arm, readers = theirs.set_index("arm_name"), list(identity.READERS)
left = {arm: by_arm.loc[arm, readers].max() for arm in by_arm.index}
lows = [f"{reader}, low" for reader in readers]
surely = {arm: bool((by_arm.loc[arm, lows] > 100 * chance).any()) for arm in by_arm.index}
simple = min(("median-subtracted", "flow-residual"), key=left.get)
verdict = "hides more of a stranger than" if left["deepfn"] < left[simple] else "does not hide more of a stranger than"
display(Markdown(
    f"The shared network {verdict} the best arm without one ({figures.arm_label(simple)}): {left['deepfn']:.0f} % "
    f"against {left[simple]:.0f} % for the better reader. What moves is {moves['deepfn'] / moves['equalised']:.0%} of "
    f"the equalised photographs' movement, and {moves[simple] / moves['equalised']:.0%} for the other."
))  # fmt: skip

# %% [markdown]
# ## What we learned

# %%
leaking = [figures.arm_label(arm) for arm in by_arm.index if surely[arm]]
exact = ours.set_index("arm_name")
floor = ""
if "oracle" in exact.index:
    habits = exact.loc["oracle", readers].max()
    floor = (f" On the study's own people even the exact answer is named rightly {habits:.0f} % of the time (chance "
             f"{100 * chance_here:.1f} %): by habits, not by looks.")  # fmt: skip
lesson = "cannot be told apart by these two readers, which is no proof that none can"
if surely["deepfn"]:
    lesson = "are not anonymous: whoever may not see the originals should not see them"

# %%
display(Markdown(
    f"""A stranger's photographs are named rightly {left['original']:.0f} % of the time as they are, and
{left['deepfn']:.0f} % after the shared network, where chance is {100 * chance:.1f} %. Above chance beyond doubt:
{', '.join(leaking) or 'none'}. So normalised faces {lesson}.{floor} The mean of the normalised photographs is
{sharpness['deepfn'] / sharpness['original']:.1f} times as sharp as that of the originals."""
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Take the median over *all* of a person's photographs, gallery and probes included. What happens to the
# re-identification of the median-subtracted arm, and is it an honest gain?

# %% tags=["hide-cell"]
everything = images.make_arm("median-subtracted", faces, people, template_name,
                             medians=images.median_faces(faces, people) | template_median)  # fmt: skip
cheat = np.mean(identity.reidentify(everything, people, roles)["nearest neighbour"])
honest = np.mean(identity.reidentify(arms["median-subtracted"], people, roles)["nearest neighbour"])
display(Markdown(f"{honest:.1%} falls to {cheat:.1%}: each probe now helps to hide its own gallery."))

# %% [markdown]
# **2.** Where does identity sit? Keep only the upper or the lower half of the equalised faces.

# %% tags=["hide-cell"]
halves = {"upper": arms["equalised"][:, :32], "lower": arms["equalised"][:, 32:]}
for name, half in halves.items():
    found = np.mean(identity.reidentify(half, people, roles)["nearest neighbour"])
    display(Markdown(f"By the {name} half: {found:.1%}."))

# %% [markdown]
# **3.** How much does a longer gallery help whoever wants to recognise people? Move the calibration photographs of
# the equalised arm, which needs none, to the gallery.

# %% tags=["hide-cell"]
longer = np.where(roles == identity.CALIBRATION, identity.GALLERY, roles)
before, after = (
    np.mean(identity.reidentify(arms["equalised"], people, some)["nearest neighbour"]) for some in (roles, longer)
)
display(Markdown(f"From {before:.1%} with {gallery_photos} to {after:.1%} with {gallery_photos + calibration_photos}."))

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
