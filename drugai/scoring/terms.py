"""What a good molecule is, term by term: each gives raw values, a desirability in [0, 1], a weight and a cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drugai.contracts import Predictor
from drugai.errors import E_VALUE, ConfigError, reason, unknown
from drugai.molecules import PROPERTIES, MoleculeBatch, find_alerts, fingerprint, tanimoto
from drugai.scoring.transforms import Identity, Ramp, Step, Transform, Window

Values = tuple[np.ndarray, list[str]]


@dataclass(frozen=True)
class Term:
    """One term of a score.

    Attributes:
        name: Its column in tables.
        function: Batch → raw values ``[n]`` and n reasons (``""`` where the value stands).
        transform: Raw value → desirability.
        weight: Its weight in the total.
        cost: Rough microseconds a molecule; cheap terms come first, and rows that they kill skip the dear ones.
        filter: A 0 kills the row whatever the way of combining; the term has no weight in the mean.
    """

    name: str
    function: Callable[[MoleculeBatch], Values]
    transform: Transform = field(default_factory=Identity)
    weight: float = 1.0
    cost: float = 100.0
    filter: bool = False

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ConfigError(f"term {self.name!r}: weight must be positive, got {self.weight}")

    def values(self, batch: MoleculeBatch) -> Values:
        """Raw values ``[n]`` and n reasons."""
        raw, reasons = self.function(batch)
        raw = np.asarray(raw, dtype=np.float64)
        if raw.shape != (len(batch),):
            raise ConfigError(f"term {self.name!r} gave {raw.shape} values for {len(batch)} molecules; it must give one a molecule")
        for row in np.flatnonzero(np.isnan(raw)):
            reasons[row] = reasons[row] or reason(E_VALUE, f"term {self.name!r} gave no number (NaN)")
        return raw, reasons


# cost in microseconds a molecule, measured on one core
_COSTS = {"qed": 700.0, "synthetic_accessibility": 400.0, "logp": 150.0, "tpsa": 30.0}


def property_term(name: str, transform: Transform | None = None, *, weight: float = 1.0, filter: bool = False) -> Term:
    """A computed property by name: ``logp``, ``weight``, ``tpsa`` …"""
    if name not in PROPERTIES:
        raise unknown("property", name, list(PROPERTIES))
    compute = PROPERTIES[name]

    def function(batch: MoleculeBatch) -> Values:
        return np.asarray(compute(batch), dtype=float), [""] * len(batch)

    return Term(name, function, transform or Identity(), weight, _COSTS.get(name, 20.0), filter)


def qed(*, weight: float = 1.0) -> Term:
    """Quantitative estimate of drug-likeness (Bickerton et al. 2012), already in [0, 1]."""
    return property_term("qed", weight=weight)


def synthesizable(*, low: float = 2.5, high: float = 6.0, weight: float = 1.0) -> Term:
    """Ertl's synthetic accessibility, 1 (easy) to 10 (hard): full up to ``low``, none from ``high``."""
    return property_term("synthetic_accessibility", Ramp(low, high, "min"), weight=weight)


def within(name: str, low: float, high: float, *, margin: float = 0.0, weight: float = 1.0) -> Term:
    """A property between two ends: a filter, or with ``margin`` a term that falls off over it."""
    if margin > 0:
        return property_term(name, Window(low, high, margin), weight=weight)
    return property_term(name, Step(low, high), filter=True)


def no_alerts(*sets: str) -> Term:
    """A filter: no structural alert of the named sets (PAINS, BRENK, NIH, ZINC, CHEMBL)."""
    chosen = sets or ("PAINS",)
    find_alerts(MoleculeBatch([]), chosen)  # an unknown set is refused here, not after an hour

    def function(batch: MoleculeBatch) -> Values:
        return np.array([len(hits) for hits in find_alerts(batch, chosen)], dtype=float), [""] * len(batch)

    return Term("alerts", function, Step(high=0), cost=900.0 * len(chosen), filter=True)


