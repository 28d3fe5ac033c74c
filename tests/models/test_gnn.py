import numpy as np
import pytest
import torch

from drugai.contracts import Task
from drugai.featurizers.environments import atom_environments, bond_environments
from drugai.featurizers.graphs import collate, featurize_graphs
from drugai.models.environment_batch import to_environment_tensors
from drugai.models.gnn import ENCODERS, GIN, GNN, GNNNetConfig
from drugai.models.graph_batch import distinct_atoms, to_tensors
from drugai.models.heads import Heads

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here"))]
MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "CCO", "C", "O=C(O)c1ccccc1", "CCN(CC)CC", "Clc1ccccc1", "C1CCNCC1"]
SHAPES = [GNNNetConfig(encoder=encoder, width=32, head_width=16, pooling=pooling) for encoder in ENCODERS for pooling in ("mean", "sum", "mean_sum", "attention")]


def tensors(smiles, device="cpu"):
    return to_tensors(collate(featurize_graphs(smiles))).to(device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", SHAPES, ids=lambda config: f"{config.encoder}-{config.pooling}")
def test_batch_size_and_order_do_not_change_a_row(config, device):
    torch.manual_seed(0)
    network = GNN(config, 2).eval().to(device)
    with torch.no_grad():
        together = network(tensors(MOLECULES, device)).cpu()
        alone = torch.cat([network(tensors([smi], device)).cpu() for smi in MOLECULES])
        turned = network(tensors(MOLECULES[::-1], device)).cpu().flip(0)
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(together, turned, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_a_network_learns_eight_molecules_by_heart(encoder, device):
    torch.manual_seed(0)
    network = GNN(GNNNetConfig(encoder=encoder, width=32, head_width=32), 1).to(device)
    batch, y = tensors(MOLECULES, device), torch.linspace(-1, 1, 8, device=device)[:, None]
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(300):
        loss = ((network(batch) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 1e-2


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: f"{config.encoder}-{config.pooling}")
def test_every_tensor_of_a_step_lies_on_the_chosen_device(config):
    # on the meta device an operation with a tensor that stayed on the CPU fails, as it would on a GPU
    network = GNN(config, 2, extra=5).to("meta")
    batch = tensors(MOLECULES)
    batch = type(batch)(batch.atoms, batch.source, batch.target, batch.bonds, batch.molecule, batch.size, torch.zeros(8, 5)).to("meta")
    heads = Heads((Task("a", "regression"), Task("b", "binary"))).to("meta")
    loss = heads.loss(network(batch), torch.zeros(8, 2, device="meta"))
    loss.backward()
    assert all(parameter.grad is not None and parameter.grad.device.type == "meta" for parameter in network.parameters())


def test_gin_step_equals_torch_geometrics_gine_layer():
    from torch_geometric.nn import GINEConv

    torch.manual_seed(0)
    gin = GIN(GNNNetConfig(encoder="gin", width=16, depth=1)).eval()
    batch = tensors(MOLECULES)
    with torch.no_grad():
        kinds, which = distinct_atoms(batch.atoms)
        start = gin.atom(kinds)[which]
        layer = GINEConv(gin.mix[0], eps=0.0)
        expected = start + torch.relu(gin.norms[0](layer(start, torch.stack([batch.source, batch.target]), gin.bonds[0](batch.bonds))))
        assert torch.allclose(gin(batch), expected, atol=1e-6)


def test_distinct_atoms_give_back_every_atom():
    atoms = tensors(MOLECULES).atoms
    kinds, which = distinct_atoms(atoms)
    assert torch.equal(kinds[which], atoms)
    assert len(kinds) < len(atoms)


def test_missing_labels_give_no_gradient():
    heads = Heads((Task("a", "regression"), Task("b", "binary"), Task("c", "multiclass", n_classes=3)))
    outputs = torch.randn(4, heads.outputs, requires_grad=True)
    y = torch.tensor([[1.0, 0, 2], [torch.nan, 1, torch.nan], [torch.nan] * 3, [0.5, torch.nan, 0]])
    heads.loss(outputs, y).backward()
    assert (outputs.grad[2] == 0).all()
    assert outputs.grad[1, 0] == 0
    assert (outputs.grad[1, 2:] == 0).all()
    assert (outputs.grad[0] != 0).all()


def test_decoded_regression_is_on_the_tasks_scale():
    heads = Heads((Task("logS", "regression"),))
    heads.fit_scale(np.array([[1.0], [3.0], [np.nan]]))
    assert heads.decode(torch.tensor([[0.0], [1.0]])).flatten().tolist() == [2.0, 3.0]  # mean 2, standard deviation 1


@pytest.mark.parametrize("pooling", ["mean", "sum", "mean_sum", "attention"])
@pytest.mark.parametrize(("encoder", "fold"), [("gin", atom_environments), ("dmpnn", bond_environments)])
def test_distinct_environments_give_what_the_graphs_give(encoder, fold, pooling):
    torch.manual_seed(1)
    network = GNN(GNNNetConfig(encoder=encoder, width=32, depth=4, head_width=16, pooling=pooling), 2, extra=3).eval()
    smiles = MOLECULES * 3 + ["C", "[Na+].[Cl-]"]
    batch = collate(featurize_graphs(smiles))
    extra = torch.randn(len(smiles), 3)
    with torch.inference_mode():
        whole = network(to_tensors(batch, extra))
        folded = network(to_environment_tensors(fold(batch, 4), extra))
    assert whole.shape == folded.shape == (len(smiles), 2)
    assert torch.allclose(whole, folded, atol=1e-5)
    assert whole.std() > 1e-3


def test_distinct_environments_are_for_inference():
    found = to_environment_tensors(atom_environments(collate(featurize_graphs(MOLECULES)), 2))
    network = GNN(GNNNetConfig(encoder="gin", width=16, depth=2), 1).train()
    with pytest.raises(RuntimeError, match="eval"):
        network(found)
    with pytest.raises(TypeError, match="AttentiveFP"):
        GNN(GNNNetConfig(encoder="attentivefp", width=16, depth=2), 1).eval()(found)
