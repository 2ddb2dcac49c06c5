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
# # Measuring normalisation
#
# **How good is a normalised face, which method makes the best ones, and what does it cost?**
#
# The paper judges its normalised faces by eye, and by what a classifier makes of them afterwards. On rendered people
# there is more: for each frame we can draw the same expression, in the same moment, on the template's face. That
# picture is the *exact answer*. With it we can ask how much of an expression arrives, how much of the person comes
# along uninvited, and what each method pays for it.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
budget_shares = [0.25, 1.0]  # budgets of DeepFN for everybody, shares of its iterations
control_arms = ["equalised", "median-subtracted"]  # what the control's LeNet-5 sees
course_people = 3  # people whose networks are followed from random weights
course_shares = [2, 4, 8]  # when they are looked at, times normaliser_iterations
shown_people = 6  # participants in the pictures, evenly spaced by name
cell = 120  # pixels of a face in the pictures
confidence = 0.95  # of every interval
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 10  # of the resampling

# %%
from deepfn_lib.device import configure_tensorflow

tf = configure_tensorflow()

# %%
import cv2
import numpy as np
import pandas as pd
from scipy.ndimage import shift

from deepfn_lib import arms, page, statistics
from deepfn_lib.faces import images, regions
from deepfn_lib.frames import BP4D_ACTION_UNITS
from deepfn_lib.measures import expression, nearness
from deepfn_lib.normaliser import networks, reference
from deepfn_lib.normaliser.augmentation import (
    Augmentation,
    draw_affine,
    draw_nodes,
    sample,
    spread,
    way_back,
)
from deepfn_lib.page import figures, say, table
from deepfn_lib.rendering.toys import render_moment
from deepfn_lib.study import Study
from deepfn_lib.study.quality import summary

# %%
study = Study.open(profile, {**overrides, "bp4d": "", "disfa": ""}, artefacts)
figures.use_theme()
plan = statistics.Plan(confidence, bootstrap_samples, seed=statistics_seed)

# %%
method, label = arms.PAPERS, figures.arm_label

# %% [markdown]
# ## What the paper says, and where we differ
#
# > the normalization is performed at the image level allowing easier inspection of the output data (§2)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | faces inspected by eye | measured against the exact answer | rendered people have one | this chapter |
# | one method | its rivals too, under one interface | a claim needs rivals | this chapter |
# | no cost given | images, core seconds, parameters | its authors call training expensive | this chapter |
# | no course of training | pictures and readings over images | is it finished? does more help? | this chapter |
#
# Everything here is about renderings, whatever data the other chapters use: only they have an exact answer. A method
# that reads rendered brows well may fail on real ones; the *order* of methods and the reasons for it are what carries
# over, if anything does.

# %% [markdown]
# ## A toy: which of these pictures is the best?
#
# The template smiles. In the language of the Facial Action Coding System that is AU12, an *action unit* that pulls the
# lip corners. Four bad normalisers try to draw it: one forgets the smile, one is two pixels off, one is out of focus,
# one adds noise. Which would you prefer, if you wanted to know whether she smiles?

# %%
template_name = "F007"
seed = study.settings.seed
neutral = render_moment(template_name, seed=seed, size=64)
smile = render_moment(template_name, {12: 1.0}, seed=seed, size=64)
noise = np.random.default_rng(seed).normal(0, 20, smile.shape)
attempts = {
    "no smile": neutral,
    "two pixels off": shift(smile, (0, 2), mode="nearest"),
    "out of focus": cv2.GaussianBlur(smile, (0, 0), 1.5),
    "noise": np.uint8(np.clip(smile + noise, 0, 255)),
}

# %%
shown_toy = {"exact answer": smile, **attempts}
page.face_grid(
    [list(shown_toy.values())],
    [[f"rendered-bp4d/{template_name}"] * len(shown_toy)],
    column_labels=list(shown_toy),
    caption="A smile, and four attempts at it.",
)

# %% [markdown]
# The usual measure is the *peak signal-to-noise ratio*, the mean squared error against the full range of grey on a
# logarithmic scale, in decibels. More is better.
#
# $$\mathrm{PSNR} = 10\log_{10}\frac{255^2}{\mathrm{MSE}}$$


# %%
def in_decibels(picture, answer):
    """PSNR of one uint8 picture."""
    return 10 * np.log10(255**2 / np.mean(np.square(picture.astype(float) - answer)))


