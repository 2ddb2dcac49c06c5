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
confidence = 0.95  # of every interval
margin = 2.0  # points within which two scores count as similar
bootstrap_samples = 4000  # resamples of participants
statistics_seed = 9  # of the resampling

# %%
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from deepfn_lib import page, statistics, study
from deepfn_lib.artefacts import Store
from deepfn_lib.page import figures, interval_text, table
from deepfn_lib.recognition import protocol
from deepfn_lib.settings import load_settings
from IPython.display import Markdown, display

# %%
settings = load_settings(profile, overrides)
store = Store(artefacts)
figures.use_theme()
plan = statistics.Plan(confidence=confidence, samples=bootstrap_samples, margin=margin, seed=statistics_seed)

# %% [markdown]
# ## What the paper says, and where we differ
#
# > For each of the conditions, we then computed the average and standard deviation across all the participants. (§4.3)
#
# | the paper | here | why | effect |
# |---|---|---|---|
# | arms: original, DeepFN | and cheap baselines, an oracle | a gain needs a comparison | is a network needed? |
# | within and cross trained apart | one model, both tests | pairs them, halves the work | gaps within models |
# | splits of the arms: not said | the same, by name and seed | no noise of the draw | narrower intervals |
# | no floor | the best constant of the split | base rates earn points | scores are read from it |
# | score only | score and ROC AUC | base rates do not move AUC | tells seeing from guessing well |
#
# Table 5's bottom half names the models; here is how many this run has trained for each arm.

# %%
splits = study.splits(settings, store)
models = splits[["family", "train_group", "repetition"]].drop_duplicates()
per_family = models.groupby("family", sort=False).size().rename("models").reset_index()
per_family["conditions"] = [
    ", ".join(c for c, (family, _) in protocol.CONDITIONS.items() if family == f) for f in per_family["family"]
]
table(per_family, "Trainings for each arm.", formats={"models": "d"})

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
original, arm, oracle = (pd.Series(v, index=list("abc"), dtype=float)
                         for v in ((50, 52, 54), (53, 54, 58), (56, 58, 60)))  # fmt: skip
share = (arm - original).mean() / (oracle - original).mean()
assert np.isclose(statistics.oracle_share(arm, original, oracle, plan).value, share)
display(Markdown(f"The arm gains {(arm - original).mean():.1f} points; its share of the oracle's gain is {share:.2f}."))

# %% [markdown]
# The interval resamples *participants*, keeping each one's three scores together; a participant is what a new study
# would draw anew. Frames and repetitions of one person are not independent evidence, and treating them so would make
# every interval too narrow.

# %% [markdown]
# ## The run
#
# `study.scores` trains whatever is missing, in parallel, and returns a row for each condition, direction, arm,
# repetition, participant and action unit. Everything below is a view on it; changing a statistical parameter above
# retrains nothing.

# %%
scores = study.scores(settings, store)
constants = study.constants(settings, store)
lines = statistics.condition_table(scores, constants, plan, conditions=[
    c for c in protocol.CONDITIONS if c in set(scores["condition"])
])  # fmt: skip
arms = list(dict.fromkeys(scores["arm"]))

# %%
absent = [c for c in protocol.CONDITIONS if c not in set(scores["condition"])]
display(Markdown(
    f"{len(scores):,} rows, {len(arms)} arms, {scores['repetition'].nunique()} repetitions. "
    + (f"Not in this run, because a group is too small or unknown: {', '.join(absent)}." if absent else
       "All eight conditions are there.")
))  # fmt: skip

# %% [markdown]
# ## Table 5, ours beside the paper's


# %%
def mean_and_sd(row, mean, sd):
    """`mean (sd)` as the paper prints it; nothing where there is no value."""
    return "" if np.isnan(row[mean]) else f"{row[mean]:.1f} ({row[sd]:.1f})"


