"""The paper's sums held against its own tables: gaps, gains, spreads, models, parameters (chapter 14)."""

import numpy as np
import pandas as pd
from scipy import stats

from .audit import AGREES, DISAGREES, ROUNDING
from .published import Published, published, published_table

CONDITIONS = ("person", "gender", "skin", "dataset")


def audit_gaps(confidence: float = 0.95) -> pd.DataFrame:
    """Within- against cross-group scores of Table 5 in each arm, and whether normalisation narrows the gap.

    `closed` compares like with like: the gap without DeepFN minus the gap with it, points. Its interval
    takes the four means as independent, which is all that a table of means and SDs allows.
    `left_of_original` is what separates the normalised cross score from the *unnormalised* within score,
    the comparison that the paper makes.
    """
    rows = []
    for name in CONDITIONS:
        cells = {
            (w, arm): published(f"{name}-{w}.{arm}")
            for w in ("dependent", "independent")
            for arm in ("original", "deepfn")
        }
        gap = {arm: cells["dependent", arm].value - cells["independent", arm].value for arm in ("original", "deepfn")}
        closed = gap["original"] - gap["deepfn"]
        error = np.sqrt(sum(c.sd**2 / c.n for c in cells.values()))
        df = sum(c.n - 1 for c in cells.values())
        reach = stats.t.ppf((1 + confidence) / 2, df) * error
        rows.append(
            {
                "condition": name,
                "gap_original": gap["original"],
                "gap_deepfn": gap["deepfn"],
                "closed": closed,
                "low": closed - reach,
                "high": closed + reach,
                "p": float(2 * stats.t.sf(abs(closed) / error, df)),
                "left_of_original": cells["dependent", "original"].value - cells["independent", "deepfn"].value,
            }
        )
    return pd.DataFrame(rows)


def _sum_row(section: str, what: str, quoted: Published, value: float, reach: float, note: str = "") -> dict:
    near = abs(value - quoted.value)
    verdict = (
        AGREES
        if near <= quoted.half_unit + 1e-9
        else ROUNDING
        if near <= quoted.half_unit + reach + 1e-9
        else DISAGREES
    )
    return {
        "section": section,
        "what": what,
        "quoted": quoted.printed,
        "recomputed": value,
        "low": value - reach,
        "high": value + reach,
        "verdict": verdict,
        "note": note,
    }


def audit_sums() -> pd.DataFrame:
    """Gaps and average gains that the text quotes, from Table 5. low and high: what rounding of Table 5
    allows.
    """
    s = {key: published(key).value for key in published_table().query("unit == 'percent' and section == '5'").index}
    rows = []
    for name, section in zip(CONDITIONS, ("5.1", "5.2", "5.3", "5.4")):
        gap = s[f"{name}-dependent.original"] - s[f"{name}-independent.original"]
        rows.append(_sum_row(section, f"{name} gap", published(f"gap.{name}"), gap, 0.1))
    gain = {k: s[f"{k}.deepfn"] - s[f"{k}.original"] for k in {key.rpartition(".")[0] for key in s}}
    rows.append(
        _sum_row(
            "5.1",
            "gain over action units, person-independent",
            published("gain.person.au"),
            gain["person-independent"],
            0.1,
        )
    )
    for name, section in (("gender", "5.2"), ("skin", "5.3")):
        mean = (gain[f"{name}-dependent"] + gain[f"{name}-independent"]) / 2
        rows.append(_sum_row(section, f"{name} gain over the combinations", published(f"gain.{name}"), mean, 0.1))
    rows.append(_dataset_row(gain))
    return pd.DataFrame(rows)


