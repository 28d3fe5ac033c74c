"""Fine-tuning of language models: what is learnt in each mode, tokens that are lacking, two spellings held together, pre-training that resumes."""

import json
import logging

import numpy as np
import pytest
import torch

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError, DatasetError
from drugai.featurizers.molecule_store import build_store
from drugai.featurizers.sequences import VocabularyReader
from drugai.models.encoder_store import SavedEncoder, load_encoder
from drugai.models.smiles_encoder import EncoderConfig
from drugai.predictors import LMConfig, explain, load_predictor
from drugai.training.fit import fit_on, model_config, model_names
from drugai.training.loop import LoopConfig
from drugai.training.pretraining import PretrainConfig, fit_encoder, pretrain_encoder
from drugai.training.rows import batch_of

NET = EncoderConfig(layers=2, width=32, heads=2, inner=64)
TINY = {"net.layers": 2, "net.width": 32, "net.heads": 2, "net.inner": 64, "head_width": 0, "epochs": 2}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, activity):
    saved = SavedEncoder.untrained(NET, VocabularyReader.of(batch_of(activity).canonical), seed=5)
    return str(saved.save(tmp_path_factory.mktemp("encoder") / "tiny"))


def weights(path):
    return dict(load_encoder(path).encoder.named_parameters())


def test_the_model_has_a_name_and_tunable_fields():
    assert "lm" in model_names()
    assert model_config("lm", {"mode": "lora"}).mode == "lora"
    assert {"head_width", "learning_rate", "layer_decay", "net.layers"} <= set(LMConfig.ranges())
    with pytest.raises(ConfigError, match="needs a pre-trained encoder"):
        LMConfig(mode="frozen")
    with pytest.raises(ConfigError, match="thaw"):
        LMConfig(mode="lora", thaw=2)


def test_it_overfits_eight_molecules():
    smiles = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "CCCCCC", "c1ccncc1", "CCOC(C)=O", "NC(N)=O"] * 4
    data = Dataset("eight", tuple(smiles), np.tile(np.arange(8, dtype=np.float32), 4)[:, None], (Task("y", "regression"),))
    model = fit_on(LMConfig(epochs=60, learning_rate=3e-3, dropout=0.0, average=0.0, batch_size=16).replace(**{**TINY, "epochs": 60}), data, data.take(range(8)))
    assert np.abs(model.predict(smiles[:8]).mean[:, 0] - np.arange(8)).max() < 0.7


@pytest.mark.parametrize("mode", ["frozen", "lora", "full"])
def test_a_mode_changes_what_it_says(mode, encoder, activity, parts):
    model = fit_on(LMConfig(encoder=encoder, mode=mode).replace(**TINY), activity.take(parts.train), activity.take(parts.valid))
    old = weights(encoder)
    changed = {name for name, value in model.networks[0].encoder.named_parameters() if not torch.equal(value, old[name])}
    if mode == "frozen":
        assert not changed
    elif mode == "lora":
        assert changed == {name for name in old if ".layers." in name and name.endswith(("Wqkv.weight", "Wi.weight", "Wo.weight"))}
    else:
        assert changed == set(old)
    assert not any("low" in type(module).__name__.lower() for module in model.networks[0].modules())


def test_gradual_unfreezing_thaws_from_the_top(encoder, activity, parts):
    config = LMConfig(encoder=encoder, thaw=1, average=0.0).replace(**{**TINY, "epochs": 2})
    model = fit_on(config, activity.take(parts.train), activity.take(parts.train))  # epoch 0: the head; epoch 1: what lies above the layers
    old = weights(encoder)
    changed = {name for name, value in model.networks[0].encoder.named_parameters() if not torch.equal(value, old[name])}
    assert changed <= {"trunk.final_norm.weight"}
    model = fit_on(config.replace(epochs=3), activity.take(parts.train), activity.take(parts.train))
    changed = {name for name, value in model.networks[0].encoder.named_parameters() if not torch.equal(value, old[name])}
    assert changed
    assert all("layers.1." in name or "final_norm" in name for name in changed)


