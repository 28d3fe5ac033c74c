"""The main job: its pieces fast, the whole of it with small models."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from drugai import demo
from drugai.data import read_dataset, split
from drugai.molecules import read_table


def test_the_library_has_every_row_of_both_sets_and_says_which(tmp_path):
    table = read_table(demo.write_library(tmp_path / "library.csv"))
    assert len(table.columns["id"]) == 14_999  # 10,000 of WEHI and 4,999 of NCI
    assert table.columns["source"].count("NCI") == 4_999
    assert len(set(table.columns["id"])) == 14_999
    assert table.columns["id"][-1].startswith("NCI-")


def test_the_scorer_spans_the_measured_values_and_names_the_model(tmp_path):
    data = read_dataset("chembl2321810")
    parts = split(data, method="scaffold", seed=0)
    low, high = demo.write_scorer(tmp_path / "scorer.toml", tmp_path / "model", data.take(parts.train))
    assert np.percentile(data.y[parts.train, 0], [5, 95]) == pytest.approx([low, high], abs=0.006)
    values = tomllib.loads((tmp_path / "scorer.toml").read_text())
    assert [term["kind"] for term in values["term"]] == ["predicted", "qed", "alerts"]
    assert values["term"][0]["model"] == "model"


@pytest.mark.slow
def test_the_demo_trains_compares_screens_and_writes_a_page(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(demo, "GNN_SETTINGS", {"net.width": 32, "net.head_width": 32, "epochs": 2})
    monkeypatch.setattr(demo, "TREES_SETTINGS", {"blocks": ["morgan"], "rounds": 60, "members": 2, "threads": 1})
    monkeypatch.setattr(demo, "LIBRARIES", {"nci_5k": "NCI"})
    story: list[str] = []
    result = demo.run_demo(tmp_path / "demo", top=50, workers=1, say=story.append)
    text = "\n".join(story)
    assert "1,017 molecules with measured pActivity [-log10 M]" in text
    assert "train 813, validation 102, test 102" in text
    assert "4,999 molecules: 8 could not be used (8 E_PARSE)" in text
    assert "the ten best hits" in text
    assert result.chosen in ("boosted trees", "graph network", "ensemble")
    assert len(result.hits) == 50
    assert np.all(np.diff(result.hits.table["total"]) <= 0)
    assert result.page == tmp_path / "demo" / "index.html"
    html = result.page.read_text()
    assert "50 hits from 4,999 molecules" in html
    assert "train mean" in html
    assert 'class="dot"' in html
    record = json.loads((result.model / "manifest.json").read_text())
    assert set(record["test"]) == {"train mean", "boosted trees", "graph network", "ensemble"}

    from drugai.training.run import evaluate_saved

    again = evaluate_saved(result.model)  # the model finds its own test part again
    assert again.scores["pActivity"]["rmse"].value == pytest.approx(record["test"][result.chosen]["scores"]["pActivity"]["rmse"]["value"], abs=1e-4)
