"""The benchmark: which drugs and diseases, which pairs are right, which are left out of the ranking, and what is unseen in which regime.

Regimes: ``drug`` (test drugs were never seen, similar ones neither), ``disease`` (test diseases were never seen, their families neither), ``both``.
Parts come from ``splits_v1.json``; groups of that file keep similar drugs and disease families together in inner folds as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from drugai.errors import DatasetError, unknown
from drugai.linking.tables import POSITIVE_KINDS, Disease, LinkTables, read_tables
from drugai.runtime import generator

REGIMES = ("drug", "disease", "both")
TRAIN, VALID, TEST = 0, 1, 2


@dataclass(frozen=True, eq=False)
class View:
    """What a model may know and what it is asked.

    Attributes:
        known_drugs, known_diseases: Rows in memory; only pairs between them may be learnt.
        asked_drugs, asked_diseases: Rows of the matrix to be scored ``[asked drugs, asked diseases]``.
    """

    known_drugs: np.ndarray
    known_diseases: np.ndarray
    asked_drugs: np.ndarray
    asked_diseases: np.ndarray


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Labels and splits over the rows of ``tables``.

    Attributes:
        tables: Drugs and diseases that have a positive pair.
        labels: ``[n, m]`` bool, treats or palliates.
        candidates: ``[n, m]`` bool, False for pairs known only from trials: neither right nor wrong.
        sources: ``[n, m]`` number of sources of a positive pair.
        drug_parts, disease_parts: Seed → part (0 train, 1 valid, 2 test) of each row.
        drug_groups, disease_groups: Groups that stay together.
    """

    tables: LinkTables
    labels: np.ndarray
    candidates: np.ndarray
    sources: np.ndarray
    drug_parts: dict[int, np.ndarray]
    disease_parts: dict[int, np.ndarray]
    drug_groups: np.ndarray
    disease_groups: np.ndarray

    def test_view(self, regime: str, seed: int) -> View:
        """Train and valid are known, test is asked."""
        return self._view(
            regime, self.drug_parts[seed] != TEST, self.disease_parts[seed] != TEST, self.drug_parts[seed] == TEST, self.disease_parts[seed] == TEST
        )

    def train_view(self, regime: str, seed: int) -> View:
        """Train alone is known, test is asked: as the measured baselines had it."""
        drug, disease = self.drug_parts[seed], self.disease_parts[seed]
        return self._view(regime, drug == TRAIN, disease == TRAIN, drug == TEST, disease == TEST)

    def valid_view(self, regime: str, seed: int) -> View:
        """Train is known, valid is asked; no test row appears on either side."""
        drug, disease = self.drug_parts[seed], self.disease_parts[seed]
        view = self._view(regime, drug == TRAIN, disease == TRAIN, drug == VALID, disease == VALID)
        return self._without_test(view, regime, seed)

    def inner_views(self, regime: str, seed: int, folds: int = 3) -> Iterator[View]:
        """Folds over train and valid, groups kept whole: each row of them is asked once. No test row appears on the side that the regime holds out."""
        drug_open, disease_open = self.drug_parts[seed] != TEST, self.disease_parts[seed] != TEST
        drug_fold = _folds(self.drug_groups, folds, seed)
        disease_fold = _folds(self.disease_groups, folds, seed + 1)
        for fold in range(folds):
            asked_drug, asked_disease = drug_open & (drug_fold == fold), disease_open & (disease_fold == fold)
            view = self._view(regime, drug_open & ~asked_drug, disease_open & ~asked_disease, asked_drug, asked_disease)
            yield self._without_test(view, regime, seed)

    def whole_view(self) -> View:
        """Everything is known and everything is asked."""
        drugs, diseases = np.arange(len(self.labels)), np.arange(self.labels.shape[1])
        return View(drugs, diseases, drugs, diseases)

    def _view(self, regime: str, drug_known: np.ndarray, disease_known: np.ndarray, drug_asked: np.ndarray, disease_asked: np.ndarray) -> View:
        if regime not in REGIMES:
            raise unknown("regime", regime, REGIMES)
        drugs, diseases = np.arange(len(self.labels)), np.arange(self.labels.shape[1])
        if regime == "drug":
            return View(drugs[drug_known], diseases, drugs[drug_asked], diseases)
        if regime == "disease":
            return View(drugs, diseases[disease_known], drugs, diseases[disease_asked])
        return View(drugs[drug_known], diseases[disease_known], drugs[drug_asked], diseases[disease_asked])

    def _without_test(self, view: View, regime: str, seed: int) -> View:
        """In regime ``drug`` all diseases may be known, in ``disease`` all drugs; the held-out side never shows a test row."""
        if regime != "disease" and (self.drug_parts[seed][np.concatenate([view.known_drugs, view.asked_drugs])] == TEST).any():
            raise DatasetError("a test drug appears before the test")
        if regime != "drug" and (self.disease_parts[seed][np.concatenate([view.known_diseases, view.asked_diseases])] == TEST).any():
            raise DatasetError("a test disease appears before the test")
        return view

    def known_labels(self, view: View) -> np.ndarray:
        """``[known drugs, known diseases]`` bool."""
        found: np.ndarray = self.labels[np.ix_(view.known_drugs, view.known_diseases)]
        return found

    def known_trials(self, view: View) -> np.ndarray:
        """Known pairs that were tried in people and are no labels ``[known drugs, known diseases]`` bool."""
        found: np.ndarray = self.trials[np.ix_(view.known_drugs, view.known_diseases)]
        return found

    @cached_property
    def trials(self) -> np.ndarray:
        """``[n, m]`` bool: tried in people (kind clinical) and not a label; a trial that is known to have failed is not among them."""
        found = np.zeros_like(self.labels)
        for pair in self.tables.pairs(("clinical",)):
            found[pair] = not self.labels[pair]
        return found

    def shuffled_labels(self, view: View, seed: int) -> np.ndarray:
        """The known labels with drugs and diseases both shuffled: as many pairs, of the same degrees, that mean nothing. A control must end at chance."""
        random = generator(seed, "permuted labels")
        labels = self.known_labels(view)
        found: np.ndarray = labels[np.ix_(random.permutation(labels.shape[0]), random.permutation(labels.shape[1]))]
        return found

    def asked(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Labels and candidates of the asked matrix."""
        index = np.ix_(view.asked_drugs, view.asked_diseases)
        return self.labels[index], self.candidates[index]


def read_benchmark(folder: str | Path | None = None) -> Benchmark:
    """The benchmark of a folder with the three tables and ``splits_v1.json``; by default ``$DRUGAI_DATA/linking``.

    Raises:
        DatasetError: The folder has no splits file, or it names rows that the tables do not have.
    """
    import os

    place = Path(folder) if folder is not None else Path(os.environ.get("DRUGAI_DATA", ".")) / "linking"
    tables = read_tables(place)
    path = place / "splits_v1.json"
    if not path.is_file():
        raise DatasetError(f"{path}: no such splits file; the benchmark's parts come from it")
    splits = json.loads(path.read_text(encoding="utf-8"))
    lost = [one for one in splits["drugs"] if one not in tables.drug_rows] + [one for one in splits["diseases"] if one not in tables.disease_rows]
    if lost:
        raise DatasetError(f"{path}: {len(lost)} ids have no row in the tables: {', '.join(lost[:10])}")
    chosen = tables.select(splits["drugs"], splits["diseases"])
    pairs = chosen.pairs()
    drugs, diseases = sorted({drug for drug, _ in pairs}), sorted({disease for _, disease in pairs})
    tables = chosen.select([splits["drugs"][row] for row in drugs], [splits["diseases"][row] for row in diseases])
    labels = np.zeros((len(drugs), len(diseases)), dtype=bool)
    sources = np.zeros(labels.shape, dtype=np.float32)
    for (drug, disease), found in tables.pairs().items():
        labels[drug, disease] = True
        sources[drug, disease] = len({source for one in found for source in one.sources})
    candidates = np.ones_like(labels)
    for drug, disease in tables.pairs(("clinical", "trial_failed")):
        candidates[drug, disease] = labels[drug, disease]
    seeds = {int(seed): parts for seed, parts in splits["seeds"].items()}
    return Benchmark(
        tables,
        labels,
        candidates,
        sources,
        {seed: np.array(parts["drug"])[drugs] for seed, parts in seeds.items()},
        {seed: np.array(parts["disease"])[diseases] for seed, parts in seeds.items()},
        np.array(splits["drug_group"])[drugs],
        np.array(splits["disease_group"])[diseases],
    )


def whole_benchmark(tables: LinkTables, seed: int = 0) -> Benchmark:
    """Everything of the tables as known, nothing held out: what a linker that ships is fitted on. Inner folds keep similar drugs and disease families together.

    Raises:
        DatasetError: The tables have no pair that is treated.
    """
    from drugai.molecules import MoleculeBatch, butina, fingerprint

    labels = np.zeros((len(tables.drugs), len(tables.diseases)), dtype=bool)
    sources = np.zeros(labels.shape, dtype=np.float32)
    for (drug, disease), found in tables.pairs().items():
        labels[drug, disease] = True
        sources[drug, disease] = len({source for one in found for source in one.sources})
    if not labels.any():
        raise DatasetError(f"{tables.name}: no pair of kind {' or '.join(POSITIVE_KINDS)}; there is nothing to learn")
    candidates = np.ones_like(labels)
    for drug, disease in tables.pairs(("clinical", "trial_failed")):
        candidates[drug, disease] = labels[drug, disease]
    fingerprints = fingerprint(MoleculeBatch([drug.smiles for drug in tables.drugs]), "morgan")
    drug_parts, disease_parts = np.zeros(len(labels), dtype=int), np.zeros(labels.shape[1], dtype=int)
    return Benchmark(tables, labels, candidates, sources, {seed: drug_parts}, {seed: disease_parts}, butina(fingerprints, 0.4), family_groups(tables.diseases))


FAMILY = 0.3
"""Distance (1 − shared share of the ancestors) within which diseases are one family: of the cuts from 0.2 to 0.6 the one that agrees best with the families of ``splits_v1.json``."""


def family_groups(diseases: Sequence[Disease]) -> np.ndarray:
    """Number of each disease's family ``[m]``: by shared ancestors in the ontology (Taylor-Butina over them and the disease itself); one without ancestors is alone.

    A held-out disease whose sibling stays known is easier than a new one, and probabilities learnt from such folds are too sure.
    """
    from drugai.molecules import butina

    lineages = [(*disease.ancestors, disease.id) if disease.ancestors else () for disease in diseases]
    column = {term: place for place, term in enumerate(sorted({term for found in lineages for term in found}))}
    table = np.zeros((len(diseases), max(1, len(column))), dtype=np.uint8)
    for row, found in enumerate(lineages):
        table[row, [column[term] for term in found]] = 1
    return butina(table, FAMILY)


def _folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Fold of each row: groups in random order, each put into the fold with fewest rows so far."""
    names, counts = np.unique(groups, return_counts=True)
    fold_of: dict[int, int] = {}
    sizes = np.zeros(folds)
    for index in generator(seed, "inner folds").permutation(len(names)):
        fold = int(np.argmin(sizes))
        fold_of[int(names[index])] = fold
        sizes[fold] += counts[index]
    return np.array([fold_of[int(group)] for group in groups])
