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
rival_share = 0.1  # iterations of the normaliser's rivals, share of shared_iterations
budget_shares = [0.05, 0.15, 1.0]  # budgets of the normaliser, the same shares
long_shares = [4.0]  # longer ones, where they are trained already: `overnight` trains 4
free_rivals = ["median-subtracted", "flow-residual"]  # arms without a network to beat
control_arms = ["equalised", "median-subtracted"]  # what the control's LeNet-5 sees
own_people = 1  # people whose own networks, the paper's way, stand beside them
own_shares = [0.25, 1.0]  # budgets of each of these, as shares of normaliser_iterations
shown_people = 7  # participants in the pictures, evenly spaced by name
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
from deepfn_lib.study.quality import summary, times_cheaper

# %%
study = Study.open(profile, {**overrides, "bp4d": "", "disfa": ""}, artefacts)
figures.use_theme()
plan = statistics.Plan(confidence, bootstrap_samples, seed=statistics_seed)

# %%
shared = [arm.name for arm in arms.ARMS if arm.strangers]  # one network for everyone
method = study.normaliser if study.normaliser in shared else arms.NORMALISER
label = figures.arm_label(method)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > the normalization is performed at the image level allowing easier inspection of the output data (§2)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | faces inspected by eye | measured against the exact answer | rendered people have one | this chapter |
# | one method | ten, under one interface | a claim needs rivals | this chapter |
# | no cost given | images, core seconds, parameters | its authors call training expensive | this chapter |
# | one network per person | shared networks too | 40 people, two cores | the study's normaliser is a shared one |
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
# ## Ten methods
#
# Five need no network: faces as filmed, equalised, equalised in parts, freed of the person's median face (chapter 01),
# and the *flow residual*. This one puts the difference from the median on the template's face. A dense flow says where
# each pixel of the template's median is in the person's; face and median are bent along it, and the difference of the
# two is added to the template's median.


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
# The other five all use a network:

# %%
trained = [arm for arm in arms.ARMS if arm.network]
described = {"method": [arm.label for arm in trained]}
described["what it is"] = [arm.what for arm in trained]
table(pd.DataFrame(described), "Methods with a network.")

# %% [markdown]
# ## The reference network
#
# The *reference network* is our own. It sees a frame beside the same person's median face. Who somebody is shows in
# both; what they do shows in the difference.


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

# %% [markdown]
# ## Side by side
#
# Measured are the methods without a network and those with one network for everyone, on evenly spaced frames of BP4D's
# participants. The rivals with a network get a part of the normaliser's iterations. Networks for each person follow
# below, with what they cost.

# %%
rivals = [name for name in shared if name != method]
smaller = study.at_budget(rival_share)
files = {arm.name: study.arm_path(arm.name) for arm in arms.ARMS if arm.change}
files |= {name: smaller.arm_path(name) for name in rivals}
files |= {name: study.arm_path(name) for name in (method, arms.ORACLE)}

# %%
tables = study.quality(files)
overview = summary(tables).set_index("arm")
# Without error there is no ratio.
overview.loc[arms.ORACLE, ["psnr", "mouth_psnr"]] = np.nan
shown = overview.rename(index=figures.arm_label).reset_index()

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
    figures.arm_label(name): statistics.mean_interval(kept[method] - kept[name], plan)
    for name in kept.columns.drop([method, arms.ORACLE])
}

# %%
figures.interval_plot(
    estimate_rows(differences),
    f"Expression kept by {label}, less that of each rival, paired by participant.",
    x="difference of correlations",
)

