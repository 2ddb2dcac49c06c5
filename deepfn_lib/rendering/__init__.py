"""Rendered people and the two rendered corpora that stand in for BP4D and DISFA, with every frame's exact answer."""