# %%
shown = lines[lines["arm"].isin(("original", "deepfn"))].assign(
    ours=lambda t: t.apply(mean_and_sd, axis=1, mean="mean", sd="sd"),
    published=lambda t: t.apply(mean_and_sd, axis=1, mean="paper", sd="paper_sd"),
    interval=lambda t: t.apply(lambda r: interval_text(r["mean"], r["low"], r["high"]), axis=1),
)
table(
    shown[["condition", "arm", "participants", "ours", "published", "interval", "constant", "best_constant"]],
    "Table 5: mean (SD) over participants, percent. The constants see no image and are those of the same splits.",
    headings={"published": "paper", "interval": "ours, interval", "best_constant": "best constant of the test"},
)  # fmt: skip

# %% [markdown]
# The paper's values come from real faces, thousands of frames a person and 20 repetitions; ours, in the default
# profile, from rendered ones. So we do not expect equal numbers, and no row is a failed replication because it
# differs. What can be compared is the *pattern*: which conditions are harder, whether the normalised arm is higher,
# and by how much of what is possible.

# %%
figures.condition_bars(
    lines, "All conditions and arms. Bars are means over participants, whiskers their bootstrap interval, "
    "diamonds the paper's values, dashes the best constant chosen on the training people of the same splits.",
)  # fmt: skip

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
lines["above"] = lines["mean"] - lines["constant"]
above = lines.pivot(index="condition", columns="arm", values="above").reindex(
    index=list(dict.fromkeys(lines["condition"])), columns=arms
)
table(above.reset_index(), "Score minus the constant of the same split, points.", formats=dict.fromkeys(arms, "+.1f"))

# %% [markdown]
# ### What base rates cannot move
#
# ROC AUC of each unit within each participant, then averaged in the same way. A constant has 50.

# %%
auc = lines.pivot(index="condition", columns="arm", values="roc_auc").reindex(above.index)[arms]
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
middle = [a for a in arms if a not in ("original", "oracle")]
sharing = lines[lines["arm"].isin(middle) & lines["share"].notna()]

# %%
figure = go.Figure()
for name in middle:
    rows = sharing[sharing["arm"] == name]
    figure.add_scatter(
        x=rows["share"], y=rows["condition"], mode="markers", name=figures.arm_label(name),
        marker={"size": 9, "color": figures.arm_colour(name)},
        error_x={"type": "data", "symmetric": False, "array": rows["share_high"] - rows["share"],
                 "arrayminus": rows["share"] - rows["share_low"], "thickness": 1},
    )  # fmt: skip
figure.add_vline(x=0, line={"color": "#7F7F7F", "width": 1})
figure.add_vline(x=1, line={"color": "#7F7F7F", "width": 1, "dash": "dot"})
figure.update_layout(scattermode="group")
figure.update_yaxes(autorange="reversed")
figures.finish(figure, "Share of the oracle's gain: 0 the original faces, 1 the exact answer.",
               x="share of the oracle's gain", height=130 + 62 * max(sharing["condition"].nunique(), 1))  # fmt: skip

# %%
means = lines.pivot(index="condition", columns="arm", values="mean")
possible = means["oracle"] - means["original"] if "oracle" in means else means["original"] * np.nan
sharing = sharing.assign(
    oracle_gain=sharing["condition"].map(possible),
    text=sharing.apply(lambda r: interval_text(r["share"], r["share_low"], r["share_high"], digits=2), axis=1),
)
by_arm = sharing.pivot(index=["condition", "oracle_gain"], columns="arm", values="text").reset_index()
table(by_arm, "Share of the oracle's gain, and the gain itself in points.", formats={"oracle_gain": "+.1f"},
      headings={"oracle_gain": "oracle − original"})  # fmt: skip

# %% [markdown]
# Two cautions. The oracle is the exact answer *as rendered*; a method may beat it, because a classifier may find a
# face easier to read when strong movements are exaggerated. And a cheap arm needs pictures of the person being
# tested, as the paper's method does: subtracting a person's median face uses all of that person's frames, without
# labels.

# %% [markdown]
# ## Gains, arm by arm
#
# A share divides two uncertain numbers. The plain gain in points is the safer thing to read when the oracle's own
# gain is small, and it is what the paper tests.
#
# Each arm minus the original over the same participants, with the bootstrap interval, for the condition that matters
# most in use: people the classifier has not seen.


# %%
def gain(condition, arm, reference="original"):
    """An arm minus another over the same participants."""
    first, second = (statistics.participant_scores(scores, condition, name) for name in (arm, reference))
    return statistics.compare(first, second, plan)


