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
# # Discussion: what can be said, and what not
#
# **After all runs: which statements of the paper hold on these data, how far do they reach, and what should nobody do
# with them?**
#
# This chapter trains nothing. It goes back to the scores of the main study, puts the paper's sentences beside them in
# one list, lists every place where this book departs from the paper, and ends with limits and with people: those who
# are recognised, those whose faces are moved, and the one whose face everybody gets.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
run = "reference"  # whose scores stand here: the reference run's, or of "this" one
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 16  # of the resampling

# %%
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from IPython.display import display

from deepfn_lib import arms, page, statistics
from deepfn_lib.arms import ORIGINAL
from deepfn_lib.page import figures, interval_text, p_text, say, table
from deepfn_lib.page.figures import arm_label
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
basis = study.basis(run)
figures.use_theme()
plan = statistics.Plan(confidence, bootstrap_samples, margin, statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > The previous results seem to support that the use of DeepFN can effectively minimize individual differences while
# > keeping relevant facial expression information. (§6)
#
# > However, normalizing the data with the newly introduced DeepFN significantly increased the performance of
# > person-independent models (59.6%), effectively reducing the gap. Similarly, we observed generalization gaps when
# > considering gender (∆2.4%), skin type (∆5.3%), and dataset (∆9.4%), which were significantly reduced with the use of
# > DeepFN. (Abstract)
#
# All deviations of the book, in the order of the paper. The last column says what we expect the effect to be; where a
# chapter measures it, its number follows.
#
# | § | the paper says | we do | why | effect |
# |---|---|---|---|---|
# | – | a gap "reduced", untested | a gap tested against a gap | like with like | what the gap itself does (05-08) |
# | 3.1 | the loss is RMSE; Eq. 1 is an absolute error | Eq. 1; `loss` is a setting | the code base has it so | small |
# | 3.1 | Eq. 1 divides the person's sum by $m$, and sums to $n$ | divide by the batch | a slip of the pen | none |
# | 3.1 | affine maps and warps, no numbers | the code base's numbers | something must be chosen | large (11) |
# | 3.1 | LeakyReLU's slope, dense activations: – | 0.1, and none | the code base has it so | none on the counts |
# | 3.1 | 50,000 iterations a person, full width | so in `paper`; less in `quick` | two cores | young networks (02) |
# | 3.1 | networks start from random weights | in `quick` from a joint one | its §6; two cores | less for each (02) |
# | 3.1 | one method | and one of our own, DeepFN, by motion | what else pictures alone allow | judged apart (18) |
# | 3.2 | the template is not named | computed, ranking shown; others tried | to be checked | measured (03, 12) |
# | 3.3 | no activations in LeNet-5's dense layers | ReLU | as its convolutions | small (04) |
# | 3.3 | no word on the scale of inputs | less the training mean, over the deviation | contrast | one rule (04) |
# | 3.3 | no batch size | `classifier_batch` | something must be chosen | as of the learning rate |
# | 4.2 | ratings of skin type, unpublished | drawn, or your file | not to be had | groups by design (01) |
# | 4.2 | intensity from 1 to 8 | 0 to 5, 9 is "not coded" | what the files hold | none |
# | 4.2 | how DISFA's intensities become 0 or 1: – | present from 2 on | the literature's rule | a setting |
# | 4.2 | which of DISFA's cameras: – | the left | the literature's habit | a setting |
# | 4.2 | detection, alignment, cropping: – | MTCNN and a similarity transform | must be chosen | measured (01) |
# | 4.2 | equalisation is a step | an arm of its own | its effect is not DeepFN's | separates the two (09) |
# | 4.3 | F1 where a unit never occurs: – | a policy, `empty_f1` | 0/0 has no value | large in DISFA (04) |
# | 4.3 | whether arms share their splits: – | they do | no noise of the draw | narrower intervals |
# | 4.3 | within and across trained apart | one model, both tests | pairs them, halves the work | gaps in a model |
# | 4.3 | a two-sample t-test | and one over people and models | both are drawn | other p-values (05) |
# | 5 | "similar" from p > 0.05 | equivalence tests, a margin | silence is no evidence | fewer "similar" (05) |
# | 5 | no chance level | image-free constants | the score pays for base rates | another reading (04) |
# | 5.1 | 61.1 in Table 5, 61.4 in the text | both are quoted | it cannot be told which | none on ours (14) |
# | 6 | more people, a stronger network: less benefit | trained and compared | it only expects so | measured (16) |

# %% [markdown]
# ## A toy: what a verdict needs
#
# Three outcomes of the same comparison, on twelve invented people and four models: a clear gain, a gain lost in noise,
# and a gain that is surely too small to matter. A verdict must not confuse the last two; a p-value alone does.

# %%
noise = np.linspace(-1.0, 1.0, 12)
people = [f"P{n:02d}" for n in range(12)]
index = pd.MultiIndex.from_product(
    [[f"BP4D/{r}" for r in range(4)], people], names=["repetition", "participant"]
)
gains = {"clear": 5 + noise, "noisy": 2 + 15 * noise, "too small": 0.1 * noise}

# %%
toys = {
    name: statistics.contrast([(1.0, pd.Series(np.tile(gain, 4), index))], plan)
    for name, gain in gains.items()
}

# %%
lines = [
    [name, str(found.difference), found.p, found.within(margin)]
    for name, found in toys.items()
]
tests = ["p, more than nothing", "p, less than the margin"]
digits = dict.fromkeys(tests, p_text)
frame = pd.DataFrame(lines, columns=["gain", "interval, points", *tests])
table(frame, "Two tests of three gains.", digits)

# %%
assert toys["clear"].p < 0.05 < min(toys["noisy"].p, toys["too small"].p)
assert toys["too small"].within(margin) < 0.05 < toys["noisy"].within(margin)
say("> {rule}", rule=statistics.RULE)

# %% [markdown]
# ## The run: scores to claims
#
# Every sentence of the paper's results stands in `data_manifests/claims.csv`: where it is, the difference that it is
# about, and its words. Each is judged once, on the paper's method; chapters 05 to 08 show the same verdicts, each those
# of its own group. What is claimed of DeepFN is then asked of our own method, in a list of its own: it is not the
# paper's.

# %%
compared = basis.compared
say(
    "The claims are about {compared}.",
    compared="; and about ".join(
        f"**{page.whose(arm)}**: {arms.find(arm).what}" for arm in compared
    ),
)

# %%
page.budget(basis)

# %%
scores, constants = basis.scores, basis.constants
questions = ("person", "gender", "skin", "dataset")
pairs = {name: (f"{name}-dependent", f"{name}-independent") for name in questions}
present = set(scores["condition"])
page.stands_on(study, basis, sorted(present))

# %%
asked = {name: pair for name, pair in pairs.items() if present.issuperset(pair)}

# %%
judged = study.claims(plan)
for arm, rows in judged.items():
    caption = f"{page.whose(arm)}: points; one family of Holm's correction."
    display(page.claim_table(rows, caption))

# %% [markdown]
# And one statement that the paper could not make, for want of the arms: that a method with a network beats the simplest
# changes that need none. Here are all such arms, on people the classifiers have not seen.

# %%
plain = [name for name in basis.arms if arms.find(name).change]
plain = [name for name in plain if name not in (ORIGINAL, *compared)]
unseen = "person-independent"

# %%
rivals = {}
for arm, name in product(compared, plain):
    found = statistics.drawn_interval(scores, unseen, arm, name, plan)
    rivals[f"{arm_label(arm)} less {arm_label(name)}"] = found

# %%
if rivals:
    caption = (
        "With a network less without, unseen people, over participants and models."
    )
    display(figures.interval_plot(rivals, caption))

# %% [markdown]
# ## Against the paper and the baselines

# %%
for arm, rows in judged.items():
    shown = rows[rows["difference"].notna()].rename(columns={"claim": "label"})
    caption = (
        f"{page.whose(arm)}: each sentence, with its interval over participants and "
        "models. The band is the margin."
    )
    display(figures.interval_plot(shown, caption, margin=margin))

# %% [markdown]
# The paper's numbers beside the gaps are from its Table 5: within minus across on original faces, less the same with
# DeepFN. Where one is negative, the gap grew there. Read the signs as well as the verdicts. "Cannot be told" means that
# what was drawn is too little, or too different from one another, for an answer. The outcomes are about *these* data.

# %% [markdown]
# ### How much of the possible gain?
#
# The constant is what the same splits pay for knowing base rates; the oracle is what is there to gain.

# %%
across = [pair[1] for pair in asked.values()]
lines = statistics.condition_table(scores, constants, plan, conditions=across)
levels = zip(lines["mean"], lines["low"], lines["high"])
parts = zip(lines["share"], lines["share_low"], lines["share_high"])

# %%
shown = lines[["condition"]].assign(arm=lines["arm"].map(arm_label))
shown["score, %"] = [interval_text(*level) for level in levels]
shown["constant, %"], shown["ROC AUC, %"] = lines["constant"], lines["roc_auc"]
shown["share"] = [interval_text(*part, digits=2) for part in parts]
caption = (
    "Across groups: score with interval, the constant's score, ROC AUC, and the share "
    "of the oracle's gain."
)
table(shown, caption)

# %% [markdown]
# A share without a number means that the oracle itself gains nothing sure in that condition; then there was nothing for
# a normaliser to win, and the condition says nothing about normalisers.

# %% [markdown]
# ## Limits
#
# **Of the default data.** Rendered people have what the renderer was given. Their labels are exact, their cameras calm,
# their differences drawn from a few distributions that were fixed before the first classifier saw them. No occlusion,
# no age, no culture. The default run is evidence about a method under known circumstances.
#
# **Of the default budget.** Under `quick` the paper's autoencoder is narrower, smaller and trained for less time than
# the paper's, and each person's starts from a joint one. A verdict on it is one at that budget: neither what it cannot
# do nor what cannot be told is a statement about the method with all its training. The profile `paper` has the paper's
# sizes and iterations.
#
# **Of our own method.** DeepFN, by motion (chapter 18) learns from the same unlabelled pictures, one network for
# everybody. It stands beside the paper's method, not in its place: no verdict on it is one on the paper.
#
# **Of the recogniser.** The verdicts are about LeNet-5 and four training people. Chapter 16 asks what is left of the
# gain with more people and with a stronger network.
#
# **Of the sample.** Forty people, of whom seven have lighter and eight darker skin. The statistics count people, and
# that is how few there are; and several of these groups differ in gender as well, so that no skin result is free of it.
#
# **Of the score.** The mean of F1 and accuracy moves when a group shows a unit more often, whatever the recogniser
# sees. Part of every difference between groups is this, which is why ROC AUC stands beside it everywhere.

# %% [markdown]
# ## Ethics
#
# **Action units are not feelings.** A recogniser of AU12 finds raised lip corners. Deciding about people in interviews,
# at borders or in class by what a machine sees in their faces is not made right by a better F1.
#
# **A smaller gap is not a fair system.** Moving everybody to one face makes pictures alike; it does not make errors
# alike, and what the normaliser loses of an expression it may lose more of in one group. That is why the chapters
# report groups and directions apart, and detection failures by group (chapter 01) where faces may be lost before
# anything is scored.
#
# **Whose face is the standard?** The template is one person with a gender and a skin. Chapter 12 asks what that choice
# does. To call one person's face "normal" is a word of the method, not a judgement.
#
# **Consent.** A decoder can draw the person it was trained on, in expressions they never made. In this book a template
# in anything published needs consent on record, faces pass a gate that knows whom they show, and weights that can draw
# somebody count as a picture of them. The page on licensed data says how; chapter 15 measures how much identity a
# normalised face still carries, so that nobody takes it for anonymous.

# %% [markdown]
# ## What we learned


# %%
def verdict_list(rows):
    """The sentences under their verdicts, as Markdown."""
    parts = []
    for kind, some in rows.groupby("verdict"):
        each = "\n".join(f"- {one.claim}" for one in some.itertuples())
        parts.append(f"*{kind}* ({len(some)} of {len(rows)}):\n\n{each}")
    return "\n\n".join(parts)


for arm, rows in judged.items():
    words = "**{title}**\n\n{listed}"
    display(say(words, title=page.whose(arm), listed=verdict_list(rows)))


# %%
def gain_in_words(arm):
    """An arm's gain over faces as filmed on unseen people."""
    gained = statistics.drawn_interval(scores, unseen, arm, ORIGINAL, plan)
    return f"{arm_label(arm)} {gained}"


def reductions_in_words(rows):
    """What a method takes off each gap."""
    return "; ".join(f"{name} {page.found(rows, f'{name}.reduces')}" for name in asked)


# %%
say(
    "Does it help to move every face onto one person first? On {origin}, under the "
    "profile {profile}, for people the classifier has not seen, these are the gains "
    "over faces as filmed, in points with {confidence:.0f} % intervals over people and "
    "models: {gains}.",
    origin="rendered people" if study.rendered else "the licensed data",
    profile=basis.settings.profile,
    confidence=100 * confidence,
    gains="; ".join(gain_in_words(arm) for arm in basis.arms if arm != ORIGINAL),
)

# %%
for arm, rows in judged.items():
    sentence = say(
        "**{whose}**: of its {all} sentences, {verdicts}. Taken off the original's "
        "gaps: {reduced}.",
        whose=page.whose(arm),
        all=len(rows),
        verdicts=page.tally(rows),
        reduced=reductions_in_words(rows),
    )
    display(sentence)

# %% [markdown]
# ## Exercises
#
# **1.** How do the verdicts depend on the margin? Judge again with half and with twice the margin.

# %% tags=["hide-cell"]
verdicts = judged[study.normaliser][["claim"]]
for factor in (0.5, 1, 2):
    other = replace(plan, margin=margin * factor)
    decided = study.claims(other)[study.normaliser]["told"]
    verdicts = verdicts.assign(**{f"margin {other.margin:g}": decided})
table(verdicts, f"Verdicts by margin, {page.whose(study.normaliser)}.")

# %% [markdown]
# Sentences that claim that nothing is lost move with the margin: it says how small a loss one is willing to call none.
# Of those that claim more, only the border between "equal within the margin" and "cannot be told" can move.
#
# **2.** How many sentences would hold if nobody corrected for asking so many questions?

# %% tags=["hide-cell"]
for arm, rows in judged.items():
    sentence = say(
        "{title}: {alone} of {all} have p below {level:.2g} before the correction, "
        "{corrected} after it.",
        title=page.whose(arm),
        alone=(rows["p_ours"] < plan.level).sum(),
        all=len(rows),
        level=plan.level,
        corrected=(rows["p_holm"] < plan.level).sum(),
    )
    display(sentence)

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
