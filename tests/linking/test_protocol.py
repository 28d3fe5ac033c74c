"""No test row is known or asked before the test."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.linking.fusion import Question, choose_weights, fuse, mean_objective, standardize_rows
from drugai.linking.protocol import REGIMES, TEST, Benchmark, family_groups, whole_benchmark
from drugai.linking.study import link_score
from drugai.linking.tables import Disease
from drugai.metrics.retrieval import per_query


@pytest.fixture(scope="module")
def benchmark(primer) -> Benchmark:
    found = whole_benchmark(primer)
    random = np.random.default_rng(0)
    drug_of_group = random.choice(3, size=int(found.drug_groups.max()) + 1, p=[0.7, 0.1, 0.2])
    found.drug_parts[0] = drug_of_group[found.drug_groups]
    found.disease_parts[0] = random.choice(3, size=found.labels.shape[1], p=[0.7, 0.1, 0.2])
    return found


@pytest.mark.parametrize("regime", REGIMES)
def test_no_test_row_of_the_held_out_side_appears_before_the_test(benchmark: Benchmark, regime: str):
    for view in [benchmark.valid_view(regime, 0), *benchmark.inner_views(regime, 0)]:
        if regime != "disease":
            rows = np.concatenate([view.known_drugs, view.asked_drugs])
            assert (benchmark.drug_parts[0][rows] != TEST).all()
            assert not set(view.known_drugs) & set(view.asked_drugs)
        if regime != "drug":
            rows = np.concatenate([view.known_diseases, view.asked_diseases])
            assert (benchmark.disease_parts[0][rows] != TEST).all()
            assert not set(view.known_diseases) & set(view.asked_diseases)


def test_inner_folds_ask_each_row_once_and_keep_groups_whole(benchmark: Benchmark):
    asked = [view.asked_drugs for view in benchmark.inner_views("drug", 0)]
    assert len(np.unique(np.concatenate(asked))) == sum(map(len, asked)) == (benchmark.drug_parts[0] != TEST).sum()
    groups = [set(benchmark.drug_groups[rows]) for rows in asked]
    assert not groups[0] & groups[1]


def test_shuffled_labels_keep_the_degrees_and_lose_the_pairs(benchmark: Benchmark):
    view = benchmark.test_view("drug", 0)
    known, shuffled = benchmark.known_labels(view), benchmark.shuffled_labels(view, 0)
    assert sorted(known.sum(0)) == sorted(shuffled.sum(0))
    assert (known & shuffled).sum() < 0.2 * known.sum()


def test_the_fast_objective_equals_the_metrics():
    random = np.random.default_rng(0)
    scores, labels, candidates = random.random((40, 60)), random.random((40, 60)) < 0.06, random.random((40, 60)) < 0.9
    found = per_query(scores, labels & candidates, candidates)
    expected = np.nansum((found["MRR"] + found["AP"]) / 2)
    assert mean_objective(scores, labels, candidates)[0] == pytest.approx(expected)


def test_weights_go_to_the_component_that_knows():
    random = np.random.default_rng(1)
    labels = random.random((30, 50)) < 0.05
    question = Question({"good": labels + 0.1 * random.random((30, 50)), "noise": random.random((30, 50))}, labels, np.ones_like(labels))
    weights, score = choose_weights([question], ["good", "noise"], {"noise": 1.0})
    assert weights["good"] > 0
    assert score > 0.95


def test_a_constant_component_says_nothing():
    assert not standardize_rows(np.full((2, 5), 3.0)).any()
    assert not fuse({"flat": np.full((2, 5), 3.0)}, {"flat": 1.0}).any()


def test_the_closure_of_tuning_scores_a_config_and_calls_back(benchmark: Benchmark, quick, encoder):
    score = link_score(benchmark, regimes=("drug",), encoder=encoder)
    epochs: list[int] = []
    assert score.direction == "max"
    assert 0.0 < score(quick, seed=0, on_epoch=lambda epoch, _: epochs.append(epoch)) < 1.0
    assert epochs == [0, 1, 2, 3, 4]
    with pytest.raises(ConfigError, match="regime"):
        link_score(benchmark, regimes=("drugs",), encoder=encoder)


def test_families_hold_siblings_together_and_a_disease_without_ancestors_is_alone():
    skin = ("DOID:4", "DOID:7", "DOID:16")
    diseases = [
        Disease("DOID:1", "psoriasis vulgaris", ancestors=(*skin, "DOID:8893")), Disease("DOID:2", "pustular psoriasis", ancestors=(*skin, "DOID:8893")),
        Disease("DOID:3", "gout", ancestors=("DOID:4", "DOID:0014667")), Disease("X:1", "unknown"), Disease("X:2", "unheard of"),
    ]  # fmt: skip
    groups = family_groups(diseases)
    # siblings share 4 of 6 terms at least; by hand 4 / 6 = 0.67 is below 0.7, so one more shared ancestor is needed
    assert groups[0] != groups[2]
    assert len({groups[2], groups[3], groups[4]}) == 3
    near = [Disease(one.id, one.name, ancestors=(*one.ancestors, "DOID:37", "DOID:65", "DOID:74")) for one in diseases[:2]]
    assert family_groups(near)[0] == family_groups(near)[1]
