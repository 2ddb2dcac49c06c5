"""The book's figures: one theme, one colour for each arm, intervals, the paper's values beside ours, readable on a
phone.

Every function returns a plotly figure. `caption` (plain text) is shown below it in the book and read out by screen
readers. Figures take the width of the page; no function sets one.
"""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from plotly.subplots import make_subplots

from ..arms import ARMS, ORIGINAL, SPARE_COLOURS
from ..arms import colour as arm_colour
from ..arms import label as arm_label

PAPER_COLOUR = "#000000"
INK, LINE = "#222222", "#7F7F7F"  # of text and whiskers, and of axes
PAPER_MARK = {"symbol": "diamond", "size": 9, "color": "#FFFFFF", "line": {"color": PAPER_COLOUR, "width": 1.5}}
FLOOR_MARK = {"symbol": "line-ew", "size": 9, "line": {"color": PAPER_COLOUR, "width": 2}}
MOST_TICKS = 8  # measured places that a phone can mark on an axis
TWO_COLUMNS = 92  # pixels of a legend's name, of which two stand side by side on a phone
SHORT_LEGEND = 6  # names that may as well stand one under another, and then none is cut off
LETTER = 6.3  # pixels of a letter in a legend, in the widest of the fonts below
LABEL = 22  # letters of a line's name beside an interval, before it is broken
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def use_theme() -> None:
    """Make the book's template and renderer plotly's defaults; every chapter calls it once."""
    axis = {
        "gridcolor": "#E5E5E5",
        "zerolinecolor": "#BFBFBF",
        "linecolor": LINE,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": LINE,
        "automargin": True,
        "title": {"standoff": 8},
    }
    pio.templates["book"] = go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": INK},
            "paper_bgcolor": "#FFFFFF",
            "plot_bgcolor": "#FFFFFF",
            "colorway": [*(arm.colour for arm in ARMS), *SPARE_COLOURS],
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "height": 380,
            "legend": {
                "orientation": "h",
                "yanchor": "bottom",
                "y": 1.02,
                "xanchor": "left",
                "x": 0,
                "entrywidth": TWO_COLUMNS,
                "font": {"size": 11},
            },
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "hovermode": "closest",
            "bargap": 0.25,
        }
    )
    pio.templates.default = "book"
    pio.renderers.default = "plotly_mimetype"


def finish(figure: go.Figure, caption: str = "", x: str = "", y: str = "", height: int | None = None) -> go.Figure:
    """Axis titles, height in pixels and the caption of a figure, which is returned."""
    layout: dict = {"meta": {"caption": caption, "alt": caption}} if caption else {}
    names = {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}
    if 0 < len(names) <= SHORT_LEGEND:
        layout["legend_entrywidth"] = max(TWO_COLUMNS, LETTER * max(map(len, names)))
    else:
        figure.for_each_trace(lambda trace: trace.update(name=_broken(trace.name, int(TWO_COLUMNS / LETTER))))
    if height:
        layout["height"] = height
    figure.update_layout(**layout)
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def _broken(text: str | None, letters: int) -> str | None:
    """A text broken between words into lines of so many letters."""
    return text and "<br>".join(wrap(text, letters, break_on_hyphens=False))


def _whiskers(frame: pd.DataFrame, value: str = "mean", low: str = "low", high: str = "high") -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": (frame[high] - frame[value]).fillna(0).tolist(),
        "arrayminus": (frame[value] - frame[low]).fillna(0).tolist(),
        "thickness": 1.2,
        "width": 3,
        "color": INK,
    }