# %%
conditions = list(dict.fromkeys(lines["condition"]))
others = [a for a in arms if a != "original"]
gains = {(c, a): gain(c, a) for c in conditions for a in others}
adjusted = dict(zip(gains, statistics.holm([g.ours.p for g in gains.values()], plan.level)))

# %%
main = "person-independent"
rows = [
    {"label": figures.arm_label(a), "difference": gains[main, a].difference.value,
     "low": gains[main, a].difference.low, "high": gains[main, a].difference.high}
    for a in others
]  # fmt: skip
figures.interval_plot(
    pd.DataFrame(rows), f"Gain over the original faces, {main}, points. The grey band is what counts as similar.",
    margin=margin,
)  # fmt: skip

# %%
gain_rows = [
    {"condition": c, "arm": a, "gain": str(g), "p, the paper's test": g.paper.p,
     "p, paired": g.ours.p, "p, paired and Holm": adjusted[c, a]}
    for (c, a), g in gains.items() if a == "deepfn"
]  # fmt: skip
p_columns = [name for name in gain_rows[0] if name.startswith("p,")] if gain_rows else []
table(pd.DataFrame(gain_rows), "DeepFN minus original in each condition.",
      formats=dict.fromkeys(p_columns, page.p_text))  # fmt: skip

# %% [markdown]
# The paper's two-sample test ignores that the same people are in both arms; the paired test uses it, and Holm's
# correction pays for asking as many questions as there are conditions and arms on this page. People differ from each
# other by several points whatever the arm, and a test that counts this difference as noise needs a much larger gain
# before it sees one. Where the paper finds "similar" by its test, the paired one may well find a difference, in
# either direction.

# %% [markdown]
# ### Does the cheap arm do it too?
#
# The question that Table 5 cannot answer is whether a network is needed. So DeepFN is compared with the best of the
# arms that need none, on people the classifier has not seen, without choosing the competitor by its result: all are
# shown.

# %%
cheap = [a for a in middle if a != "deepfn"]
versus = {(c, a): gain(c, "deepfn", a) for c in conditions for a in cheap} if "deepfn" in arms else {}
against = dict(zip(versus, statistics.holm([v.ours.p for v in versus.values()], plan.level)))
rows = [
    {"condition": c, "DeepFN minus": figures.arm_label(a), "difference": str(v), "p (paired, Holm)": against[c, a]}
    for (c, a), v in versus.items() if c in (main, "dataset-independent")
]  # fmt: skip
table(pd.DataFrame(rows), "DeepFN against the arms without a network.", formats={"p (paired, Holm)": page.p_text})

# %% [markdown]
# ## The paper's pattern, claim by claim
#
# Table 5 carries three statements that hold in every row of the paper: within beats cross, DeepFN beats the
# original, and the cross-dataset condition is the hardest. Each is judged by the rule below; the family for Holm's
# correction is this list.


# %%
def by_people(condition, arm):
    return statistics.participant_scores(scores, condition, arm)


pairs = [("person-dependent", "person-independent"), ("gender-dependent", "gender-independent"),
         ("skin-dependent", "skin-independent"), ("dataset-dependent", "dataset-independent")]  # fmt: skip
present = [pair for pair in pairs if set(pair) <= set(conditions)]
claims = [
    statistics.Claim(f"{within} beats {cross}, original faces", "higher",
                     statistics.compare(by_people(within, "original"), by_people(cross, "original"), plan))
    for within, cross in present
]  # fmt: skip

# %%
claims += [
    statistics.Claim(f"DeepFN beats the original, {condition}", "higher", gains[condition, "deepfn"])
    for condition in conditions if "deepfn" in arms
]  # fmt: skip
judged = statistics.judge(claims, plan)
display(Markdown("> " + statistics.RULE))
columns = ["claim", "difference", "low", "high", "participants", "p_two_sample", "p_ours", "p_holm", "verdict"]
table(judged[columns], "The pattern of Table 5, on these data; differences in points.",
      headings={"p_two_sample": "p, the paper's test", "p_ours": "p, ours", "p_holm": "p, Holm"},
      formats={"participants": "d"})  # fmt: skip

