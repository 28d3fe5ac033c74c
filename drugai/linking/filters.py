"""Which hits a user wants to see: phase, ATC, target, ontology subtree, novel ones, none that is contraindicated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drugai.errors import ConfigError
from drugai.linking.tables import Disease, Drug

Statuses = Mapping[int, tuple[str, tuple[str, ...]]]
AGAINST = ("contraindicated", "non_indication")


@dataclass(frozen=True)
class Filters:
    """What a hit must be. Those on drugs apply where drugs are ranked, those on diseases where diseases are.

    Attributes:
        novel: Only pairs of which nothing is known.
        safe: No pair that a source calls contraindicated or no indication.
        area: Diseases of this area (``cancer``, ``infection`` …), or of or below this ontology term (``DOID:162``).
        phase: Drugs that reached at least this phase, 4 for approved; a drug of unknown phase is left out.
        atc: Drugs whose ATC code begins with this (``C09``).
        target: Drugs that act on this gene (``SLC5A2``).
    """

    novel: bool = False
    safe: bool = False
    area: str = ""
    phase: int = 0
    atc: str = ""
    target: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.phase <= 4:
            raise ConfigError(f"phase must lie between 0 (any) and 4 (approved), got {self.phase}")

    def keeps_pair(self, row: int, status: Statuses) -> bool:
        """By what is known of the pair."""
        if row not in status:
            return True
        return not self.novel and not (self.safe and any(kind in AGAINST for kind in status[row][0].split("+")))

    def keeps_disease(self, disease: Disease) -> bool:
        """By area or subtree."""
        return not self.area or disease.area.lower() == self.area.lower() or self.area in disease.ancestors or self.area == disease.id

    def keeps_drug(self, drug: Drug) -> bool:
        """By phase, ATC code and target."""
        if drug.phase < self.phase or not drug.atc.upper().startswith(self.atc.upper()):
            return False
        return not self.target or self.target.upper() in {gene.upper() for gene in drug.targets}

    def refuse_unknown(self, drugs: tuple[Drug, ...], diseases: tuple[Disease, ...]) -> None:
        """ConfigError where a filter fits nothing at all: a misspelt area would otherwise look like an empty answer."""
        from drugai.errors import nearest

        if self.area and not any(map(self.keeps_disease, diseases)):
            areas = sorted({disease.area for disease in diseases if disease.area})
            near = nearest(self.area, areas)
            hint = f"did you mean {near!r}? " if near else ""
            raise ConfigError(f"no disease is of area or below term {self.area!r}; {hint}the areas are {', '.join(areas)}")
        for name, value, alone in (("atc", self.atc, Filters(atc=self.atc)), ("target", self.target, Filters(target=self.target))):
            if value and not any(map(alone.keeps_drug, drugs)):
                raise ConfigError(f"no known drug has {name} {value!r}; ATC codes look like C09, targets are gene symbols like SLC5A2")