def substructure(smarts: Sequence[str], *, name: str = "substructure", low: int = 1, high: float = np.inf) -> Term:
    """A filter: the number of matches of the SMARTS, all added up, lies within [low, high]; ``high=0, low=0`` forbids them.

    Raises:
        ConfigError: A SMARTS cannot be read or is longer than 1,000 characters.
    """
    from rdkit import Chem

    patterns = []
    for text in smarts:
        pattern = Chem.MolFromSmarts(text) if len(text) <= 1000 else None
        if pattern is None:
            raise ConfigError(f"term {name!r}: the SMARTS {text[:80]!r} cannot be read (or is longer than 1,000 characters)")
        patterns.append(pattern)

    def function(batch: MoleculeBatch) -> Values:
        counts = [sum(len(mol.GetSubstructMatches(pattern, maxMatches=1000)) for pattern in patterns) if mol is not None else 0 for mol in batch.full_mols]
        return np.array(counts, dtype=float), [""] * len(batch)

    return Term(name, function, Step(low, high), cost=30.0 * len(patterns), filter=True)


def similar_to(smiles: Sequence[str], transform: Transform | None = None, *, name: str = "similarity", weight: float = 1.0, filter: bool = False) -> Term:
    """Largest Tanimoto similarity (Morgan, radius 2, 2,048 bits) to given molecules.

    Raises:
        ConfigError: A given molecule cannot be read.
    """
    actives = MoleculeBatch(list(smiles))
    bad = [f"{smi!r} ({why})" for smi, why in zip(actives.smiles, actives.reasons, strict=True) if why]
    if bad or not len(actives):
        raise ConfigError(f"term {name!r}: {'cannot read ' + '; '.join(bad[:5]) if bad else 'no molecules were given'}")
    bits = fingerprint(actives, "morgan", bits=2048, radius=2)

    def function(batch: MoleculeBatch) -> Values:
        found = batch.compute("morgan_bits_2048", lambda some: fingerprint(some, "morgan", bits=2048, radius=2))
        return tanimoto(found, bits).max(axis=1), [""] * len(batch)

    return Term(name, function, transform or Identity(), weight, 80.0, filter)


def predicted(
    predictor: Predictor,
    task: str | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    direction: str = "max",
    transform: Transform | None = None,
    name: str | None = None,
    weight: float = 1.0,
) -> Term:
    """A task of a predictor, brought to [0, 1] between ``low`` and ``high`` (in the task's unit).

    Args:
        predictor: Any Predictor.
        task: Its task; may be left out if there is one.
        low, high: Ends of the ramp. A probability needs none.
        direction: ``max`` or ``min``.
        transform: Instead of the ramp.
        name, weight: Of the term.
    """
    names = [found.name for found in predictor.tasks]
    if task is None and len(names) != 1:
        raise ConfigError(f"the model predicts {', '.join(names)}; say which task is meant")
    chosen = task or names[0]
    if chosen not in names:
        raise unknown("task", chosen, names)
    index = names.index(chosen)
    if transform is None:
        if low is None or high is None:
            if predictor.tasks[index].kind == "regression":
                raise ConfigError(f"term {chosen!r}: a regression task needs low and high (in {predictor.tasks[index].unit or 'its unit'})")
            low, high = 0.0, 1.0
        transform = Ramp(low, high, direction)

    def function(batch: MoleculeBatch) -> Values:
        # two terms on one model share its predictions of the batch
        found = batch.compute(("predictions", id(predictor)), predictor.predict)
        return found.mean[:, index].astype(float), list(found.reasons)

    return Term(name or chosen, function, transform, weight, float(getattr(predictor, "cost", 5000.0)))


def function_term(
    call: Callable[[list[str]], Any],
    name: str,
    transform: Transform | None = None,
    *,
    weight: float = 1.0,
    cost: float = 10_000.0,
    filter: bool = False,
) -> Term:
    """A user's own function: list of SMILES → one number each.

    If it raises on a batch it is asked molecule by molecule, so that one bad molecule costs that molecule alone; the reason then carries the error.
    """

    def function(batch: MoleculeBatch) -> Values:
        smiles = list(batch.smiles)
        try:
            return np.asarray(call(smiles), dtype=float), [""] * len(smiles)
        except Exception as error:
            if len(smiles) <= 1:
                return np.full(len(smiles), np.nan), [reason(E_VALUE, f"term {name!r} raised {type(error).__name__}: {error}")] * len(smiles)
        parts = [function(batch.take([row])) for row in range(len(smiles))]
        return np.concatenate([part[0] for part in parts]), [part[1][0] for part in parts]

    return Term(name, function, transform or Identity(), weight, cost, filter)
