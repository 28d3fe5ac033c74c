"""Counts of fragments, scaffolds and ring systems as MOSES defines the first two."""

from collections import Counter

from drugai.molecules.fragments import brics_fragments, count_brics_fragments, count_ring_systems, count_scaffolds, ring_systems

ACETANILIDE = "CC(=O)Nc1ccccc1"
BIPHENYL = "c1ccc(-c2ccccc2)cc1"


def test_brics_fragments_by_hand():
    # acetanilide is cut at the amide and at the aryl-nitrogen bond
    assert brics_fragments([ACETANILIDE, "bad", "C"]) == [("[1*]C(C)=O", "[16*]c1ccccc1", "[5*]N[5*]"), (), ("C",)]


def test_duplicates_count_each_time_and_unreadable_ones_not():
    assert count_brics_fragments([BIPHENYL, BIPHENYL, "bad"]) == Counter({"[16*]c1ccccc1": 4})


def test_scaffolds_of_fewer_than_two_rings_are_left_out():
    assert count_scaffolds([BIPHENYL, "Cc1ccc(-c2ccccc2)cc1", ACETANILIDE, "CCO"]) == Counter({BIPHENYL: 2})
    assert count_scaffolds([ACETANILIDE], min_rings=1) == Counter({"c1ccccc1": 1})


def test_ring_systems_merge_fused_and_bridged_rings_and_part_spiro_ones():
    # naphthalene, norbornane, spiro[4.5]decane, cubane, biphenyl
    assert ring_systems(["c1ccc2ccccc2c1", "C1CC2CCC1C2", "C1CCC2(C1)CCCCC2", "C12C3C4C1C5C2C3C45", BIPHENYL]) == [
        ("c1ccc2ccccc2c1",),
        ("C1CC2CCC1C2",),
        ("C1CCCC1", "C1CCCCC1"),
        ("C12C3C4C1C1C2C3C41",),
        ("c1ccccc1", "c1ccccc1"),
    ]
    assert count_ring_systems([BIPHENYL, "CCO"]) == Counter({"c1ccccc1": 2})