# %%
measured = overview.drop(index=arms.ORACLE)
say(
    "Nearest by PSNR: **{nearest}**. Most expression kept: **{read}**. Of the faces of "
    "**{label}** the linear recogniser names the right person in {named:.0f} % of "
    "frames, where chance is {chance:.0f} %. Rivals with networks had {share:g} % of "
    "its iterations.",
    nearest=figures.arm_label(measured["psnr"].idxmax()),
    read=figures.arm_label(measured["correlation"].idxmax()),
    label=label,
    named=100 * measured.loc[method, "linear"],
    chance=100 * tables["identity"]["chance"].iloc[0],
    share=100 * rival_share,
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
pictures = [list(np.load(path, mmap_mode="r")[strongest]) for path in files.values()]
faces, template = study.faces, study.template
worn = faces.people(faces.rows(template.name)[:1])[0]
who = [(one, worn) for one in faces.people(strongest)]

# %%
labels = [figures.arm_label(name) for name in files]
page.face_grid(
    pictures,
    [who] * len(pictures),
    labels,
    list(chosen),
    caption="Strong expressions of several participants, by method; "
    "the last row is the exact answer.",
)

# %% [markdown]
# Look at mouths and brows, not at the overall likeness. A method that always draws the template's usual face looks
# clean and says nothing; one that leaves creases and smudges from the person behind may say more.
#
# And be suspicious of scores. The supervised network is paid for being *read*. Nothing stops it from writing what it
# knows in faint marks that a network finds and an eye does not. Where its faces look calmer than the exact answers and
# its score is as high, that is what has happened: good for recognition, and no picture of what the person did.

# %% [markdown]
# ## Unit by unit, group by group
#
# Some units are large movements and some are a tension of the lips.

# %%
by_unit = tables["expression"].groupby(["action_unit", "arm"])["auc"].mean().unstack()
by_unit = by_unit.loc[list(BP4D_ACTION_UNITS), list(files)]
by_unit = by_unit.rename(columns=figures.arm_label).reset_index()
hundredths = dict.fromkeys(labels, ".2f")
table(by_unit, "AUC of the reader, by action unit.", formats=hundredths)

# %%
people = faces.participants.query("dataset == 'BP4D'").set_index("participant")
divided = {"gender": ("female", "male"), "skin_group": ("lighter", "darker")}
kept_labelled, grouped = kept.rename(columns=figures.arm_label), []
for column, groups in divided.items():
    for group in groups:
        members = kept.index.intersection(people.index[people[column] == group])
        means = kept_labelled.loc[members].mean()
        grouped.append({"group": group, "people": len(members), **means})

# %%
caption = "Expression kept, by group of participants."
table(pd.DataFrame(grouped), caption, formats=hundredths)

# %% [markdown]
# ## What it costs
#
# Cost is counted in images through the encoder and in seconds of one core. A network per person costs again for
# each person; a shared one is paid for once. First the shared one at several budgets, all trained from the start.
# A night's budget is among them where one has been trained (`deepfn run --profile overnight`, then
# `deepfn run --chapter 10 --again`):

# %%
longer = [s for s in long_shares if study.at_budget(s).has_network(method)]
curve = study.curve(method, [*budget_shares, *longer])
by_budget = {f"{share:g}": file for share, file in zip(curve["share"], curve["file"])}
budget_scores = study.scores_of(by_budget)


# %%
def independent_scores(scores, arm):
    """Each participant's person-independent score of an arm, percent."""
    return statistics.participant_scores(scores, "person-independent", arm=arm)


# %%
of_people = [independent_scores(budget_scores, budget) for budget in by_budget]
curve["score"] = [scores.mean() for scores in of_people]

# %%
cost_headings = {
    "person": "person",
    "share": "share",
    "images": "images",
    "core_seconds": "core seconds",
    "psnr": "PSNR, dB",
    "correlation": "expression kept",
    "auc": "AUC",
    "score": "person-independent score, %",
}
cost_formats = {"share": "g", "correlation": ".2f", "auc": ".2f"}
cost_formats |= {"images": ",.0f", "core_seconds": ",.0f"}


# %%
def cost_table(costs, caption):
    """A table of what networks cost and what they give."""
    columns = [name for name in cost_headings if name in costs]
    return table(costs[columns], caption, formats=cost_formats, headings=cost_headings)


# %%
cost_table(curve, f"{label}, at several budgets.")

# %%
bounds = [statistics.mean_interval(scores.to_numpy(), plan) for scores in of_people]
points = pd.DataFrame(bounds).rename(columns={"value": "mean"})
points = points.assign(arm=list(by_budget), cost=curve["core_seconds"])
figures.cost_plot(
    points,
    "Score over cost; each point is named by its share of the study's own budget.",
    x_title="core seconds",
    y_title="person-independent score, %",
)

# %%
own_names = study.others[:own_people]
own_curves = [study.own_networks(own_names, s, arms.PAPERS) for s in own_shares]
own = pd.concat(own_curves)
cost_table(
    own,
    "The paper's way: own networks of some people, "
    "at this profile's size and two budgets.",
)

# %% [markdown]
# The paper's authors suggest to start each person's network from one that is already trained. Here that one is the
# shared autoencoder of the table above, and each person adds a tenth of the iterations:

# %%
fine_tuned = next(arm.name for arm in arms.ARMS if arm.start)
tuned = smaller.own_networks(own_names, 1.0, fine_tuned)
caption = "Own networks that start from a shared one; the cost is what a person adds."
cost_table(tuned, caption)

# %%
n_people = len(study.others)
for_each = curve.assign(core_seconds=curve["core_seconds"] / n_people)
named = {method: for_each, "one network per person": own, "fine-tuned for each": tuned}
both = pd.concat(named, names=["arm"]).reset_index("arm")
both = both.rename(columns={"core_seconds": "cost", "psnr": "mean"})
both["low"] = both["high"] = both["mean"]

# %%
figures.cost_plot(
    both, "PSNR over cost.", x_title="core seconds for each person", y_title="PSNR, dB"
)

# %%
times = times_cheaper(curve, own[own["share"] == max(own_shares)], n_people)
cheaper = (
    f"at the own networks' PSNR or better, the shared one costs **{times:.0f} times "
    "less** for each person"
)
if np.isnan(times):
    cheaper = (
        "no budget of the shared network reaches the own networks' PSNR, so their "
        "costs cannot be compared"
    )
say("For {people} people, {cheaper}.", people=n_people, cheaper=cheaper)

# %% [markdown]
# The own networks here are young: they get what the profile gives them, far from the paper's 50,000 iterations. The
# ratio is therefore one at *this* quality.

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
    figures.arm_label(name): statistics.oracle_share(scores, *ends, plan)
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
normalised, called = arm_scores[study.normaliser], figures.arm_label(study.normaliser)
lines = []
for rival in [name for name in free_rivals if name in arm_scores]:
    found = statistics.mean_interval(normalised - arm_scores[rival], plan)
    word = "cannot be told from"
    if found.low > 0 or found.high < 0:
        word = "beats" if found.low > 0 else "loses to"
    interval = page.interval_text(found.value, found.low, found.high, sign=True)
    beside = figures.arm_label(rival)
    lines.append(f"- **{called}** {word} **{beside}**: {interval} points.")
say("\n".join(lines))

# %% [markdown]
# ## The normaliser, or what it was taught?
#
# A fair reader asks: the supervised network learnt from renderings *with labels*. Perhaps a recogniser taught by the
# same renderings needs no normaliser at all. So here is the control. LeNet-5 is trained on the very pairs' people and
# labels, on their equalised faces or on their differences from their medians, and tested on the same participants.
# It has many more people to learn from than the four of the study's protocol.

# %%
control, rows = study.control_scores(control_arms), []
for name in control_arms:
    taught = independent_scores(control, name)
    score = statistics.mean_interval(taught, plan)
    apart = statistics.mean_interval((normalised - taught).dropna(), plan)
    row = {"control": f"LeNet-5 on rendered people, {figures.arm_label(name)}"}
    row |= {"score": score.value, "low": score.low, "high": score.high}
    row |= {"apart": apart.value, "from": apart.low, "to": apart.high}
    rows.append(row)

# %%
control_table = pd.DataFrame(rows)
caption = (
    "Person-independent score, %, without a normaliser but with its training material."
)
table(control_table, caption, headings={"apart": f"{called}, less it"})

# %%
verdict = "No control beats the normalised arm beyond chance."
if (control_table["to"] < 0).any():
    verdict = (
        "A recogniser taught by the renderings directly does better than the "
        "normalised arm: with such material to hand, the normaliser is a detour, and "
        "what it offers is faces that can be looked at."
    )
say(verdict)

# %% [markdown]
# ## What we learned

# %%
found = gains[called]
won = (
    "has no share of the oracle's gain, as the oracle gains nothing beyond chance here"
)
if not np.isnan(found.value):
    share, low, high = (f"{100 * x:.0f}" for x in (found.value, found.low, found.high))
    reach = "reaches" if found.value >= 0.7 else "falls short of"
    won = (
        f"wins {share} % of the oracle's gain ({low} to {high}), which {reach} the "
        "70 % this project set itself"
    )

# %%
say(
    "The study's normaliser, **{what}**, {won}. The expression kept by **{label}**, "
    "as a reader sees it, is {kept:.2f}.",
    what=arms.find(study.normaliser).what,
    won=won,
    label=label,
    kept=overview.loc[method, "correlation"],
)

# %% [markdown]
# Nearness, expression and anonymity are three things, and no single number holds them. Whoever proposes a normaliser
# should report all three, beside the two baselines that cost nothing.

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
