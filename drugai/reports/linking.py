"""The page of a disease: the drugs ranked for it, with structures, what is known of each pair, and why it stands where it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from drugai.linking.evidence import Hit, Ranking
from drugai.linking.filters import Filters
from drugai.linking.linker import Linker
from drugai.reports.page import write_page
from drugai.reports.structures import draw_paths, to_svg

_BADGES = {
    "treats": ("good", "treats"), "palliates": ("good", "palliates"), "clinical": ("tried", "tried in people"), "trial_failed": ("bad", "trial failed"),
    "contraindicated": ("bad", "contraindicated"), "non_indication": ("bad", "judged: no indication"), "novel": ("new", "not known"),
}  # fmt: skip


def linking_page(
    linker: Linker, disease: str, out: str | Path, *, top: int = 20, filters: Filters | None = None, words: bool = True, popularity: float = 0.0
) -> Path:
    """Write the page of one disease: one HTML file.

    Args:
        linker: That ranks.
        disease: Name, identifier or description.
        out: The file.
        top: Drugs.
        filters: Which drugs are wanted.
        words: Mark the words of the disease's text that carry the ranking.
        popularity: As of ``rank_drugs``.

    Raises:
        DatasetError: An identifier that no known disease has.
    """
    ranking = linker.rank_drugs(disease, top=top, words=words, filters=filters, popularity=popularity)
    row = linker.names.disease(disease)
    known = linker.tables.diseases[row] if row is not None else None
    text = known.text() if known is not None else disease.strip()
    helping = sum(bool({"treats", "palliates"} & set(hit.status.split("+"))) for hit in ranking.hits)
    likely = [hit.probability for hit in ranking.hits if hit.probability is not None]
    tiles = [
        {"value": str(len(ranking.hits)), "label": "drugs shown", "note": f"of {len(linker.tables.drugs):,} known"},
        {"value": str(helping), "label": "known to help", "note": "treats or palliates"},
        {"value": str(sum(hit.status == "novel" for hit in ranking.hits)), "label": "not known", "note": "no source says anything"},
        {"value": f"{max(likely):.2f}" if likely else "–", "label": "highest probability", "note": "of drugs not known to help; calibrated" if known is not None else "calibrated on held-out folds"},
    ]
    facts = {"Name": known.name, "Identifier": known.id, "Area": known.area or "–", "Elsewhere": ", ".join(known.xrefs[:8]) or "–"} if known is not None else {}
    if ranking.read_as:
        facts = {"Nearest known disease": f"{ranking.read_as}; the statuses below are of it"}
    return write_page(
        out,
        "linking.html",
        title=f"Drugs for {known.name}" if known is not None else "Drugs for a described disease",
        banner=ranking.banner,
        what="disease",
        drawing=Markup(""),
        text=marked(text, ranking),
        facts=facts,
        tiles=tiles,
        warnings=[*(["The linker abstains: the order below is a guess."] if ranking.abstained else []), *ranking.warnings],
        hits=[hit_row(hit) for hit in ranking.hits],
        made=_made(linker, ranking),
    )


def hit_row(hit: Hit) -> dict[str, Any]:
    """What the template shows of a hit."""
    return {
        "rank": hit.rank,
        "name": hit.name,
        "id": hit.id,
        "score": f"{hit.score:.2f}",
        "probability": "" if hit.probability is None else f"{hit.probability:.2f}",
        "share": 0 if hit.probability is None else round(100 * hit.probability),
        "badges": [_BADGES.get(kind, ("new", kind)) for kind in hit.status.split("+")],
        "sources": list(zip(hit.sources, hit.licences, strict=False)),
        "neighbours": [str(one) for one in hit.neighbours],
        "targets": list(hit.targets[:8]),
        "words": [(word, f"{change:+.2f}") for word, change in hit.words],
        "drawing": to_svg(draw_paths(hit.smiles), hit.name) if hit.smiles else Markup(""),
    }


def marked(text: str, ranking: Ranking) -> Markup:
    """The disease's text with the words marked that carry the first hits; everything is escaped."""
    carrying = {word.lower() for hit in ranking.hits[:5] for word, change in hit.words if change > 0.05}
    parts = [Markup("<mark>{}</mark>").format(part) if part.lower() in carrying else Markup("{}").format(part) for part in re.split(r"([\w-]+)", text)]
    return Markup("").join(parts)


def _made(linker: Linker, ranking: Ranking) -> dict[str, str]:
    weights = linker.fusions["disease"].reverse
    return {
        "Query": ranking.query,
        "Known": f"{len(linker.tables.drugs):,} drugs, {len(linker.tables.diseases):,} diseases, {int(linker.knowledge.labels.sum()):,} treated or palliated pairs",
        "Score": "weighted sum of standardised components: " + ", ".join(f"{name} {weight:g}" for name, weight in weights.items() if weight),
        "Text encoder": linker.encoder.name,
        "Tables": linker.tables.name,
    }
