"""How good is a set of generated molecules? The whole MOSES table from one call, each molecule parsed once.

What is needed of a reference set (fingerprints, fragments, scaffolds, properties, ChemNet moments) is computed once and kept as an artifact folder.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drugai.artifact import read_artifact, write_artifact
from drugai.errors import DatasetError
from drugai.generation.fitting import thread_count
from drugai.metrics import generation as metrics
from drugai.models.chemnet import chemnet
from drugai.models.similarity import ReferenceBits, mean_similarity, nearest_similarity
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.fingerprints import fingerprint
from drugai.molecules.fragments import count_brics_fragments, count_scaffolds
from drugai.molecules.patterns import PatternSet, passes_moses_filters
from drugai.molecules.properties import logp, qed, synthetic_accessibility, weight
from drugai.runtime import available_cpus

logger = logging.getLogger(__name__)

KIND = "generation_reference"
BITS = 1024  # Morgan fingerprints of radius 2, as MOSES has them
_CHUNK = 10_000
_MEASURED = 30_000  # molecules of a reference whose properties are computed, evenly spread: a Wasserstein distance needs no more
PROPERTIES = {"logP": logp, "SA": synthetic_accessibility, "QED": qed, "weight": weight}


@dataclass(frozen=True, eq=False)
class Reference:
    """What the metrics need of a set of molecules.

    Attributes:
        bits: Fingerprints, laid out for the search of nearest neighbours.
        fragments, scaffolds: Counters of BRICS fragments and of scaffolds with two or more rings.
        properties: Sorted values by name, of at least 30,000 molecules spread evenly where there are more.
        mu, sigma: ``[512]`` mean and ``[512, 512]`` covariance of ChemNet activations.
        molecules: How many molecules there were.
    """

    bits: ReferenceBits
    fragments: Mapping[str, int]
    scaffolds: Mapping[str, int]
    properties: Mapping[str, np.ndarray]
    mu: np.ndarray
    sigma: np.ndarray
    molecules: int

    @classmethod
    def build(cls, molecules: Sequence[str] | MoleculeBatch, *, moments: tuple[np.ndarray, np.ndarray] | None = None, threads: int = 0) -> Reference:
        """Compute everything from molecules.

        Args:
            molecules: n SMILES; unreadable ones are left out.
            moments: Published mean and covariance of the activations, which spare a pass through ChemNet (400 molecules a CPU-second).
            threads: Processor threads (0: all that this process may use).

        Raises:
            DatasetError: Fewer than two molecules are readable.
        """
        smiles = molecules.smiles if isinstance(molecules, MoleculeBatch) else molecules
        fragments: Counter[str] = Counter()
        scaffolds: Counter[str] = Counter()
        bits: list[np.ndarray] = []
        activations: list[np.ndarray] = []
        properties: dict[str, list[np.ndarray]] = {name: [] for name in PROPERTIES}
        every = max(1, len(smiles) // _MEASURED)
        with thread_count(threads or available_cpus()):
            for begin in range(0, len(smiles), _CHUNK):  # in chunks, or a few hundred thousand parsed molecules fill the memory
                batch = MoleculeBatch(smiles[begin : begin + _CHUNK])
                batch = batch.take(np.flatnonzero(batch.valid))
                fragments.update(count_brics_fragments(batch))
                scaffolds.update(count_scaffolds(batch))
                bits.append(np.packbits(fingerprint(batch, bits=BITS), axis=1))
                measured = batch.take(np.arange(0, len(batch), every))
                for name, function in PROPERTIES.items():
                    properties[name].append(function(measured))
                if moments is None:
                    activations.append(chemnet().activations(batch.canonical))
            n = sum(map(len, bits))
            if n < 2:
                raise DatasetError(f"a reference set needs at least two readable molecules, got {n}")
            mu, sigma = moments if moments is not None else metrics.moments(np.concatenate(activations))
            found = ReferenceBits.prepare(np.unpackbits(np.concatenate(bits), axis=1))
        return cls(found, fragments, scaffolds, {name: np.sort(np.concatenate(parts)) for name, parts in properties.items()}, mu, sigma, n)

    def save(self, path: str | Path) -> Path:
        """Write the artifact folder."""
        arrays = {"mu": self.mu, "sigma": self.sigma, **self.bits.to_arrays(), **{f"property.{key}": value for key, value in self.properties.items()}}
        texts = {"fragments.json": json.dumps(self.fragments), "scaffolds.json": json.dumps(self.scaffolds)}
        return write_artifact(path, KIND, config={}, arrays={"reference": arrays}, texts=texts, record={"molecules": self.molecules})

    @classmethod
    def load(cls, path: str | Path) -> Reference:
        """Read the artifact folder."""
        artifact = read_artifact(path, KIND)
        arrays = artifact.arrays("reference")
        properties = {key.removeprefix("property."): value for key, value in arrays.items() if key.startswith("property.")}
        bits = ReferenceBits.from_arrays(arrays)
        fragments, scaffolds = Counter(artifact.json("fragments.json")), Counter(artifact.json("scaffolds.json"))
        return cls(bits, fragments, scaffolds, properties, arrays["mu"], arrays["sigma"], int(artifact.manifest["molecules"]))


def evaluate_samples(
    samples: Sequence[str] | MoleculeBatch,
    references: Mapping[str, Reference],
    *,
    known: Collection[str] | None = None,
    patterns: PatternSet | None = None,
    first: Sequence[int] = (1000, 10_000),
    threads: int = 0,
) -> dict[str, float]:
    """The MOSES metrics of raw samples. All but validity are of the valid molecules, repeats included.

    Args:
        samples: n raw samples in the order in which they were drawn.
        references: Name → reference; ``{"Test": …, "TestSF": …}`` gives FCD/Test, SNN/TestSF and so on. Properties are compared with the first.
        known: Canonical SMILES of the training molecules (best a set), for novelty.
        patterns: SMARTS of the filters.
        first: Numbers of first valid molecules whose uniqueness is measured.
        threads: Processor threads (0: all that this process may use).

    Returns:
        Name → value; NaN where a metric is not defined (fewer valid samples than asked for, no fragments).

    Raises:
        DatasetError: Fewer than two samples are valid.
    """
    batch = MoleculeBatch.of(samples)
    valid = batch.take(np.flatnonzero(batch.valid))
    if len(valid) < 2:
        raise DatasetError(f"{len(valid)} of {len(batch)} samples are valid molecules; at least two are needed")
    canonical = valid.canonical
    values: dict[str, float] = {"samples": len(batch), "valid": metrics.validity(batch.valid)}
    values.update({f"unique@{number}": metrics.uniqueness(canonical, number) for number in first})
    values["unique"] = metrics.uniqueness(canonical)
    bits = fingerprint(valid, bits=BITS)
    with thread_count(threads or available_cpus()):
        mu, sigma = metrics.moments(chemnet().activations(canonical))
        nearest = {name: float(nearest_similarity(bits, reference.bits).mean()) for name, reference in references.items()}
        similarity = mean_similarity(bits)
    fragments, scaffolds = count_brics_fragments(valid), count_scaffolds(valid)
    for name, reference in references.items():
        values[f"FCD/{name}"] = metrics.frechet_distance(mu, sigma, reference.mu, reference.sigma)
        values[f"SNN/{name}"] = nearest[name]
        values[f"Frag/{name}"] = metrics.cosine_of_counts(fragments, reference.fragments)
        values[f"Scaf/{name}"] = metrics.cosine_of_counts(scaffolds, reference.scaffolds)
    values["IntDiv"] = metrics.internal_diversity(similarity[1], 1)
    values["IntDiv2"] = metrics.internal_diversity(similarity[2], 2)
    if patterns is not None:
        values["Filters"] = float(passes_moses_filters(valid, patterns).mean())
    if known is not None:
        values["Novelty"] = metrics.novelty(canonical, known)
    for reference in list(references.values())[:1]:
        for name, function in PROPERTIES.items():
            values[name] = metrics.wasserstein(function(valid), reference.properties[name])
    return values