def _dataset_row(gain: dict[str, float]) -> dict:
    """Section 5.4's 8.3 and 2.1: Table 5 averages over participants, 40 of BP4D and 27 of DISFA.

    The independent row and the 2.1 give the gain of DISFA→BP4D. The dependent row gives only the weighted
    sum of the other two gains, 40 a + 27 b; the mean of three then depends on how far a and b are apart.
    `recomputed` takes them as equal; the range lets each be between nothing and twice the row's gain.
    """
    n, m = (int(published(f"participants.{name}").value) for name in ("bp4d", "disfa"))
    carried = published("gain.dataset.bp4d-disfa").value
    back = ((n + m) * gain["dataset-independent"] - m * carried) / n
    total = gain["dataset-dependent"]
    values = [
        (a + ((n + m) * total - n * a) / m + back) / 3
        for a in np.linspace(0, 2 * total, 201)
        if 0 <= ((n + m) * total - n * a) / m <= 2 * total
    ]
    row = _sum_row(
        "5.4",
        "dataset gain of three combinations",
        published("gain.dataset.three"),
        (2 * total + back) / 3,
        0.0,
        "from Table 5's average over participants and the quoted 2.1",
    )
    row |= {"low": min(values) - 0.1, "high": max(values) + 0.1}
    if row["verdict"] == DISAGREES and row["low"] <= published("gain.dataset.three").value <= row["high"]:
        row["verdict"] = ROUNDING
        row["note"] += "; needs unequal gains in the two within-dataset combinations"
    return row


def direction_gap_needed(name: str, sizes: tuple[int, int], quoted: Published, recomputed: float) -> float:
    """How far apart the gains in the two test groups must be (points) for an average that weights the
    groups equally to be `quoted` when the average over participants, of `sizes`, is `recomputed`. `name` is
    for the error only.

    Raises ValueError for equal sizes, where the two averages are the same.
    """
    small, large = sorted(sizes)
    if small == large:
        raise ValueError(f"{name}: groups of equal size have one average")
    return (quoted.value - recomputed) / (0.5 - small / (small + large))


def smallest_sd(mean: float, highest: float, lowest: float, n: int) -> float:
    """The least SD (n − 1) that n numbers of this mean, maximum and minimum can have: the others alike."""
    rest = (n * mean - highest - lowest) / (n - 2)
    return float(np.std([highest, lowest] + [rest] * (n - 2), ddof=1))


def largest_sd(mean: float, highest: float, lowest: float, n: int) -> float:
    """The greatest SD (n − 1) that they can have: all but one at the ends."""
    at_top = (n * mean - n * lowest) / (highest - lowest)  # how many maxima carry the sum
    whole = int(np.floor(at_top))
    between = lowest + (at_top - whole) * (highest - lowest)
    values = [highest] * whole + [between] + [lowest] * (n - whole - 1)
    return float(np.std(values[:n], ddof=1))


def models() -> pd.DataFrame:
    """The classifiers of Table 5, one row a condition: repetitions by people or directions, one arm."""
    rows = [
        {
            "condition": key.removeprefix("repetitions."),
            "repetitions": int(row["value"]),
            "each": int(row["n"]),
            "models": int(row["value"]) * int(row["n"]),
        }
        for key, row in published_table().query("unit == 'repetitions'").iterrows()
    ]
    return pd.DataFrame(rows)


def convolution(inputs: int, filters: int, kernel: int) -> int:
    """Parameters of a convolution with bias."""
    return kernel * kernel * inputs * filters + filters


def dense(inputs: int, units: int) -> int:
    """Parameters of a fully connected layer with bias."""
    return inputs * units + units


def network_parameters() -> dict[str, int]:
    """Parameters of Tables 1–3, layer by layer: encoder, one decoder, LeNet-5 with 12 and with 5 outputs."""
    encoder = sum(convolution(i, o, 5) for i, o in ((1, 128), (128, 256), (256, 512), (512, 1024)))
    encoder += dense(8 * 8 * 1024, 1024) + dense(1024, 4 * 4 * 1024) + convolution(1024, 2048, 3)
    decoder = sum(convolution(i, o, 3) for i, o in ((512, 1024), (256, 512), (128, 256), (64, 128)))
    decoder += convolution(32, 1, 5)
    lenet = convolution(1, 6, 3) + convolution(6, 16, 3) + dense(14 * 14 * 16, 120) + dense(120, 84)
    return {
        "encoder": encoder,
        "decoder": decoder,
        "lenet-5, 12 outputs": lenet + dense(84, 12),
        "lenet-5, 5 outputs": lenet + dense(84, 5),
    }
