"""Chemical language models as predictors: an encoder that reads SMILES, and a head for the tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rdkit import Chem

from drugai.config import Config, setting, tunable
from drugai.contracts import Task
from drugai.errors import ConfigError
from drugai.featurizers.enumeration import enumerate_smiles
from drugai.featurizers.sequences import SmilesReader, VocabularyReader, batches_by_length, pad_rows, reader_from_text
from drugai.featurizers.tokens import Encoded, split_smiles
from drugai.models.encoder_store import rebuild
from drugai.models.heads import Heads
from drugai.models.smiles_encoder import EncoderConfig, PropertyHead, PropertyNetwork
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.packing import Packed, Stored, write_tasks

SPELLING_SEED = 0
"""Spellings at prediction are the same in every call: a molecule has one value."""


@dataclass(frozen=True)
class LMConfig(Config):
    """An encoder of SMILES with a head, and how it is fine-tuned."""

    kind = "lm"

    encoder: str = setting("", help="pre-trained encoder: a folder of `drugai pretrain encoder`, a shipped name, a Hugging Face folder or owner/name; empty: random weights of shape net")
    net: EncoderConfig = field(default_factory=EncoderConfig)
    mode: str = setting("full", choices=("full", "lora", "frozen"), help="what is learnt besides the head: every weight, low-rank updates, nothing")
    rank: int = setting(8, help="rank of the low-rank updates")
    thaw: int = setting(0, help="gradual unfreezing: epochs after which one more layer, from the top, is learnt (0: all from the first epoch)")
    layer_decay: float = tunable(0.9, 0.6, 1.0, help="learning rate of a layer as a share of that above it")
    head_width: int = tunable(128, choices=(0, 64, 128, 256), help="hidden layer of the head (0: linear)")
    dropout: float = tunable(0.1, 0.0, 0.4, help="dropout of the head")
    respell: bool = setting(True, help="another random spelling of a molecule in every epoch")
    consistency: float = setting(0.0, help="weight of the squared difference between the outputs of two spellings (0: one spelling is read)")
    spellings: int = setting(0, help="random spellings over which a prediction is averaged (0: the canonical SMILES alone)")
    unknown: str = setting("extend", choices=("extend", "leave_out", "refuse"), help="a training molecule with a token that the vocabulary lacks: learn the token (our vocabularies), leave it out, or stop")
    members: int = setting(1, help="networks with different seeds, averaged; two or more give a standard deviation")
    batch_size: int = tunable(32, choices=(16, 32, 64), help="molecules a step")
    epochs: int = setting(20, help="most passes over the training part; for mode frozen five times as many of the head, which cost nothing")
    minutes: float = setting(0.0, help="most time; the learning rate then falls with whichever of epochs and time runs faster (0: no limit)")
    patience: int = setting(0, help="epochs without a better validation score before training ends (0: all epochs; the best is kept)")
    learning_rate: float = tunable(5e-4, 5e-5, 3e-3, log=True, help="peak learning rate of AdamW")
    weight_decay: float = tunable(1e-2, 1e-5, 1e-1, log=True, help="decoupled weight decay")
    warmup: float = setting(0.1, help="share of the run over which the rate rises")
    average: float = setting(0.99, help="decay of the moving average of the weights (0: none)")
    loss: str = tunable("mse", choices=("mse", "huber", "mae"), help="loss of regression tasks")
    adversarial: float = setting(0.0, help="norm of the disturbance of the embeddings that each step also learns from, for example 1 (0: none); a step costs twice as much")
    precision: str = setting("auto", choices=("auto", "fp32", "bf16"), help="of training; auto: bf16 on a GPU that has it")
    device: str = setting("auto", help="auto, cpu, cuda …")

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.members, self.epochs, self.batch_size, self.rank) < 1 or min(self.thaw, self.spellings, self.head_width) < 0 or self.consistency < 0:
            raise ConfigError(
                f"LMConfig: members, epochs, batch_size and rank must be at least 1, and thaw, spellings, head_width and consistency not negative; got {self.to_dict()}"
            )
        if self.adversarial < 0 or (self.adversarial and self.mode != "full"):
            raise ConfigError(f"LMConfig: adversarial is the norm of a disturbance of embeddings that are learnt: 0 or more, with mode='full'; got {self.adversarial}, mode={self.mode!r}")
        if self.mode == "frozen" and not self.encoder:
            raise ConfigError("LMConfig: mode='frozen' needs a pre-trained encoder; name one with encoder=… or choose mode='full'")
        if self.mode == "frozen" and self.consistency:
            raise ConfigError("LMConfig: consistency is learnt by the encoder; with mode='frozen' it cannot be")
        if self.thaw and self.mode != "full":
            raise ConfigError(f"LMConfig: thaw unfreezes layers of mode='full'; got mode={self.mode!r}")


class LanguagePredictor(TrainedPredictor):
    """m networks that read the canonical SMILES, or several spellings, of a molecule; their outputs are averaged."""

    def __init__(
        self,
        tasks: Sequence[Task],
        config: LMConfig,
        networks: Sequence[PropertyNetwork],
        reader: SmilesReader,
        shape: Mapping[str, Any],
        heads: Heads,
        record: dict[str, Any] | None = None,
        device: str = "cpu",
    ) -> None:
        self.tasks = tuple(tasks)
        self.config = config
        self.networks = [network.eval().to(device) for network in networks]
        self.reader, self.shape = reader, dict(shape)
        self.heads = heads.to(device)
        self.record = dict(record or {})
        self.device = device
        self.cost = 4000.0 * len(self.networks) * max(1, config.spellings)

    def to(self, device: str | None = None, precision: str | None = None) -> LanguagePredictor:
        """Move the networks to a device, in place; they compute in ``fp32`` alone (bfloat16 gains a small transformer nothing on a processor)."""
        if precision not in (None, "fp32"):
            raise ConfigError(f"precision {precision!r}: language models compute in fp32")
        self.device = device or self.device
        device = self.device
        self.networks = [network.to(device) for network in self.networks]
        self.heads = self.heads.to(device)
        return self

    def featurize(self, batch: MoleculeBatch) -> None:
        """The canonical SMILES."""
        batch.canonical  # noqa: B018 - computed and kept

    def predict_members(self, batch: MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[m, n, o]`` and n reasons."""
        if self.config.spellings:
            return self.predict_spellings(batch, self.config.spellings, SPELLING_SEED).mean(0), self._reasons(batch, self.reader.read(batch.canonical))
        encoded = self.reader.read(batch.canonical)
        return self.predict_rows(encoded), self._reasons(batch, encoded)

    def predict_spellings(self, molecules: Sequence[str] | MoleculeBatch, k: int, seed: int = 0) -> np.ndarray:
        """``[k, m, n, o]``: what the networks say of k random spellings of each of n molecules, for averages and for how far they differ.

        A spelling that the vocabulary cannot write is read as the canonical SMILES; rows of molecules with a reason hold zeros.
        """
        batch = MoleculeBatch.of(molecules)
        found = enumerate_smiles(batch, k, seed)
        outputs = []
        for number in range(k):
            texts = [spelled[number] if spelled else "" for spelled in found]
            encoded = self.reader.read(texts)
            texts = [canonical if why else text for text, canonical, why in zip(texts, batch.canonical, encoded.reasons, strict=True)]
            outputs.append(self.predict_rows(encoded if not any(encoded.reasons) else self.reader.read(texts)))
        return np.stack(outputs)

    def spelling_spread(self, molecules: Sequence[str] | MoleculeBatch, k: int = 10, seed: int = 0) -> np.ndarray:
        """``[n, o]`` standard deviation of the prediction over k random spellings (members averaged), NaN for an unreadable molecule: 0 would be a model that sees the molecule alone."""
        batch = MoleculeBatch.of(molecules)
        spread: np.ndarray = self.predict_spellings(batch, k, seed).mean(1).std(0, ddof=1)
        spread[[bool(why) for why in self._reasons(batch, self.reader.read(batch.canonical))]] = np.nan
        return spread

    def predict_rows(self, encoded: Encoded) -> np.ndarray:
        """``[m, n, o]`` of token rows; zeros where a row is empty."""
        outputs = np.zeros((len(self.networks), len(encoded), self.heads.outputs), dtype=np.float32)
        for rows, tokens in self._batches(encoded):
            for member, network in enumerate(self.networks):
                outputs[member, rows] = self.heads.decode(network(tokens)).cpu().numpy()
        return outputs

    def embed(self, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[n, d]`` embeddings of the canonical SMILES by the first member's encoder (NaN rows for unreadable molecules) and n reasons."""
        batch = MoleculeBatch.of(molecules)
        encoded = self.reader.read(batch.canonical)
        reasons = self._reasons(batch, encoded)
        found = np.full((len(batch), self.networks[0].encoder.width), np.nan, dtype=np.float32)
        for rows, tokens in self._batches(encoded):
            found[rows] = self.networks[0].encoder(tokens).float().cpu().numpy()
        found[[bool(why) for why in reasons]] = np.nan
        return found, reasons

    def predict_hidden(self, smi: str, removed: Sequence[Sequence[int]]) -> np.ndarray | None:
        """``[m, k, o]`` of one molecule with the tokens of each of k sets of its atoms hidden behind the mask; None for a tokenizer that has no token an atom or no mask."""
        mol = Chem.MolFromSmiles(smi)
        if not isinstance(self.reader, VocabularyReader) or self.reader.mask is None or mol is None:
            return None
        text = Chem.MolToSmiles(mol)
        written = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        places = [place for place, token in enumerate(split_smiles(text)) if token[0].isalpha() or token[0] in "[*"]
        place_of = dict(zip(written, places, strict=True))
        row = self.reader.vocabulary.encode(text).astype(np.int64)
        rows = np.repeat(row[None], len(removed), axis=0)
        for number, atoms in enumerate(removed):
            rows[number, [place_of[int(atom)] for atom in atoms]] = self.reader.mask
        return self.predict_rows(Encoded(rows.reshape(-1), np.arange(len(removed) + 1, dtype=np.int64) * len(row), ("",) * len(removed)))

    def _reasons(self, batch: MoleculeBatch, encoded: Encoded) -> tuple[str, ...]:
        return tuple(first or second for first, second in zip(batch.reasons, encoded.reasons, strict=True))

    def _batches(self, encoded: Encoded) -> Any:
        import torch

        with torch.inference_mode():
            for rows in batches_by_length(encoded.lengths):
                yield rows, torch.from_numpy(pad_rows(encoded, rows, self.reader.pad)).to(self.device)

    def pack(self) -> Packed:
        """Weights in float32, the tokens, the scale of targets, and the record."""
        arrays: dict[str, dict[str, Any]] = {
            f"network_{index}": {name: value.float() for name, value in network.state_dict().items()} for index, network in enumerate(self.networks)
        }
        arrays["heads"] = dict(self.heads.state_dict())
        record = {**self.record, "tasks": write_tasks(self.tasks), "encoder_shape": self.shape}
        return Packed("lm", self.config.to_dict(), record, arrays=arrays, texts={"tokens.json": self.reader.to_text()})

    @classmethod
    def unpack(cls, stored: Stored) -> LanguagePredictor:
        """Rebuild from an artifact, on the CPU; the folder of the pre-trained encoder is not needed any more."""
        config = LMConfig.from_dict(stored.config)
        heads = Heads(stored.tasks, config.loss)
        heads.load_state_dict(stored.tensors("heads"))
        reader, shape = reader_from_text(stored.text("tokens.json")), stored.record["encoder_shape"]
        networks = []
        for index in range(config.members):
            encoder = rebuild(shape, reader)
            network = PropertyNetwork(encoder, PropertyHead(encoder.width, config.head_width, heads.outputs, config.dropout))
            network.load_state_dict(stored.tensors(f"network_{index}"))
            networks.append(network)
        record = {key: value for key, value in stored.record.items() if key != "encoder_shape"}
        return cls(stored.tasks, config, networks, reader, shape, heads, record)
