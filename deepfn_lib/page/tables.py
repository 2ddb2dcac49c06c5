"""Tables for a page: HTML with a caption, numbers to the right, in a box that scrolls where a phone needs it."""

from html import escape
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

LONG = 24  # characters from which a text column may wrap, and keeps a width that can be read
NUMBER_LIKE = r"^[<>≤≥=+\-−–]?\s?\d"  # a text that is laid out as a number: "+1.2 (0.4 to 2.0)", "< 0.001"
LONGEST_NUMBER = 28  # characters of such a text
CLAIM_HEADINGS = {  # of `statistics.judge`
    "paper_p": "p, paper's",
    "paper": "paper's difference",
    "interval": "difference",
    "p_holm": "p, Holm",
    "detectable": "could have found",
    "told": "verdict",
    "run": "of",
    "here": "this run",
}


class Table:
    """A rendered table. Notebooks show its HTML; `str` gives plain text; `frame` is the data."""

    def __init__(self, frame: pd.DataFrame, html: str):
        self.frame, self.html = frame, html

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)


def p_text(p: float) -> str:
    """A p-value as journals print it: three decimals, and < 0.001 below; NaN is nothing."""
    if pd.isna(p):
        return ""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def interval_text(value: float, low: float, high: float, digits: int = 1, sign: bool = False) -> str:
    """`value (low to high)`, or nothing where the value is NaN."""
    if pd.isna(value):
        return ""
    form = f"{'+' if sign else ''}.{digits}f"
    if np.isnan(low) or np.isnan(high):
        return f"{value:{form}}"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def table(frame: pd.DataFrame, caption: str, formats: dict | None = None, headings: dict | None = None) -> Table:
    """Render a tidy frame, a row a line; its index is not shown. The looks are in book/_static/deepfn.css.

    formats: column → format spec (".1f", "d") or function of a value; floats default to ".1f", NaN shows as nothing, a
    column named p or p_… as a p-value. headings: column → heading, in place of its name; a column with heading None is
    left out.
    """
    formats, headings = formats or {}, headings or {}
    frame = frame[[c for c in frame.columns if headings.get(c, c) is not None]]
    kinds = [_kind(frame[c]) for c in frame]
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(str(headings.get(c, str(c).replace("_", " "))))}</th>'
        for c, kind in zip(frame, kinds)
    )
    texts = [[_text(value, c, formats.get(c)) for value in frame[c]] for c in frame]
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in zip(row, kinds)) + "</tr>"
        for row in zip(*texts)
    )
    name = escape(caption)
    html = (
        f'<div class="deepfn-table" tabindex="0" role="region" aria-label="{name}"><table><caption>{name}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Table(frame, html)


def claim_table(judged: pd.DataFrame, caption: str) -> Table:
    """Verdicts of `statistics.judge`, a sentence a line: what was found and the paper's difference beside it; the rest,
    p-values, numbers and runs, is unfolded."""
    each = zip(judged["difference"], judged["low"], judged["high"])
    shown = judged.assign(interval=[interval_text(value, low, high, sign=True) for value, low, high in each])
    columns = ["claim", "told", "interval", "paper"]
    rest = ["paper_p", "p_holm", "detectable", "participants", "models", "run", "here"]
    silent = [name for name in ("paper", "paper_p", "here") if shown[name].replace("", np.nan).isna().all()]
    columns, rest = ([name for name in some if name not in silent] for some in (columns, rest))
    main = table(shown[columns], caption, {"paper": "+.1f"}, CLAIM_HEADINGS)
    behind = table(shown[["claim", *rest]], f"Behind it. {caption}", headings=CLAIM_HEADINGS)
    folded = f'<details class="deepfn-behind"><summary>tests, numbers and runs</summary>{behind.html}</details>'
    return Table(shown[[*columns, *rest]], main.html + folded)


def _kind(column: pd.Series) -> str:
    """A column's class in the style sheet: number, text, or long (text that may wrap)."""
    texts = column.dropna().astype(str)
    texts = texts[texts != ""]
    longest = texts.str.len().max() if len(texts) else 0
    like_number = len(texts) and texts.str.match(NUMBER_LIKE).all() and longest <= LONGEST_NUMBER
    if pd.api.types.is_numeric_dtype(column) or like_number:
        return "number"
    return "long" if longest > LONG else "text"


def _text(value: Any, column: str, form: Any) -> str:
    if callable(form):
        return str(form(value))
    is_number = isinstance(value, Number)
    if value is None or (is_number and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not is_number:
        return str(value)
    if form is None and (column == "p" or str(column).startswith("p_")):
        return p_text(float(value))
    return format(value, form or ("d" if isinstance(value, int | np.integer) else ".1f"))