# %% [markdown]
# Is the cross-dataset condition the hardest here? Participants are resampled, and it is counted how often each cross
# condition has the lowest mean of the original faces. The claim holds here if that is the cross-dataset condition in a
# share of at least `confidence` of the resamples, does not hold if in at most 1 − `confidence`, and cannot be told in
# between. As in the paper, five units are averaged across datasets and twelve elsewhere.

# %%
cross = [c for c in conditions if c.endswith("-independent")]
by_condition = pd.DataFrame({c: by_people(c, "original") for c in cross})
shares = {c: statistics.rank_share(by_condition, c, plan, highest=False) for c in cross}
lowest = pd.DataFrame({
    "condition": cross, "participants": by_condition.count().to_numpy(), "original": by_condition.mean().to_numpy(),
    "lowest": [100 * share for share in shares.values()],
}).sort_values("original", ignore_index=True)  # fmt: skip
hardest, easiest = lowest.iloc[0], lowest.iloc[-1]
table(lowest, "Cross conditions, original faces: the mean, and in what percentage of resamples it is the lowest.",
      headings={"lowest": "lowest in, %"}, formats={"participants": "d"})  # fmt: skip

# %%
crossed = "dataset-independent"
verdicts = list(judged["verdict"])
if crossed in cross and len(cross) > 1:
    verdicts.append(statistics.rank_verdict(shares[crossed], plan))
    display(Markdown(f"That the cross-dataset condition is the hardest: **{verdicts[-1]}**."))

# %% [markdown]
# ## What we learned

# %%
best_arms = {c: max(middle, key=lambda a: lines.set_index(["condition", "arm"])["mean"].get((c, a), -np.inf))
             for c in conditions}  # fmt: skip
wins = pd.Series(best_arms).map(figures.arm_label).value_counts()
main_lines = lines[lines["condition"] == main].set_index("arm")


# %%
def sentence(arm):
    row = main_lines.loc[arm]
    part = f", a share of {row['share']:.2f}" if np.isfinite(row["share"]) else ""
    return f"{figures.arm_label(arm)} {row['mean']:.1f}{part}"


held = verdicts.count(statistics.HOLDS)
display(Markdown(
    f"""On people the classifiers have not seen, original faces score {main_lines.loc['original', 'mean']:.1f} and the
constant of the same splits {main_lines.loc['original', 'constant']:.1f}. The other arms:
{'; '.join(map(sentence, others))}.
Among the arms that could be used in practice the highest mean was reached by
{', '.join(f'{name} in {n}' for name, n in wins.items())} of {len(conditions)} conditions. The hardest cross condition
for original faces was **{hardest['condition']}** ({hardest['original']:.1f}), the easiest {easiest['condition']}
({easiest['original']:.1f}). Of the {len(verdicts)} statements that Table 5 makes, {held} hold on these data by our
rules."""
))  # fmt: skip

# %% [markdown]
# ## Exercises
#
# **1.** Redraw the figure of all conditions for ROC AUC. Does the order of the arms change?

# %% tags=["hide-cell"]
figure = go.Figure()
for name in arms:
    colour = figures.arm_colour(name)
    figure.add_bar(x=list(auc.index), y=auc[name], name=figures.arm_label(name), marker_color=colour)
figure.update_yaxes(range=[45, 100])
figures.finish(figure, "ROC AUC in all conditions and arms.", y="ROC AUC, %")

# %% [markdown]
# **2.** The means weigh every participant alike. Which participants of the person-independent condition gain most and
# least from DeepFN, and is a gain larger where the original score is low?

# %% tags=["hide-cell"]
if "deepfn" in arms:
    start = by_people(main, "original")
    change = (by_people(main, "deepfn") - start).dropna().sort_values()
    slope = np.corrcoef(start[change.index], change)[0, 1]
    display(Markdown(
        f"Least: {change.index[0]} ({change.iloc[0]:+.1f}); most: {change.index[-1]} ({change.iloc[-1]:+.1f}). Gain "
        f"and starting score correlate at {slope:.2f}; a negative number is expected even without any effect, because "
        "noise in the original score enters both with opposite signs."
    ))  # fmt: skip

# %% [markdown]
# ## How this page was made

# %%
page.card(settings, store)
