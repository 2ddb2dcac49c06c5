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
rival_share = 0.1  # iterations of the study arm's rivals, as a share of shared_iterations
budget_shares = [0.05, 0.15, 1.0]  # budgets of the study's own method, as shares of shared_iterations
long_shares = [4.0]  # longer budgets, shown where their network is there already: 4 is what `overnight` trains
own_people = 1  # people whose own networks, the paper's way, are set beside the shared ones
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
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.frames import BP4D_ACTION_UNITS
from deepfn_lib.measures import quality
from deepfn_lib.normaliser import comparison, methods
from deepfn_lib.page import figures, table
from deepfn_lib.recognition.arms import arm_scores as scores_of
from deepfn_lib.recognition.control import ARMS as CONTROL_ARMS
from deepfn_lib.recognition.control import control_scores
from deepfn_lib.rendering.toys import render_moment
from deepfn_lib.settings import load_settings
from IPython.display import Markdown, display
from scipy.ndimage import shift

# %%
settings = load_settings(profile, {**overrides, "bp4d": "", "disfa": ""})
store = Store(artefacts)
figures.use_theme()
own_method = settings.normaliser_arm if settings.normaliser_arm in methods.SHARED else "deepfn-supervised"
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, seed=statistics_seed)

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
# | one network per person | shared networks too | 40 people, two cores | the study's DeepFN arm is a shared one |
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
neutral = render_moment(template_name, seed=settings.seed, size=64)
smile = render_moment(template_name, {12: 1.0}, seed=settings.seed, size=64)
noise = np.random.default_rng(settings.seed).normal(0, 20, smile.shape)
attempts = {
    "no smile": neutral,
    "two pixels off": shift(smile, (0, 2), mode="nearest"),
    "out of focus": cv2.GaussianBlur(smile, (0, 0), 1.5),
    "noise": np.uint8(np.clip(smile + noise, 0, 255)),
}

# %%
shown_toy = [smile, *attempts.values()]
page.face_grid(
    [shown_toy], [[f"rendered-bp4d/{template_name}"] * len(shown_toy)], column_labels=["exact answer", *attempts],
    caption="A smile, and four attempts at it.",
)  # fmt: skip

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
toy = pd.DataFrame({"attempt": list(attempts), "PSNR, dB": [in_decibels(p, smile) for p in attempts.values()]})
table(toy.sort_values("PSNR, dB", ascending=False), "Four attempts, best by PSNR first.")

# %%
by_psnr = toy.set_index("attempt")["PSNR, dB"]
beaten = [name for name in attempts if name != "no smile" and by_psnr[name] < by_psnr["no smile"]]
display(Markdown(
    f"The picture without any smile has {by_psnr['no smile']:.1f} dB, and is therefore \"better\" than: "
    f"{', '.join(beaten) or 'none of the others'}. All of these show the smile."
))  # fmt: skip

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
where = quality.box("mouth", 64)
near = quality.fidelity(np.stack([neutral]), np.stack([smile]), np.array([template_name]))
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
assert np.isclose(kept_by_hand(0.3 * steps + 5, steps), 1)  # fainter smiles are still all there
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
# The image methods need no network (chapter 01). The others all use one:

# %%
described = pd.DataFrame({"method": list(methods.METHODS), "what it is": list(methods.METHODS.values())})
table(described, "Methods with a network.")

# %% [markdown]
# The *reference network* is our own. It sees a frame beside the same person's median face. Who somebody is shows in
# both; what they do shows in the difference. A small U-Net compares the two and changes the template's median face
# accordingly. Its skips carry fine detail past the bottleneck, which the paper's dense layers cannot.
#
# It needs pairs to learn from. The *supervised* one gets rendered pairs: other people, in neither corpus, with exact
# answers, and with labels: a *reader* of action units, trained on the answers and frozen, sees every output, and the
# network pays for what the reader misses (`deepfn_lib.normaliser.reader`). All that is a privilege: no one has such
# pairs of real people, and with licensed data the template would have to be a rendered face. The *transplanted* one
# does without: it bends the template's own expressions onto other people's medians and learns to find them there. It
# uses no label and no exact answer.

