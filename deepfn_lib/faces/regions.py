"""Where on an aligned face action units are seen."""

# Left, top, right and bottom as shares of the side; the canonical points of `faces.alignment` lie within.
REGIONS = {
    "face": (0.15, 0.15, 0.85, 0.97),
    "brows": (0.18, 0.22, 0.82, 0.36),
    "eyes": (0.18, 0.34, 0.82, 0.47),
    "mouth": (0.28, 0.67, 0.72, 0.90),
}


def box(region: str, side: int) -> tuple[slice, slice]:
    """The rows and columns of a region of REGIONS in a picture of `side` pixels."""
    left, top, right, bottom = (round(edge * side) for edge in REGIONS[region])
    return slice(top, bottom), slice(left, right)