def test_missing_labels_give_no_gradient_and_a_killed_run_continues(mixed, parts, tmp_path):
    config = LMConfig().replace(**{**TINY, "epochs": 3})
    train, valid = mixed.take(parts.train), mixed.take(parts.valid)
    whole = fit_on(config, train, valid, seed=1)

    class Killed(Exception):
        pass

    def stop(epoch, _scores):
        if epoch == 1:
            raise Killed

    import drugai.training.loop as loop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.time, "monotonic", iter(np.arange(0, 1e6, 20.0).tolist()).__next__)  # every epoch is old enough for a checkpoint
        with pytest.raises(Killed):
            fit_on(config, train, valid, seed=1, checkpoint=tmp_path / "run", on_epoch=stop)
    assert any((tmp_path / "run").rglob("checkpoint.safetensors"))
    again = fit_on(config, train, valid, seed=1, checkpoint=tmp_path / "run")
    assert np.allclose(whole.predict(mixed.smiles[:20]).mean, again.predict(mixed.smiles[:20]).mean, atol=1e-6)


def test_training_molecules_with_a_token_that_the_vocabulary_lacks(encoder, activity, parts, caplog):
    odd = "CC.[U]"
    train = Dataset("odd", (*activity.take(parts.train).smiles, odd), np.append(activity.take(parts.train).y, [[5.0]], axis=0), activity.tasks)
    valid = activity.take(parts.valid)
    start = LMConfig(encoder=encoder).replace(**{**TINY, "epochs": 1})
    with pytest.raises(DatasetError, match=r"1 training molecules cannot be spelled.*CC.\[U\].*no token \[U\]"):
        fit_on(start.replace(unknown="refuse"), train, valid)
    with caplog.at_level(logging.WARNING, logger="drugai"):
        left = fit_on(start.replace(unknown="leave_out"), train, valid)
    assert "CC.[U]" in caplog.text
    assert "no token [U]" in caplog.text
    assert left.record["left_out"] == {"E_FEATURIZE": 1}
    assert left.predict([odd]).reasons == ("E_FEATURIZE: the encoder's vocabulary has no token [U]",)
    learnt = fit_on(start, train, valid)
    assert learnt.predict([odd]).reasons == ("",)
    assert np.isfinite(learnt.predict([odd]).mean).all()


def test_embeddings_have_a_row_a_molecule_and_do_not_depend_on_the_spelling(encoder, activity, parts, tmp_path):
    model = fit_on(LMConfig(encoder=encoder, mode="frozen").replace(**TINY), activity.take(parts.train), activity.take(parts.valid))
    found, reasons = model.embed(["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc", "OC(=O)c1ccccc1OC(C)=O"])  # aspirin twice
    assert found.shape == (3, 32)
    assert np.isnan(found[1]).all()
    assert reasons[1].startswith("E_PARSE")
    assert np.allclose(found[0], found[2], atol=1e-6)
    assert np.allclose(load_predictor(model.save(tmp_path / "model")).embed(["CCO"])[0], model.embed(["CCO"])[0], atol=1e-6)


def test_consistency_draws_spellings_together(activity, parts):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    smiles = list(activity.take(parts.test).smiles)[:25]
    spread = {}
    for weight in (0.0, 4.0):
        config = LMConfig(consistency=weight, learning_rate=2e-3).replace(**{**TINY, "epochs": 12})
        spread[weight] = float(np.nanmean(fit_on(config, train, valid).spelling_spread(smiles, k=6)))
    assert spread[4.0] < spread[0.0]


def test_an_atom_is_explained_by_hiding_its_token(encoder, activity, parts):
    model = fit_on(LMConfig(encoder=encoder).replace(**TINY), activity.take(parts.train), activity.take(parts.valid))
    found = explain(model, ["OCC", "c1ccccc", "Clc1ccccc1"])
    assert [len(one.atoms) for one in found] == [3, 0, 7]
    assert np.isfinite(found[2].atoms).all()
    assert found[0].prediction == pytest.approx(float(model.predict(["CCO"]).mean[0, 0]), abs=1e-4)
    hidden = model.predict_hidden("OCC", [(0,)])  # the oxygen of ethanol, the third token of CCO
    row = model.reader.vocabulary.encode("CCO").astype(np.int64)
    row[2] = model.reader.mask
    with torch.inference_mode():
        own = model.heads.decode(model.networks[0](torch.from_numpy(row[None])))
    assert hidden[0, 0, 0] == pytest.approx(float(own[0, 0]), abs=1e-5)


