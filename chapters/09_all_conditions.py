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
# # All conditions together
#
# **Over all eight conditions, how much of what perfect normalisation could gain does each method gain, and how much of
# any score would a predictor without a camera have had anyway?**
#
# Chapters 05 to 08 took one group split each. This one is Table 5: four *within* conditions, in which training and
# test people come from one group, four *cross* conditions, in which they do not, and every arm beside every other.
# An *arm* is one way of preparing the faces; the classifiers, the splits and the seeds are the same for all.

# %% tags=["parameters"]
profile = "quick"  # settings to start from: smoke, quick, overnight or paper
overrides = {}  # settings changed for this run, by name
artefacts = ""  # artefact folder; empty: the default
run = "reference"  # whose scores stand here: the reference run's, or of "this" one
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 9  # of the resampling

# %%
from itertools import product

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display

from deepfn_lib import page, statistics
from deepfn_lib.arms import ORACLE, ORIGINAL, SUBTRACTED, find
from deepfn_lib.page import figures, interval_text, p_text, say, table
from deepfn_lib.page.figures import arm_label
from deepfn_lib.recognition.protocol import CONDITIONS
from deepfn_lib.study import Study

# %%
study = Study.open(profile, overrides, artefacts)
basis = study.basis(run)
figures.use_theme()
plan = statistics.Plan(
    confidence=confidence,
    samples=bootstrap_samples,
    margin=margin,
    seed=statistics_seed,
)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > For each of the conditions, we then computed the average and standard deviation across all the participants. (§4.3)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | arms: original, DeepFN | and cheap baselines, an oracle | a gain needs a comparison | is a network needed? |
# | one method | one of our own beside it, judged apart | it is not the paper's | two lists of verdicts |
# | within and cross trained apart | one model, both tests | pairs them, halves the work | gaps within models |
# | splits of the arms: not said | the same, by name and seed | no noise of the draw | narrower intervals |
# | no floor | the best constant of the split | base rates earn points | scores are read from it |
# | score only | score and ROC AUC | base rates do not move AUC | tells seeing from guessing well |
#
# Table 5's bottom half names the models; here is how many were trained for each arm.

# %%
models = basis.trained[["family", "train_group", "repetition"]].drop_duplicates()
per_family = models.groupby("family", sort=False).size().reset_index(name="models")
tests = pd.Series({name: family for name, (family, _) in CONDITIONS.items()})
per_family["conditions"] = [
    ", ".join(tests.index[tests == family]) for family in per_family["family"]
]
table(per_family, "Trainings for each arm.")

# %% [markdown]
# ## A toy: the share of the oracle's gain
#
# The *oracle* arm exists for rendered faces only: the same moment drawn on the template's face, the answer that a
# perfect normaliser would give. It says how many points there are to gain; an arm's **share** is the part of it that
# the arm gets,
#
# $$\mathrm{share} = \frac{\overline{\mathrm{arm}} - \overline{\mathrm{original}}}
# {\overline{\mathrm{oracle}} - \overline{\mathrm{original}}},$$
#
# with means over the same participants. Three people, by hand: original 50, 52, 54; arm 53, 54, 58; oracle 56, 58,
# 60.

# %%
three = pd.DataFrame(
    {"original": [50.0, 52, 54], "arm": [53.0, 54, 58], "oracle": [56.0, 58, 60]}
)
original, arm, oracle = (three[name] for name in three)
gained, possible = (arm - original).mean(), (oracle - original).mean()
share = gained / possible
assert np.isclose(statistics.oracle_share(arm, original, oracle, plan).value, share)

# %%
say(
    "The arm gains {gained:.1f} points; its share of the oracle's gain is {share:.2f}.",
    gained=gained,
    share=share,
)

# %% [markdown]
# The interval resamples *participants*, keeping each one's three scores together; a participant is what a new study
# would draw anew. Frames and repetitions of one person are not independent evidence, and treating them so would make
# every interval too narrow.

# %% [markdown]
# ## The run
#
# `basis.scores` has a row for each condition, direction, arm, repetition, participant and action unit: the reference
# run's, as they are committed, or this run's, for which whatever is missing is trained, in parallel. Everything below
# is a view on it; changing a statistical parameter above retrains nothing.

