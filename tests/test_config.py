from dataclasses import dataclass, field

import pytest

from drugai.config import Config, Range, parse_settings, setting, tunable
from drugai.errors import ConfigError


@dataclass(frozen=True)
class Net(Config):
    depth: int = tunable(3, 2, 6, help="steps")
    rate: float = tunable(1e-3, 1e-4, 1e-2, log=True)
    kind: str = setting("mean", choices=("mean", "sum"))


@dataclass(frozen=True)
class Model(Config):
    net: Net = field(default_factory=Net)
    blocks: tuple[str, ...] = ("morgan",)
    seed: int | None = None


def test_ranges_come_from_the_declaration_nested_ones_with_a_dot():
    assert Model.ranges() == {"net.depth": Range(2, 6), "net.rate": Range(1e-4, 1e-2, log=True)}


def test_round_trip_through_plain_values():
    config = Model(net=Net(depth=5), blocks=("erg", "maccs"), seed=4)
    assert Model.from_dict(config.to_dict()) == config


def test_an_unknown_key_names_the_nearest_legal_one():
    with pytest.raises(ConfigError, match="did you mean 'depth'"):
        Net.from_dict({"dpeth": 4})


def test_all_problems_are_reported_at_once():
    with pytest.raises(ConfigError) as error:
        Net.from_dict({"depth": "deep", "rate": True, "colour": 1})
    assert all(word in str(error.value) for word in ("depth", "rate", "colour"))


def test_choices_are_enforced():
    with pytest.raises(ConfigError, match="the choices are: mean, sum"):
        Net(kind="median")


def test_replace_reaches_nested_fields():
    assert Model().replace(**{"net.depth": 6, "blocks": ["erg"]}) == Model(net=Net(depth=6), blocks=("erg",))


def test_toml_file_is_read_and_a_broken_one_named(tmp_path):
    (tmp_path / "good.toml").write_text("blocks = ['erg']\n[net]\ndepth = 4\n")
    assert Model.from_toml(tmp_path / "good.toml").net.depth == 4
    (tmp_path / "bad.toml").write_text("depth = = 4")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        Net.from_toml(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="no such config file"):
        Net.from_toml(tmp_path / "absent.toml")


def test_settings_of_the_command_line_are_typed_as_toml():
    assert parse_settings(["depth=4", "rate=1e-3", "name=abc", "on=true", "blocks=['a', 'b']"]) == {
        "depth": 4, "rate": 1e-3, "name": "abc", "on": True, "blocks": ["a", "b"],
    }  # fmt: skip
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_settings(["depth"])
