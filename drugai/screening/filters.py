"""Filters as they are typed on a command line, as terms of a scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drugai.errors import ConfigError, unknown
from drugai.molecules import PROPERTIES


def filter_terms(
    *,
    windows: Sequence[str] = (),
    alerts: Sequence[str] = (),
    must: Sequence[str] = (),
    must_not: Sequence[str] = (),
    similar_to: Sequence[str] | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> list[dict[str, Any]]:
    """Terms that a molecule must pass.

    Args:
        windows: ``"weight=200:500"``: a property by name between two ends, either of which may be left out.
        alerts: Sets of structural alerts of which none may be there (PAINS, BRENK, NIH, ZINC, CHEMBL).
        must, must_not: SMARTS that must match, each of them, or of which none may; a count of matches as ``"[OH]=1:3"``.
        similar_to: Known actives, for ``at_least`` and ``at_most``.
        at_least, at_most: Tanimoto similarity to the nearest of them: at least for look-alikes, at most for novel ones.

    Raises:
        ConfigError: A window cannot be read, a property is unknown, or a similarity lacks its actives.

    Example:
        >>> filter_terms(windows=["weight=:500"])
        [{'kind': 'property', 'property': 'weight', 'transform': 'step', 'high': 500.0, 'filter': True}]
    """
    terms: list[dict[str, Any]] = []
    for text in windows:
        name, found, ends = text.partition("=")
        if not found or ":" not in ends:
            raise ConfigError(f"window {text!r}: expected PROPERTY=LOW:HIGH, for example weight=200:500 or logp=:5")
        if name not in PROPERTIES:
            raise unknown("property", name, list(PROPERTIES))
        terms.append({"kind": "property", "property": name, "transform": "step", **_ends(ends, text, float), "filter": True})
    if alerts:
        terms.append({"kind": "alerts", "sets": list(alerts)})
    for number, text in enumerate(must, start=1):
        smarts, limits = _count(text)
        terms.append({"kind": "substructure", "smarts": smarts, "name": f"must_{number}", **limits})
    for number, text in enumerate(must_not, start=1):
        terms.append({"kind": "forbidden", "smarts": text, "name": f"must_not_{number}"})
    if at_least is not None or at_most is not None:
        if not similar_to:
            raise ConfigError("a least or greatest similarity needs known actives; give them with --actives")
        between = {key: value for key, value in (("low", at_least), ("high", at_most)) if value is not None}
        terms.append({"kind": "similarity", "smiles": list(similar_to), "transform": "step", **between, "filter": True})
    return terms


def _count(text: str) -> tuple[str, dict[str, int]]:
    """``"[OH]=1:3"`` → the SMARTS and its limits, one match at the least where none are given; an equals sign within a SMARTS is a double bond."""
    smarts, found, ends = text.rpartition("=")
    low, colon, high = ends.partition(":")
    if found and colon and all(part == "" or part.isdigit() for part in (low, high)) and low + high:
        return smarts, _ends(ends, text, int)
    return text, {"low": 1}


def _ends(text: str, whole: str, number: type) -> dict[str, Any]:
    low, _, high = text.partition(":")
    try:
        return {key: number(value) for key, value in (("low", low), ("high", high)) if value.strip()}
    except ValueError:
        raise ConfigError(f"{whole!r}: {low!r} and {high!r} are to be numbers, either of which may be left out") from None