# %%
scores, constants, arms = basis.scores, basis.constants, basis.arms
compared = basis.compared
conditions = [name for name in CONDITIONS if name in set(scores["condition"])]
lines = statistics.condition_table(scores, constants, plan, conditions)
there = set(zip(lines["condition"], lines["arm"]))
page.stands_on(study, basis, conditions)

# %%
absent = ", ".join(name for name in CONDITIONS if name not in conditions)
whole = "All eight conditions are there."
if absent:
    whole = f"Not in this run, because a group is too small or unknown: {absent}."
say(
    "{rows:,} rows, {arms} arms, {repetitions} repetitions. {whole}",
    rows=len(scores),
    arms=len(arms),
    repetitions=scores["repetition"].nunique(),
    whole=whole,
)

# %% [markdown]
# ## Table 5, here and in the paper


# %%
def mean_and_sd(row, mean, sd):
    """`mean (sd)` as the paper prints it; nothing where there is no value."""
    if np.isnan(row[mean]):
        return ""
    return f"{row[mean]:.1f}" + (f" ({row[sd]:.1f})" if np.isfinite(row[sd]) else "")


# %%
shown = lines[lines["arm"].isin((ORIGINAL, *compared))]
ends = ["mean", "low", "high"]
shown = shown.assign(
    arm=shown["arm"].map(arm_label),
    found=shown.apply(mean_and_sd, axis=1, mean="mean", sd="sd"),
    published=shown.apply(mean_and_sd, axis=1, mean="paper", sd="paper_sd"),
    interval=shown[ends].apply(lambda row: interval_text(*row), axis=1),
)

# %%
headings = {
    "found": "here",
    "published": "paper",
    "interval": "here, interval",
    "constant": "constant",
    "best_constant": "best constant of the test",
}
columns = ["condition", "arm", "participants", *headings]
caption = (
    "Table 5: mean (SD) over participants, percent. The paper has no third arm. The "
    "constants see no image and are those of the same splits."
)
table(shown[columns], caption, headings=headings)

# %% [markdown]
# The paper's values come from real faces, thousands of frames a person, 20 repetitions and 50,000 iterations of
# training a person; ours, in the default profile, from rendered faces and the budget below. So we do not expect equal
# numbers, and no row is a failed replication because it differs. What can be compared is the *pattern*: which
# conditions are harder, whether a normalised arm is higher, and by how much of what is possible.

# %%
page.budget(basis)

# %% [markdown]
# ### What an F1 of nothing is worth
#
# Where a participant never shows a unit, a classifier that stays silent has an F1 of 0/0. The paper does not say what
# it did; a policy must be chosen (`empty_f1`), and it moves a score without any face. The same run under all three:
# such an F1 is one if nothing is claimed, or zero, or the unit is left out.


# %%
def mean_scores(f1):
    """The mean score of each condition and arm with these F1, in the table's order."""
    changed = scores.assign(f1=f1)
    each = (statistics.participant_scores(changed, *which) for which in pairs_of)
    return [people.mean() for people in each]


# %%
pairs_of = list(product(conditions, (ORIGINAL, *compared)))
pairs_of = [pair for pair in pairs_of if pair in there]
nothing, f1 = scores["n_positive"] == 0, scores["f1"]
policies = {
    "as here": f1,
    "zero": f1.where(~nothing, 0.0),
    "left out": f1.where(~nothing),
}

# %%
by_policy = pd.DataFrame(pairs_of, columns=["condition", "arm"])
by_policy["arm"] = by_policy["arm"].map(arm_label)
for name, values in policies.items():
    by_policy[name] = mean_scores(values)
empty = 100 * nothing.groupby(scores["condition"]).mean()
by_policy["such cells, %"] = by_policy["condition"].map(empty)

# %%
caption = (
    "Mean score, percent, by what an F1 of nothing counts (here: "
    f"{basis.settings.empty_f1}), and how often it occurs."
)
table(by_policy, caption)

# %% [markdown]
# ### All conditions and arms

# %%
caption = (
    "All conditions and arms. Bars are means over participants, whiskers their "
    "interval over participants and models, diamonds the paper's values, dashes the "
    "best constant chosen "
    "on the training people of the same splits."
)
figures.condition_bars(lines, caption)