# %%
plain = ("original", "equalised", "clahe", "median-subtracted", "flow-residual")
arms = {name: study.arm_path(settings, store, name) for name in plain}
rivals = [name for name in methods.SHARED if name != own_method]
smaller = comparison.budget(settings, rival_share)
arms |= {name: methods.normalised(smaller, store, name) for name in rivals}
arms |= {own_method: methods.normalised(settings, store, own_method)}
arms |= {"oracle": study.arm_path(settings, store, "oracle")}

# %%
tables = comparison.measured(settings, store, arms)
overview = comparison.summary(tables)
overview.loc[overview["arm"] == "oracle", ["psnr", "mouth_psnr"]] = np.nan  # without error there is no ratio
headings = {
    "psnr": "PSNR face", "ssim": "SSIM face", "mouth_psnr": "PSNR mouth", "correlation": "expression kept",
    "auc": "AUC", "nearest": "identity, nearest", "linear": "identity, linear",
}  # fmt: skip
formats = {name: ".1f" if "psnr" in name else ".2f" for name in headings}

# %%
table(overview, "Means over participants. Left: nearness; middle: what is read; right: who is recognised.",
      formats=formats, headings=headings)  # fmt: skip

# %%
chance = tables["identity"]["chance"].iloc[0]
kept = tables["expression"].groupby(["arm", "participant"])["correlation"].mean().unstack(0)
rows = []
for name in kept.columns.drop([own_method, "oracle"]):
    found = statistics.mean_interval(kept[own_method] - kept[name], plan)
    rows.append({"label": name, "difference": found.value, "low": found.low, "high": found.high})

# %%
differences = pd.DataFrame(rows)
figures.interval_plot(
    differences,
    f"Expression kept by {own_method} less that of each rival, paired by participant.",
    x="difference of correlations",
)

# %%
best_psnr = overview.set_index("arm")["psnr"].idxmax()
best_read = overview[overview["arm"] != "oracle"].set_index("arm")["correlation"].idxmax()
named = overview.set_index("arm").loc[own_method]
display(Markdown(
    f"Nearest by PSNR: **{best_psnr}**. Most expression kept: **{best_read}**. Of {own_method}'s "
    f"faces the linear recogniser names the right person in {100 * named['linear']:.0f} % of frames, where chance is "
    f"{100 * chance:.0f} %. Rivals with networks had {100 * rival_share:g} % of its iterations."
))  # fmt: skip

# %% [markdown]
# ## What it looks like
#
# The same people in every row, each at the moment, among the compared ones, in which the exact answer is furthest
# from the template's usual face: the strongest expressions, not the prettiest.

# %%
data, template = study.faces(settings, store), study.template(settings, store)
compared = comparison.compared_rows(settings, store)
exact = np.load(arms["oracle"], mmap_mode="r")
names = data.frames["participant"].astype(str).to_numpy()
strength = np.abs(exact[compared].astype(float) - np.median(exact[compared], axis=0)).mean((1, 2))
everyone = np.unique(names[compared])
chosen = everyone[np.unique(np.linspace(0, len(everyone) - 1, shown_people).astype(int))]
moments = [compared[np.where(names[compared] == who, strength, -1).argmax()] for who in chosen]

# %%
pictures = [[np.load(path, mmap_mode="r")[row] for row in moments] for path in arms.values()]
gate_names, template_gate = data.people(), f"{data.manifests['BP4D']}/{template.participant}"
who = [(gate_names[row], template_gate) for row in moments]
page.face_grid(
    pictures, [who] * len(pictures), list(arms), list(chosen),
    caption="Strong expressions of several participants, by method; the last row is the exact answer.",
)  # fmt: skip

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
by_unit = by_unit.loc[list(BP4D_ACTION_UNITS), list(arms)]
table(by_unit.reset_index(), "AUC of the reader, by action unit.", formats={name: ".2f" for name in arms})

# %%
people = data.participants[data.participants["dataset"] == "BP4D"].set_index("participant")
grouped = []
for column, group in (("gender", "female"), ("gender", "male"), ("skin_group", "lighter"), ("skin_group", "darker")):
    members = kept.index.intersection(people.index[people[column] == group])
    grouped.append({"group": group, "people": len(members), **kept.loc[members].mean()})
table(pd.DataFrame(grouped), "Expression kept, by group of participants.", formats={name: ".2f" for name in arms})

