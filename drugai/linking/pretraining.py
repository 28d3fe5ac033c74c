"""Teach a sentence encoder what diseases are called, before any label is seen: texts that mean the same or nearly the same are pulled together.

Pairs of a text come from an ontology: name and synonym, name and definition, term and parent; and, on request, from the treated pairs of tables (the drug's
masked text and the disease's). In a batch every other text is a negative, except those of the same term or a direct relative.

Source: SapBERT (10.18653/v1/2021.naacl-main.334) for synonyms as positives; LoRA (arXiv 2106.09685) for the low-rank update; multi-positive InfoNCE as the towers'.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.config import Config, setting
from drugai.errors import ConfigError
from drugai.models.text import MINILM, encoder_folder
from drugai.runtime import derive_seed, generator
from drugai.training.loop import History, LoopConfig, run_loop

if TYPE_CHECKING:
    import torch

Pair = tuple[str, str, frozenset[str]]
"""Two texts, and the ids that both are about: a text of another pair with one of these ids is no negative."""


@dataclass(frozen=True)
class PretrainConfig(Config):
    """How an encoder is taught."""

    method: str = setting("lora", choices=("lora", "full"), help="lora: low-rank updates of the attention, merged at the end; full: every weight")
    rank: int = setting(8, help="of the LoRA update")
    steps: int = setting(200, help="batches")
    batch: int = setting(48, help="pairs in a batch")
    length: int = setting(32, help="tokens after which a text is cut while training")
    scale: float = setting(20.0, help="inverse temperature")
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(learning_rate=5e-4, weight_decay=1e-2, warmup=0.1, schedule="linear", precision="fp32", device="cpu"))


def ontology_pairs(path: str | Path, *, definitions: bool = True, parents: bool = True) -> list[Pair]:
    """Name–synonym, name–definition and term–parent pairs of an ontology in OBO format; no label of any drug is in them."""
    from drugai.linking.sources.ontology import read_ontology

    terms = read_ontology(path)
    pairs: list[Pair] = []
    for term in terms.values():
        about = frozenset((term.id, *term.parents))
        pairs += [(term.name, other, about) for other in term.synonyms if other.lower() != term.name.lower()]
        if definitions and term.definition:
            pairs.append((term.name, term.definition.replace("_", " "), about))
        if parents:
            pairs += [(term.name, terms[parent].name, about) for parent in term.parents if parent in terms and parent != "DOID:4"]
    return pairs


def table_pairs(folder: str | Path) -> list[Pair]:
    """Masked drug text and disease text of every treated or palliated pair."""
    from drugai.linking.masking import joined, mask_tables
    from drugai.linking.tables import read_tables

    tables = read_tables(folder)
    texts = joined(mask_tables(tables))
    found = []
    for drug, disease in tables.pairs():
        text = texts[tables.drugs[drug].id]
        if text:
            found.append((text, tables.diseases[disease].text(), frozenset((tables.drugs[drug].id, tables.diseases[disease].id))))
    return found


def pretrain_encoder(
    ontology: str | Path | Sequence[Pair], out: str | Path, config: PretrainConfig | None = None, *, tables: str | Path | None = None,
    base: str | None = None, seed: int = 0,
) -> History:  # fmt: skip
    """Train and write a folder that ``--encoder`` and :class:`TextEncoder` read.

    Args:
        ontology: OBO file, or the pairs themselves.
        out: Folder, made anew.
        config: How.
        tables: Folder of tables whose treated pairs are learnt from as well.
        base: Encoder to begin with; the packaged one by default.
        seed: Of the order of pairs, the LoRA start and dropout.

    Raises:
        ConfigError: ``out`` exists already, peft is not installed, or there are fewer pairs than a batch holds.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging as chatter

    config = config or PretrainConfig()
    target = Path(out)
    if target.exists():
        raise ConfigError(f"{target}: exists already; give another folder for the encoder")
    pairs = list(ontology_pairs(ontology)) if isinstance(ontology, str | Path) else list(ontology)
    if tables is not None:
        pairs += table_pairs(tables)
    if len(pairs) < config.batch:
        raise ConfigError(f"only {len(pairs)} pairs of texts; a batch of {config.batch} needs at least as many")
    folder = encoder_folder(base or MINILM)
    chatter.disable_progress_bar()  # it draws on the terminal
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    model = AutoModel.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "lora"))
        module = _with_lora(model, config.rank) if config.method == "lora" else model

    def batches(epoch: int) -> Iterator[Any]:
        chosen = generator(seed, f"pairs {epoch}").choice(len(pairs), size=config.batch, replace=False)
        yield [pairs[int(row)] for row in chosen]

    def loss(batch: list[Pair]) -> torch.Tensor:
        first = _pooled(module, tokenizer, [pair[0] for pair in batch], config.length)
        second = _pooled(module, tokenizer, [pair[1] for pair in batch], config.length)
        return batch_loss(first, second, [pair[2] for pair in batch], config.scale)

    history = run_loop(module, batches, loss, config.loop.replace(epochs=config.steps), seed=seed, steps_per_epoch=1)
    merged = module.merge_and_unload() if config.method == "lora" else module
    merged.save_pretrained(str(target), safe_serialization=True)
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (folder / file).is_file():
            shutil.copyfile(folder / file, target / file)
    return history


def batch_loss(first: torch.Tensor, second: torch.Tensor, about: Sequence[frozenset[str]], scale: float) -> torch.Tensor:
    """InfoNCE both ways over a batch ``[B, d]``; a partner that is about the same thing as the row is left out of its negatives."""
    import torch

    logits = scale * first @ second.T  # [B, B]
    related = torch.from_numpy(np.array([[bool(one & other) for other in about] for one in about]))
    own = torch.eye(len(about), dtype=torch.bool)
    logits = logits.masked_fill(related & ~own, -torch.inf)
    target = torch.arange(len(about))
    return (torch.nn.functional.cross_entropy(logits, target) + torch.nn.functional.cross_entropy(logits.T, target)) / 2


def _with_lora(model: Any, rank: int) -> Any:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise ConfigError("LoRA needs peft, which is not installed; pip install 'drugai[text]', or use method='full'") from None
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=["query", "value"]))


def _pooled(model: Any, tokenizer: Any, texts: list[str], length: int) -> torch.Tensor:
    import torch

    tokens = tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="pt")
    hidden = model(**tokens).last_hidden_state  # [B, T, d]
    mask = tokens["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1).clamp_min(1.0), dim=-1)