# %% [markdown]
# Look at the dashes before the bars. Where a bar barely clears its dash, the classifier's score is what base rates
# are worth and a difference between conditions may be a difference between their constants. The dataset conditions
# show this best: five units, two corpora with unlike base rates, and a constant learnt on one side that misleads on
# the other.

# %% [markdown]
# ### Above the floor
#
# The same bars, counted from each split's own constant: what the classifiers earn by looking. A negative entry is a
# classifier that would have done better to close its eyes and repeat the base rates of the people it was trained on.


# %%
def by_arm(rows, value):
    """Conditions × arms, by label, in the order of the tables."""
    wide = rows.pivot(index="condition", columns="arm", values=value)
    names = [name for name in arms if name in wide]
    order = [name for name in conditions if name in wide.index]
    return wide.loc[order, names].rename(columns=arm_label)


# %%
above = by_arm(lines.assign(above=lines["mean"] - lines["constant"]), "above")
caption = "Score minus the constant of the same split, points."
table(above.reset_index(), caption, formats=dict.fromkeys(above, "+.1f"))

# %% [markdown]
# ### What base rates cannot move
#
# ROC AUC of each unit within each participant, then averaged in the same way. A constant has 50.

# %%
auc = by_arm(lines, "roc_auc")
table(auc.reset_index(), "ROC AUC, mean over participants, percent.")

# %% [markdown]
# If the two tables rank the arms differently, believe the second about seeing and the first about the paper's score.
# A method can raise AUC and leave the score where it is, when its probabilities order the frames better but the
# threshold of 0.5 cuts them in the wrong place; and it can raise the score alone, when it moves the threshold nearer
# to the test people's base rates without ordering anything better.

# %% [markdown]
# ## The share of the oracle's gain
#
# Every arm but the two ends, in every condition. Zero is the original, one is what the exact answer gains; the
# interval resamples participants. Where even the oracle's gain is not distinguishable from zero there is nothing to
# share, and the place stays empty.

# %%
middle = [arm for arm in arms if arm not in (ORIGINAL, ORACLE)]
sharing = lines[lines["arm"].isin(middle) & lines["share"].notna()]


def shares_and_whiskers(name):
    """An arm's shares with their intervals, for the figure below."""
    rows = sharing[sharing["arm"] == name]
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": rows["share_high"] - rows["share"],
        "arrayminus": rows["share"] - rows["share_low"],
        "thickness": 1,
    }
    return {"x": rows["share"], "y": rows["condition"], "error_x": whiskers}


# %%
figure = go.Figure()
for name in middle:
    marker = {"size": 9, "color": figures.arm_colour(name)}
    look = {"mode": "markers", "name": arm_label(name), "marker": marker}
    figure.add_scatter(**shares_and_whiskers(name), **look)

# %%
line = {"color": "#7F7F7F", "width": 1}
figure.add_vline(x=0, line=line)
figure.add_vline(x=1, line={**line, "dash": "dot"})
figure.update_layout(scattermode="group")
figure.update_yaxes(autorange="reversed")
caption = "Share of the oracle's gain: 0 the original faces, 1 the exact answer."
height = 130 + 62 * max(sharing["condition"].nunique(), 1)
figures.finish(figure, caption, x="share of the oracle's gain", height=height)

# %%
ends = ["share", "share_low", "share_high"]
texts = [interval_text(*row, digits=2) for row in sharing[ends].to_numpy()]
told = by_arm(sharing.assign(text=texts), "text")
means = lines.pivot(index="condition", columns="arm", values="mean")
gain_of_oracle = "oracle − original"
possible = (means.get(ORACLE, np.nan) - means[ORIGINAL]).reindex(told.index)
told.insert(0, gain_of_oracle, possible)

# %%
caption = "Share of the oracle's gain, and the gain itself in points."
table(told.reset_index(), caption, formats={gain_of_oracle: "+.1f"})

# %% [markdown]
# Two cautions. A cheap arm needs pictures of the person being tested, as the paper's method does: subtracting a
# person's median face uses all of that person's frames, without labels. And an arm *above* the exact answer has not
# normalised better than exactly: it knows something that the pictures do not hold, most likely the labels. That is
# asked here of each arm, in each condition, by score and by ROC AUC, over all units and of each alone, one-sided,
# with Holm's correction over all of it.

