"""Graph neural networks for whole-molecule properties, readable from top to bottom.

Three encoders share the interface: the directed message-passing network of chemprop, the graph isomorphism network with edge features, and AttentiveFP of
torch-geometric. They take tensors in torch-geometric's layout; the two that screening relies on are written in torch alone, because importing
torch-geometric costs as much CPU time as predicting thousands of molecules (see docs/explanation/decisions).

Source:
    D-MPNN: Yang et al., J. Chem. Inf. Model. 2019, 59, 3370 (10.1021/acs.jcim.9b00237).
    GIN with edge features: Hu et al., ICLR 2020 (arXiv:1905.12265).
    AttentiveFP: Xiong et al., J. Med. Chem. 2020, 63, 8749 (10.1021/acs.jmedchem.9b00959).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.featurizers.graphs import BOND_CODES
from drugai.models.environment_batch import EnvironmentTensors, by_rows, sum_sources
from drugai.models.graph_batch import GraphTensors, atom_embedding, bond_embedding, distinct_atoms, softmax_by, sum_by


@dataclass(frozen=True)
class GNNNetConfig(Config):
    """Shape of a graph network and its head."""

    encoder: str = tunable("dmpnn", choices=("dmpnn", "gin", "attentivefp"), help="how messages are passed")
    width: int = tunable(300, 64, 512, step=32, help="width of hidden states")
    depth: int = tunable(3, 2, 6, help="message-passing steps")
    pooling: str = tunable("mean", choices=("mean", "sum", "mean_sum", "attention"), help="how atoms become a molecule")
    head_width: int = tunable(300, 64, 512, step=32, help="width of the head's hidden layers")
    head_depth: int = tunable(1, 1, 3, help="hidden layers of the head")
    dropout: float = tunable(0.0, 0.0, 0.4, help="dropout in encoder and head")

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.width, self.depth, self.head_width) < 1 or self.head_depth < 0 or not 0 <= self.dropout < 1:
            raise ConfigError(f"{type(self).__name__}: width, depth and head_width must be at least 1 and dropout in [0, 1); got {self.to_dict()}")


class DMPNN(nn.Module):
    """Messages live on directed bonds and never flow straight back."""

    def __init__(self, config: GNNNetConfig) -> None:
        super().__init__()
        d = config.width
        self.width, self.depth = d, config.depth
        self.atom = atom_embedding(d)
        self.bond = bond_embedding(d)
        self.message = nn.Linear(d, d, bias=False)
        self.atom_out = atom_embedding(d)
        self.update = nn.Linear(d, d)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, graphs: GraphTensors) -> torch.Tensor:
        """``[V, d]`` states of the atoms."""
        kinds, which = distinct_atoms(graphs.atoms)
        # W_i [x_v ; e_vw] of the paper is a sum of two look-ups, because the inputs are codes
        # index_select and work in place: a fifth of the time on a CPU goes into copies otherwise
        start = self.atom(kinds).index_select(0, which.index_select(0, graphs.source)).add_(self.bond(graphs.bonds))  # [E, d]
        hidden = torch.relu(start)
        n_atoms = graphs.atoms.shape[0]
        for _ in range(self.depth - 1):
            into = sum_by(hidden, graphs.target, n_atoms).index_select(0, graphs.source)  # [E, d]
            pairs, back = into.view(-1, 2, self.width), hidden.view(-1, 2, self.width)  # the reverse of edge 2k is 2k + 1
            pairs[:, 0].sub_(back[:, 1])
            pairs[:, 1].sub_(back[:, 0])
            hidden = self.dropout(self.message(into).add_(start).relu_())
        into = sum_by(hidden, graphs.target, n_atoms)
        states: torch.Tensor = self.dropout(self.update(into).add_(self.atom_out(kinds).index_select(0, which)).relu_())
        return states

    def distinct(self, found: EnvironmentTensors) -> torch.Tensor:
        """``[K, d]`` states of the distinct environments, without dropout; ``found`` by :func:`~drugai.featurizers.environments.bond_environments`."""
        start = self.atom(found.kinds).index_select(0, found.pairs[:, 0]).add_(self.bond(found.pairs[:, 1]))  # [P, d]
        hidden = torch.relu(start)
        for step in found.steps[:-1]:
            hidden = by_rows(self.message, sum_sources(hidden, step)).add_(start.index_select(0, step.own)).relu_()
        last = found.steps[-1]
        return by_rows(self.update, sum_sources(hidden, last)).add_(self.atom_out(found.kinds).index_select(0, last.own)).relu_()


class GIN(nn.Module):
    """Each step adds the neighbours' states, bent by the bond, and mixes them in a small perceptron."""

    def __init__(self, config: GNNNetConfig) -> None:
        super().__init__()
        d = config.width
        self.width = d
        self.atom = atom_embedding(d)
        self.bonds = nn.ModuleList(bond_embedding(d) for _ in range(config.depth))
        self.mix = nn.ModuleList(nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, d)) for _ in range(config.depth))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(config.depth))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, graphs: GraphTensors) -> torch.Tensor:
        """``[V, d]`` states of the atoms."""
        kinds, which = distinct_atoms(graphs.atoms)
        states = self.atom(kinds).index_select(0, which)  # [V, d]
        for bond, mix, norm in zip(self.bonds, self.mix, self.norms, strict=True):
            messages = states.index_select(0, graphs.source).add_(bond(graphs.bonds)).relu_()  # [E, d]
            gathered = states.clone().index_add_(0, graphs.target, messages)
            states = states + self.dropout(norm(mix(gathered)).relu_())
        return states

    def distinct(self, found: EnvironmentTensors) -> torch.Tensor:
        """``[K, d]`` states of the distinct environments, without dropout; ``found`` by :func:`~drugai.featurizers.environments.atom_environments`."""
        states = self.atom(found.kinds)
        for step, bond, mix, norm in zip(found.steps, self.bonds, self.mix, self.norms, strict=True):
            own = states.index_select(0, step.own)
            messages = states.index_select(0, step.source).add_(bond(step.bonds)).relu_()
            gathered = own.clone().index_add_(0, step.target, messages)
            states = by_rows(lambda rows, mix=mix, norm=norm: norm(mix(rows)).relu_(), gathered).add_(own)  # type: ignore[misc]
        return states