def corpus(tmp_path, activity):
    from drugai.featurizers.enumeration import enumerate_smiles

    smiles = sorted({smi for row in enumerate_smiles(activity.smiles, 3) for smi in row})
    (tmp_path / "corpus.smi").write_text("\n".join([*smiles, "c1ccccc"]) + "\n")
    return tmp_path / "corpus.smi"


@pytest.mark.slow
def test_pretraining_lowers_the_held_out_loss_and_a_stopped_run_ends_the_same(tmp_path, activity):
    store = build_store([corpus(tmp_path, activity)], tmp_path / "store")
    config = PretrainConfig(net=NET, batch=32, chapter=240, loop=LoopConfig(epochs=2, learning_rate=3e-3))
    seen = []
    whole = fit_encoder(config, store, seed=2, on_epoch=lambda epoch, scores: seen.append(scores))
    assert seen[-1]["masked"] < seen[0]["masked"]
    assert seen[-1]["descriptors"] < seen[0]["descriptors"]
    calls = []
    stopped = fit_encoder(config, store, seed=2, checkpoint=tmp_path / "run", should_stop=lambda: calls.append(0) or len(calls) == 6)
    assert stopped.record["history"]["stopped"] == "asked"
    again = fit_encoder(config, store, seed=2, checkpoint=tmp_path / "run")
    for name, value in whole.encoder.state_dict().items():
        assert torch.allclose(value, again.encoder.state_dict()[name], atol=1e-6), name


def test_pretraining_writes_a_folder_a_curve_and_what_it_could_not_read(tmp_path, activity):
    file = corpus(tmp_path, activity)
    config = PretrainConfig(net=NET, batch=64, chapter=200, targets=("masked",), respell=False, loop=LoopConfig(epochs=1))
    run = pretrain_encoder([file], tmp_path / "encoder", config=config, precision="bf16")
    assert run.sources[0]["left_out"]["E_PARSE"] == 1
    curve = [json.loads(line) for line in (tmp_path / "encoder.run" / "curve.jsonl").read_text().splitlines()]
    assert [entry["chapter"] for entry in curve] == list(range(len(curve)))
    record = load_encoder(tmp_path / "encoder").record
    assert record["corpus"]["sources"][0]["file"] == "corpus.smi"
    assert len(record["history"]["epochs"]) == len(curve)
    with pytest.raises(DatasetError, match="at least 200"):
        pretrain_encoder([file], tmp_path / "other", limit=100)
    with pytest.raises(ConfigError, match="masked comes first"):
        PretrainConfig(targets=("bits",))


def test_values_of_which_a_lower_bound_is_known_lift_predictions(activity, parts):
    from drugai.data.bounds import bound_names

    train, valid = activity.take(parts.train), activity.take(parts.valid)
    y = train.y.copy()
    y[::2] = np.nan
    low, high = bound_names(train.tasks[0].name)
    columns = {low: np.where(np.isnan(y[:, 0]), 12.0, np.nan).astype(np.float32), high: np.full(len(y), np.nan, np.float32)}
    config = LMConfig(learning_rate=3e-3, average=0.0).replace(**{**TINY, "epochs": 6})
    said = {}
    for name, extra in (("bounds", columns), ("dropped", {})):
        model = fit_on(config, Dataset("censored", train.smiles, y, train.tasks, columns=extra), valid)
        assert "bound alone" not in model.record["left_out"]
        said[name] = float(model.predict(train.smiles[::2]).mean.mean())
    assert said["bounds"] > said["dropped"] + 0.1


def test_every_config_that_a_study_may_propose_is_one():
    random = np.random.default_rng(0)

    def drawn(key, found):
        if found.choices:
            return found.choices[random.integers(len(found.choices))]
        value = random.uniform(found.low, found.high)
        value = found.low + found.step * round((value - found.low) / found.step) if found.step else value
        return round(value) if key in ("net.layers", "net.width", "net.inner") else value

    for _ in range(50):
        values = {key: drawn(key, found) for key, found in LMConfig.ranges().items()}
        made = LMConfig().replace(**values).to_dict()
        assert made["mode"] == "full"
        assert {key: made["net"][key.removeprefix("net.")] if key.startswith("net.") else made[key] for key in values} == values