# %%
flags = statistics.above_ceiling(scores, plan)
flagged = "No arm is surely above the exact answer anywhere."
if len(flags):
    flagged = "The rows below are of arms surely above the exact answer."
say("**Flags: {number}.** {flagged}", number=len(flags), flagged=flagged)

# %%
measures = {"score": "score", "roc_auc": "ROC AUC"}
if len(flags):
    shown = flags.replace({"measure": measures}).assign(arm=flags["arm"].map(arm_label))
    headings = {"action_unit": "action unit"}
    caption = "Above the exact answer, points."
    display(table(shown, caption, {"p": p_text}, headings=headings))

# %% [markdown]
# ## Gains, arm by arm
#
# A share divides two uncertain numbers. The plain gain in points is the safer thing to read when the oracle's own
# gain is small, and it is what the paper tests.
#
# Each arm minus the original over the same participants, with its interval, for the condition that matters
# most in use: people the classifier has not seen.


# %%
def by_people(condition, arm):
    return statistics.participant_scores(scores, condition, arm)


def gain(condition, arm, reference=ORIGINAL):
    """An arm minus another over the same participants."""
    both = (
        statistics.repetition_scores(scores, condition, name)
        for name in (arm, reference)
    )
    return statistics.compare(*both, plan)


# %%
others = [arm for arm in arms if arm != ORIGINAL]
gains = {
    (c, arm): gain(c, arm) for c in conditions for arm in others if (c, arm) in there
}
ps = [found.ours.p for found in gains.values()]
adjusted = dict(zip(gains, statistics.holm(ps, plan.level)))

# %%
main = "person-independent"
plotted = {arm_label(arm): gains[main, arm] for arm in others if (main, arm) in there}
caption = (
    f"Gain over the original faces, {main}, points. "
    "The grey band is what counts as similar."
)
figures.interval_plot(plotted, caption, margin=margin)

# %%
rows = []
for condition in conditions:
    for arm in [arm for arm in compared if (condition, arm) in there]:
        found, name = gains[condition, arm], arm_label(arm)
        ps = found.paper.p, found.ours.p, adjusted[condition, arm]
        rows.append([condition, name, str(found), *ps])

# %%
p_columns = ["p, the paper's test", "p, paired", "p, paired and Holm"]
rows = pd.DataFrame(rows, columns=["condition", "arm", "gain", *p_columns])
caption = "Normalised minus original in each condition: the paper's method and ours."
table(rows, caption, formats=dict.fromkeys(p_columns, p_text))

# %% [markdown]
# The paper's two-sample test ignores that the same people are in both arms; the paired test uses it, and Holm's
# correction pays for asking as many questions as there are conditions and arms on this page. People differ from each
# other by several points whatever the arm, and a test that counts this difference as noise needs a much larger gain
# before it sees one. Where the paper finds "similar" by its test, the paired one may well find a difference, in
# either direction.

# %% [markdown]
# ### Does the cheap arm do it too?
#
# The question that Table 5 cannot answer is whether a network is needed. So each of the two methods is compared with
# the arms that need none, on people the classifier has not seen, without choosing the competitor by its result: all are
# shown. Holm's correction is over all conditions and competitors of a method.


# %%
def against_cheap(one):
    """An arm against those without a network: rows of condition, arm, difference, p."""
    cheap = [arm for arm in middle if find(arm).change and arm != one]
    pairs = [(c, arm) for c in conditions for arm in cheap if (c, arm) in there]
    versus = {(c, arm): gain(c, one, arm) for c, arm in pairs if (c, one) in there}
    ps = statistics.holm([found.ours.p for found in versus.values()], plan.level)
    return [
        [condition, arm_label(arm), str(found), p]
        for ((condition, arm), found), p in zip(versus.items(), ps)
        if condition in (main, "dataset-independent")
    ]


# %%
corrected = "p (paired, Holm)"
for arm in compared:
    columns = ["condition", f"{arm_label(arm)} minus", "difference", corrected]
    rows = pd.DataFrame(against_cheap(arm), columns=columns)
    caption = f"{page.whose(arm)} against the arms without a network."
    display(table(rows, caption, formats={corrected: p_text}))

