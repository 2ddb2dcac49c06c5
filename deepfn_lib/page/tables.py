"""Tables for a page: compact HTML with a caption, numbers right-aligned, sideways scrolling where a phone
needs it.
"""

from html import escape
from numbers import Number

import numpy as np
import pandas as pd

STYLE = {
    "box": "overflow-x:auto;margin:1em 0",
    "table": "border-collapse:collapse;font-size:0.85em;line-height:1.35;margin:0;font-variant-numeric:tabular-nums",
    "caption": "caption-side:top;text-align:left;padding:0 0 .4em;opacity:.85",
    "head": "padding:.25em .6em;border-bottom:1px solid currentColor;vertical-align:bottom;font-weight:600",
    "cell": "padding:.22em .6em;border-bottom:1px solid rgba(128,128,128,.25);vertical-align:top",
}
LONG = 24  # characters from which a text column may wrap, and keeps a width that can be read


class Table:
    """A rendered table. Notebooks show its HTML; `str` gives plain text; `frame` is the data."""

    def __init__(self, frame: pd.DataFrame, html: str):
        self.frame, self.html = frame, html

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)


def p_text(p: float) -> str:
    """A p-value as journals print it: three decimals, and < 0.001 below."""
    if p is None or np.isnan(p):
        return ""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def interval_text(value: float, low: float, high: float, digits: int = 1, sign: bool = False) -> str:
    """`value (low to high)`, or nothing where the value is NaN."""
    if value is None or np.isnan(value):
        return ""
    form = f"{'+' if sign else ''}.{digits}f"
    if np.isnan(low) or np.isnan(high):
        return f"{value:{form}}"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def table(frame: pd.DataFrame, caption: str = "", formats: dict | None = None, headings: dict | None = None) -> Table:
    """Render a tidy frame, a row a line; its index is not shown.

    formats: column → format spec (".1f", "d") or function of a value; floats default to ".1f", NaN shows as
    nothing, a column named p or p_… as a p-value. headings: column → heading, in place of its name; a
    column with heading None is left out.
    """
    formats, headings = formats or {}, headings or {}
    columns = [c for c in frame.columns if headings.get(c, c) is not None]
    numeric = {c: pd.api.types.is_numeric_dtype(frame[c]) or _reads_as_number(frame[c]) for c in columns}
    long = {c: not numeric[c] and frame[c].astype(str).str.len().max() > LONG for c in columns} if len(frame) else {}
    head = "".join(
        _cell("th", str(headings.get(c, str(c).replace("_", " "))), numeric[c], False, STYLE["head"]) for c in columns
    )
    body = "".join(
        "<tr>"
        + "".join(_cell("td", _text(row[c], c, formats), numeric[c], long.get(c), STYLE["cell"]) for c in columns)
        + "</tr>"
        for _, row in frame.iterrows()
    )
    title = f'<caption style="{STYLE["caption"]}">{escape(caption)}</caption>' if caption else ""
    html = (
        f'<div style="{STYLE["box"]}"><table style="{STYLE["table"]}">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Table(frame[columns], html)


def _reads_as_number(column: pd.Series) -> bool:
    """Text that is laid out like a number: "+1.2 (0.4 to 2.0)", "< 0.001"."""
    texts = column.dropna().astype(str)
    texts = texts[texts != ""]
    return len(texts) > 0 and bool(texts.str.match(r"^[<>≤≥=+\-−–]?\s?\d").all()) and texts.str.len().max() <= 28


def _text(value, column: str, formats: dict) -> str:
    form = formats.get(column)
    if callable(form):
        return escape(str(form(value)))
    if value is None or (isinstance(value, Number) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, Number):
        if form is None and (column == "p" or str(column).startswith("p_")):
            return escape(p_text(float(value)))
        return escape(
            format(value, form or ("d" if float(value).is_integer() and isinstance(value, int | np.integer) else ".1f"))
        )
    return escape(str(value))


def _cell(tag: str, text: str, numeric: bool, long: bool | None, style: str) -> str:
    align = "right" if numeric else "left"
    wrap = "min-width:11em" if long else "white-space:nowrap" if tag == "td" else ""
    return f'<{tag} style="{style};text-align:{align};{wrap}">{text}</{tag}>'
