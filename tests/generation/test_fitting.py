"""Training a prior: it learns, a killed run goes on to the same weights, fine-tuning reports what was learnt by heart."""

from __future__ import annotations

import pytest
import torch

from drugai.errors import ConfigError, DatasetError
from drugai.generation.finetune import FineTuneConfig, fine_tune
from drugai.generation.fitting import GeneratorConfig, fit_generator
from drugai.models.language import LanguageConfig
from drugai.molecules.batch import MoleculeBatch
from drugai.training.loop import LoopConfig

# alkanols, alkylamines and alkyl chlorides of 1 to 40 carbons: a language simple enough to be learnt in seconds
CORPUS = ["C" * length + end for length in range(1, 41) for end in ("O", "N", "Cl")]


def small(**loop: object) -> GeneratorConfig:
    settings = {"epochs": 4, "learning_rate": 5e-3, "precision": "fp32", **loop}
    return GeneratorConfig(model=LanguageConfig(layers=1, width=64, embedding=32), batch=16, samples=0, threads=1, loop=LoopConfig().replace(**settings))


@pytest.fixture(scope="module")
def prior():
    return fit_generator(small(epochs=25), CORPUS, seed=0)


def test_a_trained_prior_writes_the_language_of_its_corpus(prior):
    written = prior.sample(200, seed=0)
    readable = sum(smi.strip("C").rstrip("lON") == "" and smi != "" for smi in written)
    assert readable >= 180
    history = prior.record["history"]
    assert history["epochs"][-1]["loss"] < history["epochs"][0]["loss"]
    assert prior.record["corpus"]["molecules"] == len(CORPUS)


def test_unique_molecules_are_readable_and_different(prior):
    written = prior.sample(30, seed=0, unique=True)
    assert len(set(written)) == 30
    assert MoleculeBatch(written).valid.all()
    assert written[:10] == prior.sample(10, seed=0, unique=True)
    assert all(smi.startswith("CCC") for smi in prior.sample(20, seed=0, prefix="CCC"))
    with pytest.raises(ConfigError, match="different molecules"):
        prior.sample(900, seed=0, unique=True)


def test_the_same_seed_gives_the_same_weights():
    first, second = (fit_generator(small(epochs=2), CORPUS, seed=7) for _ in range(2))
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_stopped_run_goes_on_to_the_weights_of_a_straight_one(tmp_path):
    straight = fit_generator(small(), CORPUS, seed=1)
    asked = iter(range(1000))
    fit_generator(small(), CORPUS, seed=1, checkpoint=tmp_path, should_stop=lambda: next(asked) == 9)
    resumed = fit_generator(small(), CORPUS, seed=1, checkpoint=tmp_path)
    for a, b in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_fine_tuning_moves_the_prior_and_leaves_the_first_alone(prior):
    actives = ["C" * length + "Cl" for length in range(5, 30)]
    before = prior.log_likelihood(actives).mean()
    config = FineTuneConfig(samples=200, threads=1, loop=LoopConfig(epochs=8, learning_rate=3e-3, precision="fp32", patience=4))
    tuned, report = fine_tune(prior, [*actives, "c1ccccc", "CCBr", "CCCCCCCl"], config, seed=0)
    assert prior.log_likelihood(actives).mean() == pytest.approx(before)
    assert tuned.log_likelihood(actives).mean() > before
    # an unclosed ring, a token the prior lacks; the repeated hexyl chloride counts once
    assert [(row, why.partition(":")[0]) for row, _, why in report.rejected] == [(25, "E_PARSE"), (26, "E_FEATURIZE")]
    assert "Br" in report.rejected[1][2]
    assert 0 <= report.best_epoch < len(report.curve)
    assert 0 < report.copied <= 1
    assert 0 < report.recovered <= 1
    assert report.curve[report.best_epoch]["loss"] < report.start_loss
    # all actives are chlorides, of the prior's samples a third: the samples come nearer
    assert report.nearest_before < report.nearest <= 1
    said = str(report)
    assert f"weights kept: epoch {report.best_epoch + 1} of {len(report.curve)}" in said
    assert f"{report.copied:.1%} of the samples are actives, {report.recovered:.1%} of the actives were written" in said


def test_fine_tuning_can_learn_new_tokens(prior):
    bromides = ["C" * length + "Br" for length in range(5, 30)]
    config = FineTuneConfig(extend=True, samples=100, threads=1, loop=LoopConfig(epochs=25, learning_rate=5e-3, precision="fp32"))
    tuned, report = fine_tune(prior, bromides, config, seed=0)
    assert report.new_tokens == ("Br",)
    assert any("Br" in smi for smi in tuned.sample(100, seed=0))
    assert "Br" not in prior.vocabulary


def test_too_few_actives_are_refused_with_their_reasons(prior):
    with pytest.raises(DatasetError, match="at least 10"):
        fine_tune(prior, ["CCCl", "c1ccccc"])


def test_a_prior_that_is_trained_further_keeps_its_earlier_curve_and_sees_other_molecules_first():
    first = fit_generator(small(epochs=2), CORPUS, seed=1)
    curve = first.record["history"]["epochs"]
    loss = first.record["history"]["best_score"]
    longer = fit_generator(small(epochs=1), CORPUS, seed=1, start=first)
    assert longer.record["start_loss"] == pytest.approx(loss, rel=1e-4)
    assert [one["history"]["epochs"] for one in longer.record["earlier"]] == [curve]
    again = fit_generator(small(epochs=1).replace(first_chapter=1), CORPUS, seed=1, start=fit_generator(small(epochs=2), CORPUS, seed=1))
    assert again.record["history"]["epochs"] != longer.record["history"]["epochs"]