# %% [markdown]
# ## Does it depend on how the classifier is trained?
#
# The paper trains for 50 epochs at a learning rate of 5e-5 and does not say its batch; the classifiers here have 1e-3.
# Would another choice have told another story? For this the strangers' classifiers of four arms are trained otherwise,
# everything else as before: same splits, same faces (`deepfn reference --part sensitivity`). The second column says
# whether a training had ended: what its last tenth still gained in validation F1.

# %%
otherwise = statistics.reference_sensitivity() if study.has_reference else None
usual = "as everywhere in it"


def as_usual():
    """The reference run's own scores in the columns of its sensitivity table."""
    scored = statistics.reference_scores()
    gains_of = statistics.last_gains(statistics.reference_training())
    tables = []
    for arm in otherwise["arm"].unique():
        columns = {
            name: statistics.repetition_scores(scored, main, arm, value=name)
            for name in ("score", "roc_auc")
        }
        lines = pd.DataFrame(columns).reset_index()
        lines = lines[lines["repetition"].isin(otherwise["repetition"])]
        last = 100 * gains_of[arm, "people"]
        tables.append(lines.assign(arm=arm, change=usual, last_gain=last))
    return pd.concat(tables)


# %%
def sensitivity_line(change, rows):
    """One way of training: scores, and the differences that the verdicts are about."""
    keys = ["repetition", "participant"]
    cells = rows.set_index(["arm", *keys])["score"]
    filmed, exact = cells[ORIGINAL], cells[ORACLE]
    line = {"classifiers": change, "last gain": rows["last_gain"].max()}
    line |= {
        name: some.groupby("participant").mean().mean()
        for name, some in (("as filmed", filmed), ("exact answer", exact))
    }
    for arm in [name for name in rows["arm"].unique() if find(name).network]:
        for name in (ORIGINAL, SUBTRACTED):
            less = (cells[arm] - cells[name]).dropna()
            found = statistics.contrast([(1.0, less)], plan).difference
            line[f"{arm_label(arm)} less {arm_label(name)}"] = str(found)
        share = statistics.oracle_share(cells[arm], filmed, exact, plan)
        line["its share"] = interval_text(share.value, share.low, share.high, digits=2)
    return line


# %%
if otherwise is not None:
    whole = pd.concat([as_usual(), otherwise])
    changes = whole.groupby("change", sort=False)
    shown = pd.DataFrame([sensitivity_line(*each) for each in changes])
    number = otherwise["repetition"].nunique()
    caption = f"Strangers, reference run, {number} models an arm, trained otherwise."
    display(table(shown, caption, {"last gain": ".2f"}))
else:
    display(say("Not run: the reference run has no classifiers trained otherwise."))

# %% [markdown]
# ## The paper's pattern, claim by claim
#
# Table 5 carries three statements that hold in every row of the paper: within beats cross, DeepFN beats the original,
# and the cross-dataset condition is the hardest. They are among the sentences that chapters 05 to 08 show and chapter
# 17 lists, each judged once; here they stand together.

# %%
patterns = {
    "within beats cross": ".gap",
    "beats the face as filmed": ".gain",
    "across datasets is hardest": ".hardest-",
    "reduces the gap": ".reduces",
}
judged = study.claims(plan)


# %%
def pattern_line(rows, what, part):
    """How many of a pattern's sentences have each verdict."""
    some = rows[rows["id"].str.contains(part, regex=False)]
    some = some[~some["id"].str.contains("remains")]
    return {"pattern": what, "sentences": len(some), "verdicts": page.tally(some)}


# %%
for arm, rows in judged.items():
    lines_of = [pattern_line(rows, *one) for one in patterns.items()]
    shown = pd.DataFrame([line for line in lines_of if line["sentences"]])
    display(table(shown, f"The pattern of Table 5, {page.whose(arm)}."))

