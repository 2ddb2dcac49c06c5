"""The rendered people: official IDs, gender, skin type, shape of the head, look, and habits of movement.

Who is lighter and darker is fixed here so that, once the template (the most expressive participant, a woman of
intermediate skin) has left, the groups are those of the paper's Table 4.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..frames import BP4D_PARTICIPANTS, DISFA_PARTICIPANTS, SKIN_GROUPS
from .face import Face, make_face
from .families import FIRST_FAMILY, Family, family_of
from .head import load_head
from .label_statistics import UNITS
from .look import SKIN_BRIGHTNESS, Look
from .seeds import generator

EVERYONE = {"BP4D": BP4D_PARTICIPANTS, "DISFA": DISFA_PARTICIPANTS}
LIGHTER = {
    "BP4D": ("M002", "F003", "M006", "M009", "F012", "M013", "M017"),
    "DISFA": ("SN002", "SN004", "SN006", "SN010", "SN011", "SN018", "SN023", "SN027", "SN030"),
}
DARKER = {"BP4D": ("F005", "M004", "F009", "F014", "M011", "F016", "F020", "F023"), "DISFA": ("SN009", "SN029")}
DISFA_WOMEN = tuple(f"SN{number:03d}" for number in (1, 4, 5, 8, 11, 13, 17, 21, 23, 26, 29, 31))
# The order in which a smaller corpus takes people: groups and genders balanced from the first ten on.
FIRST = {
    "BP4D": ("F007", "M002", "F005", "F003", "M004", "M006", "F009", "F001", "M001", "F002"),
    "DISFA": ("SN001", "SN002", "SN004", "SN003", "SN005", "SN006"),
}

# Pairs of opposite targets and how much people differ along them, by folder of the asset.
SPREAD = {
    "head": 0.22,
    "forehead": 0.3,
    "eyebrows": 0.35,
    "eyes": 0.25,
    "nose": 0.33,
    "mouth": 0.28,
    "chin": 0.3,
    "cheek": 0.35,
    "ears": 0.4,
    "neck": 0.2,
}
OPPOSITES = (
    ("-decr", "-incr"),
    ("-down", "-up"),
    ("-in", "-out"),
    ("-backward", "-forward"),
    ("-concave", "-convex"),
    ("-compress", "-uncompress"),
)
OUTLINES = ("oval", "round", "rectangular", "square", "triangular", "invertedtriangular", "diamond")
# Targets that move a feature bodily or age it: half the spread.
CAREFUL = ("trans", "age", "scale", "push", "mouth-angles", "lip-ext", "eye-height", "prognathism", "jaw-drop")

COMPONENT_LIMIT = 2.2  # standard deviations


@dataclass(frozen=True)
class Person:
    """One rendered participant.

    gender "female" or "male" · skin_type 1-6 (Fitzpatrick) · weights: identity target -> weight · amplitude: action
    unit -> how strongly the person moves it, about 1.
    """

    dataset: str
    participant: str
    gender: str
    skin_type: int
    weights: dict[str, float]
    look: Look
    amplitude: dict[int, float]

    @property
    def skin_group(self) -> str:
        """Of the paper's section 4.1: lighter (types I-II), darker (V-VI) or empty."""
        return SKIN_GROUPS.get(self.skin_type, "")


def participants(dataset: str, count: int) -> list[str]:
    """The first `count` participants of a rendered corpus, in its fixed, balanced order."""
    first = FIRST[dataset]
    rest = [one for one in EVERYONE[dataset] if one not in first]
    women = [one for one in rest if gender_of(dataset, one) == "female"]
    men = [one for one in rest if gender_of(dataset, one) == "male"]
    mixed = sorted(((place + 0.5) / len(some), one) for some in (women, men) for place, one in enumerate(some))
    return [*first, *(one for _, one in mixed)][:count]


def gender_of(dataset: str, participant: str) -> str:
    """A participant's gender, female or male; people outside the corpora take turns."""
    if dataset == "DISFA":
        return "female" if participant in DISFA_WOMEN else "male"
    if participant.startswith("P"):
        return "female" if int(participant[1:]) % 2 else "male"
    return "female" if participant.startswith("F") else "male"