assert np.isclose(in_decibels(np.full((4, 4), 151), np.full((4, 4), 125.5)), 20)

# %%
by_psnr = pd.Series({name: in_decibels(one, smile) for name, one in attempts.items()})
ordered = by_psnr.sort_values(ascending=False).rename("PSNR, dB")
caption = "Four attempts, best by PSNR first."
table(ordered.rename_axis("attempt").reset_index(), caption)

# %%
beaten = by_psnr.index[by_psnr < by_psnr["no smile"]]
say(
    "The picture without any smile has {without:.1f} dB, and is therefore "
    '"better" than: {beaten}. All of these show the smile.',
    without=by_psnr["no smile"],
    beaten=", ".join(beaten) or "none of the others",
)

# %% [markdown]
# Outline, shading and pose fill a face; an action unit lives in a few hundred pixels around the mouth or the brows.
# A measure that averages over all pixels hardly hears it. This chapter therefore asks three questions apart.

# %% [markdown]
# ## Question one: how near is the picture?
#
# PSNR and the *structural similarity* SSIM (which compares local means, contrasts and patterns) in four regions: the
# face, the brows, the eyes and the mouth. The library averages over frames for each participant, and must agree with
# the formula above.

# %%
where = regions.box("mouth", 64)
near = nearness.fidelity(neutral[None], smile[None], np.array([template_name]))
mouth_psnr = near.set_index("region").loc["mouth", "psnr"]
assert np.isclose(mouth_psnr, in_decibels(neutral[where], smile[where]), atol=1e-3)

# %% [markdown]
# ## Question two: what can still be read?
#
# A *reader* learns to recognise action units from exact answers, so it knows the template's face and no other. Then it
# reads the normalised faces of people who had no part in its training. If $r(\cdot)$ are its readings, the expression
# kept is the correlation over a participant's frames
#
# $$k = \mathrm{corr}\bigl(r(\hat y_i),\ r(y_i)\bigr)$$
#
# between normalised faces $\hat y_i$ and exact answers $y_i$: one if every raised brow arrives as it should. Set beside
# it is the area under the ROC curve (AUC) against the labels: the chance that a frame with the unit is ranked above
# one without it. The reader itself is as plain as can be: principal components and a ridge regression.


# %%
def kept_by_hand(read, exact):
    """Correlation of two series of readings."""
    return float(np.corrcoef(read, exact)[0, 1])


steps = np.linspace(0, 1, 20)
# Fainter smiles are still all there.
assert np.isclose(kept_by_hand(0.3 * steps + 5, steps), 1)
assert abs(kept_by_hand(np.tile([0, 1], 10), steps)) < 0.2

# %% [markdown]
# ## Question three: who is it?
#
# If normalisation works, nobody should be recognisable. We let two recognisers try, on frames from tasks they have not
# seen: one looks for the most similar known picture, the other is a linear discriminant. With $n$ people, guessing
# earns $1/n$.

# %% [markdown]
# ## The methods
#
# Seven need no network: faces as filmed, equalised, equalised in parts, freed of the person's median face (chapter 01),
# the same with the head held still, movement by dense flow (both chapter 18), and the *flow residual*. This one puts
# the difference from the median on the template's face. A dense flow says where each pixel of the template's median is
# in the person's; face and median are bent along it, and the difference of the two is added to the template's median.


# %%
def residual_by_flow(face, median, template):
    """An equalised face and two medians, uint8 (h, w), to the face on the template."""
    dense = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = dense.calc(template, median, None)  # (h, w, 2), pixels
    rows, columns = np.indices(face.shape, np.float32)
    there = cv2.convertMaps(columns + flow[..., 0], rows + flow[..., 1], cv2.CV_16SC2)
    how = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    bent_face, bent_median = (cv2.remap(one, *there, **how) for one in (face, median))
    change = bent_face.astype(int) - bent_median
    return np.uint8(np.clip(template + change, 0, 255))


# %% [markdown]
# Another rendered person makes four faces, and we know what they look like on the template.

# %%
person_name = "M001"
moments = {"rest": {}, "AU04": {4: 1.0}, "AU12": {12: 1.0}, "AU26": {26: 1.0}}


def filmed(participant):
    """The four moments as they are filmed, uint8 (4, 128, 128)."""
    how = {"seed": seed, "size": 128}
    pictures = [render_moment(participant, units, **how) for units in moments.values()]
    return np.stack(pictures)


