"""What a user asks, made ready: names to rows with "did you mean", and warnings on texts that cannot be trusted to say much."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from drugai.errors import DatasetError, MoleculeError
from drugai.linking.lexical import tokens
from drugai.linking.tables import Disease, Drug

BANNER = "For research only: associations learnt from texts, not advice on treatment, and no statement of safety or efficacy."
FAR = 0.35
"""Cosine to the nearest known text below which a query is far from everything known."""

UNLIKELY = 0.03
"""Calibrated probability of the best hit below which the linker abstains."""

_COMMON = frozenset((
    "a", "an", "the", "of", "in", "and", "or", "to", "that", "which", "is", "are", "by", "with", "for", "from", "on", "at", "as", "so", "not", "no", "it", "its",
))  # fmt: skip
_ALIASES = {"ordo:": "orphanet:", "umls_cui:": "umls:", "icd10cm:": "icd10:", "icd-10:": "icd10:"}


class Names:
    """Everything by which a known drug or disease may be called, in lower case, looked up at once.

    Args:
        drugs, diseases: The known ones.
    """

    def __init__(self, drugs: Sequence[Drug], diseases: Sequence[Disease]) -> None:
        self._drugs: dict[str, int] = {}
        self._spelt = {drug.name.lower(): drug.name for drug in drugs}
        for key_of in (lambda one: one.id, lambda one: one.name):
            for row, drug in enumerate(drugs):
                self._drugs.setdefault(key_of(drug).lower(), row)
        # an identifier or a proper name goes before a cross-reference, that before a synonym, that before a bare number
        self._diseases: dict[str, int] = {}
        for names_of in (
            lambda one: (one.id, one.name),
            lambda one: one.xrefs,
            lambda one: one.synonyms,
            lambda one: [xref.partition(":")[2] for xref in one.xrefs],
        ):
            for row, disease in enumerate(diseases):
                for name in names_of(disease):
                    self._diseases.setdefault(name.lower(), row)

    def drug(self, name: str) -> int:
        """Row of the drug of that name or id.

        Raises:
            DatasetError: It is unknown; near names are suggested.
        """
        wanted = name.strip().lower()
        if wanted in self._drugs:
            return self._drugs[wanted]
        near = [self._spelt[one] for one in difflib.get_close_matches(wanted, list(self._spelt), n=3, cutoff=0.55)]
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise DatasetError(f"unknown drug {name!r}; {hint}the linker knows {len(self._spelt)} drugs; describe it in words or by SMILES instead")

    def disease(self, name: str) -> int | None:
        """Row of the disease of that name, synonym or identifier (DOID, MONDO, MeSH, UMLS, ICD-10, Orphanet, OMIM), or None: then it is free text."""
        wanted = name.strip().lower()
        for alias, prefix in _ALIASES.items():
            if wanted.startswith(alias):
                wanted = prefix + wanted.removeprefix(alias)
        return self._diseases.get(wanted)


def looks_like_identifier(name: str) -> bool:
    """``DOID:9352``, ``MESH:D003924``, ``MONDO:0005148``, ``C0011860`` …: no description of anything."""
    return re.fullmatch(r"\s*([A-Za-z_0-9-]+:\s*\S*\d\S*|C\d{7})\s*", name) is not None


def check_smiles(smi: str) -> str:
    """The SMILES again, or a MoleculeError that says why it cannot be read."""
    from drugai.molecules import MoleculeBatch

    reason = MoleculeBatch([smi]).reasons[0]
    if reason:
        raise MoleculeError(f"SMILES {smi!r} cannot be used ({reason}); correct it or describe the drug in words")
    return smi


def text_warnings(text: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Why an answer to this text may be unreliable: empty, one word, or not English as far as its words tell."""
    words = re.findall(r"\w+", text.lower())
    if not words:
        return ["the text is empty: the order rests on how many drugs or diseases are known, and on the structure if one was given"]
    letters = [character for character in text if character.isalpha()]
    foreign = sum(ord(character) > 127 for character in letters) > 0.2 * max(1, len(letters))
    known = sum(word in _COMMON for word in words) + sum(word in vocabulary and word not in _COMMON for word in tokens(text))
    found = []
    if len(words) == 1 and not foreign:
        found.append("one word only: give a sentence on what the drug does or what the disease is")
    if foreign or (len(words) > 1 and known < 0.34 * len(words)):
        found.append("few of the words are known: the text encoder and the memory are English; the ranking is not reliable")
    return found