# %% [markdown]
# ## What it costs
#
# Cost is counted in images through the encoder and in seconds of one core. A network per person costs again for
# each person; a shared one is paid for once. First the shared one at several budgets, all trained from the start.
# A night's budget is among them where one has been trained (`deepfn run --profile overnight`, then
# `deepfn run --chapter 10 --again`):

# %%
longer = [share for share in long_shares if comparison.is_trained(settings, store, own_method, share)]
shares = [*budget_shares, *longer]
curve = comparison.shared_curve(settings, store, own_method, shares)
by_budget = {f"{share:g}": path for share, path in comparison.budget_arms(settings, store, own_method, shares).items()}
budget_scores = scores_of(settings, store, by_budget)
of_people = [statistics.participant_scores(budget_scores, "person-independent", arm=arm) for arm in by_budget]
curve["score"] = [scores.mean() for scores in of_people]

# %%
cost_formats = {
    "share": "g", "images": ",.0f", "core_seconds": ",.0f", "psnr": ".1f", "correlation": ".2f", "auc": ".2f",
}  # fmt: skip
cost_headings = {
    "score": "person-independent score, %",
    "correlation": "expression kept",
    "core_seconds": "core seconds",
    "psnr": "PSNR, dB",
    "auc": "AUC",
}
table(curve, f"{own_method} at several budgets.", formats=cost_formats, headings=cost_headings)

# %%
bounds = [statistics.mean_interval(scores.to_numpy(), plan) for scores in of_people]
scored = pd.DataFrame({
    "arm": list(by_budget), "cost": curve["core_seconds"], "mean": [bound.value for bound in bounds],
    "low": [bound.low for bound in bounds], "high": [bound.high for bound in bounds],
})  # fmt: skip
caption = "Score over cost; each point is named by its share of the study's own budget."
figures.cost_plot(scored, caption, x_title="core seconds", y_title="person-independent score, %")

# %%
names_of_all = data.person_names()
own_names = [one for one in np.unique(names_of_all) if one != template.name][:own_people]
own = pd.concat([comparison.own_networks(settings, store, own_names, share) for share in own_shares])
caption = "The paper's way: own networks of some people, at this profile's size and two budgets."
table(own, caption, formats={n: f for n, f in cost_formats.items() if n in own}, headings=cost_headings)

# %% [markdown]
# The paper's authors suggest to start each person's network from one that is already trained. Here that one is the
# shared autoencoder of the table above, and each person adds a tenth of the iterations:

# %%
tuned = comparison.own_networks(smaller, store, own_names, name="deepfn-fine-tuned")
caption = "Own networks that start from a shared one; the cost is what a person adds."
table(tuned, caption, formats={n: f for n, f in cost_formats.items() if n in tuned}, headings=cost_headings)

# %%
n_people = len(np.unique(names_of_all)) - 1
both = pd.concat([
    pd.DataFrame({"arm": own_method, "cost": curve["core_seconds"] / n_people, "mean": curve["psnr"]}),
    pd.DataFrame({"arm": comparison.PER_PERSON, "cost": own["core_seconds"], "mean": own["psnr"]}),
    pd.DataFrame({"arm": "fine-tuned for each", "cost": tuned["core_seconds"], "mean": tuned["psnr"]}),
])  # fmt: skip
both["low"] = both["high"] = both["mean"]
figures.cost_plot(both, "PSNR over cost.", x_title="core seconds for each person", y_title="PSNR, dB")

# %%
times = comparison.times_cheaper(curve, own[own["share"] == max(own_shares)], n_people)
cheaper = (
    "no budget of the shared network reaches the own networks' PSNR, so their costs cannot be compared"
    if np.isnan(times)
    else f"at the own networks' PSNR or better, the shared one costs **{times:.0f} times less** for each person"
)
display(Markdown(f"For {n_people} people, {cheaper}."))

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
scores = study.scores(settings, store)
arm_scores = {
    arm: statistics.participant_scores(scores, "person-independent", arm=arm) for arm in study.arms(settings, store)
}
judged = []
for arm in [name for name in arm_scores if name not in ("original", "oracle")]:
    share = statistics.oracle_share(arm_scores[arm], arm_scores["original"], arm_scores["oracle"], plan)
    judged.append({"label": figures.arm_label(arm), "difference": share.value, "low": share.low, "high": share.high})

