"""Plotly figures in the book: the figure's JSON in the page, drawn by one local plotly.js when it comes into view."""

import html
import json

from docutils import nodes
from myst_nb.core.render import MimeRenderPlugin

MIME_TYPE = "application/vnd.plotly.v1+json"
CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "showSendToCloud": False,
    "displayModeBar": False,
    "scrollZoom": False,
}


class PlotlyRenderer(MimeRenderPlugin):
    """Renders plotly's MIME type; a figure's `layout.meta` may hold `caption` and `alt`, both plain text."""

    mime_priority_overrides = [("html", MIME_TYPE, 1)]

    @staticmethod
    def handle_mime(renderer, data, inline):
        if inline or data.mime_type != MIME_TYPE:
            return None
        figure = data.content if isinstance(data.content, dict) else json.loads(data.content)
        return [nodes.raw("", figure_markup(figure), format="html")]


def figure_markup(figure: dict) -> str:
    """HTML of one figure: a box of the figure's height, its JSON, and its caption."""
    layout = figure.get("layout") or {}
    meta = layout.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    caption = str(meta.get("caption", ""))
    alt = str(meta.get("alt") or caption or _title(layout) or "Figure; its data are in the page")
    height = int(layout.get("height") or 420)
    width = layout.pop("width", None)  # figures follow the page's width, up to the one they ask for
    limit = f";max-width:{int(width)}px" if width else ""
    content = {"data": figure.get("data", []), "layout": layout, "config": {**(figure.get("config") or {}), **CONFIG}}
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    label = html.escape(alt, quote=True)
    return (
        f'<figure class="deepfn-plotly"><div class="deepfn-plotly-box" role="img" aria-label="{label}" '
        f'style="min-height:{height}px{limit}"></div><script type="application/json">{text}</script>{below}</figure>'
    )


def _title(layout: dict) -> str:
    title = layout.get("title")
    return str(title.get("text", "")) if isinstance(title, dict) else str(title or "")
