"""The prior keeps the Generator law, its likelihoods are those of its samples, and a saved one is the same."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from drugai.contracts import Generator
from drugai.errors import ArtifactError, ConfigError
from drugai.featurizers.tokens import Vocabulary
from drugai.generation.loading import load_generator
from drugai.generation.prior import Prior
from drugai.generation.sampling import sample_tokens
from drugai.models.language import LanguageConfig

MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "Clc1ccccc1"]  # aspirin, nicotine, chlorobenzene


@pytest.fixture(scope="module", params=["lstm", "gru", "transformer"])
def prior(request):
    config = LanguageConfig(cell=request.param, layers=2, width=64, embedding=32, context=64)
    return Prior.untrained(config, Vocabulary.from_corpus(MOLECULES), seed=1)


def test_exactly_n_and_the_same_seed_the_same_list(prior):
    assert isinstance(prior, Generator)
    first = prior.sample(137, seed=3)
    assert len(first) == 137
    assert first == prior.sample(137, seed=3)
    assert first != prior.sample(137, seed=4)
    assert prior.sample(0) == []
    assert prior.sample(40, seed=3) == first[:40]


def test_batch_size_does_not_change_the_molecules(prior):
    whole = [ids.tolist() for ids in sample_tokens(prior.model, 300, seed=5)]
    parts = [ids.tolist() for ids in sample_tokens(prior.model, 300, seed=5, batch=71)]
    assert sum(a == b for a, b in zip(whole, parts, strict=True)) >= 297  # float rounding may move a draw that lies on a border
    assert [ids.tolist() for ids in sample_tokens(prior.model, 100, seed=5, first=200)] == whole[200:]


def test_the_likelihood_is_that_of_the_chain_rule(prior):
    smi = MOLECULES[2]
    ids = [1, *prior.vocabulary.encode(smi).tolist()]
    state, total = prior.model.start(1), 0.0
    with torch.no_grad():
        for before, after in itertools.pairwise(ids):
            logits, state = prior.model.step(torch.tensor([before]), state)
            total += float(torch.log_softmax(logits, -1)[0, after])
    values = prior.log_likelihood([smi, "CCBr", smi])
    assert values[0] == pytest.approx(total, abs=1e-3)
    assert math.isnan(values[1])
    assert values[2] == pytest.approx(values[0])


def test_draws_follow_the_model(prior):
    with torch.no_grad():
        logits, _ = prior.model.step(torch.tensor([1]), prior.model.start(1))
    logits[:, [0, 1, 3]] = -torch.inf  # <pad>, <bos> and <unk> are never written
    chances = torch.softmax(logits, -1)[0].numpy()
    firsts = [int(ids[0]) if len(ids) else 2 for ids in sample_tokens(prior.model, 4000, seed=0, longest=1)]
    seen = np.bincount(firsts, minlength=len(chances)) / 4000
    assert np.abs(seen - chances).max() < 0.03  # four standard deviations of a share of 0.15 at 4,000 draws is 0.023


def test_low_temperature_and_small_top_p_are_greedy(prior):
    greedy = {tuple(ids.tolist()) for ids in sample_tokens(prior.model, 20, seed=0, top_p=1e-6)}
    cold = {tuple(ids.tolist()) for ids in sample_tokens(prior.model, 20, seed=0, temperature=1e-4)}
    assert len(greedy) == 1
    assert greedy == cold


def test_a_prefix_begins_every_molecule(prior):
    prefix = prior.vocabulary.encode("Clc1")[:-1].tolist()
    written = [prior.vocabulary.decode(ids) for ids in sample_tokens(prior.model, 30, seed=1, prefix=prefix)]
    assert all(smi.startswith("Clc1") for smi in written)


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_senseless_settings_are_refused(prior, wrong):
    with pytest.raises(ConfigError, match="temperature > 0"):
        prior.sample(5, **wrong)


def test_a_saved_prior_writes_the_same_molecules(prior, tmp_path):
    read = load_generator(prior.save(tmp_path / "prior"))
    assert read.sample(50, seed=2) == prior.sample(50, seed=2)
    np.testing.assert_allclose(read.log_likelihood(MOLECULES), prior.log_likelihood(MOLECULES), rtol=1e-6)
    small = prior.save(tmp_path / "small", precision="bf16")
    assert (small / "model.safetensors").stat().st_size < 0.6 * (tmp_path / "prior" / "model.safetensors").stat().st_size
    assert len(Prior.load(small).sample(10)) == 10


def test_a_damaged_or_absent_prior_is_refused(prior, tmp_path):
    folder = prior.save(tmp_path / "prior")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4] + b"abcd")
    with pytest.raises(ArtifactError, match="changed"):
        load_generator(folder)
    with pytest.raises(ArtifactError, match="no such folder"):
        load_generator(tmp_path / "nowhere")
    with pytest.raises(ArtifactError):
        load_generator("no-such-prior")


def test_the_wide_prior_spells_what_the_other_cannot_and_is_taken_where_molecules_are_given():
    molecules = ["C[N+](C)(C)CCO", "C[C@H](N)C(=O)[O-]", "F/C=C/F", "CCOP(=O)(OCC)OCC", "OB(O)c1ccccc1", "Ic1ccccc1"]
    narrow, wide = load_generator(), load_generator(given=True)
    assert np.isnan(narrow.log_likelihood(molecules)).all()
    likely = wide.log_likelihood(molecules)
    assert np.isfinite(likely).all()
    assert (likely > -12 * np.log(10)).sum() >= 3  # it has learnt them, not only made room: one token in ten guessed would give a millionth of this
    assert wide.vocabulary.to_dict() == load_generator("wide").vocabulary.to_dict()
    assert load_generator("prior_moses", given=True).vocabulary.to_dict() == narrow.vocabulary.to_dict()


def test_extending_the_vocabulary_keeps_likelihoods_and_spells_more():
    config = LanguageConfig(layers=1, width=64, embedding=32)
    prior = Prior.untrained(config, Vocabulary.from_corpus(MOLECULES), seed=1)
    before = prior.log_likelihood(MOLECULES)
    assert prior.extend_vocabulary(["C[NH3+]", "CBr"]) == ["Br", "[NH3+]"]
    assert np.isfinite(prior.log_likelihood(["C[NH3+]"])).all()
    # the new tokens take a little probability from the old ones, never give any
    assert (prior.log_likelihood(MOLECULES) < before).all()
    assert prior.extend_vocabulary(["CBr"]) == []
