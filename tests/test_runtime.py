import json
import logging
import os
import signal

import pytest

from drugai.catalogue import lookup, names, register
from drugai.errors import ConfigError, count_reasons, nearest
from drugai.runtime import JsonLines, defer_interrupts, derive_seed, generator, parallel_map


def test_derived_seeds_depend_on_seed_and_purpose_alone():
    assert derive_seed(0, "a") == derive_seed(0, "a")
    assert len({derive_seed(seed, key) for seed in range(20) for key in ("a", "b", 1)}) == 60
    assert generator(1, "x").integers(1 << 30) == generator(1, "x").integers(1 << 30)


def test_parallel_map_keeps_the_order():
    assert list(parallel_map(abs, [-3, 2, -1], workers=2)) == [3, 2, 1]


def test_log_lines_are_json_with_their_fields():
    record = logging.LogRecord("drugai.x", logging.INFO, __file__, 1, "epoch %d", (3,), None)
    record.fields = {"loss": 0.5}
    entry = json.loads(JsonLines().format(record))
    assert entry["message"] == "epoch 3"
    assert entry["loss"] == 0.5


def test_an_interrupt_is_deferred_once():
    with defer_interrupts() as came:
        assert not came()
        os.kill(os.getpid(), signal.SIGTERM)
        assert came()
    assert signal.getsignal(signal.SIGTERM) is not None


def test_a_registered_choice_is_found_and_an_unknown_one_lists_all():
    register("model", "test-only", dict)
    assert lookup("model", "test-only", {}) is dict
    assert "test-only" in names("model", {"gnn": 1})
    with pytest.raises(ConfigError, match="did you mean 'gnn'"):
        lookup("model", "gmn", {"gnn": 1})
    with pytest.raises(ConfigError):
        register("colour", "red", dict)


def test_reasons_are_counted_by_code():
    assert count_reasons(["", "E_PARSE: a", "E_EMPTY: b", "E_PARSE: c"]) == {"E_PARSE": 2, "E_EMPTY": 1}
    assert nearest("lipofilicity", ["lipophilicity", "esol"]) == "lipophilicity"
