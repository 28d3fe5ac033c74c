"""The MOSES table from one call: its numbers are those of the parts, and a kept reference gives the same."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("fcd")

from drugai.errors import DatasetError
from drugai.generation.evaluation import Reference, evaluate_samples
from drugai.molecules.patterns import PatternSet

# 40 amides: alkyl chains on anilides and on phenylpiperidines
REFERENCE = [f"{'C' * n}C(=O)N{tail}" for n in range(1, 11) for tail in ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCN(c2ccccc2)CC1")]


@pytest.fixture(scope="module")
def reference():
    return Reference.build(REFERENCE, threads=1)


def test_the_reference_itself_scores_perfectly(reference):
    values = evaluate_samples(REFERENCE, {"Test": reference}, known=set(REFERENCE), patterns=PatternSet(["[Cl]"]), first=(10,), threads=1)
    assert values["valid"] == values["unique"] == values["unique@10"] == values["Filters"] == 1.0
    assert values["FCD/Test"] == pytest.approx(0.0, abs=1e-4)
    assert values["SNN/Test"] == pytest.approx(1.0)
    assert values["Frag/Test"] == pytest.approx(1.0)
    assert values["Scaf/Test"] == pytest.approx(1.0)
    assert values["Novelty"] == 0.0
    assert values["QED"] == values["logP"] == values["SA"] == values["weight"] == pytest.approx(0.0)


def test_invalid_samples_count_for_validity_alone(reference):
    clean = evaluate_samples(REFERENCE[:20], {"Test": reference}, threads=1)
    dirty = evaluate_samples(["", "c1ccccc", *REFERENCE[:20]], {"Test": reference}, threads=1)
    assert dirty["valid"] == pytest.approx(20 / 22)
    for name in ("FCD/Test", "SNN/Test", "IntDiv", "IntDiv2", "QED"):
        assert dirty[name] == pytest.approx(clean[name], abs=1e-4)
    assert math.isnan(dirty["unique@1000"])


def test_internal_diversity_is_that_of_the_definition(reference):
    import numpy as np

    from drugai.molecules import fingerprint, tanimoto

    full = tanimoto(fingerprint(REFERENCE, bits=1024)).astype(float)
    values = evaluate_samples(REFERENCE, {"Test": reference}, threads=1)
    assert values["IntDiv"] == pytest.approx(1 - full.mean(), abs=1e-6)
    assert values["IntDiv2"] == pytest.approx(1 - np.sqrt((full**2).mean(1)).mean(), abs=1e-6)


def test_a_saved_reference_gives_the_same_numbers(reference, tmp_path):
    again = Reference.load(reference.save(tmp_path / "reference"))
    samples = REFERENCE[:15]
    assert evaluate_samples(samples, {"Test": again}, threads=1) == pytest.approx(evaluate_samples(samples, {"Test": reference}, threads=1), nan_ok=True)


def test_nothing_valid_is_refused(reference):
    with pytest.raises(DatasetError, match="at least two"):
        evaluate_samples(["c1ccccc", ""], {"Test": reference})
    with pytest.raises(DatasetError, match="at least two"):
        Reference.build(["C1CC"])
