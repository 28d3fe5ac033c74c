"""Masking takes out names and leaves mechanisms."""

from __future__ import annotations

from drugai.linking.masking import Masker, measure_leakage
from drugai.linking.tables import Disease, Drug, Indication, LinkTables

TABLES = LinkTables(
    "three rows",
    (Drug("d1", "Metformin", "CN(C)C(=N)NC(N)=N", "Metformin lowers hepatic glucose output in type 2 diabetes mellitus.", "Antidiabetic biguanide."),),
    (Disease("z1", "type 2 diabetes mellitus", "A disorder of glucose.", ("NIDDM",)), Disease("z2", "gout", "Crystals of urate in joints.")),
    (Indication("d1", "z1", "treats", ("test",)),),
)


def test_names_of_drugs_diseases_and_antiwords_go_and_the_mechanism_stays():
    text = Masker.of(TABLES).mask("Metformin lowers hepatic glucose output in type 2 diabetes mellitus, NIDDM; an antidiabetic antagonist.")
    assert "hepatic glucose output" in text
    assert "antagonist" in text
    for word in ("Metformin", "diabetes", "NIDDM", "antidiabetic"):
        assert word.lower() not in text.lower()


def test_the_longest_name_goes_first():
    assert Masker.of(TABLES).mask("treats type 2 diabetes mellitus well") == "treats well"


def test_leakage_is_total_before_and_none_after_masking():
    raw = {"d1": TABLES.drugs[0].text()}
    assert measure_leakage(TABLES, raw) == {"pairs": 1.0, "drugs": 1.0, "n_pairs": 1.0}
    assert measure_leakage(TABLES, {"d1": Masker.of(TABLES).mask(raw["d1"])})["pairs"] == 0.0