class AttentiveFP(nn.Module):
    """torch-geometric's AttentiveFP layers over our codes; imports torch-geometric when built."""

    def __init__(self, config: GNNNetConfig) -> None:
        super().__init__()
        from torch_geometric.nn import GATConv
        from torch_geometric.nn.models.attentive_fp import GATEConv

        d = config.width
        self.width = d
        self.atom = atom_embedding(d)
        self.bond = bond_embedding(d)
        self.first = GATEConv(d, d, d, config.dropout)
        self.first_gru = nn.GRUCell(d, d)
        self.convs = nn.ModuleList(GATConv(d, d, dropout=config.dropout, add_self_loops=False, negative_slope=0.01) for _ in range(config.depth - 1))
        self.grus = nn.ModuleList(nn.GRUCell(d, d) for _ in range(config.depth - 1))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, graphs: GraphTensors) -> torch.Tensor:
        """``[V, d]`` states of the atoms."""
        kinds, which = distinct_atoms(graphs.atoms)
        states = nn.functional.leaky_relu(self.atom(kinds)[which], 0.01)
        edges = torch.stack([graphs.source, graphs.target])
        message = nn.functional.elu(self.first(states, edges, self.bond(graphs.bonds)))
        states = torch.relu(self.first_gru(self.dropout(message), states))
        for conv, gru in zip(self.convs, self.grus, strict=True):
            states = torch.relu(gru(self.dropout(nn.functional.elu(conv(states, edges))), states))
        return states


ENCODERS = {"dmpnn": DMPNN, "gin": GIN, "attentivefp": AttentiveFP}


