"""Fit a linker on tables, keep it as an artifact folder, load it again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import read_artifact, write_artifact
from drugai.errors import ArtifactError
from drugai.linking.asking import rounded_diseases, rounded_drugs
from drugai.linking.encoding import encode_diseases, encode_drugs, forms_of, split_rows
from drugai.linking.fitting import Fusion, LinkerConfig, fit_final_towers, fit_fusion
from drugai.linking.linker import Linker
from drugai.linking.masking import mask_tables, measure_leakage
from drugai.linking.protocol import whole_benchmark
from drugai.linking.sources.assembling import licences_of
from drugai.linking.tables import Disease, Drug, Indication, LinkTables
from drugai.linking.towers import Towers
from drugai.linking.views import Diseases, Drugs, Knowledge
from drugai.models.text import TextEncoder

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).resolve().parent.parent / "shipped" / "linker_primer"


def fit_linker(
    tables: LinkTables,
    config: LinkerConfig | None = None,
    *,
    seed: int = 0,
    encoder: TextEncoder | None = None,
    on_regime: Callable[[str, Fusion], None] | None = None,
) -> Linker:
    """Fit a linker on everything that the tables know.

    The weights of the fusion are chosen on inner folds that keep similar drugs together, once for an unseen drug that asks and once for an unseen disease;
    then the towers are trained on all pairs.

    Args:
        tables: Drugs, diseases, indications.
        config: How.
        seed: Of folds, weights, dropout.
        encoder: Of texts; the packaged one by default.
        on_regime: Called with each regime's fusion.
    """
    config = config or LinkerConfig()
    encoder = encoder or TextEncoder()
    benchmark = whole_benchmark(tables, seed)
    contradictions = tables.contradictions()
    if contradictions:
        logger.warning(
            "%d pairs are both treated and not (first: %s - %s); they stay in", len(contradictions), contradictions[0][0].drug, contradictions[0][0].disease
        )
    texts = mask_tables(tables) if config.masked else None
    drugs = encode_drugs(tables.drugs, encoder, view=config.view, texts=texts)
    diseases = encode_diseases(tables.diseases, encoder)
    fusions: dict[str, Fusion] = {}
    for regime in ("drug", "disease"):
        fusions[regime] = fit_fusion(benchmark, regime, drugs, diseases, config, seed=seed)
        if on_regime is not None:
            on_regime(regime, fusions[regime])
    towers = fit_final_towers(benchmark, benchmark.whole_view(), drugs, diseases, config, fusions["drug"].epochs, seed=seed)
    # rounded as they are stored, so that a linker answers alike before and after saving
    for module in towers.modules():
        for values in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            values.data = values.data.half().float()
    known = Knowledge(rounded_drugs(drugs), rounded_diseases(diseases), benchmark.labels, benchmark.trials)
    return Linker(tables, known, towers, fusions, config, encoder)


def save_linker(linker: Linker, path: str | Path, *, notes: Mapping[str, Any] | None = None) -> Path:
    """Write the linker as an artifact folder: towers and embeddings in half precision, fingerprints packed, tables as JSON."""
    known = linker.knowledge
    vocabulary, table = _vocabulary(known.drugs)
    arrays: dict[str, Mapping[str, Any]] = {
        "towers": {name: value.half() for name, value in linker.towers.state_dict().items()},
        "memory": {
            "drugs": known.drugs.embeddings.astype(np.float16),
            "fingerprints": np.packbits(known.drugs.fingerprints.astype(bool), axis=1),
            "classes": known.drugs.classes.astype(np.float16),
            "terms": table.astype(np.float16),
            "diseases": known.diseases.embeddings.astype(np.float16),
            "names": known.diseases.names.astype(np.float16),
            "definitions": known.diseases.definitions.astype(np.float16),
            "forms": np.concatenate(known.diseases.forms).astype(np.float16),
        },
    }
    tables = {
        "name": linker.tables.name,
        "drugs": [asdict(drug) for drug in linker.tables.drugs],
        "diseases": [asdict(disease) for disease in linker.tables.diseases],
        "indications": [[pair.drug, pair.disease, pair.kind, list(pair.sources)] for pair in linker.tables.indications],
        "texts": list(known.drugs.texts),
        "terms": vocabulary,
        "words": [list(found) for found in known.drugs.words],
    }
    leakage = measure_leakage(linker.tables, {drug.id: text for drug, text in zip(linker.tables.drugs, known.drugs.texts, strict=True)})
    record = {
        "encoder": {"name": linker.encoder.name, "key": linker.encoder.key, "length": linker.encoder.length},
        "fusions": {regime: asdict(fusion) for regime, fusion in linker.fusions.items()},
        "licences": licences_of(linker.tables),
        "contradictions": len(linker.tables.contradictions()),
        "counts": {"drugs": len(linker.tables.drugs), "diseases": len(linker.tables.diseases), "pairs": int(known.labels.sum())},
        "leakage": leakage,
        "use": "research only",
        **(notes or {}),
    }
    return write_artifact(path, "linker", config=linker.config.to_dict(), arrays=arrays, texts={"tables.json": json.dumps(tables, indent=0)}, record=record)


def load_linker(path: str | Path | None = None, *, encoder: str | Path | None = None) -> Linker:
    """Load a linker; without a path the one that ships, trained on the primer.

    Args:
        path: An artifact folder.
        encoder: Folder of the text encoder if it lies elsewhere than when the linker was fitted.

    Raises:
        ArtifactError: The folder is damaged or no linker, or the encoder is another than the linker was fitted with.
    """
    artifact = read_artifact(path if path is not None else SHIPPED, "linker")
    config = LinkerConfig.from_dict(artifact.config)
    told = artifact.manifest["encoder"]
    model = TextEncoder(str(encoder) if encoder is not None else told["name"], length=int(told["length"]))
    if model.key != told["key"]:
        raise ArtifactError(
            f"{artifact.path}: was fitted with the text encoder {told['name']} ({told['key']}), but {model.name} is {model.key}; give that encoder or fit again"
        )
    told_tables = artifact.json("tables.json")
    tables = _tables(told_tables)
    memory = {name: values.astype(np.float32) if values.dtype == np.float16 else values for name, values in artifact.arrays("memory").items()}
    row_of = {term: row for row, term in enumerate(told_tables["terms"])}
    words = tuple(tuple(found) for found in told_tables["words"])
    drugs = Drugs(
        tuple(told_tables["texts"]),
        memory["drugs"],
        np.unpackbits(memory["fingerprints"].astype(np.uint8), axis=1),
        memory["classes"],
        tuple(memory["terms"][[row_of[word] for word in found]] for found in words),
        words,
    )
    ancestors = tuple(frozenset((*disease.ancestors, disease.id)) if disease.ancestors else frozenset() for disease in tables.diseases)
    forms = split_rows(memory["forms"], [len(forms_of(disease)) for disease in tables.diseases])
    written = tuple(disease.text() for disease in tables.diseases)
    diseases = Diseases(written, memory["diseases"], memory["names"], memory["definitions"], forms, ancestors)
    labels, trials = np.zeros((len(tables.drugs), len(tables.diseases)), dtype=bool), np.zeros((len(tables.drugs), len(tables.diseases)), dtype=bool)
    for pair in tables.pairs():
        labels[pair] = True
    for pair in tables.pairs(("clinical",)):
        trials[pair] = not labels[pair]
    stored = {name: value.float() for name, value in artifact.tensors("towers").items()}
    towers = Towers(stored["drug.mean"].shape[0], config.towers)
    towers.load_state_dict(stored)
    fusions = {regime: _fusion(found) for regime, found in artifact.manifest["fusions"].items()}
    return Linker(tables, Knowledge(drugs, diseases, labels, trials), towers.eval(), fusions, config, model)


def _fusion(stored: Mapping[str, Any]) -> Fusion:
    # folders from before the curve could bend have no bends
    bends = {name: tuple((float(at), float(change)) for at, change in stored.get(name, ())) for name in ("bends", "reverse_bends")}
    return Fusion(**{**stored, **bends})


def _vocabulary(drugs: Drugs) -> tuple[list[str], np.ndarray]:
    """Every term once, sorted, and its embedding."""
    rows = {word: row for found, table in zip(drugs.words, drugs.terms, strict=True) for word, row in zip(found, table, strict=True)}
    vocabulary = sorted(rows)
    width = drugs.embeddings.shape[1]
    return vocabulary, np.stack([rows[word] for word in vocabulary]) if vocabulary else np.zeros((0, width), np.float32)


def _tables(stored: Mapping[str, Any]) -> LinkTables:
    drugs = tuple(Drug(**{**row, "targets": tuple(row["targets"])}) for row in stored["drugs"])
    diseases = tuple(
        Disease(**{**row, "synonyms": tuple(row["synonyms"]), "xrefs": tuple(row["xrefs"]), "ancestors": tuple(row["ancestors"])}) for row in stored["diseases"]
    )
    pairs = tuple(Indication(drug, disease, kind, tuple(sources)) for drug, disease, kind, sources in stored["indications"])
    return LinkTables(stored["name"], drugs, diseases, pairs)
