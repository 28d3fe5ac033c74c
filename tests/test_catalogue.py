"""Choices by name: own, registered, and those another module brings."""

import sys

import pytest

from drugai.catalogue import lookup, names, provide, register
from drugai.errors import ConfigError


def test_a_registered_name_stands_beside_a_rooms_own():
    register("term", "mine", dict)
    assert lookup("term", "mine", {"theirs": list}) is dict
    assert lookup("term", "theirs", {"theirs": list}) is list
    assert {"mine", "theirs"} <= set(names("term", {"theirs": list}))


def test_a_provided_name_imports_its_module_when_it_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "brings_names.py").write_text('from drugai.catalogue import register\nregister("encoder", "brought:one", set)\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    provide("brought", "brings_names")
    assert "brings_names" not in sys.modules
    assert lookup("encoder", "brought:one", {}) is set
    with pytest.raises(ConfigError, match="brought:one"):
        lookup("encoder", "brought:on", {})


def test_an_unknown_kind_or_a_name_like_an_option_is_refused():
    with pytest.raises(ConfigError, match="unknown kind"):
        register("modle", "mine", dict)
    with pytest.raises(ConfigError, match="cannot be named"):
        register("model", "--mine", dict)
