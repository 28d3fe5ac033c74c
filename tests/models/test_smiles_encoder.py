"""Encoders of SMILES: the Encoder's law, folders of ours and of the Hugging Face layout, low-rank updates."""

import json

import numpy as np
import pytest
import torch

from drugai.errors import ArtifactError, ConfigError
from drugai.featurizers.sequences import VocabularyReader, pad_rows
from drugai.featurizers.tokens import Vocabulary
from drugai.models.encoder_pretraining import IGNORED, hide
from drugai.models.encoder_store import SavedEncoder, embed_smiles, load_encoder, shipped_encoders
from drugai.models.low_rank import LowRank, add_low_rank, merge_low_rank
from drugai.models.smiles_encoder import EncoderConfig, PropertyHead, PropertyNetwork, build_encoder

ASPIRIN, NICOTINE, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
SMALL = EncoderConfig(layers=2, width=32, heads=2, inner=64)


@pytest.fixture(scope="module")
def saved():
    return SavedEncoder.untrained(SMALL, VocabularyReader.of([ASPIRIN, NICOTINE, CAFFEINE]), seed=1)


def rows(reader, smiles):
    encoded = reader.read(smiles)
    return torch.from_numpy(pad_rows(encoded, np.arange(len(smiles)), reader.pad))


def foreign_folder(path, kind="roberta"):
    """A folder such as ChemBERTa's, small and random, written by transformers itself."""
    from transformers import BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

    tokenizer = Vocabulary.from_corpus([ASPIRIN, NICOTINE, CAFFEINE]).to_transformers()
    shape = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 66, "pad_token_id": 0}
    torch.manual_seed(0)
    model = RobertaForMaskedLM(RobertaConfig(**shape)) if kind == "roberta" else BertForMaskedLM(BertConfig(**shape))
    model.save_pretrained(str(path), safe_serialization=True)
    tokenizer.save_pretrained(str(path))
    return path


def test_batch_size_order_and_padding_do_not_change_a_row(saved):
    together = rows(saved.reader, [ASPIRIN, NICOTINE, CAFFEINE, "C"])
    with torch.inference_mode():
        all_ = saved.encoder(together)
        back = saved.encoder(together.flip(0)).flip(0)
        alone = saved.encoder(rows(saved.reader, ["C"]))
    assert torch.allclose(all_, back, atol=1e-5)
    assert torch.allclose(all_[3:], alone, atol=1e-5)
    assert not torch.allclose(all_[0], all_[1], atol=1e-2)


def test_a_folder_gives_the_same_encoder_back_and_damage_is_named(saved, tmp_path):
    path = saved.save(tmp_path / "encoder")
    again = load_encoder(path)
    tokens = rows(saved.reader, [ASPIRIN])
    assert torch.equal(again.encoder(tokens), saved.encoder(tokens))
    half = load_encoder(saved.save(tmp_path / "half", precision="bf16"))
    assert torch.allclose(half.encoder(tokens), saved.encoder(tokens), atol=0.05)
    (path / "tokens.json").write_text((path / "tokens.json").read_text().replace("[nH]", "[nX]"))
    with pytest.raises(ArtifactError, match=r"tokens\.json.*changed"):
        load_encoder(path)
    with pytest.raises(ConfigError, match="no encoder 'nowhere'"):
        load_encoder("nowhere")


def test_embeddings_are_those_of_the_canonical_smiles_with_a_row_a_molecule(saved):
    found, reasons = embed_smiles(saved, [ASPIRIN, "c1ccccc", "OC(=O)c1ccccc1OC(C)=O", "[U]"])  # aspirin, an unclosed ring, aspirin written otherwise, uranium
    assert found.shape == (4, 32)
    assert np.allclose(found[0], found[2])
    assert [why.partition(":")[0] for why in reasons] == ["", "E_PARSE", "", "E_FEATURIZE"]
    assert np.isnan(found[[1, 3]]).all()
    assert np.allclose(found[0], saved.encoder(rows(saved.reader, [ASPIRIN]))[0].detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["roberta", "bert"])
