"""Steering a prior: the loss by hand, likelier good molecules, the memory and the scaffold filter, and whole runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rdkit import Chem

from drugai.contracts import Scores
from drugai.featurizers.tokens import Vocabulary
from drugai.generation.fitting import GeneratorConfig, fit_generator
from drugai.generation.genetic import GeneticConfig
from drugai.generation.loading import load_generator
from drugai.generation.memory import Memory, ScaffoldFilter, randomize
from drugai.generation.optimization import optimize
from drugai.generation.prior import Prior
from drugai.generation.reinvent import ReinventConfig, ReinventProposer, reinvent_loss
from drugai.models.language import LanguageConfig
from drugai.training.loop import LoopConfig

ASPIRIN, IBUPROFEN, PHENOL, TOLUENE = "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "Oc1ccccc1", "Cc1ccccc1"
# alkanols, alkylamines and alkyl chlorides of 1 to 40 carbons
CORPUS = ["C" * length + end for length in range(1, 41) for end in ("O", "N", "Cl")]
SMALL = ReinventConfig(batch=16, memory=20, threads=1, genetic=GeneticConfig(population=20), device="cpu")


@pytest.fixture(scope="module")
def prior():
    loop = LoopConfig().replace(epochs=8, learning_rate=8e-3, precision="fp32", device="cpu")
    return fit_generator(GeneratorConfig(model=LanguageConfig(layers=1, width=64, embedding=32), batch=16, samples=0, threads=1, loop=loop), CORPUS, seed=0)


def share_of_amines(smiles: list[str]) -> list[float]:
    return [1.0 if smi.endswith("N") or smi.startswith("N") else 0.1 for smi in smiles]


def test_the_loss_by_hand():
    prior = Prior.untrained(LanguageConfig(layers=1, width=64, embedding=32), Vocabulary.from_corpus(CORPUS), seed=1)
    agent = Prior.untrained(prior.config, prior.vocabulary, seed=2)
    smiles, scores = ["CCO", "CCCN"], np.array([0.2, 0.9])
    expected = (prior.log_likelihood(smiles) + 50 * scores - agent.log_likelihood(smiles)) ** 2
    for row, smi in enumerate(smiles):
        tokens = torch.tensor([[1, *prior.vocabulary.encode(smi).tolist()]])
        loss = reinvent_loss(prior, agent, tokens, torch.tensor([scores[row]]), 50.0).detach()
        assert float(loss) == pytest.approx(expected[row], rel=1e-3)
    # the loss is 0 for the agent that it asks for: equal to the prior where the score is 0
    assert float(reinvent_loss(prior, prior, tokens, torch.zeros(1), 50.0).detach()) == pytest.approx(0.0, abs=1e-6)


def test_good_molecules_become_likelier_and_the_prior_stays(prior):
    before = prior.log_likelihood(["CCCCN", "CCCCO"])
    proposer = ReinventProposer(prior, SMALL, seed=0)
    for step in range(1, 4):
        written = [smi for smi, _ in proposer.propose(step)]
        canonical = [Chem.MolToSmiles(mol) if (mol := Chem.MolFromSmiles(smi)) and smi else "" for smi in written]
        totals = np.array(share_of_amines(canonical)) * np.array([bool(smi) for smi in canonical])
        proposer.learn(written, canonical, Scores(totals, {}, {}, ("",) * len(totals)), step)
    after = proposer.agent.log_likelihood(["CCCCN", "CCCCO"])
    assert after[0] - after[1] > before[0] - before[1]
    assert prior.log_likelihood(["CCCCN", "CCCCO"]).tolist() == before.tolist()


def test_the_memory_keeps_the_best_and_spells_them_anew():
    memory = Memory(2)
    memory.add([PHENOL, ASPIRIN, IBUPROFEN, ""], np.array([0.2, 0.9, 0.5, 0.8]), ["c1ccccc1"] * 3 + [""])
    assert list(memory.entries) == [ASPIRIN, IBUPROFEN]
    written, scores = memory.spelled(seed=3)
    assert [Chem.CanonSmiles(smi) for smi in written] == [ASPIRIN, IBUPROFEN]
    assert scores.tolist() == [0.9, 0.5]
    assert written == memory.spelled(seed=3)[0] != memory.spelled(seed=4)[0]
    assert len({randomize(ASPIRIN, seed) for seed in range(20)}) > 5


def test_a_full_scaffold_gets_nothing_and_is_forgotten():
    diversity, memory = ScaffoldFilter(bucket=2, least=0.4), Memory(10)
    molecules = [PHENOL, TOLUENE, PHENOL, ASPIRIN, "CCO", "C1CCCCC1"]
    scores, scaffolds = diversity.score(molecules, np.array([0.5, 0.3, 0.5, 0.6, 0.9, 0.7]))
    # phenol is counted once, toluene is too bad to count, aspirin fills the bucket of benzene; ethanol has no scaffold, cyclohexane another
    assert scores.tolist() == [0.5, 0.3, 0.5, 0.6, 0.9, 0.7]
    assert diversity.counts["c1ccccc1"] == 2
    memory.add(molecules, scores, scaffolds)
    memory.purge(diversity)
    assert list(memory.entries) == ["CCO", "C1CCCCC1"]
    again, _ = diversity.score([IBUPROFEN, "CCO"], np.array([0.9, 0.9]))
    assert again.tolist() == [0.0, 0.9]
    off = ScaffoldFilter(bucket=0)
    assert off.score([PHENOL] * 5, np.full(5, 0.9))[0].tolist() == [0.9] * 5


@pytest.mark.parametrize("method", ["reinvent", "hybrid"])
def test_a_run_steers_the_prior_and_keeps_the_agent(prior, method, tmp_path):
    found = optimize(prior, share_of_amines, budget=120, method=method, config=SMALL, out=tmp_path)
    assert len(found) <= 120
    origins = {one.origin for one in found.scored}
    assert "sample" in origins
    assert (len(origins) > 1) == (method == "hybrid")
    agent = load_generator(tmp_path / "agent")
    amines = sum(smi.endswith("N") for smi in agent.sample(500, seed=9))
    if method == "reinvent":  # in so short a hybrid run half of the lessons are the genetic engine's molecules
        assert amines > sum(smi.endswith("N") for smi in prior.sample(500, seed=9)) + 50
    else:
        assert any(not torch.equal(new, old) for new, old in zip(agent.model.parameters(), prior.model.parameters(), strict=True))


def test_a_killed_run_goes_on_to_the_same_molecules(prior, tmp_path):
    straight = optimize(prior, share_of_amines, budget=40, method="hybrid", config=SMALL, seed=3)
    asked: list[str] = []

    def killed(smiles):
        if len(asked) + len(smiles) > 25:
            raise KeyboardInterrupt
        asked.extend(smiles)
        return share_of_amines(smiles)

    killed.__name__ = share_of_amines.__name__
    with pytest.raises(KeyboardInterrupt):
        optimize(prior, killed, budget=40, method="hybrid", config=SMALL, seed=3, out=tmp_path)
    resumed = optimize(prior, share_of_amines, budget=40, method="hybrid", config=SMALL, seed=3, out=tmp_path)
    assert [one.smiles for one in resumed.scored] == [one.smiles for one in straight.scored]


def test_molecules_that_the_vocabulary_cannot_spell_are_bred_from_and_not_learnt(prior):
    # aspirin and ibuprofen have rings, which the prior of chains has no token for
    found = optimize(prior, share_of_amines, budget=30, method="hybrid", start=[ASPIRIN, IBUPROFEN], config=SMALL)
    assert found.scored[0].smiles == ASPIRIN
    assert any("c1" in one.smiles for one in found.scored[2:])
