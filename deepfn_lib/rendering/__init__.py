"""Rendered people and the two rendered corpora that stand in for BP4D and DISFA, with the exact answer of
every frame."""