# %%
hard = [name for name in conditions if name.endswith("-independent")]
by_condition = pd.DataFrame({name: by_people(name, ORIGINAL) for name in hard})
lowest = pd.DataFrame({"condition": hard, "original": by_condition.mean().to_numpy()})
lowest["participants"] = by_condition.count().to_numpy()
lowest = lowest.sort_values("original", ignore_index=True)
table(lowest, "Cross conditions, original faces, from the hardest on.")

# %% [markdown]
# ## What we learned

# %%
practical = [arm for arm in middle if not find(arm).exact]
usable = by_arm(lines[lines["arm"].isin(practical)], "mean")
wins = usable.idxmax(axis=1).value_counts()
main_lines = lines[lines["condition"] == main].set_index("arm")


def one_arm(arm):
    """An arm's score and share on strangers."""
    row = main_lines.loc[arm]
    part = f", a share of {row['share']:.2f}" if np.isfinite(row["share"]) else ""
    return f"{arm_label(arm)} {row['mean']:.1f}{part}"


# %%
hardest, easiest = lowest.iloc[0], lowest.iloc[-1]
say(
    "On people the classifiers have not seen, original faces score "
    "{original[mean]:.1f} and the constant of the same splits "
    "{original[constant]:.1f}. The other arms: {arms}. Among the arms that could be "
    "used in practice the highest mean was reached by {wins} of {conditions} "
    "conditions. The hardest cross condition for original faces was "
    "**{hardest[condition]}** ({hardest[original]:.1f}), the easiest "
    "{easiest[condition]} ({easiest[original]:.1f}). Over all conditions a constant "
    "that sees no image earns {least:.1f} to {most:.1f}.",
    original=main_lines.loc[ORIGINAL],
    arms="; ".join(map(one_arm, others)),
    wins=", ".join(f"{name} in {n}" for name, n in wins.items()),
    conditions=len(conditions),
    hardest=hardest,
    easiest=easiest,
    least=lines["constant"].min(),
    most=lines["constant"].max(),
)


# %%
def shares_in_words(arm):
    """An arm's shares of the oracle's gain, where there are any, with intervals."""
    rows = sharing.loc[sharing["arm"] == arm, ["condition", *ends]]
    each = [
        f"{interval_text(*part, digits=2)} ({name})"
        for name, *part in rows.itertuples(index=False, name=None)
    ]
    return ", ".join(each) or "not computable in any condition"


# %%
for arm, rows in judged.items():
    sentence = say(
        "**{whose}**, on people the classifiers have not seen, gains {gain} over "
        "original faces. Its share of the oracle's gain, where that is sure: {share}. "
        "Its {number} sentences over all conditions: {verdicts}.",
        whose=page.whose(arm),
        gain=gains[main, arm],
        share=shares_in_words(arm),
        number=len(rows),
        verdicts=page.tally(rows),
    )
    display(sentence)

# %% [markdown]
# ## Exercises
#
# **1.** Redraw the figure of all conditions for ROC AUC. Does the order of the arms change?

# %% tags=["hide-cell"]
figure = go.Figure()
for name in arms:
    colour, of_arm = figures.arm_colour(name), arm_label(name)
    figure.add_bar(x=auc.index, y=auc[of_arm], name=of_arm, marker_color=colour)
figure.update_yaxes(range=[45, 100])
figures.finish(figure, "ROC AUC in all conditions and arms.", y="ROC AUC, %")

# %% [markdown]
# **2.** The means weigh every participant alike. Which participants of the person-independent condition gain most and
# least from each of the two methods, and is a gain larger where the original score is low?

# %% tags=["hide-cell"]
start, rows = by_people(main, ORIGINAL), []
for arm in compared:
    change = (by_people(main, arm) - start).dropna().sort_values()
    least, most = (f"{change.index[i]} ({change.iloc[i]:+.1f})" for i in (0, -1))
    rows.append([arm_label(arm), least, most, start.corr(change)])

# %% tags=["hide-cell"]
columns = ["arm", "gains least", "gains most", "correlation with the start"]
rows, digits = pd.DataFrame(rows, columns=columns), {columns[-1]: ".2f"}
table(rows, "Participants' gains over original faces, points.", formats=digits)

# %% [markdown]
# A negative correlation is expected even without any effect, because noise in the original score enters both with
# opposite signs.

# %% [markdown]
# ## How this page was made

# %%
page.card(study)
