"""The book's figures: one theme, one colour for each arm, intervals, the paper's values beside ours,
readable on a phone.

Every function returns a plotly figure. `caption` (plain text) is shown below it in the book and read out by
screen readers. Figures take the width of the page; no function sets one.
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from plotly.subplots import make_subplots

from ..arms import ARMS, ORIGINAL, SPARE_COLOURS
from ..arms import colour as arm_colour
from ..arms import label as arm_label

PAPER_COLOUR = "#000000"
MOST_TICKS = 8  # measured places that a phone can mark on an axis
TWO_COLUMNS = 92  # pixels of a legend's name, of which two stand side by side on a phone
SHORT_LEGEND = 6  # names that may as well stand one under another, and then none is cut off
LETTER = 6.3  # pixels of a letter in a legend, in the widest of the fonts below
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def use_theme() -> None:
    """Make the book's template and renderer plotly's defaults; every chapter calls it once."""
    axis = {
        "gridcolor": "#E5E5E5",
        "zerolinecolor": "#BFBFBF",
        "linecolor": "#7F7F7F",
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "#7F7F7F",
        "automargin": True,
        "title": {"standoff": 8},
    }
    pio.templates["deepfn"] = go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": "#222222"},
            "paper_bgcolor": "#FFFFFF",
            "plot_bgcolor": "#FFFFFF",
            "colorway": [arm.colour for arm in ARMS] + list(SPARE_COLOURS),
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
    pio.templates.default = "deepfn"
    pio.renderers.default = "plotly_mimetype"


def finish(figure: go.Figure, caption: str = "", x: str = "", y: str = "", height: int | None = None) -> go.Figure:
    """Axis titles, height in pixels and the caption of a figure, which is returned."""
    layout: dict = {"meta": {"caption": caption, "alt": caption}} if caption else {}
    names = {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}
    if 0 < len(names) <= SHORT_LEGEND:
        layout["legend_entrywidth"] = max(TWO_COLUMNS, LETTER * max(map(len, names)))
    if height:
        layout["height"] = height
    figure.update_layout(**layout)
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def _whiskers(frame: pd.DataFrame, value: str = "mean", low: str = "low", high: str = "high") -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": (frame[high] - frame[value]).fillna(0).tolist(),
        "arrayminus": (frame[value] - frame[low]).fillna(0).tolist(),
        "thickness": 1.2,
        "width": 3,
        "color": "#222222",
    }


def _rows(frame: pd.DataFrame, column: str, order: list, arm: str) -> pd.DataFrame:
    return frame[frame["arm"] == arm].set_index(column).reindex(order)


def _arm_bars(figure: go.Figure, frame: pd.DataFrame, column: str, order: list, labels: list, **columns: str) -> None:
    """A group of bars for each entry of `order`, a bar with whiskers for each arm; the arms, in order of
    appearance.
    """
    arms = list(dict.fromkeys(frame["arm"]))
    value = columns.get("value", "mean")
    for arm in arms:
        rows = _rows(frame, column, order, arm)
        figure.add_bar(
            x=labels,
            y=rows[value].tolist(),
            name=arm_label(arm),
            marker_color=arm_colour(arm),
            offsetgroup=arm,
            error_y=_whiskers(rows, value, columns.get("low", "low"), columns.get("high", "high")),
            hovertemplate="%{y:.1f}<extra>" + arm_label(arm) + "</extra>",
        )


def _paper_marks(figure: go.Figure, frame: pd.DataFrame, column: str, order: list, labels: list) -> None:
    """The paper's values as diamonds over the bars of the arms it has."""
    shown = False
    for arm in dict.fromkeys(frame["arm"]):
        values = _rows(frame, column, order, arm)["paper"]
        if values.isna().all():
            continue
        figure.add_scatter(
            x=labels,
            y=values.tolist(),
            mode="markers",
            name="paper",
            offsetgroup=arm,
            showlegend=not shown,
            marker={"symbol": "diamond", "size": 9, "color": "#FFFFFF", "line": {"color": PAPER_COLOUR, "width": 1.5}},
            hovertemplate="%{y:.1f}<extra>paper, " + arm_label(arm) + "</extra>",
        )
        shown = True


def _floor_marks(figure: go.Figure, frame: pd.DataFrame, column: str, order: list, labels: list) -> None:
    """The best image-free constant as a dash over every bar."""
    if frame["constant"].isna().all():
        return
    arms = list(dict.fromkeys(frame["arm"]))
    for arm in arms:
        figure.add_scatter(
            x=labels,
            y=_rows(frame, column, order, arm)["constant"].tolist(),
            mode="markers",
            name="best constant",
            showlegend=arm == arms[0],
            offsetgroup=arm,
            marker={"symbol": "line-ew", "size": 9, "line": {"color": PAPER_COLOUR, "width": 2}},
            hovertemplate="%{y:.1f}<extra>best constant</extra>",
        )


def condition_bars(lines: pd.DataFrame, caption: str = "", published: bool = True, conditions=None) -> go.Figure:
    """Bars of `statistics.condition_table`: a group for each condition, a bar for each arm, whiskers its
    interval.

    Diamonds are the paper's values, the dash across a group its best
    image-free constant, chosen on the training frames. Percent.
    """
    order = list(conditions or dict.fromkeys(lines["condition"]))
    labels = [c.replace("-", "-<br>") for c in order]
    figure = go.Figure()
    _arm_bars(figure, lines, "condition", order, labels)
    _floor_marks(figure, lines, "condition", order, labels)
    if published and "paper" in lines:
        _paper_marks(figure, lines, "condition", order, labels)
    figure.update_layout(barmode="group", scattermode="group")
    return finish(figure, caption, y="score, %", height=420)