# %%
both = person_name, template_name
frames, answers = (images.equalise(filmed(name)) for name in both)
median, usual = images.median_face(frames), images.median_face(answers)
on_template = np.stack([residual_by_flow(face, median, usual) for face in frames])
library = images.flow_residual(filmed(person_name), median, usual)
assert np.array_equal(on_template, library)

# %%
person, worn = f"rendered-bp4d/{person_name}", f"rendered-bp4d/{template_name}"
page.face_grid(
    [list(frames), list(on_template), list(answers)],
    [[who] * len(moments) for who in ((person,), (person, worn), (worn,))],
    ["face", "flow residual", "exact answer"],
    list(moments),
    caption="Four faces of one person, their flow residual, and the exact answer.",
)

# %% [markdown]
# The others use a network. DeepFN is the paper's method as chapter 02 builds it; *DeepFN, by motion* is ours
# (chapter 18); neither is ever given a label or an exact answer. The last one is, and it has the last part of this
# chapter to itself.

# %%
trained = [arm for arm in arms.ARMS if arm.network]
described = {"method": [arm.label for arm in trained]}
described["what it is"] = [arm.what for arm in trained]
table(pd.DataFrame(described), "Methods with a network.")

# %% [markdown]
# ## Side by side
#
# All are measured on evenly spaced frames of BP4D's participants. *Codes matched* is the paper's method with one change
# after training: each person's mean code is moved onto the template's before it is decoded, as chapter 02's toy
# suggests.

# %%
self_supervised = [arm.name for arm in arms.ARMS if not arm.labels]
files = {name: study.arm_path(name) for name in self_supervised}
files["codes matched"] = study.matched_arm()
files[arms.ORACLE] = study.arm_path(arms.ORACLE)

# %%
tables = study.quality(files)
overview = summary(tables).set_index("arm")
# Without error there is no ratio.
overview.loc[arms.ORACLE, ["psnr", "mouth_psnr"]] = np.nan
shown = overview.rename(index=label).reset_index()

# %%
headings = {
    "psnr": "PSNR face",
    "ssim": "SSIM face",
    "mouth_psnr": "PSNR mouth",
    "correlation": "expression kept",
    "auc": "AUC",
    "nearest": "identity, nearest",
    "linear": "identity, linear",
}
formats = {name: ".1f" if "psnr" in name else ".2f" for name in headings}

# %%
caption = (
    "Means over participants. "
    "Left: nearness; middle: what is read; right: who is recognised."
)
table(shown, caption, formats=formats, headings=headings)


# %%
def estimate_rows(estimates):
    """Estimates by label as `figures.interval_plot` takes them."""
    rows = pd.DataFrame(list(estimates.values()))
    return rows.rename(columns={"value": "difference"}).assign(label=list(estimates))


# %%
by_person = tables["expression"].groupby(["arm", "participant"])["correlation"].mean()
kept = by_person.unstack("arm")
differences = {
    label(name): statistics.mean_interval(kept[method] - kept[name], plan)
    for name in kept.columns.drop([method, arms.ORACLE])
}

# %%
figures.interval_plot(
    estimate_rows(differences),
    f"Expression kept by {label(method)}, less that of each rival, by participant.",
    x="difference of correlations",
)

# %%
measured = overview.drop(index=arms.ORACLE)
say(
    "Nearest by PSNR: **{nearest}**. Most expression kept: **{read}**. Of the faces of "
    "**{label}** the linear recogniser names the right person in {named:.0f} % of "
    "frames, of **{ours}** in {ours_named:.0f} %, where chance is {chance:.0f} %.",
    nearest=label(measured["psnr"].idxmax()),
    read=label(measured["correlation"].idxmax()),
    label=label(method),
    named=100 * measured.loc[method, "linear"],
    ours=label(arms.OURS),
    ours_named=100 * measured.loc[arms.OURS, "linear"],
    chance=100 * tables["identity"]["chance"].iloc[0],
)

# %% [markdown]
# ## What it looks like
#
# The same people in every row, each at the moment, among the compared ones, in which the exact answer is furthest
# from the template's usual face: the strongest expressions, not the prettiest.

# %%
exact = study.exact
usual_face = np.median(exact.answers, axis=0)
strength = np.abs(exact.answers.astype(float) - usual_face).mean((1, 2))
everyone = np.unique(exact.people)
spaced = np.linspace(0, len(everyone) - 1, shown_people).astype(int)
chosen = everyone[np.unique(spaced)]

