from dataclasses import dataclass, field

import pytest

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.tuning import config_space, tune


@dataclass(frozen=True)
class Inner(Config):
    width: int = tunable(300, 64, 512, step=32)
    rate: float = tunable(1e-3, 1e-4, 1e-2, log=True)


@dataclass(frozen=True)
class Big(Config):
    kind = "big"
    inner: Inner = field(default_factory=Inner)
    depth: int = tunable(3, 1, 9)


@dataclass(frozen=True)
class Small(Config):
    kind = "small"
    leaves: int = tunable(31, 7, 127, log=True)
    depth: int = tunable(2, 1, 4)


def test_the_start_lies_in_its_range_and_on_a_step_to_the_digit():
    space = config_space(Big(inner=Inner(width=300, rate=0.05)))
    assert space.starts() == [{"inner.width": 300, "inner.rate": 0.05, "depth": 3}]
    steps = range(space.ranges["inner.width"].low, space.ranges["inner.width"].high + 1, 32)
    assert 300 in steps
    assert space.ranges["inner.rate"].high == 0.05  # widened: the class says 0.01 at most


def test_a_range_that_the_user_narrowed_is_kept_and_the_start_moves_to_its_end():
    space = config_space(Big(), {"inner": {"width": [64, 128]}, "depth": [1, 2]})
    assert (space.ranges["inner.width"].low, space.ranges["inner.width"].high) == (64, 128)
    assert space.starts()[0]["depth"] == 2


def test_kinds_are_a_choice_and_only_the_chosen_ones_fields_are_searched(tmp_path):
    seen = []

    def value(config):
        seen.append(type(config))
        return config.depth + (0.5 if config.kind == "big" else 0.0)

    study = tune([Big(), Small()], value, trials=16, storage=tmp_path / "s.journal", name="s", direction="min", sampler="random", space={"small": {"leaves": 31}})
    first, second = study.study.trials[:2]
    assert first.params == {"kind": "big", "big.inner.width": 300, "big.inner.rate": 1e-3, "big.depth": 3}
    assert second.params == {"kind": "small", "small.depth": 2}
    assert {Big, Small} == set(seen)
    for trial in study.study.trials:
        assert all(key == "kind" or key.startswith(trial.params["kind"] + ".") for key in trial.params)
    assert isinstance(study.best_config, Small)
    assert study.best_config.leaves == 31


def test_two_configs_of_one_kind_and_keys_without_a_kind_are_refused():
    with pytest.raises(ConfigError, match="different kinds"):
        config_space([Big(), Big()])
    with pytest.raises(ConfigError, match="kind"):
        config_space([Big(), Small()], {"depth": 3})


def test_fields_that_change_nothing_are_not_searched(tmp_path):
    class Idle:
        direction = "min"

        def fixed(self, config):
            return {"inner.width": config.inner.width}

        def __call__(self, config):
            return float(config.depth)

    study = tune(Big(), Idle(), trials=3, storage=tmp_path / "s.journal", name="s")
    assert all("inner.width" not in trial.params for trial in study.study.trials)
    assert study.best_config.inner.width == 300