class Pooling(nn.Module):
    """Atoms → molecules: mean, sum (divided by 20, so that states stay of order one), both side by side, or a gated attention. No atoms → zeros.

    Some properties grow with the molecule (solubility), some belong to its kind (activity): mean and sum together serve both.
    """

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.kind = kind
        self.gate = nn.Sequential(nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 4)) if kind == "attention" else None
        parts = {"attention": 4, "mean_sum": 2}.get(kind, 0)
        self.out = nn.Linear(parts * width, width) if parts else None

    def forward(self, states: torch.Tensor, graphs: GraphTensors | EnvironmentTensors) -> torch.Tensor:
        """States ``[V, d]`` of atoms, or ``[K, d]`` of distinct environments → ``[B, d]``, summed in float32."""
        states = states.float()
        if self.gate is not None:
            weights = self.gate(states).float()  # [V, 4]
            if isinstance(graphs, EnvironmentTensors):
                states, weights = states.index_select(0, graphs.which), weights.index_select(0, graphs.which)
            weights = softmax_by(weights, graphs.molecule, graphs.size)
            pooled = sum_by((weights[:, :, None] * states[:, None, :]).flatten(1), graphs.molecule, graphs.size)  # [B, 4 d]
        else:
            if isinstance(graphs, EnvironmentTensors):
                summed = nn.functional.embedding_bag(graphs.which, states, graphs.first, mode="sum")
                counts = torch.diff(graphs.first, append=graphs.first.new_tensor([len(graphs.which)]))[:, None].float()
            else:
                summed = sum_by(states, graphs.molecule, graphs.size)
                counts = sum_by(torch.ones_like(states[:, :1]), graphs.molecule, graphs.size)
            if self.kind == "sum":
                return summed / 20.0
            mean = summed / counts.clamp_min(1.0)
            if self.out is None:
                return mean
            pooled = torch.cat([mean, summed / 20.0], dim=1)  # [B, 2 d]
        assert self.out is not None
        mixed: torch.Tensor = self.out(pooled.to(self.out.weight.dtype)).float()
        return mixed


class GNN(nn.Module):
    """Encoder, pooling, whole-molecule features and head: graphs → ``[B, outputs]``.

    Args:
        config: Shape.
        outputs: Columns of the head (one a regression or binary task, the classes of a multiclass task).
        extra: Width of whole-molecule features joined to the pooled state (0: none).
    """

    def __init__(self, config: GNNNetConfig, outputs: int, extra: int = 0) -> None:
        super().__init__()
        self.encoder = ENCODERS[config.encoder](config)
        self.pooling = Pooling(config.pooling, config.width)
        layers: list[nn.Module] = []
        width = config.width + extra
        for _ in range(config.head_depth):
            layers += [nn.Dropout(config.dropout), nn.Linear(width, config.head_width), nn.ReLU()]
            width = config.head_width
        layers += [nn.Dropout(config.dropout), nn.Linear(width, outputs)]
        self.head = nn.Sequential(*layers)
        self.width = config.width

    def encode(self, graphs: GraphTensors | EnvironmentTensors) -> torch.Tensor:
        """``[B, d]`` the molecules' embeddings, without the extra features."""
        if isinstance(graphs, EnvironmentTensors):
            if self.training:
                raise RuntimeError("distinct environments are for inference: dropout would strike all atoms of an environment alike; call eval() first")
            if not isinstance(self.encoder, (DMPNN, GIN)):
                raise TypeError(f"{type(self.encoder).__name__} has no form over distinct environments; give it the graphs themselves")
            states = self.encoder.distinct(graphs)
        else:
            states = self.encoder(graphs)
        pooled: torch.Tensor = self.pooling(states, graphs)
        return pooled

    def forward(self, graphs: GraphTensors | EnvironmentTensors) -> torch.Tensor:
        """``[B, outputs]`` in float32: standardized values, or logits."""
        return self.finish(self.encode(graphs), graphs.extra)

    def finish(self, pooled: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """``[B, outputs]`` from embeddings ``[B, d]`` and whole-molecule features ``[B, x]``."""
        if extra is not None:
            pooled = torch.cat([pooled, extra.to(pooled.dtype)], dim=1)
        # the head's weights may be bfloat16 (fast inference): its input follows, its output is float32 again
        first = next(parameter for parameter in self.head.parameters())
        answer: torch.Tensor = self.head(pooled.to(first.dtype)).float()
        return answer


__all__ = ["BOND_CODES", "DMPNN", "ENCODERS", "GIN", "GNN", "AttentiveFP", "GNNNetConfig", "Pooling"]