# %%
shares = pd.DataFrame(judged)
figures.interval_plot(
    shares, "Share of the oracle's gain in the person-independent score; the exact answer is one.", x="share"
)

# %%
lines = []
for rival in [name for name in ("median-subtracted", "flow-residual") if name in arm_scores]:
    found = statistics.mean_interval(arm_scores["deepfn"] - arm_scores[rival], plan)
    word = "beats" if found.low > 0 else "loses to" if found.high < 0 else "cannot be told from"
    interval = page.interval_text(found.value, found.low, found.high, sign=True)
    lines.append(f"- {settings.normaliser_arm} {word} {rival}: {interval} points.")
display(Markdown("\n".join(lines)))

# %% [markdown]
# ## The normaliser, or what it was taught?
#
# A fair reader asks: the supervised network learnt from renderings *with labels*. Perhaps a recogniser taught by the
# same renderings needs no normaliser at all. So here is the control. LeNet-5 is trained on the very pairs' people and
# labels, on their equalised faces or on their differences from their medians, and tested on the same participants.
# It has many more people to learn from than the four of the study's protocol.

# %%
control = control_scores(settings, store)
with_pairs = {arm: statistics.participant_scores(control, "person-independent", arm=arm) for arm in CONTROL_ARMS}
control_rows = []
for arm, values in with_pairs.items():
    score = statistics.mean_interval(values, plan)
    apart = statistics.mean_interval((arm_scores["deepfn"] - values).dropna(), plan)
    control_rows.append({
        "control": f"LeNet-5 on rendered people, {arm}", "score": score.value, "low": score.low, "high": score.high,
        "DeepFN less it": apart.value, "from": apart.low, "to": apart.high,
    })  # fmt: skip

# %%
control_table = pd.DataFrame(control_rows)
table(control_table, "Person-independent score, %, without a normaliser but with its training material.")

# %%
no_better = control_table["to"] < 0
verdict = (
    "A recogniser taught by the renderings directly does better than the normalised arm: with such material to hand, "
    "the normaliser is a detour, and what it offers is faces that can be looked at."
    if no_better.any()
    else "No control beats the normalised arm beyond chance."
)
display(Markdown(verdict))

# %% [markdown]
# ## What we learned

# %%
found = shares.set_index("label").loc[figures.arm_label("deepfn")]
reach = "reaches" if found["difference"] >= 0.7 else "falls short of"
display(Markdown(
    f"The study's DeepFN arm, **{methods.METHODS[settings.normaliser_arm]}**, wins "
    f"{100 * found['difference']:.0f} % of the oracle's gain ({100 * found['low']:.0f} to {100 * found['high']:.0f}), "
    f"which {reach} the 70 % this project set itself. The expression kept by {own_method}, as a reader sees it, is "
    f"{named['correlation']:.2f}."
))  # fmt: skip

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
regions = tables["fidelity"].pivot_table(index="arm", columns="region", values="psnr").drop("oracle")
rank_correlation = regions["face"].corr(regions["mouth"], method="spearman")
display(Markdown(f"Rank correlation of PSNR over the face and over the mouth: {rank_correlation:.2f}."))

# %% [markdown]
# **2.** Blur the exact answers more and more. Which measure notices first, the PSNR or the reader?
#
# ```{dropdown} A solution
# Below, for one strength; `quality.expression_kept` takes any pictures.
# ```

# %% tags=["hide-cell"]
answers = exact[compared]
blurred = np.stack([cv2.GaussianBlur(one, (0, 0), 1.5) for one in answers])
labels = data.frames[list(BP4D_ACTION_UNITS)].to_numpy()[compared]
readers = quality.train_readers(answers, labels, names[compared], settings.seed)
read = quality.expression_kept(blurred, answers, labels, names[compared], BP4D_ACTION_UNITS, readers)
psnr = quality.fidelity(blurred, answers, names[compared]).query("region == 'face'")["psnr"].mean()
display(Markdown(f"Blurred answers: {psnr:.1f} dB, expression kept {read['correlation'].mean():.2f}."))

# %%
page.card(settings, store)
