"""The disturbance of the embeddings: its norm, its direction, and that nothing of it stays."""

import numpy as np
import pytest
import torch

from drugai.errors import ConfigError
from drugai.predictors import GNNConfig, LMConfig
from drugai.training import fit_on
from drugai.training.adversarial import EmbeddingAttack


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.Flatten(), torch.nn.Linear(8, 1))


def test_the_tables_move_along_the_gradient_by_epsilon_and_come_back():
    module = net()
    before = module[0].weight.detach().clone()
    codes = torch.tensor([[0, 1], [2, 3]])
    loss = (module(codes) ** 2).mean()
    loss.backward()
    gradient = module[0].weight.grad.clone()
    attack = EmbeddingAttack(module, 0.1)
    with attack():
        moved = module[0].weight.detach() - before
        assert (module(codes) ** 2).mean().item() > loss.item()  # the disturbance hurts
    assert float(torch.linalg.vector_norm(moved)) == pytest.approx(0.1, rel=1e-5)
    torch.testing.assert_close(moved, 0.1 * gradient / torch.linalg.vector_norm(gradient))
    assert torch.equal(module[0].weight, before)


def test_the_tables_come_back_when_the_step_fails():
    module = net()
    before = module[0].weight.detach().clone()
    module(torch.tensor([[0, 1]])).sum().backward()
    with pytest.raises(RuntimeError, match="failed"), EmbeddingAttack(module, 1.0)():
        raise RuntimeError("the step failed")
    assert torch.equal(module[0].weight, before)


def test_a_network_without_embeddings_or_a_negative_norm_is_refused():
    with pytest.raises(ConfigError, match="embeddings"):
        EmbeddingAttack(torch.nn.Linear(2, 1))
    with pytest.raises(ConfigError, match="positive"):
        EmbeddingAttack(net(), -1.0)
    with pytest.raises(ConfigError, match="0 or more"):
        GNNConfig(adversarial=-0.5)
    with pytest.raises(ConfigError, match="mode='full'"):
        LMConfig(mode="lora", adversarial=1.0)  # embeddings that are not learnt are not disturbed


GNN = GNNConfig(epochs=2).replace(**{"net.width": 16, "net.head_width": 16})
LM = LMConfig(epochs=1, head_width=0).replace(**{"net.layers": 2, "net.width": 32, "net.heads": 2, "net.inner": 64})


@pytest.mark.parametrize("start", [GNN, LM], ids=["gnn", "lm"])
def test_training_with_it_gives_another_network_and_is_repeatable(activity, parts, start):
    def fit(adversarial):
        config = start.replace(adversarial=adversarial)
        return fit_on(config, activity.take(parts.train), activity.take(parts.valid)).predict(activity.smiles[:10]).mean

    plain, first, second = fit(0.0), fit(1.0), fit(1.0)
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(plain, first)