def direction_bars(lines: pd.DataFrame, caption: str = "") -> go.Figure:
    """Figs. 5–7: a group of bars for each training → testing pair of `statistics.direction_table`, in its
    order.

    The dashes are the best image-free constant. Percent, whiskers the tables' intervals.
    """
    lines = lines.assign(pair=lines["train_group"] + " → " + lines["test_group"])
    order = list(dict.fromkeys(lines["pair"]))
    labels = [p.replace(" → ", "<br>→ ") for p in order]
    figure = go.Figure()
    _arm_bars(figure, lines, "pair", order, labels)
    _floor_marks(figure, lines, "pair", order, labels)
    figure.update_layout(barmode="group", scattermode="group")
    return finish(figure, caption, x="trained on → tested on", y="score, %", height=400)


def action_unit_bars(units: pd.DataFrame, caption: str = "", value: str = "mean") -> go.Figure:
    """Fig. 4: a group of bars for each action unit of `statistics.action_unit_table`; `value` is "mean" or
    "gain".
    """
    low, high = ("low", "high") if value == "mean" else (f"{value}_low", f"{value}_high")
    units = units[units[value].notna()]
    order = list(dict.fromkeys(units["action_unit"]))
    figure = go.Figure()
    _arm_bars(figure, units, "action_unit", order, order, value=value, low=low, high=high)
    figure.update_layout(barmode="group", bargap=0.2)
    title = "score, %" if value == "mean" else "gain over the original, points"
    return finish(figure, caption, y=title, height=400)


def train_test_grid(lines: pd.DataFrame, arm: str, caption: str = "") -> go.Figure:
    """One arm of `statistics.direction_table` as a table of colours: rows the training group, columns the
    test group.
    """
    grid = lines[lines["arm"] == arm].pivot(index="train_group", columns="test_group", values="mean")
    figure = go.Figure(
        go.Heatmap(
            z=grid.to_numpy(),
            x=list(grid.columns),
            y=list(grid.index),
            texttemplate="%{z:.1f}",
            colorscale="Cividis",
            colorbar={"title": {"text": "%"}, "thickness": 12},
        )
    )
    return finish(figure, caption, x="tested on", y="trained on", height=300)


def interval_plot(
    rows: pd.DataFrame, caption: str = "", x: str = "difference, points", margin: float = 0.0
) -> go.Figure:
    """Differences with their intervals, one line each: columns label, difference, low, high, and optionally
    paper.

    Dots are ours, diamonds the paper's. The grey band, where `margin` is given, is what counts as similar.
    """
    labels = [_wrapped(text) for text in rows["label"]]
    figure = go.Figure()
    if margin:
        figure.add_vrect(x0=-margin, x1=margin, fillcolor="#DDDDDD", opacity=0.5, line_width=0, layer="below")
    figure.add_vline(x=0, line={"color": "#7F7F7F", "width": 1})
    whiskers = _whiskers(rows, "difference")
    figure.add_scatter(
        x=rows["difference"].tolist(),
        y=labels,
        mode="markers",
        name="here",
        marker={"size": 9, "color": arm_colour(ORIGINAL)},
        error_x=whiskers,
    )
    if "paper" in rows and rows["paper"].notna().any():
        marker = {"size": 10, "symbol": "diamond-open", "color": PAPER_COLOUR, "line": {"width": 2}}
        figure.add_scatter(x=rows["paper"].tolist(), y=labels, mode="markers", name="paper", marker=marker)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return finish(figure, caption, x=x, height=110 + 44 * len(rows))


def _wrapped(text: str, width: int = 22) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])


def luminance_histograms(images: dict[str, dict[str, np.ndarray]], caption: str = "", bins: int = 64) -> go.Figure:
    """Fig. 2, top row: luminance of each group's average face. `images`: group → arm → uint8 image of any
    shape.

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
    """A line for each value of `by` over column `x`: columns mean and, where there are, low and high as
    whiskers. A logarithmic axis is marked where something was measured.
    """
    figure = go.Figure()
    known, spare = {arm.name for arm in ARMS}, iter(SPARE_COLOURS * len(rows))
    for name, line in rows.groupby(by, sort=False):
        line = line.sort_values(x)
        colour = arm_colour(str(name)) if str(name) in known else next(spare)
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
    """Score over cost: columns arm, cost, mean, low, high; logarithmic cost, each point in its arm's colour
    and named.
    """
    figure = go.Figure()
    for row in points.itertuples():
        figure.add_scatter(
            x=[row.cost],
            y=[row.mean],
            mode="markers",
            name=arm_label(row.arm),
            showlegend=False,
            marker={"color": arm_colour(row.arm), "size": 11},
            error_y=_whiskers(pd.DataFrame([row._asdict()])),
        )
    figure.add_scatter(  # the names above the whiskers, not on them
        x=points["cost"].tolist(),
        y=points["high"].fillna(points["mean"]).tolist(),
        mode="text",
        text=[arm_label(arm) for arm in points["arm"]],
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_xaxes(type="log")
    return finish(figure, caption, x=x_title, y=y_title)
