"""Stages: each starts from the last one's best, ends at its aim, and is resumed."""

from __future__ import annotations

import json

import pytest

from drugai.errors import ConfigError
from drugai.generation.genetic import GeneticConfig
from drugai.generation.loading import load_generator
from drugai.generation.optimization import optimize
from drugai.generation.reinvent import ReinventConfig
from drugai.generation.stages import Stage, optimize_stages, read_stages
from drugai.scoring import function_term, objective, product_of, qed
from drugai.scoring.transforms import Ramp

START = ["CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC(=O)Nc1ccc(O)cc1"]  # aspirin, ibuprofen, caffeine, paracetamol
SMALL = GeneticConfig(population=20, offspring=20)


def long(smiles):
    return [len(smi) for smi in smiles]


def test_a_stage_begins_with_the_best_of_the_one_before_and_ends_at_its_aim(tmp_path):
    easy = Stage(product_of(function_term(long, "letters", Ramp(0, 40))), 2000, until=0.8, name="easy")
    hard = Stage(objective("celecoxib_rediscovery"), 80)
    first, second = optimize_stages(None, [easy, hard], start=START, out=tmp_path, config=SMALL)
    assert len(first) < 2000
    assert sum(one.total for one in first.top(10)) / 10 >= 0.8
    best = [one.smiles for one in first.top(100)]
    assert [one.smiles for one in second.scored if one.origin == "start"]
    assert {one.smiles for one in second.scored if one.origin == "start"} <= set(best)
    again = optimize_stages(None, [easy, hard], start=START, out=tmp_path, config=SMALL)
    assert [run.scored for run in again] == [first.scored, second.scored]
    assert json.loads((tmp_path / "stage2" / "run.json").read_text())["method"] == "genetic"


def test_the_agent_of_a_stage_is_steered_on(tmp_path):
    prior = load_generator()
    config = ReinventConfig(batch=16, rounds=0, memory=0, threads=1)
    runs = optimize_stages(prior, [Stage(product_of(qed()), 24, name="a"), Stage(product_of(qed()), 24, name="b")], method="reinvent", out=tmp_path, config=config)
    first, second = (load_generator(tmp_path / name / "agent") for name in "ab")
    weights = [model.model.head.weight for model in (prior, first, second)]
    assert not (weights[0] == weights[1]).all()
    assert not (weights[1] == weights[2]).all()
    alone = optimize(prior, product_of(qed()), budget=24, method="reinvent", config=config, start=[one.smiles for one in runs[0].top(100)], agent=first, seed=5)
    assert len(alone) == 24
    with pytest.raises(ConfigError, match="an agent is a prior"):
        optimize(prior, product_of(qed()), budget=5, method="reinvent", agent=object())


def test_a_file_of_stages(tmp_path):
    (tmp_path / "qed.toml").write_text('[[term]]\nkind = "qed"\n')
    (tmp_path / "stages.toml").write_text('[[stage]]\nscorer = "qed.toml"\nbudget = 30\nuntil = 0.5\n[[stage]]\nscorer = "qed.toml"\nbudget = 40\nname = "last"\n')
    first, second = read_stages(tmp_path / "stages.toml")
    assert (first.budget, first.until, second.budget, second.until, second.name) == (30, 0.5, 40, None, "last")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", r"no \[\[stage\]\]"), ("[[stage]]\nbudget = 3\n", "stage 1 needs scorer"), ("[[stage]]\nscorers = 'a'\n", "did you mean 'scorer'"), ("[[", "not valid TOML")],
)
def test_a_file_of_stages_that_says_too_little_is_refused(tmp_path, text, words):
    (tmp_path / "stages.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_stages(tmp_path / "stages.toml")
    with pytest.raises(ConfigError, match="no such file"):
        read_stages(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="different names"):
        optimize_stages(None, [Stage(product_of(qed()), 5, name="a"), Stage(product_of(qed()), 5, name="a")], start=START)