# %%
of_each = [np.where(exact.people == who, strength, -1) for who in chosen]
strongest = exact.rows[[values.argmax() for values in of_each]]
drawn = ["equalised", method, "codes matched", arms.OURS, arms.ORACLE]
pictures = {name: np.load(files[name], mmap_mode="r")[strongest] for name in drawn}
apart = images.difference(pictures[method], pictures[arms.ORACLE].astype(int))
pictures = {**pictures, f"{label(method)} less exact": apart}
faces, template = study.faces, study.template
worn = faces.people(faces.rows(template.name)[:1])[0]
who = [(one, worn) for one in faces.people(strongest)]

# %%
page.face_grid(
    [list(line) for line in pictures.values()],
    [who] * len(pictures),
    [label(name) for name in pictures],
    list(chosen),
    caption="Strong expressions of several participants. The last row is what the "
    "paper's method lacks: grey where it agrees with the exact answer.",
    cell=cell,
)

# %%
by_psnr = tables["fidelity"].query("region == 'face' and arm == @method")
by_psnr = by_psnr.sort_values("psnr", ascending=False)["participant"].tolist()
cases = {"best": by_psnr[0], "median": by_psnr[len(by_psnr) // 2], "worst": by_psnr[-1]}


def strongest_row(participant):
    """The compared row in which the exact answer is furthest from the usual face."""
    rows = np.flatnonzero(exact.people == participant)
    return int(exact.rows[rows[np.argmax(strength[rows])]])


# %%
columns = np.array([strongest_row(one) for one in cases.values()])
pictures = {name: np.load(files[name], mmap_mode="r")[columns] for name in drawn}
page.face_grid(
    [list(line) for line in pictures.values()],
    [[(one, worn) for one in faces.people(columns)]] * len(pictures),
    [label(name) for name in pictures],
    [f"{which}: {one}" for which, one in cases.items()],
    caption=f"The best, the median and the worst person by PSNR of {label(method)}.",
    cell=2 * cell,
)

# %% [markdown]
# Look at mouths and brows, not at the overall likeness. A method that always draws the template's usual face looks
# clean and says nothing; one that leaves creases and smudges from the person behind may say more.

# %% [markdown]
# ## Unit by unit, group by group
#
# Some units are large movements and some are a tension of the lips.

# %%
by_unit = tables["expression"].groupby(["action_unit", "arm"])["auc"].mean().unstack()
by_unit = by_unit.loc[list(BP4D_ACTION_UNITS), list(files)]
by_unit = by_unit.rename(columns=label).reset_index()
hundredths = {label(name): ".2f" for name in files}
table(by_unit, "AUC of the reader, by action unit.", formats=hundredths)

# %%
people = faces.participants.query("dataset == 'BP4D'").set_index("participant")
divided = {"gender": ("female", "male"), "skin_group": ("lighter", "darker")}
kept_labelled, grouped = kept.rename(columns=label), []
for column, groups in divided.items():
    for group in groups:
        members = kept.index.intersection(people.index[people[column] == group])
        means = kept_labelled.loc[members].mean()
        grouped.append({"group": group, "people": len(members), **means})

# %%
caption = "Expression kept, by group of participants."
table(pd.DataFrame(grouped), caption, formats=hundredths)

# %% [markdown]
# ## Does more training help? The paper's method, step by step
#
# Here are networks as the paper trains them, one a person from random weights, at this profile's size; each is looked
# at several times on its way. Four things are asked of its faces: how well Eq. 1 is met (reconstruction), how near they
# are to the exact answer, what a reader still reads, and how much of the person's looks is left (chapter 11 defines
# that share: 0 the template's, 1 the person's own).

# %%
followed = [name for name in study.others if name.startswith("BP4D")]
followed = followed[:: max(1, len(followed) // course_people)][:course_people]
each = study.settings.normaliser_iterations
course_iterations = [share * each for share in course_shares]
course = study.courses(followed, course_iterations)
by_mark = course.groupby("iteration").mean(numeric_only=True).reset_index()

# %%
course_headings = {
    "iteration": "iterations",
    "images": "images a person",
    "core_seconds": "core seconds a person",
    "reconstruction": "reconstruction, MAE",
    "psnr": "PSNR, dB",
    "auc": "reader's AUC",
    "identity_left": "identity left",
}
course_formats = {"iteration": ".0f", "images": ",.0f", "core_seconds": ",.0f"}
course_formats |= {"reconstruction": ".4f", "auc": ".2f", "identity_left": ".2f"}
caption = f"The paper's method from random weights: means over {len(followed)} people."
table(by_mark[list(course_headings)], caption, course_formats, course_headings)

# %% [markdown]
# Where the reference run (chapter 18 says what that is) has followed the same people further, it stands below; else
# what stands above is all there is.

# %%
longer = statistics.reference_courses()
whose = "This run" if longer is None else "The reference run"
longer = course if longer is None else longer
longer_by_mark = longer.groupby("iteration").mean(numeric_only=True).reset_index()
caption = f"{whose}: means over {longer['person'].nunique()} people."
table(longer_by_mark[list(course_headings)], caption, course_formats, course_headings)

# %%
wanted = {"auc": "reader's AUC", "identity_left": "identity left"}
long = longer.melt(["person", "images"], list(wanted), "arm", "mean")
long["arm"] = long["arm"].map(wanted) + ", " + long["person"].str.partition("/")[2]
figures.curves(
    long,
    "images",
    f"{whose}: what is read, and who is left, over images of each training.",
    "images",
    "share",
)

# %%
row = strongest_row(followed[0].partition("/")[2])
strip = [images.prepare(faces.images, 64, [row])[0]]
strip += study.course_pictures(followed[0], course_iterations, row)
strip.append(np.asarray(study.arm(arms.ORACLE)[row]))
person = faces.people(np.array([row]))[0]
page.face_grid(
    [strip],
    [[person, *[(person, worn)] * len(course_iterations), worn]],
    column_labels=["input", *map(str, course_iterations), "exact"],
    caption="One frame over the iterations of its person's network.",
    cell=cell,
)

# %%
first, last = longer_by_mark.iloc[0], longer_by_mark.iloc[-1]
paper = Study.open("paper", artefacts=artefacts).settings
papers_images = 2 * paper.normaliser_iterations * paper.normaliser_batch


def both_ends(column, form):
    """A measure at the first mark and at the last, in words."""
    return f"from {first[column]:{form}} to {last[column]:{form}}"


# %%
say(
    "{whose}, {images} images a person (the last is {share:.2g} % of the paper's): the "
    "reconstruction error went {error}, the PSNR {psnr} dB, the reader's AUC {auc} and "
    "the identity left {left}.",
    whose=whose,
    images=both_ends("images", ",.0f"),
    share=100 * last["images"] / papers_images,
    error=both_ends("reconstruction", ".4f"),
    psnr=both_ends("psnr", ".1f"),
    auc=both_ends("auc", ".2f"),
    left=both_ends("identity_left", ".2f"),
)

# %% [markdown]
# One network was followed much further once, before this book's runs: one person, 64 pixels, an eighth of the width, 64
# images an iteration, another reader.
#
# | iterations | reader's AUC, % | PSNR, dB |
# |---|---|---|
# | 200 | 47 | 17.0 |
# | 1,000 | 57 | 18.1 |
# | 3,000 | 63 | 18.5 |
# | 6,000 | 66 | 17.6 |
# | 12,000 | 66 | 17.5 |
#
# The last line is over a tenth of the paper's images. The same reader had 74 on the equalised face itself. So what is
# read flattens, below the face that nobody touched; and the faces come nearest to the exact answer at a quarter of the
# way and then go away from it again: the network has begun to draw the person. It is one network, once.

# %% [markdown]
# ## The same for everybody
#
# From the joint start, at several budgets, each trained from its own beginning. Here there are enough people for
# LeNet-5's score, the study's own question (chapter 05).

# %%
curve = study.curve(method, budget_shares)
by_budget = {f"{share:g}": file for share, file in zip(curve["share"], curve["file"])}
budget_scores = study.scores_of(by_budget)


# %%
def independent_scores(scores, arm):
    """Each participant's person-independent score of an arm, percent."""
    return statistics.participant_scores(scores, "person-independent", arm=arm)


# %%
of_people = [independent_scores(budget_scores, budget) for budget in by_budget]
curve["score"] = [scores.mean() for scores in of_people]
cost_headings = {
    "share": "share of the budget",
    "images": "images, everybody",
    "core_seconds": "core seconds",
    "psnr": "PSNR, dB",
    "correlation": "expression kept",
    "auc": "AUC",
    "linear": "identity, linear",
    "score": "person-independent score, %",
}
cost_formats = {"share": "g", "correlation": ".2f", "auc": ".2f", "linear": ".2f"}
cost_formats |= {"images": ",.0f", "core_seconds": ",.0f"}

# %%
table(
    curve[list(cost_headings)],
    f"{label(method)} for everybody, at several budgets.",
    cost_formats,
    cost_headings,
)

# %% [markdown]
# ## Against the baselines: the study's score
#
# Readers and decibels are means to an end. The study's own question is what LeNet-5, trained on four people and tested
# on all others, makes of each arm (chapter 05). The measure across arms is the share of what the exact answer would
# win.

# %%
arm_scores = {name: independent_scores(study.scores, name) for name in study.arms}
ends = arm_scores[arms.ORIGINAL], arm_scores[arms.ORACLE]
gains = {
    label(name): statistics.oracle_share(scores, *ends, plan)
    for name, scores in arm_scores.items()
    if name not in (arms.ORIGINAL, arms.ORACLE)
}

# %%
figures.interval_plot(
    estimate_rows(gains),
    "Share of the oracle's gain in the person-independent score; "
    "the exact answer is one.",
    x="share",
)

# %%
lines = []
for name in (study.normaliser, arms.OURS):
    for rival in arm_scores:
        if rival in (name, arms.ORACLE):
            continue
        both = "person-independent", name, rival
        found = statistics.drawn_interval(study.scores, *both, plan)
        line = {"arm": label(name), "less": label(rival), "points": found.value}
        lines.append({**line, "low": found.low, "high": found.high})

# %%
caption = (
    "Person-independent score: each trained arm less every other one, points, paired; "
    "intervals over participants and repetitions."
)
table(pd.DataFrame(lines), caption)

# %% [markdown]
# ## What labels and exact answers would buy
#
# A last network is no DeepFN at all: it is *taught on rendered pairs*, frames of other rendered people with their exact
# answers and their action-unit labels. No one has such pairs of real people. It stands here, and in no table of the
# paper's results, to say what such a privilege is worth. It sees a frame beside the same person's median face. Who
# somebody is shows in both; what they do shows in the difference.


# %%
def frame_and_median(frames, medians):
    """What the network sees: two channels in 0-1, float32 (n, h, w, 2)."""
    return np.stack([frames, medians], axis=-1).astype(np.float32) / 255


# %%
medians = np.broadcast_to(median, frames.shape)
inputs = frame_and_median(frames, medians)
assert np.allclose(inputs, reference.beside(frames, medians))

# %% [markdown]
# A small U-Net compares the two and changes the template's median face accordingly. The frame, the median and four
# times their difference go in. On the way down, strided convolutions shrink the maps over four levels; on the way up,
# pixel shuffles (chapter 02) enlarge them again, and each level also gets what the way down has left there. These skips
# carry fine detail past the bottleneck, which the paper's dense layers cannot. Out comes a change in grey levels that
# is added to the template's median. Before training it is zero: the network starts from the template's usual face.

# %%
recipe = study.recipe
network = networks.reference_network(recipe.size, recipe.detail, recipe.base)
change = network(inputs).numpy()
assert change.shape == (len(frames), recipe.size, recipe.size, 1) and not change.any()

# %%
say(
    "It has {own:,} weights, where the paper's networks for one person have {paper:,}.",
    own=network.count_params(),
    paper=networks.AUTOENCODER_PARAMETERS,
)

# %% [markdown]
# It needs pairs to learn from. The *supervised* one gets rendered pairs: other people, in neither corpus, with exact
# answers, and with labels: a *reader* of action units, trained on the answers and frozen, sees every output, and the
# network pays for what the reader misses (`deepfn_lib.normaliser.reader`). All that is a privilege: no one has such
# pairs of real people, and with licensed data the template would have to be a rendered face. The *transplanted* one
# does without: it bends the template's own expressions onto other people's medians and learns to find them there. It
# uses no label and no exact answer.
#
# ### What both share says nothing about an expression
#
# In training the two pictures are *disturbed*. Both go through the same random affine and the same random warp
# (chapter 02's, but milder), and are lit alike. The answer stays as it is, so whatever the two have in common says
# nothing about the expression. A little is left for each alone, as no face lies exactly on its median: the frame is
# bent slightly further, and the light is not quite the same.


# %%
def moved_together(frames, medians, random, nuisance, misaligned):
    """Frames and medians under one affine and warp, the frames a little apart."""
    n, size = frames.shape[:2]
    affine = draw_affine(n, size, nuisance, random)
    nodes = draw_nodes(n, size, nuisance, random)
    further, regular = (
        draw_nodes(n, size, Augmentation(warp_pixels=strength), random)
        for strength in (misaligned, 0.0)
    )
    pictures = []
    for faces, points in ((frames, nodes + further - regular), (medians, nodes)):
        back = way_back(points @ [1, 1j], affine, size)
        pictures.append(sample(faces, *spread(back, size)))
    return np.concatenate(pictures, axis=-1)


# %%
def lit_alike(both, random):
    """A gain and a shift of grey levels for both channels, a smaller one for each."""
    one, each = (len(both), 1, 1, 1), (len(both), 1, 1, 2)
    gain = random.normal(1, 0.08, one) * random.normal(1, 0.02, each)
    lift = random.normal(0, 0.03, one) + random.normal(0, 0.01, each)
    return (both - 0.5) * gain + 0.5 + lift


# %%
how = {"nuisance": recipe.nuisance, "misaligned": recipe.misaligned}
ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
disturbed = lit_alike(moved_together(frames, medians, ours, **how), ours)
assert np.allclose(disturbed, reference.disturb(frames, medians, theirs, **how))

# %%
shown = [images.as_faces(disturbed[..., channel, None]) for channel in (0, 1)]
shown.append(images.difference(*shown))
page.face_grid(
    [list(line) for line in shown],
    [[person] * len(moments)] * len(shown),
    ["frame", "median", "difference"],
    list(moments),
    caption="The four faces and their median, disturbed, and what is between the two.",
)

# %% [markdown]
# ### What it pays for
#
# Let $e = \hat y - y$ be the error of an output. With weights $w$ of mean one, largest where action units are seen
# (brows, eyes, mouth) and smallest off the face, and bars for means over pixels, the loss of the pictures is
#
# $$L = \overline{w\,|e|} + \lambda\,\bigl(\overline{w\,|\partial_x e|} + \overline{w\,|\partial_y e|}\bigr).$$
#
# The derivatives are differences between neighbours: a crease is a few grey levels, but it is an edge.


# %%
def error_and_edges(error, weights, edges):
    """The loss of the pictures; error (n, h, w, 1), weights (1, h, w, 1)."""
    across, down = np.diff(error, axis=2), np.diff(error, axis=1)
    gradients = np.mean(weights[:, :, 1:] * np.abs(across))
    gradients += np.mean(weights[:, 1:] * np.abs(down))
    return np.mean(weights * np.abs(error)) + edges * gradients


# %%
random = np.random.default_rng(1)
error = random.normal(size=(2, 4, 5, 1)).astype(np.float32)
weights = random.random((1, 4, 5, 1)).astype(np.float32)
library = reference.weighted_error(error, weights, 0.5)
assert np.isclose(error_and_edges(error, weights, 0.5), library)

# %% [markdown]
# The supervised network pays for the reader too. If $q(\cdot)$ are the reader's probabilities, $f_l(\cdot)$ the
# features of its first three layers, $a$ the labels and $H$ the binary cross-entropy, then
#
# $$\rho\,\Bigl(\overline{|q(\hat y) - q(y)|} + \sum_{l=1}^{3}
# \frac{\overline{|f_l(\hat y) - f_l(y)|}}{\overline{|f_l(y)|}}\Bigr) + \nu\,\overline{H(a,\ q(\hat y))}$$
#
# is added. The first part asks that the reader sees in the output what it sees in the answer; the second that it names
# the units rightly, for which a movement has to be drawn plainly.

# %%
say(
    r"Here $\lambda$ is {edges:g}, $\rho$ is {reading:g} and $\nu$ is {naming:g}.",
    edges=recipe.edges,
    reading=recipe.reading,
    naming=recipe.naming,
)

# %%
taught_arm = next(arm.name for arm in arms.ARMS if arm.labels and not arm.exact)
taught_file = study.arm_path(taught_arm)
shown_faces = np.load(taught_file, mmap_mode="r")[strongest]
page.face_grid(
    [list(shown_faces), list(np.asarray(study.arm(arms.ORACLE)[strongest]))],
    [[(one, worn) for one in faces.people(strongest)]] * 2,
    [label(taught_arm), label(arms.ORACLE)],
    list(chosen),
    caption="The network taught on rendered pairs, and the exact answer.",
    cell=cell,
)

# %% [markdown]
# Be suspicious of its scores: it is paid for being *read*. Nothing stops it from writing what it knows in faint marks
# that a network finds and an eye does not.
#
# ### The control: is it the normaliser, or what it was taught?
#
# It learnt from renderings *with labels*. Perhaps a recogniser taught by the same renderings needs no normaliser at
# all. So here is the control. LeNet-5 is trained on the very pairs' people and labels, on their equalised faces or on
# their differences from their medians, and tested on the same participants. It has many more people to learn from than
# the four of the study's protocol.

# %%
beside = study.scores_of({taught_arm: taught_file})
normalised = independent_scores(beside, taught_arm)
control, rows = study.control_scores(control_arms), []
for name in control_arms:
    taught = independent_scores(control, name)
    score = statistics.mean_interval(taught, plan)
    apart = statistics.mean_interval((normalised - taught).dropna(), plan)
    row = {"control": f"LeNet-5 on rendered people, {label(name)}"}
    row |= {"score": score.value, "low": score.low, "high": score.high}
    row |= {"apart": apart.value, "from": apart.low, "to": apart.high}
    rows.append(row)

# %%
control_table = pd.DataFrame(rows)
caption = (
    "Person-independent score, %, without a normaliser but with its training material; "
    f"the taught network's own is {normalised.mean():.1f}."
)
table(control_table, caption, headings={"apart": f"{label(taught_arm)}, less it"})

# %%
verdict = "no control beats the network taught on them beyond chance."
if (control_table["to"] < 0).any():
    verdict = (
        "a recogniser taught by the renderings directly does better than the network "
        "taught on them: with such material to hand, that normaliser is a detour, and "
        "what it offers is faces that can be looked at."
    )

# %% [markdown]
# ## What we learned

# %%
told = []
for name in (study.normaliser, arms.OURS):
    found = gains[label(name)]
    share = "no share, as the exact answer itself gains nothing beyond chance here,"
    if not np.isnan(found.value):
        numbers = (f"{100 * x:.0f}" for x in (found.value, found.low, found.high))
        share = "{} % ({} to {})".format(*numbers)
    read = overview.loc[name, "correlation"]
    told.append(
        f"**{label(name)}** wins {share} and keeps {read:.2f} of the expression"
    )

# %%
say(
    "Of what the exact answer gains in person-independent score, {told}, as a reader "
    "sees it. Every trained arm is compared with its cheap rivals in the table above, "
    "at {epochs} epochs and {repetitions} repetitions.",
    told="; ".join(told),
    epochs=study.settings.epochs,
    repetitions=study.scores["repetition"].nunique(),
)

# %% [markdown]
# Nearness, expression and anonymity are three things, and no single number holds them. Whoever proposes a normaliser
# should report all three, beside the baselines that cost nothing.

# %%
say("As to labels and exact answers: {verdict}", verdict=verdict)

# %% [markdown]
# ## Exercises
#
# **1.** Is the order of methods the same around the mouth as over the whole face?
#
# ```{dropdown} A solution
# Below: the correlation of the ranks of all methods but the oracle, in two regions.
# ```

# %% tags=["hide-cell"]
by_region = tables["fidelity"].pivot_table(index="arm", columns="region", values="psnr")
by_region = by_region.drop(arms.ORACLE)
ranks = by_region["face"].corr(by_region["mouth"], method="spearman")
say(
    "Rank correlation of PSNR over the face and over the mouth: {ranks:.2f}.",
    ranks=ranks,
)

# %% [markdown]
# **2.** Blur the exact answers more and more. Which measure notices first, the PSNR or the reader?
#
# ```{dropdown} A solution
# Below, for one strength; `expression.expression_kept` takes any pictures.
# ```

# %% tags=["hide-cell"]
blurred = np.stack([cv2.GaussianBlur(one, (0, 0), 1.5) for one in exact.answers])
known = exact.answers, exact.labels, exact.people, BP4D_ACTION_UNITS, exact.probes
read = expression.expression_kept(blurred, *known)
near = nearness.fidelity(blurred, exact.answers, exact.people)
psnr = near.set_index("region").loc["face", "psnr"].mean()
say(
    "Blurred answers: {psnr:.1f} dB, expression kept {kept:.2f}.",
    psnr=psnr,
    kept=read["correlation"].mean(),
)

# %%
page.card(study)
