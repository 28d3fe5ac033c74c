"""What the tables say of a pair: its known status with sources and licences, and the targets that drugs share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from drugai.linking.filters import Statuses
from drugai.linking.sources.claims import LICENCES
from drugai.linking.tables import KINDS, LinkTables


class Lookup:
    """Indexes over the tables' indications and targets."""

    def __init__(self, tables: LinkTables) -> None:
        self.tables = tables
        self._by_drug: dict[int, dict[int, tuple[list[str], list[str]]]] = {}
        self._by_disease: dict[int, dict[int, tuple[list[str], list[str]]]] = {}
        for pair in tables.indications:
            drug, disease = tables.drug_rows[pair.drug], tables.disease_rows[pair.disease]
            kinds, sources = self._by_drug.setdefault(drug, {}).setdefault(disease, ([], []))
            self._by_disease.setdefault(disease, {})[drug] = (kinds, sources)
            kinds.append(pair.kind)
            sources.extend(pair.sources)

    def statuses(self, *, drug: int | None = None, disease: int | None = None) -> Statuses:
        """Of a known drug's pairs by disease row, or of a known disease's pairs by drug row: kinds joined by + in the order of KINDS, and the sources."""
        found = self._by_drug.get(drug, {}) if drug is not None else self._by_disease.get(disease, {}) if disease is not None else {}
        return {row: ("+".join(sorted(set(kinds), key=KINDS.index)), tuple(dict.fromkeys(sources))) for row, (kinds, sources) in found.items()}

    def licences(self, sources: Iterable[str]) -> tuple[str, ...]:
        """Licence of each source's statements."""
        return tuple(LICENCES.get(source, "licence not known") for source in sources)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Gene symbols of the known drugs, three letters and longer."""
        return frozenset(gene for drug in self.tables.drugs for gene in drug.targets if len(gene) > 2)

    def genes_of(self, row: int | None, text: str) -> set[str]:
        """Targets of a known drug, or the known gene symbols that a text names."""
        if row is not None:
            return set(self.tables.drugs[row].targets)
        return set(re.findall(r"\b[A-Z][A-Z0-9-]{2,}\b", text)) & self.symbols

    def shared_targets(self, genes: set[str], drugs: Sequence[int] | np.ndarray, own: int | None) -> tuple[str, ...]:
        """Those of ``genes`` that other drugs of these rows act on as well, the most shared first."""
        counts: dict[str, int] = {}
        for other in drugs:
            if other != own:
                for gene in genes & set(self.tables.drugs[int(other)].targets):
                    counts[gene] = counts.get(gene, 0) + 1
        return tuple(sorted(counts, key=lambda gene: (-counts[gene], gene)))
