"""Lead optimisation and matched pairs: limits hold, nothing outside is scored, exchanges are those that a chemist would name."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.generation.genetic import GeneticConfig
from drugai.generation.lead import LeadConstraint, optimize_lead
from drugai.generation.matched_pairs import matched_pairs
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto
from drugai.scoring import product_of, qed

CELECOXIB = "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"
SULFONAMIDE = "NS(=O)(=O)c1ccccc1"
SMALL = GeneticConfig(population=30, offspring=30)


@pytest.mark.parametrize(
    ("molecule", "exchange"),
    [
        (CELECOXIB.replace("Cc1ccc(-", "Clc1ccc(-"), "C[*:1]>>Cl[*:1]"),
        (CELECOXIB.replace("C(F)(F)F", "C"), "FC(F)(F)[*:1]>>C[*:1]"),
        (CELECOXIB.replace("-c2cc(", "-c2c(F)c("), "[*:1][H]>>F[*:1]"),
        (CELECOXIB.replace("Cc1ccc(-", "c1ccc(-"), "C[*:1]>>[*:1][H]"),
        (CELECOXIB.replace("-c2ccc(S", "-c2cnc(S"), None),  # a ring atom: the ring is exchanged, and two cuts say so
        ("CCO", None),
        ("c1ccccc", None),
        (CELECOXIB, None),
    ],
)
def test_the_exchange_is_the_smallest(molecule, exchange):
    found = matched_pairs(CELECOXIB, [molecule])[0]
    if exchange is None and molecule.startswith("Cc1ccc(-c2cc(C(F)(F)F)nn2-c2cnc"):
        assert str(found) == "c1cc([*:2])ccc1[*:1]>>c1nc([*:2])ccc1[*:1]" or "[*:2]" in str(found)
    else:
        assert (None if found is None else str(found)) == exchange


def test_molecules_outside_the_limits_are_never_scored(tmp_path):
    asked: list[str] = []

    class Counting:
        def score(self, molecules):
            batch = MoleculeBatch.of(molecules)
            asked.extend(batch.canonical)
            return product_of(qed()).score(batch)

    found = optimize_lead(CELECOXIB, Counting(), keep=[SULFONAMIDE], min_similarity=0.5, budget=120, out=tmp_path, config=SMALL)
    assert len(found.run) == len(asked) == len(set(asked)) == 120
    assert found.lead.smiles == asked[0] == MoleculeBatch([CELECOXIB]).canonical[0]
    assert LeadConstraint(CELECOXIB, [SULFONAMIDE], 0.5)(MoleculeBatch(asked)).all()
    assert np.all(tanimoto(fingerprint(asked), fingerprint([CELECOXIB])) >= 0.5)
    assert found.run.top(1)[0].total > found.lead.total
    with (tmp_path / "pairs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(found.pairs) > 10
    assert rows[0]["exchange"] == str(found.pairs[0][1])
    assert float(rows[0]["change of total"]) == pytest.approx(found.pairs[0][0].total - found.lead.total)
    assert float(rows[0]["change of qed"]) == pytest.approx(found.pairs[0][0].raw["qed"] - found.lead.raw["qed"])


def test_a_part_with_points_changes_there_alone():
    constraint = LeadConstraint("COc1ccc(C(N)=O)cc1", ["NC(=O)c1ccc([*:1])cc1"], 0.0)
    assert constraint(MoleculeBatch(["NC(=O)c1ccc(Cl)cc1", "NC(=O)c1ccc(Cl)c(F)c1", "CNC(=O)c1ccc(Cl)cc1", "c1ccc"])).tolist() == [True, False, False, False]


def test_a_steered_prior_keeps_the_limits_too(tmp_path):
    from drugai.generation.loading import load_generator
    from drugai.generation.reinvent import ReinventConfig

    config = ReinventConfig(batch=32, rounds=0, threads=1, share=0.5, genetic=SMALL)
    found = optimize_lead(CELECOXIB, product_of(qed()), min_similarity=0.3, budget=20, method="hybrid", generator=load_generator(), config=config)
    assert LeadConstraint(CELECOXIB, (), 0.3)(MoleculeBatch([one.smiles for one in found.run.scored])).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"start": "c1ccc"}, "cannot be read"),
        ({"start": CELECOXIB, "keep": ["C1CCCCC1"]}, "does not hold 'C1CCCCC1' itself"),
        ({"start": CELECOXIB, "keep": ["c1cc("]}, "is no SMARTS"),
        ({"start": CELECOXIB, "min_similarity": 2}, "similarity lies in"),
    ],
)
def test_limits_that_cannot_be_kept_are_explained(arguments, words):
    with pytest.raises(ConfigError, match=words):
        optimize_lead(scorer=product_of(qed()), budget=5, **arguments)
