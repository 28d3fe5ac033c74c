"""A plan is plain values, knows what differs, and its identity leaves out where files lie."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from drugai.errors import ArtifactError
from drugai.screening.plan import Column, Library, Plan, differences

LIBRARY = Library("/a/l.smi", "l.smi", "smi", "0" * 64, 10, 250_001, "smiles", None)
PLAN = Plan(LIBRARY, {"kind": "model", "path": "/a/m", "sha256": "1" * 64, "task": "logS", "direction": "max"}, ({"path": "/a/m", "sha256": "1" * 64},))
DECIDED = replace(PLAN, precision="bf16", device="cpu", center=1.5, columns=(Column("index", "index"),))


def test_a_plan_comes_back_from_json() -> None:
    assert Plan.from_dict(json.loads(json.dumps(DECIDED.to_dict()))) == DECIDED
    with pytest.raises(ArtifactError, match="format 99 is newer"):
        Plan.from_dict({"format": 99})
    with pytest.raises(ArtifactError, match="damaged"):
        Plan.from_dict({"format": 1, "scorer": {}})


def test_shards_are_counted_with_the_last_short_one() -> None:
    assert PLAN.n_shards == 3


def test_what_is_left_to_decide_is_no_difference_and_what_is_asked_otherwise_is() -> None:
    assert differences(DECIDED, PLAN) == []
    assert differences(DECIDED, replace(PLAN, precision="fp32")) == ["precision (bf16 → fp32)"]
    other = replace(PLAN, models=({"path": "/a/m", "sha256": "2" * 64},), trusted=True)
    assert differences(DECIDED, other) == ["the model (111111111111… → 222222222222…)", "trusted (False → True)"]


def test_the_identity_is_of_contents_not_of_places() -> None:
    moved = replace(DECIDED, library=replace(LIBRARY, path="/b/k.smi", name="k.smi"), models=({"path": "/b/m", "sha256": "1" * 64},))
    assert moved.checksum == DECIDED.checksum
    assert replace(DECIDED, center=1.6).checksum != DECIDED.checksum