def _skin_type(dataset: str, participant: str) -> int:
    """Lighter I-II, darker V-VI, the others III-IV, each pair in turn; outside the corpora evenly over all six."""
    if dataset not in EVERYONE:
        return 1 + (int(participant[1:]) // 2) % 6
    lighter, darker = LIGHTER[dataset], DARKER[dataset]
    others = [one for one in EVERYONE[dataset] if one not in lighter + darker]
    for base, group in ((1, lighter), (5, darker), (3, others)):
        if participant in group:
            return base + group.index(participant) % 2
    raise ValueError(f"{dataset} has no participant {participant}")


def _origins(skin_type: int, generator: np.random.Generator) -> dict[str, float]:
    """Shares of the asset's three origins, leaning the way skin types do but mixed."""
    leaning = {
        1: (14, 0.6, 0.2),
        2: (10, 1.2, 0.3),
        3: (4, 5, 0.6),
        4: (2.5, 4, 1.5),
        5: (0.8, 0.8, 6),
        6: (0.4, 0.4, 12),
    }
    return dict(zip(("caucasian", "asian", "african"), generator.dirichlet(leaning[skin_type])))


def _shape(gender: str, skin_type: int, generator: np.random.Generator) -> dict[str, float]:
    """Weights of identity targets: origin by sex, build, outline of the face, and every pair of opposites."""
    other = {"female": "male", "male": "female"}[gender]
    lean = generator.uniform(0.0, 0.15)
    weights = {}
    for origin, share in _origins(skin_type, generator).items():
        weights[f"macro/{origin}-{gender}-young"] = share * (1 - lean)
        weights[f"macro/{origin}-{other}-young"] = share * lean
    build = float(np.clip(0.35 * generator.standard_normal(), -0.7, 0.7))
    weights[f"macro/universal-{gender}-young-averagemuscle-{'max' if build > 0 else 'min'}weight"] = abs(build)
    weights[f"head/head-{OUTLINES[generator.integers(len(OUTLINES))]}"] = float(generator.uniform(0.0, 0.5))
    names = load_head().names
    for low_ending, high_ending in OPPOSITES:
        for low in names:
            high = low.removesuffix(low_ending) + high_ending
            if low.endswith(low_ending) and high in names:
                spread = SPREAD[low.split("/")[0]] * (0.5 if any(word in low for word in CAREFUL) else 1.0)
                value = float(np.clip(generator.standard_normal(), -2, 2)) * spread
                weights[high if value > 0 else low] = abs(value)
    return weights


def _components(names: list[str], generator: np.random.Generator) -> dict[str, float]:
    """Weights of components of identity: independent, of SD 1; beyond the limit lie faces that nobody has."""
    drawn = np.clip(generator.standard_normal(len(names)), -COMPONENT_LIMIT, COMPONENT_LIMIT)
    return dict(zip(names, drawn.tolist()))


def _look(gender: str, skin_type: int, generator: np.random.Generator) -> Look:
    """A person's surface. The order of the draws decides who the person is, so it stays."""
    woman, group = gender == "female", SKIN_GROUPS.get(skin_type, "")
    pale = group == "lighter"
    bright = SKIN_BRIGHTNESS[skin_type] * float(np.exp(0.03 * generator.standard_normal()))
    hair = generator.uniform(*{"lighter": (0.08, 0.5), "": (0.05, 0.2), "darker": (0.04, 0.09)}[group])
    return Look(
        skin=bright,
        brow_dark=float(np.clip(generator.normal(0.65 if woman else 0.7, 0.15), 0.3, 1)),
        brow_thick=float(np.clip(generator.normal(0.35 if woman else 0.75, 0.2), 0, 1.2)),
        brow_arch=float(np.clip(generator.normal(0.6 if woman else 0.35, 0.25), 0, 1)),
        brow_height=float(generator.uniform(0, 1)),
        hair=float(hair),
        hair_height=float(generator.uniform(0.05, 0.16)),
        hairline=float(np.clip(0.05 * generator.standard_normal(), -0.08, 0.10)),
        hair_length=float(generator.uniform(0.55, 1.0)) if woman and generator.random() < 0.65 else 0.0,
        hair_front=float(generator.uniform(0.95, 1.7)),
        stubble=0.0 if woman else float(np.clip(generator.normal(0.3, 0.35), 0, 1)),
        freckles=float(generator.uniform(0, 0.9)) if pale and generator.random() < 0.5 else 0.0,
        lip_dark=float(generator.uniform(0.35, 0.95) if woman else generator.uniform(0.15, 0.5)),
        lash_dark=float(generator.uniform(0.5, 1.0) if woman else generator.uniform(0.1, 0.5)),
        crease=float(generator.uniform(0.45, 1.0)),
        iris=float(generator.uniform(0.2, 0.5) if pale else generator.uniform(0.08, 0.2)),
        fringe=float(generator.uniform(0.05, 0.3)) if generator.random() < 0.45 else 0.0,
        parting=float(generator.uniform(-1, 1)),
        glasses=float(generator.random() < 0.15),
        rim=float(generator.choice([0.05, 0.12, 0.75])),
        cloth=float(generator.uniform(0.1, 0.8)),
        texture=int(generator.integers(2**31)),
    )


def make_person(seed: int, dataset: str, participant: str, family: Family = FIRST_FAMILY) -> Person:
    """One person, a function of the seed and the name. `dataset`: "BP4D", "DISFA" or "pairs" (ids P001, P002, ...).

    Another family changes the shape of the head and nothing else. A family of components has no word for sex or origin:
    there, gender and skin type are in the look and in the habits alone.
    """
    gender, skin_type = gender_of(dataset, participant), _skin_type(dataset, participant)
    shape = generator(seed, "shape", dataset, participant)
    weights = _components(family.components, shape) if family.components else _shape(gender, skin_type, shape)
    look = _look(gender, skin_type, generator(seed, "look", dataset, participant))
    habits = generator(seed, "habits", dataset, participant)
    amplitude = {unit: float(np.clip(habits.normal(1.0, 0.16), 0.6, 1.3)) for unit in UNITS}
    return Person(dataset, participant, gender, skin_type, weights, look, amplitude)


def person_face(person: Person, family: Family = FIRST_FAMILY) -> Face:
    """The person's face, with a way of its own of making each action unit: each expression unit a little different."""
    face = make_face(person.weights, person.look, person.amplitude, family)
    draw = np.random.default_rng(person.look.texture + 9)
    manner = np.clip(draw.normal(1.0, 0.12, len(face.offsets)), 0.7, 1.3).astype(np.float32)
    blinks = [number for number, name in enumerate(family.head.unit_names) if name.startswith("eye")]
    manner[blinks] = 1.0  # lids must still meet
    return replace(face, offsets=face.offsets * manner[:, None, None])


@lru_cache(maxsize=2)
def face_of(seed: int, dataset: str, participant: str, family: str = "") -> Face:
    """`person_face` by name, kept: a job draws the same participant and the template many times.

    `family`: the folder of another family of faces than the first.
    """
    made_of = family_of(family)
    return person_face(make_person(seed, dataset, participant, made_of), made_of)
