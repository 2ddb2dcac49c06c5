"""The page's door: what a chapter shows. Faces past their gate, tables, words with numbers, the closing card."""

from .card import card
from .gate import Mean, face_grid
from .tables import Table, claim_table, interval_text, p_text, table
from .words import budget, found, say, stands_on, tally, whose

__all__ = [
    "Mean",
    "Table",
    "budget",
    "card",
    "claim_table",
    "face_grid",
    "found",
    "interval_text",
    "p_text",
    "say",
    "stands_on",
    "table",
    "tally",
    "whose",
]
