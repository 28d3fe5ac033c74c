"""The page of a drug: the diseases ranked for its description or structure, what is known of each pair, and why it stands where it stands."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from drugai.linking.filters import Filters
from drugai.linking.linker import Linker
from drugai.reports.linking import hit_row, marked
from drugai.reports.page import write_page
from drugai.reports.structures import draw_paths, to_svg


def ranking_page(
    linker: Linker, text: str, out: str | Path, *, smiles: str | None = None, top: int = 10, filters: Filters | None = None, popularity: float = 0.0
) -> Path:
    """Write the page of one drug: one HTML file.

    Args:
        linker: That ranks.
        text: What the drug does; may be empty where there is a structure.
        out: The file.
        smiles: Its structure.
        top: Diseases.
        filters: Which diseases are wanted.
        popularity: As of ``rank``.

    Raises:
        MoleculeError: The SMILES cannot be read.
    """
    ranking = linker.rank(text, smiles=smiles, top=top, words=bool(text), filters=filters, popularity=popularity)
    likely = [hit.probability for hit in ranking.hits if hit.probability is not None]
    known = sum(hit.status.split("+")[0] in ("treats", "palliates") for hit in ranking.hits)
    tiles = [
        {"value": str(len(ranking.hits)), "label": "diseases shown", "note": f"of {len(linker.tables.diseases):,} known"},
        {"value": str(known), "label": "known to be helped", "note": "by this very drug"},
        {"value": f"{max(likely):.2f}" if likely else "–", "label": "highest probability", "note": "calibrated on held-out folds"},
    ]
    if ranking.votes:
        vote = ranking.votes[0]
        tiles.append({"value": f"{vote.share:.0%}", "label": vote.term, "note": "class of the nearest known drugs"})
    return write_page(
        out,
        "linking.html",
        title="Diseases for a described drug" if text else "Diseases for a structure",
        banner=ranking.banner,
        what="drug",
        text=marked(text, ranking) if text else Markup(""),
        drawing=to_svg(draw_paths(smiles), smiles) if smiles else Markup(""),
        facts={"SMILES": smiles} if smiles else {},
        tiles=tiles,
        warnings=[*(["The linker abstains: the order below is a guess."] if ranking.abstained else []), *ranking.warnings],
        hits=[{**hit_row(hit), "drawing": None} for hit in ranking.hits],
        made={
            "Query": ranking.query,
            "Known": f"{len(linker.tables.drugs):,} drugs, {len(linker.tables.diseases):,} diseases, {int(linker.knowledge.labels.sum()):,} treated or palliated pairs",
            "Text encoder": linker.encoder.name,
            "Tables": linker.tables.name,
        },
    )
