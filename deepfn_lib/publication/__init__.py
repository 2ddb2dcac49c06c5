"""From chapters to a book that may be published: running, the gate for faces, building, scanning."""

from .card import card
from .gate import Mean, face_grid

__all__ = ["Mean", "card", "face_grid"]
