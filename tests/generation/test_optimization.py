"""Optimisation: the budget holds, a killed run pays for nothing twice, bad scorers cost molecules and not runs, and scores rise."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from rdkit import Chem

from drugai.contracts import Scores
from drugai.errors import ArtifactError, ConfigError
from drugai.generation.genetic import GeneticConfig
from drugai.generation.optimization import optimize
from drugai.metrics.generation import auc_top
from drugai.molecules import MoleculeBatch
from drugai.scoring import Budgeted, function_term, objective, product_of, qed
from drugai.scoring.transforms import Ramp

# aspirin, ibuprofen, caffeine, nicotine without stereo, paracetamol, lidocaine, propranolol, diazepam
START = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CN1CCCC1c1cccnc1",
    "CC(=O)Nc1ccc(O)cc1",
    "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "CC(C)NCC(O)COc1cccc2ccccc12",
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",
]
SMALL = GeneticConfig(population=20, offspring=20)


class Counting:
    """QED that counts what it is asked, and is killed after ``most`` molecules."""

    def __init__(self, most: float = math.inf) -> None:
        self.asked: list[str] = []
        self.most = most

    def score(self, molecules):
        batch = MoleculeBatch.of(molecules)
        if len(self.asked) + len(batch) > self.most:
            raise KeyboardInterrupt
        self.asked += batch.smiles
        return product_of(qed()).score(batch)


def test_the_budget_is_spent_once_on_different_canonical_molecules():
    scorer = Counting()
    found = optimize(None, scorer, budget=150, start=START, config=SMALL)
    assert len(found) == len(scorer.asked) == len(set(scorer.asked)) == 150
    assert [one.smiles for one in found.scored] == [Chem.CanonSmiles(smi) for smi in scorer.asked]
    assert [one.smiles for one in found.scored[:8]] == [Chem.CanonSmiles(smi) for smi in START]


def test_scores_rise_and_the_numbers_of_the_run_are_those_of_its_log():
    seen = []
    found = optimize(None, objective("celecoxib_rediscovery"), budget=300, start=START, config=SMALL, on_step=seen.append)
    totals = found.totals
    assert totals.max() > totals[:8].max() + 0.1
    assert found.auc_top10 == auc_top(totals, budget=300)
    assert [one.total for one in found.top(10)] == sorted(totals, reverse=True)[:10]
    assert tuple(seen) == found.steps
    assert seen[-1].top10 == pytest.approx(np.sort(totals)[-10:].mean())
    assert seen[-1].used == 300
    assert all(0 <= step.diversity <= 1 for step in seen)


def test_the_same_seed_gives_the_same_run_and_another_another():
    runs = [optimize(None, product_of(qed()), budget=80, seed=seed, start=START, config=SMALL) for seed in (1, 1, 2)]
    assert runs[0].scored == runs[1].scored
    assert runs[0].scored[8:] != runs[2].scored[8:]


def test_a_killed_run_goes_on_to_the_result_of_a_straight_one_and_pays_for_nothing_twice(tmp_path):
    straight = optimize(None, Counting(), budget=110, start=START, out=tmp_path / "straight", config=SMALL)
    killed, again = Counting(most=70), Counting()
    with pytest.raises(KeyboardInterrupt):
        optimize(None, killed, budget=110, start=START, out=tmp_path / "run", config=SMALL)
    log = tmp_path / "run" / "scored.jsonl"
    with log.open("a") as stream:
        stream.write('{"smiles": "CC(=O)Oc1cc')  # the kill came in the middle of a line
    resumed = optimize(None, again, budget=110, start=START, out=tmp_path / "run", config=SMALL)
    assert len(killed.asked) + len(again.asked) == 110
    assert not set(killed.asked) & set(again.asked)
    assert resumed.scored == straight.scored
    for name in ("scored.jsonl", "steps.csv", "top.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()
    finished = optimize(None, Counting(most=0), budget=110, start=START, out=tmp_path / "run", config=SMALL)
    assert finished.scored == straight.scored
    more = Counting()
    assert len(optimize(None, more, budget=130, start=START, out=tmp_path / "run", config=SMALL)) == 130
    assert len(more.asked) == 20


def test_a_folder_with_another_run_or_a_damaged_log_is_refused(tmp_path):
    optimize(None, Counting(), budget=30, start=START, out=tmp_path, config=SMALL)
    with pytest.raises(ConfigError, match="other settings .seed was 0, is 1"):
        optimize(None, Counting(), budget=30, seed=1, start=START, out=tmp_path, config=SMALL)
    log = tmp_path / "scored.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], "{damaged", *lines[1:]]) + "\n")
    with pytest.raises(ArtifactError, match="line 2 is damaged"):
        optimize(None, Counting(), budget=30, start=START, out=tmp_path, config=SMALL)


def test_each_step_has_a_row_a_molecule_with_raw_and_transformed_values(tmp_path):
    scorer = product_of(qed(), function_term(lambda smiles: [len(smi) for smi in smiles], "letters", Ramp(10, 60)))
    optimize(None, scorer, budget=60, start=START, out=tmp_path, config=SMALL)
    with (tmp_path / "steps.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) >= 60
    assert list(rows[0]) == ["step", "origin", "smiles", "total", "qed (raw)", "qed", "letters (raw)", "letters", "reason"]
    row = rows[20]
    # what stands in the row can be computed again from its SMILES
    assert float(row["letters (raw)"]) == len(row["smiles"])
    assert float(row["letters"]) == pytest.approx(min(1, max(0, (len(row["smiles"]) - 10) / 50)), abs=1e-6)
    assert float(row["total"]) == pytest.approx(math.sqrt(float(row["qed"]) * float(row["letters"])), abs=1e-5)
    assert rows[0]["origin"] == "start"
    assert {found["origin"] for found in rows} <= {"start", "crossover", "crossover+mutation", "mutation"}


def test_a_function_that_raises_costs_the_molecule_alone():
    def moody(smiles):
        if any("N" in smi for smi in smiles):
            raise RuntimeError("no nitrogen, please")
        return [0.5] * len(smiles)

    found = optimize(None, moody, budget=60, start=START, config=SMALL)
    assert len(found) == 60
    by_reason = {bool(one.reason): one for one in found.scored}
    assert "term 'moody' raised RuntimeError: no nitrogen, please" in by_reason[True].reason
    assert all(one.total == (0 if "N" in one.smiles else 0.5) for one in found.scored)


def test_a_scorer_object_that_raises_or_gives_nan_costs_the_molecule_alone():
    class Bad:
        def score(self, molecules):
            batch = MoleculeBatch.of(molecules)
            if any("Cl" in smi for smi in batch.smiles):
                raise ValueError("chlorine")
            total = np.array([math.nan if "O" not in smi else 0.7 for smi in batch.smiles])
            return Scores(total, {"oxygen": total}, {"oxygen": total}, ("",) * len(batch))

    found = optimize(None, Bad(), budget=60, start=START, config=SMALL)
    assert len(found) == 60
    for one in found.scored:
        if "Cl" in one.smiles:
            assert one.reason == "E_VALUE: the scorer raised ValueError: chlorine"
        elif "O" not in one.smiles:
            assert one.reason == "E_VALUE: no number (NaN) from term 'oxygen'"
        else:
            assert (one.total, one.reason) == (0.7, "")


def test_the_budget_bears_a_molecule_without_parts():
    scorer = Budgeted(product_of(qed()), 10)
    scorer.remember(["C"], Scores(np.zeros(1), {}, {}, ("E_VALUE: the scorer raised",)))
    found = scorer.score(["C", "CCO"])
    assert math.isnan(found.parts["qed"][0])
    assert found.parts["qed"][1] > 0


def test_a_generator_gives_the_first_molecules():
    class Fixed:
        def sample(self, n, seed=0):
            return [*START, "c1ccccc"][:n]

    found = optimize(Fixed(), product_of(qed()), budget=40, config=SMALL.replace(population=20))
    assert [one.origin for one in found.scored[:8]] == ["sample"] * 8
    assert len(found) == 40


def test_a_long_list_to_start_from_is_drawn_from_by_the_seed():
    many = ["C" * n + end for n in range(1, 30) for end in ("O", "N")]
    found = [optimize(None, product_of(qed()), budget=20, seed=seed, start=many, config=SMALL).scored for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert {one.smiles for one in found[0]} <= set(many)


def test_a_run_without_new_molecules_ends():
    # hydrocarbons of three and four carbons without rings: there are but a dozen or two
    config = GeneticConfig(population=20, offspring=10, most_atoms=4, elements="C", largest_ring=2)
    found = optimize(None, product_of(qed()), budget=200, start=["CCC"], config=config)
    assert 5 < len(found) < 40
    assert {len(one.smiles.replace("=", "").replace("#", "").replace("(", "").replace(")", "")) for one in found.scored} == {3, 4}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "genetics", "start": START}, "did you mean 'genetic'"),
        ({}, "nothing to start from"),
        ({"start": ["c1ccccc"]}, "none of the 1 molecules"),
        ({"method": "reinvent", "start": START}, "steers a prior"),
        ({"start": START, "budget": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_scored(arguments, words):
    with pytest.raises(ConfigError, match=words):
        optimize(None, Counting(most=0), **{"budget": 10, **arguments})


def test_a_log_line_is_json_with_null_for_nan(tmp_path):
    optimize(None, product_of(qed(), function_term(lambda smiles: [0.0] * len(smiles), "zero", cost=1.0)), budget=8, start=START, out=tmp_path, config=SMALL)
    entry = json.loads((tmp_path / "scored.jsonl").read_text().splitlines()[0])
    assert entry["parts"] == {"qed": None, "zero": 0.0}  # a 0 in the cheap term spares the dear one
    assert entry["step"] == 0
