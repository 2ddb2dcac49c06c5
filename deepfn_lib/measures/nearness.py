"""How near a normalised face is to the exact answer, in pictures. Chapter 10 shows how that alone misleads."""

import numpy as np
import pandas as pd

from ..faces import regions

CODE_VERSION = 1  # raise when the same faces would be measured otherwise


def fidelity(pictures: np.ndarray, answers: np.ndarray, people: np.ndarray) -> pd.DataFrame:
    """PSNR in decibels and SSIM against the exact answers: participant, region, psnr, ssim (means over frames).

    `pictures` and `answers` uint8 (n, side, side), `people` (n,). SSIM is scikit-image's, its map averaged over the
    region; PSNR of a frame without any error counts as 100 dB.
    """
    from skimage.metrics import structural_similarity

    rows = []
    for picture, answer, person in zip(pictures, answers, people):
        similarity = structural_similarity(answer, picture, data_range=255, full=True)[1]
        squared = np.square(picture.astype(np.float32) - answer)
        for region in regions.REGIONS:
            where = regions.box(region, picture.shape[0])
            error = max(float(squared[where].mean()), 255.0**2 * 1e-10)
            rows.append((person, region, 10 * np.log10(255.0**2 / error), float(similarity[where].mean())))
    table = pd.DataFrame(rows, columns=["participant", "region", "psnr", "ssim"])
    return table.groupby(["participant", "region"], sort=False, as_index=False).mean()


def moved_faces(given: np.ndarray, moved: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    """How one person's faces came out, all uint8 (n, h, w): `given`, `moved` to the template, and the exact answer.

    psnr: mean decibels against the answer. expression_kept: correlation, over frames and pixels, of what changes from
    the mean picture in `moved` and in the answer (1: every change is there; 0: none, or a constant picture).
    identity_left: the share of the way from the answer's mean picture to the person's own that `moved`'s
    mean picture has gone (0: the template's looks; 1: the person's).
    """
    given, moved, exact = (np.asarray(a, np.float64).reshape(len(a), -1) / 255 for a in (given, moved, exact))
    means = [a.mean(0) for a in (given, moved, exact)]
    psnr = -10 * np.log10(np.maximum(np.square(moved - exact).mean(1), 1e-10)).mean()
    changes, wanted = moved - means[1], exact - means[2]
    size = np.sqrt(np.square(changes).sum() * np.square(wanted).sum())
    way = means[0] - means[2]
    return {
        "psnr": float(psnr),
        "expression_kept": float((changes * wanted).sum() / size) if size > 0 else 0.0,
        "identity_left": float((means[1] - means[2]) @ way / max(way @ way, 1e-12)),
    }