def _by_arm(frame: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each arm and its rows, one for each value of `column` (NaN where the arm has none), in order of appearance."""
    for arm in frame["arm"].unique():
        yield arm, frame[frame["arm"] == arm].set_index(column).reindex(frame[column].unique())


def _arm_bars(frame: pd.DataFrame, column: str, labels: list[str], value: str, low: str, high: str) -> go.Figure:
    """A group of bars for each value of `column`, named by `labels`: a bar with whiskers for each arm."""
    figure = go.Figure()
    for arm, rows in _by_arm(frame, column):
        figure.add_bar(
            x=labels,
            y=rows[value].tolist(),
            name=arm_label(arm),
            marker_color=arm_colour(arm),
            offsetgroup=arm,
            error_y=_whiskers(rows, value, low, high),
            hovertemplate="%{y:.1f}<extra>" + arm_label(arm) + "</extra>",
        )
    return figure.update_layout(barmode="group", scattermode="group")


def _marks(figure: go.Figure, frame: pd.DataFrame, column: str, value: str, name: str, marker: dict) -> None:
    """Over the bars of `_arm_bars`, one mark for each that has such a value; one name in the legend for all."""
    there = [(arm, rows) for arm, rows in _by_arm(frame, column) if rows[value].notna().any()]
    for number, (arm, rows) in enumerate(there):
        figure.add_scatter(
            x=figure.data[0].x,
            y=rows[value].tolist(),
            mode="markers",
            name=name,
            offsetgroup=arm,
            showlegend=number == 0,
            marker=marker,
            hovertemplate=f"%{{y:.1f}}<extra>{name}, {arm_label(arm)}</extra>",
        )


def _score_bars(lines: pd.DataFrame, column: str, labels: list[str]) -> go.Figure:
    """Bars of the arms' scores, and their best image-free constant as dashes over them."""
    figure = _arm_bars(lines, column, labels, "mean", "low", "high")
    _marks(figure, lines, column, "constant", "best constant", FLOOR_MARK)
    return figure


def condition_bars(lines: pd.DataFrame, caption: str = "") -> go.Figure:
    """Bars of `statistics.condition_table`: a group for each condition, a bar for each arm, whiskers its interval.

    Diamonds are the paper's values, dashes the best image-free constant, chosen on the training frames. Percent.
    """
    figure = _score_bars(lines, "condition", [name.replace("-", "-<br>") for name in lines["condition"].unique()])
    _marks(figure, lines, "condition", "paper", "paper", PAPER_MARK)
    return finish(figure, caption, y="score, %", height=420)


def direction_bars(lines: pd.DataFrame, caption: str = "") -> go.Figure:
    """Figs. 5–7: a group of bars for each training → testing pair of `statistics.direction_table`, in its order.

    Dashes are the best image-free constant. Percent, whiskers the tables' intervals.
    """
    lines = lines.assign(pair=lines["train_group"] + "<br>→ " + lines["test_group"])
    figure = _score_bars(lines, "pair", list(lines["pair"].unique()))
    return finish(figure, caption, x="trained on → tested on", y="score, %", height=400)


def action_unit_bars(units: pd.DataFrame, caption: str = "", value: str = "mean") -> go.Figure:
    """Fig. 4: a group of bars for each action unit of `statistics.action_unit_table`; `value` is "mean" or "gain"."""
    low, high = ("low", "high") if value == "mean" else (f"{value}_low", f"{value}_high")
    units = units[units[value].notna()]
    figure = _arm_bars(units, "action_unit", list(units["action_unit"].unique()), value, low, high)
    figure.update_layout(bargap=0.2)
    title = "score, %" if value == "mean" else "gain over the original, points"
    return finish(figure, caption, y=title, height=400)


def interval_rows(found: Mapping[str, Any]) -> pd.DataFrame:
    """Rows label, difference, low, high from {label: Estimate or Comparison}, a comparison by its difference."""
    estimates = {label: getattr(one, "difference", one) for label, one in found.items()}
    rows = [(label, one.value, one.low, one.high) for label, one in estimates.items()]
    return pd.DataFrame(rows, columns=["label", "difference", "low", "high"])


def interval_plot(
    found: Mapping[str, Any] | pd.DataFrame,
    caption: str = "",
    x: str = "difference, points",
    margin: float = 0.0,
    paper: Mapping[str, float] | None = None,
) -> go.Figure:
    """Differences with their intervals, one line each: {label: Estimate or Comparison}, or rows of `interval_rows`.

    Dots are ours, diamonds the paper's (`paper`: label → points, where it has one; or a column paper). The grey band,
    where `margin` is given, is what counts as similar.
    """
    rows = found if isinstance(found, pd.DataFrame) else interval_rows(found)
    if paper is not None:
        rows = rows.assign(paper=rows["label"].map(paper).astype(float))
    labels = [_broken(text, LABEL) for text in rows["label"]]
    figure = go.Figure()
    if margin:
        figure.add_vrect(x0=-margin, x1=margin, fillcolor="#DDDDDD", opacity=0.5, line_width=0, layer="below")
    figure.add_vline(x=0, line={"color": LINE, "width": 1})
    figure.add_scatter(
        x=rows["difference"].tolist(),
        y=labels,
        mode="markers",
        name="here",
        marker={"size": 9, "color": arm_colour(ORIGINAL)},
        error_x=_whiskers(rows, "difference"),
    )
    if "paper" in rows and rows["paper"].notna().any():
        marker = {"size": 10, "symbol": "diamond-open", "color": PAPER_COLOUR, "line": {"width": 2}}
        figure.add_scatter(x=rows["paper"].tolist(), y=labels, mode="markers", name="paper", marker=marker)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return finish(figure, caption, x=x, height=110 + 44 * len(rows))


def luminance_histograms(images: dict[str, dict[str, np.ndarray]], caption: str = "", bins: int = 64) -> go.Figure:
    """Fig. 2, top row: luminance of each group's average face. `images`: group → arm → uint8 image of any shape.

    One panel a group, share of pixels over luminance 0–255, one outline an arm.
    """
    groups = list(images)
    columns = min(2, len(groups))
    lines = -(-len(groups) // columns)
    figure = make_subplots(
        lines, columns, subplot_titles=groups, shared_xaxes=True, vertical_spacing=0.35 / max(lines, 1)
    )
    edges = np.linspace(0, 256, bins + 1)
    shown: set[str] = set()
    for place, group in enumerate(groups):
        for arm, image in images[group].items():
            share = np.histogram(np.asarray(image), edges)[0] / np.asarray(image).size * 100
            figure.add_scatter(
                x=(edges[:-1] + edges[1:]) / 2,
                y=share,
                mode="lines",
                line={"color": arm_colour(arm), "width": 2, "shape": "hvh"},
                name=arm_label(arm),
                legendgroup=arm,
                showlegend=arm not in shown,
                row=place // columns + 1,
                col=place % columns + 1,
            )
            shown.add(arm)
    figure.update_xaxes(range=[0, 255], title_text="luminance", row=lines)
    figure.update_yaxes(title_text="pixels, %", col=1)
    figure.update_layout(legend={"y": 1.1})
    return finish(figure, caption, height=90 + 160 * lines)


def curves(
    rows: pd.DataFrame,
    x: str,
    caption: str = "",
    x_title: str = "",
    y_title: str = "",
    by: str = "arm",
    log_x: bool = False,
) -> go.Figure:
    """A line for each value of `by` over column `x`: columns mean and, where there are, low and high as whiskers. A
    logarithmic axis is marked where something was measured."""
    figure = go.Figure()
    spare = iter(SPARE_COLOURS * len(rows))
    for name, line in rows.groupby(by, sort=False):
        line = line.sort_values(x)
        colour = arm_colour(str(name), "") or next(spare)
        figure.add_scatter(
            x=line[x].tolist(),
            y=line["mean"].tolist(),
            mode="lines+markers",
            name=arm_label(str(name)),
            line={"color": colour, "width": 2},
            marker={"color": colour, "size": 7},
            error_y=_whiskers(line) if {"low", "high"} <= set(line) else None,
        )
    if log_x:
        measured = sorted(rows[x].unique().tolist())
        figure.update_xaxes(type="log", tickvals=measured if len(measured) <= MOST_TICKS else None)
    return finish(figure, caption, x=x_title or x, y=y_title)


def cost_plot(
    points: pd.DataFrame, caption: str = "", x_title: str = "seconds", y_title: str = "score, %"
) -> go.Figure:
    """Score over cost (logarithmic), each point in its arm's colour and named: columns arm, cost, mean, low, high."""
    cost, names = points["cost"].tolist(), [arm_label(arm) for arm in points["arm"]]
    figure = go.Figure()
    figure.add_scatter(
        x=cost,
        y=points["mean"].tolist(),
        mode="markers",
        showlegend=False,
        marker={"color": [arm_colour(arm) for arm in points["arm"]], "size": 11},
        error_y=_whiskers(points),
        text=names,
        hovertemplate="(%{x}, %{y})<extra>%{text}</extra>",
    )
    figure.add_scatter(  # the names above the whiskers, not on them
        x=cost,
        y=points["high"].fillna(points["mean"]).tolist(),
        mode="text",
        text=names,
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_xaxes(type="log")
    return finish(figure, caption, x=x_title, y=y_title)
