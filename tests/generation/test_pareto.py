"""Several objectives: fronts by hand, the search spreads over the front, constraints hold."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.generation.genetic import GeneticConfig
from drugai.generation.optimization import optimize
from drugai.generation.oracle import Scored
from drugai.generation.pareto import crowding, dominance_ranks, objectives_of, pareto_front
from drugai.molecules import MoleculeBatch
from drugai.scoring import function_term, mean_of, product_of, qed, within
from drugai.scoring.transforms import Ramp

START = ["CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC(=O)Nc1ccc(O)cc1"]  # aspirin, ibuprofen, caffeine, paracetamol
SMALL = GeneticConfig(population=30, offspring=30)


def carbons(smiles):
    return [smi.upper().count("C") - smi.count("Cl") for smi in smiles]


def oxygens(smiles):
    return [smi.upper().count("O") for smi in smiles]


def scored(a: float, b: float, *, reason: str = "", total: float | None = None) -> Scored:
    return Scored(f"C{a}{b}", math.sqrt(a * b) if total is None else total, {"a": a, "b": b}, {"a": a, "b": b}, reason, 0, "")


def test_fronts_and_loneliness_by_hand():
    points = np.array([[1.0, 0.1], [0.5, 0.5], [0.1, 1.0], [0.5, 0.4], [0.05, 0.05]])
    assert dominance_ranks(points).tolist() == [0, 0, 0, 1, 2]
    assert dominance_ranks(np.array([[0.5, 0.5], [0.5, 0.5]])).tolist() == [0, 0]  # equal rows do not beat each other
    lonely = crowding(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]]))
    assert np.isinf(lonely[[0, 2]]).all()
    assert lonely[1] == pytest.approx(0.9 + 0.9)
    assert lonely[3] == pytest.approx(0.5 + 0.5)


def test_the_front_is_that_of_all_pairs_and_leaves_out_what_fails():
    rng = np.random.default_rng(0)
    some = [scored(a, b) for a, b in rng.random((200, 2)).round(2)]
    best = pareto_front(some, ("a", "b"))
    values = np.array([[one.parts["a"], one.parts["b"]] for one in some])
    expected = {tuple(row) for row in values[dominance_ranks(values) == 0]}
    assert {(one.parts["a"], one.parts["b"]) for one in best} == expected
    assert pareto_front([scored(0.5, 0.5), scored(1, 1, reason="E_VALUE: no"), scored(1, 1, total=0.0), scored(math.nan, 1, total=0.5)], ("a", "b")) == [scored(0.5, 0.5)]
    assert pareto_front([], ("a", "b")) == []


def test_filters_are_constraints_and_not_objectives():
    assert objectives_of(product_of(qed(), within("weight", 100, 400))) == ("qed",)
    assert objectives_of(mean_of(qed(), within("weight", 100, 400, margin=50))) == ("qed", "weight")


def test_the_search_finds_both_ends_and_keeps_the_constraint(tmp_path):
    # many carbons and many oxygens, which a molecule of limited weight cannot both have
    scorer = mean_of(function_term(carbons, "carbons", Ramp(0, 20)), function_term(oxygens, "oxygens", Ramp(0, 15)), within("weight", 0, 300))
    found = optimize(None, scorer, budget=800, start=START, out=tmp_path, method="pareto", config=SMALL)
    front = found.front
    assert len(front) >= 4
    assert max(carbons([one.smiles for one in front])) >= 18
    assert max(oxygens([one.smiles for one in front])) >= 6
    assert all(MoleculeBatch([one.smiles]).valid[0] and one.raw["weight"] <= 300 for one in front)
    with (tmp_path / "front.csv").open() as stream:
        assert [row["smiles"] for row in csv.DictReader(stream)] == [one.smiles for one in front]
    others = np.array([[one.parts[name] for name in found.objectives] for one in found.scored if one.total > 0])
    for one in front:  # nothing that was scored beats a molecule of the front
        mine = np.array([one.parts[name] for name in found.objectives])
        assert not ((others >= mine).all(1) & (others > mine).any(1)).any()


def test_a_killed_search_goes_on_and_one_objective_is_refused(tmp_path):
    scorer = mean_of(function_term(carbons, "carbons", Ramp(0, 20)), qed())
    straight = optimize(None, scorer, budget=120, start=START, method="pareto", config=SMALL)
    optimize(None, scorer, budget=70, start=START, out=tmp_path, method="pareto", config=SMALL)
    assert optimize(None, scorer, budget=120, start=START, out=tmp_path, method="pareto", config=SMALL).scored == straight.scored
    with pytest.raises(ConfigError, match="two or more terms that are no filters, got qed"):
        optimize(None, product_of(qed(), within("weight", 0, 400)), budget=10, start=START, method="pareto")
