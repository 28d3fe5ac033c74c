"""Few known drugs of a disease: what is like them is ranked higher, the more of them are known.

The prototype is the mean of the known drugs' likeness rows beside the score by text alone: with k drugs it has the weight ``WEIGHT · k / (k + 1)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugai.linking.fusion import standardize_rows

WEIGHT = 2.0


def with_examples(scores: np.ndarray, likeness: np.ndarray, known: Sequence[int]) -> np.ndarray:
    """Scores of n drugs for one disease, moved towards drugs that are like the known ones.

    Args:
        scores: ``[n]`` by the disease's text.
        likeness: ``[n, n]`` among the drugs, in [0, 1].
        known: Rows of drugs that are known to help.

    Returns:
        ``[n]`` [standard deviations]; without known drugs the scores, standardised.
    """
    found: np.ndarray = standardize_rows(scores[None])[0]
    if not len(known):
        return found
    k = len(known)
    near = likeness[:, list(known)]
    # the mean says what they have in common, the maximum that one of them is close
    prototype = standardize_rows(((near.mean(axis=1) + near.max(axis=1)) / 2)[None])[0]
    found = found + WEIGHT * k / (k + 1) * prototype
    return found