def test_a_folder_of_transformers_is_read_and_its_last_layer_is_the_same(kind, tmp_path):
    from transformers import AutoModel, AutoTokenizer

    folder = foreign_folder(tmp_path / "chem", kind)
    found = load_encoder(folder)
    own = AutoModel.from_pretrained(str(folder), trust_remote_code=False).eval()
    tokens = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)([ASPIRIN, "C"], padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = own(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
        ours = found.encoder(rows(found.reader, [ASPIRIN, "C"]))
    assert torch.allclose(ours[0], hidden[0].mean(0), atol=1e-5)
    assert torch.allclose(ours[1], hidden[1, :3].mean(0), atol=1e-5)
    assert "no token Br" in found.reader.read(["CBr"]).reasons[0]


def test_a_folder_whose_code_would_have_to_run_is_refused(tmp_path):
    folder = foreign_folder(tmp_path / "chem")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "molformer_x", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with pytest.raises(ConfigError, match="without running code"):
        load_encoder(folder)
    assert not (tmp_path / "ran").exists()


def test_a_folder_of_pickled_weights_is_refused(tmp_path):
    folder = foreign_folder(tmp_path / "chem")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="safetensors"):
        load_encoder(folder)


def test_low_rank_updates_start_at_nothing_and_are_merged_exactly():
    torch.manual_seed(0)
    encoder = build_encoder(SMALL, 20).eval()
    tokens = torch.randint(4, 20, (3, 7))
    before = encoder(tokens)
    _, blocks = encoder.blocks()
    count = add_low_rank(blocks, rank=4)
    assert count == 2 * 4  # a layer has Wqkv, Wo of the attention, Wi, Wo of the gated layers
    assert torch.allclose(encoder(tokens), before, atol=1e-6)
    with torch.no_grad():
        for module in blocks.modules():
            if isinstance(module, LowRank):
                module.up.normal_(std=0.1)
    changed = encoder(tokens)
    assert not torch.allclose(changed, before, atol=1e-3)
    assert merge_low_rank(blocks) == count
    assert torch.allclose(encoder(tokens), changed, atol=1e-5)
    assert not any(isinstance(module, LowRank) for module in encoder.modules())


def test_a_larger_vocabulary_keeps_what_the_old_tokens_say():
    torch.manual_seed(0)
    encoder = build_encoder(SMALL, 20).eval()
    tokens = torch.randint(4, 20, (3, 7))
    before = encoder(tokens)
    encoder.resize(23)
    assert torch.allclose(encoder(tokens), before, atol=1e-6)
    assert torch.isfinite(encoder(torch.full((1, 3), 22))).all()
    with pytest.raises(ConfigError, match="only grows"):
        encoder.resize(5)


def test_depth_counts_layers_from_the_tokens_to_the_head():
    network = PropertyNetwork(build_encoder(SMALL, 20), PropertyHead(32, 16, 1, 0.0))
    depth = {name: network.encoder.depth_of(name.removeprefix("encoder.")) for name, _ in network.named_parameters() if name.startswith("encoder.")}
    assert {depth[name] for name in depth if "embeddings" in name} == {0}
    assert {depth[name] for name in depth if ".layers.1." in name} == {2}
    assert {depth[name] for name in depth if "final_norm" in name} == {3}


def test_hidden_tokens_are_a_fifth_at_least_one_a_molecule_and_never_padding():
    random = np.random.default_rng(0)
    tokens = random.integers(4, 30, (400, 50))
    tokens[:, 30:] = 0
    hidden, truth = hide(tokens, 0.2, mask=3, pad=0, size=30, random=random)
    chosen = truth != IGNORED
    assert not chosen[:, 30:].any()
    assert chosen.any(1).all()
    assert 0.19 < chosen[:, :30].mean() < 0.24
    assert np.array_equal(truth[chosen], tokens[chosen])
    assert np.array_equal(hidden[~chosen], tokens[~chosen])
    assert 0.77 < (hidden[chosen] == 3).mean() < 0.83  # eight of ten become the mask


def test_the_shipped_encoder_reads_drugs_and_puts_like_beside_like():
    saved = load_encoder("encoder_small")
    # ibuprofen, naproxen (two profens), caffeine, theophylline (two xanthines)
    found, reasons = embed_smiles(saved, ["CC(C)Cc1ccc(cc1)C(C)C(=O)O", "COc1ccc2cc(ccc2c1)C(C)C(=O)O", CAFFEINE, "Cn1c(=O)c2[nH]cnc2n(C)c1=O"])
    assert reasons == ("",) * 4
    unit = (found - found.mean(0)) / np.linalg.norm(found - found.mean(0), axis=1, keepdims=True)
    near = unit @ unit.T
    assert min(near[0, 1], near[2, 3]) > near[:2, 2:].max()
    assert sum(file.stat().st_size for file in shipped_encoders()["encoder_small"].iterdir()) < 10e6
