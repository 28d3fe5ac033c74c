"""Take out of a drug's text what gives the answer away: drug names, disease names and synonyms, symptom names, and words such as "antidiabetic".

Raw drug descriptions name an indication of their own in four of ten cases; a model trained on them learns to copy. Training and evaluation therefore see
masked text. At query time nothing is masked: there the words are honest evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drugai.linking.tables import LinkTables

SYMPTOMS = (
    "pain", "ache", "headache", "fever", "nausea", "vomiting", "diarrhea", "diarrhoea", "constipation", "cough", "itching", "pruritus", "rash", "fatigue",
    "dizziness", "insomnia", "anxiety", "depression", "seizure", "seizures", "convulsions", "tremor", "spasm", "spasms", "cramp", "cramps", "swelling",
    "edema", "oedema", "inflammation", "bleeding", "hemorrhage", "haemorrhage", "infection", "infections", "congestion", "heartburn", "dyspnea", "wheezing",
    "hypotension", "hyperglycemia", "hypoglycemia", "hyperlipidemia", "weakness", "vertigo", "migraine", "obesity", "thrombosis", "tumor", "tumour", "tumors",
    "cancer", "cancers", "malignancy", "leukemia", "leukaemia", "lymphoma", "diabetes", "diabetic", "asthma", "arthritis", "epilepsy", "schizophrenia",
    "psychosis", "hypertension", "hypertensive", "angina", "arrhythmia", "arrhythmias", "heart failure", "blood pressure", "high cholesterol",
)  # fmt: skip
"""Words for complaints that the disease ontology does not list as diseases, or lists only in longer forms."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'+-]*")
# anti-X words name what is treated; an antigen, antibody or antagonist names how
_ANTI = re.compile(r"(?!antibod|antigen|antagon|antisense|antitrypsin|antithrombin|antiport|anticodon|anticipat)anti[a-z-]{4,}$")
_LONGEST = 8


@dataclass(frozen=True)
class Masker:
    """Removes known names from texts: the longest run of words that is a name goes first.

    Attributes:
        names: Names as tuples of lower-case words.
    """

    names: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, tables: LinkTables, further: Iterable[str] = ()) -> Masker:
        """Masks every drug name, disease name and synonym of the tables, the symptoms, and ``further`` names."""
        texts = [*(drug.name for drug in tables.drugs), *SYMPTOMS, *further]
        for disease in tables.diseases:
            texts += [disease.name, *disease.synonyms]
        # names of three letters and less (ALS, RA) are words of other meanings too often
        return cls(frozenset(words for words in map(_words, texts) if words and len("".join(words)) > 3))

    def mask(self, text: str) -> str:
        """The text without the names; other words, their order and punctuation stay."""
        found = list(_WORD.finditer(text))
        lowered = [match.group().lower() for match in found]
        cut: list[tuple[int, int]] = []
        position = 0
        while position < len(found):
            length = self._match(lowered, position)
            if length:
                cut.append((found[position].start(), found[position + length - 1].end()))
            position += max(1, length)
        kept, end = [], 0
        for start, stop in cut:
            kept.append(text[end:start])
            end = stop
        return re.sub(r"\s+([,.;])", r"\1", re.sub(r"\s{2,}", " ", "".join([*kept, text[end:]]))).strip()

    def _match(self, words: Sequence[str], position: int) -> int:
        for length in range(min(_LONGEST, len(words) - position), 0, -1):
            run = tuple(words[position : position + length])
            if run in self.names or (*run[:-1], run[-1].removesuffix("s")) in self.names:
                return length
        return 1 if _ANTI.match(words[position]) else 0


def mask_tables(tables: LinkTables) -> dict[str, tuple[str, str]]:
    """Drug id → masked mechanism and masked class."""
    masker = Masker.of(tables)
    return {drug.id: (masker.mask(drug.mechanism), masker.mask(drug.drug_class)) for drug in tables.drugs}


def joined(texts: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Mechanism and class as one text."""
    return {one: " ".join(part for part in parts if part) for one, parts in texts.items()}


def measure_leakage(tables: LinkTables, texts: Mapping[str, str]) -> dict[str, float]:
    """How often a drug's text names what the drug is for.

    Args:
        tables: With the indications.
        texts: Drug id → text.

    Returns:
        ``pairs``: share of the positive pairs whose disease (name or synonym) stands in the drug's text; ``drugs``: share of the drugs with such a pair.
    """
    named = [{words for words in map(_words, (disease.name, *disease.synonyms)) if len("".join(words)) > 3} for disease in tables.diseases]
    pairs = tables.pairs()
    runs = {row: _runs(texts[drug.id]) for row, drug in enumerate(tables.drugs)}
    leaking = [key for key in pairs if runs[key[0]] & named[key[1]]]
    drugs = {drug for drug, _ in pairs}
    return {"pairs": len(leaking) / max(1, len(pairs)), "drugs": len({drug for drug, _ in leaking}) / max(1, len(drugs)), "n_pairs": float(len(pairs))}


def _words(text: str) -> tuple[str, ...]:
    return tuple(match.group().lower() for match in _WORD.finditer(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {words[start : start + length] for start in range(len(words)) for length in range(1, _LONGEST + 1) if start + length <= len(words)}
