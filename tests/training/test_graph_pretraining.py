"""Graph networks taught without labels: the loss falls, a stopped run ends the same, and a predictor starts from the folder."""

import numpy as np
import pytest
import torch

from drugai.errors import ArtifactError, DatasetError
from drugai.featurizers.molecule_store import build_store
from drugai.models.gnn import GNNNetConfig
from drugai.models.graph_pretraining import hide_atoms, load_graph_encoder
from drugai.predictors import GNNConfig, LMConfig, embed, load_predictor
from drugai.training.fit import fit_on
from drugai.training.graph_pretraining import GraphPretrainConfig, fit_graph_encoder, pretrain_graph
from drugai.training.loop import LoopConfig

NET = GNNNetConfig(encoder="gin", width=32, depth=2, head_width=32, pooling="mean_sum")
CONFIG = GraphPretrainConfig(net=NET, batch=32, chapter=250, loop=LoopConfig(epochs=6, learning_rate=5e-3))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    import drugai

    file = tmp_path_factory.mktemp("corpus") / "corpus.smi"
    file.write_text("\n".join([*drugai.read_dataset("chembl2321810").smiles[:500], "c1ccccc"]) + "\n")
    return file


def test_hidden_atoms_are_a_share_and_at_least_one_of_each_molecule():
    n_atoms = np.random.default_rng(0).integers(1, 40, 200)
    chosen = hide_atoms(n_atoms, 0.15, np.random.default_rng(1))
    first = np.concatenate([[0], np.cumsum(n_atoms)[:-1]])
    assert (np.add.reduceat(chosen, first) >= 1).all()
    assert 0.14 < chosen.mean() < 0.22


@pytest.mark.slow
def test_the_loss_falls_and_a_stopped_run_ends_the_same(corpus, tmp_path):
    store = build_store([corpus], tmp_path / "store")
    seen = []
    whole, _ = fit_graph_encoder(CONFIG, store, on_epoch=lambda epoch, scores: seen.append(scores))
    assert seen[-1]["descriptors"] < 0.95 * seen[0]["descriptors"]
    assert seen[-1]["bits"] < seen[0]["bits"]
    assert seen[-1]["masked"] < seen[0]["masked"]
    calls = []
    _, history = fit_graph_encoder(CONFIG, store, checkpoint=tmp_path / "run", should_stop=lambda: calls.append(0) or len(calls) == 20)
    assert history.stopped == "asked"
    again, _ = fit_graph_encoder(CONFIG, store, checkpoint=tmp_path / "run")
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, again.state_dict()[name], atol=1e-6), name


def test_a_predictor_starts_from_the_folder_and_no_longer_needs_it(corpus, activity, parts, tmp_path):
    run = pretrain_graph([corpus], tmp_path / "graph", config=CONFIG.replace(**{"loop.epochs": 1}), precision="bf16")
    assert run.sources[0]["left_out"] == {"E_PARSE": 1}
    encoder = load_graph_encoder(tmp_path / "graph")
    trunk = encoder.trunk
    assert encoder.config == NET
    assert encoder.record["corpus"]["molecules"] == 500
    config = GNNConfig(encoder=str(tmp_path / "graph"), encoder_rate=0.0, epochs=2, average=0.0)
    model = fit_on(config, activity.take(parts.train), activity.take(parts.valid))
    assert model.config.net.width == 32
    for name, value in trunk.items():
        assert torch.equal(model.networks[0].state_dict()[name], value), name
    states = embed(tmp_path / "graph", ["CCO", "c1ccccc", "c1ccccc1O"])  # by the encoder alone, as the model with the frozen one has them
    assert np.isnan(states[1]).all()
    assert np.allclose(states[[0, 2]], model.embed(["CCO", "c1ccccc1O"])[0], atol=1e-5)
    learnt = fit_on(config.replace(encoder_rate=0.3), activity.take(parts.train), activity.take(parts.valid))
    assert any(not torch.equal(learnt.networks[0].state_dict()[name], value) for name, value in trunk.items() if value.is_floating_point())
    model.save(tmp_path / "model")
    (tmp_path / "graph").rename(tmp_path / "gone")
    assert np.allclose(load_predictor(tmp_path / "model").predict(activity.smiles[:5]).mean, model.predict(activity.smiles[:5]).mean, atol=1e-5)


def test_a_folder_of_the_other_kind_and_a_small_corpus_are_refused(corpus, activity, parts, tmp_path):
    with pytest.raises(DatasetError, match="at least 200"):
        pretrain_graph([corpus], tmp_path / "small", config=CONFIG, limit=50)
    pretrain_graph([corpus], tmp_path / "graph", config=CONFIG.replace(**{"loop.epochs": 1}))
    with pytest.raises(ArtifactError, match="holds a graph_encoder, expected a encoder"):
        fit_on(LMConfig(encoder=str(tmp_path / "graph")), activity.take(parts.train), activity.take(parts.valid))
    with pytest.raises(ArtifactError, match="no saved model"):
        fit_on(GNNConfig(encoder=str(tmp_path / "nowhere")), activity.take(parts.train), activity.take(parts.valid))
