"""What tuning sees of generators and optimisers."""

import pytest

from drugai.errors import ConfigError
from drugai.generation.efficiency import efficiency_score, optimizer_config
from drugai.generation.fitting import GeneratorConfig
from drugai.generation.likelihood import likelihood_score
from drugai.generation.optimization import optimize
from drugai.scoring import product_of, qed
from drugai.tuning import tune

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
CAFFEINE = "Cn1cnc2c1c(=O)n(C)c(=O)n2C"
IBUPROFEN = "CC(C)Cc1ccc(cc1)C(C)C(=O)O"


@pytest.fixture
def quick():
    values = {"model.width": 64, "model.embedding": 32, "model.layers": 1, "loop.epochs": 1, "samples": 0, "batch": 32, "threads": 1}
    return GeneratorConfig().replace(**values)


@pytest.fixture
def corpus(activity):
    return list(activity.smiles)


def test_the_held_out_loss_is_what_is_minimized_and_the_model_is_handed_over(quick, corpus):
    models = []
    score = likelihood_score(corpus)
    found = score(quick, on_model=models.append)
    assert found == models[0].record["history"]["best_score"]
    assert found == score(quick, seed=5)  # the same molecules are held out whatever the trial's seed


def test_validity_is_a_constraint_that_an_untrained_generator_breaks(quick, corpus, tmp_path):
    told = {}
    score = likelihood_score(corpus, validity=0.9, samples=50)
    score(quick, constrain=told.__setitem__)
    assert 0 < told["validity"] <= 0.9  # after one pass over two hundred molecules few strings are valid
    study = tune(quick, score, trials=1, storage=tmp_path / "s.journal", name="s", space={"model.width": 64})
    with pytest.raises(ConfigError, match="constraints"):
        _ = study.best_config
    with pytest.raises(ConfigError, match="share"):
        likelihood_score(corpus, validity=1.5)


def test_efficiency_is_the_mean_area_over_the_same_seeds_for_all_configs():
    score = efficiency_score(product_of(qed()), budget=40, seeds=(3, 4), start=[ASPIRIN, CAFFEINE, IBUPROFEN])
    told = {}
    found = score(optimizer_config("genetic"), on_fold=told.__setitem__)
    expected = [optimize(None, product_of(qed()), budget=40, seed=seed, start=[ASPIRIN, CAFFEINE, IBUPROFEN]).auc_top10 for seed in (3, 4)]
    assert [told[0], told[1]] == expected
    assert found == pytest.approx(sum(expected) / 2)
    assert score.direction == "max"


def test_an_optimiser_is_tuned_at_a_fixed_budget(tmp_path):
    score = efficiency_score(product_of(qed()), budget=30, seeds=(0,), start=[ASPIRIN, CAFFEINE])
    study = tune(optimizer_config("genetic"), score, trials=4, storage=tmp_path / "s.journal", name="s", pruner="wilcoxon")
    assert study.best_value >= study.study.trials[0].value
    assert 0 < study.best_value < 1


def test_what_reinvent_does_not_use_is_not_searched():
    score = efficiency_score(product_of(qed()), method="reinvent")
    assert "share" in score.fixed(optimizer_config("reinvent"))
    assert "genetic.population" in score.fixed(optimizer_config("reinvent"))
    assert efficiency_score(product_of(qed()), method="hybrid").fixed(optimizer_config("hybrid")) == {}
    with pytest.raises(ConfigError, match="genetic"):
        efficiency_score(product_of(qed()), method="anneal")
    with pytest.raises(ConfigError, match="budget"):
        efficiency_score(product_of(qed()), budget=5)
