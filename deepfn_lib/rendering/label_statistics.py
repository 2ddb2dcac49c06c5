"""Published statistics of BP4D and DISFA labels that the rendered corpora are made to follow.

BP4D: computed from label lists that public repositories have posted (146,423 rows). DISFA: rates at intensity 2 and
more, likewise; rates marked "ours" are plausible values where no published figure was at hand. None of these numbers
was chosen by looking at a classification result.
"""

from ..frames import BP4D_ACTION_UNITS, BP4D_INTENSITIES, DISFA_ACTION_UNITS, OCCURRENCES


def _numbers(names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(name.removeprefix("AU")) for name in names)


# Action units by number; UNITS, the 17 that either dataset codes, are the columns of every array of courses.
BP4D_UNITS, BP4D_INTENSITY_UNITS = _numbers(BP4D_ACTION_UNITS), _numbers(BP4D_INTENSITIES)
DISFA_UNITS, UNITS = _numbers(DISFA_ACTION_UNITS), _numbers(OCCURRENCES)
BP4D_COLUMNS = [UNITS.index(unit) for unit in BP4D_UNITS]

# Share of frames in which each action unit of BP4D_UNITS is coded, percent.
BP4D_RATE = {
    "all": (21.1, 17.0, 20.3, 46.1, 54.9, 59.4, 56.2, 46.6, 16.9, 34.4, 16.5, 15.1),
    "female": (25.7, 17.3, 21.2, 51.2, 56.7, 62.2, 59.8, 51.8, 19.7, 34.9, 19.0, 15.9),
    "male": (15.0, 16.6, 19.0, 39.4, 52.7, 55.7, 51.4, 39.8, 13.3, 33.6, 13.3, 14.2),
}
# SD of that share between participants, percentage points; mean length of an event, frames at 25 a second.
BP4D_SPREAD = (16.8, 16.6, 15.5, 14.2, 19.3, 18.5, 16.0, 17.3, 15.0, 14.1, 11.1, 10.8)
BP4D_MEAN_RUN = (65, 65, 72, 120, 137, 140, 175, 115, 37, 41, 30, 48)
# Mean number of the twelve action units active in a frame of each task.
BP4D_DENSITY = {"T1": 4.39, "T2": 2.10, "T3": 2.63, "T4": 5.07, "T5": 5.06, "T6": 3.94, "T7": 4.12, "T8": 4.87}
# The median over action units of each action unit's share of frames, of the most expressive participant.
MOST_EXPRESSIVE, MOST_EXPRESSIVE_MEDIAN = "F007", 0.522
# Action units that a participant never shows.
NEVER = {
    "F002": (2,),
    "SN001": (1, 2, 6),
    "SN006": (1, 2),
    "SN009": (1, 2, 6),
    "SN012": (6,),
    "SN013": (1, 2),
    "SN025": (1, 2),
    "SN026": (2,),
    "SN027": (2,),
    "SN028": (1,),
}

# DISFA's at intensity 2 and more, percent; 5, 15, 17 and 20 are ours.
DISFA_RATE = dict(zip(DISFA_UNITS, (4.98, 4.01, 15.03, 1.0, 7.91, 4.2, 12.89, 1.8, 3.0, 1.2, 27.8, 8.85)))
DISFA_SPREAD_FACTOR = 0.8  # SD between participants as a share of the rate (ours)
DISFA_RUN_FACTOR = 0.5  # its rarer events are shorter than BP4D's (ours)
# Events of action units for which BP4D has no figure, frames at 25 a second (ours).
OTHER_MEAN_RUN = {5: 40, 9: 50, 20: 35, 25: 60, 26: 45}
# Unlabelled action units also happen, percent (ours).
UNLABELLED_RATE = {
    "BP4D": {5: 3.0, 9: 5.0, 20: 3.0, 25: 18.0, 26: 10.0},
    "DISFA": {7: 10.0, 10: 6.0, 14: 8.0, 23: 3.0, 24: 4.0},
}
# Share of the time in which a participant speaks (ours): T1 and T6 are conversations.
SPEECH = {"T1": 0.6, "T2": 0.1, "T3": 0.1, "T4": 0.15, "T5": 0.2, "T6": 0.45, "T7": 0.3, "T8": 0.2, "video": 0.03}
# How strongly pairs of action units go together: correlation of the latent courses (ours, after the usual pairs).
TOGETHER = {
    1: {2: 0.75, 4: 0.25, 5: 0.3},
    2: {5: 0.35},
    4: {7: 0.4, 9: 0.45, 12: -0.15},
    6: {7: 0.55, 10: 0.5, 12: 0.7, 25: 0.3},
    7: {10: 0.4, 12: 0.35},
    9: {10: 0.5},
    10: {12: 0.5, 14: 0.2},
    12: {14: 0.25, 15: -0.3, 25: 0.4},
    14: {17: 0.25},
    15: {17: 0.5},
    17: {23: 0.35, 24: 0.4},
    20: {25: 0.2},
    23: {24: 0.3, 25: -0.3},
    24: {25: -0.4, 26: -0.4},
    25: {26: 0.6},
}
