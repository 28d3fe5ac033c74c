"""Each string that breaks the stack is refused before RDKit sees it, with its code."""

import time

import pytest
from rdkit import Chem

from drugai.errors import ConfigError, code_of
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.caps import Caps, check_mol, check_text, clean_text

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def complete_graph(n: int) -> str:
    """K_n of carbons: every pair of atoms bonded, (n - 1)(n - 2) / 2 independent rings."""
    labels: dict[tuple[int, int], int] = {}
    atoms = []
    for i in range(n):
        closures = ""
        for j in range(n):
            if abs(i - j) > 1:
                labels.setdefault((min(i, j), max(i, j)), len(labels) + 1)
                closures += f"%({labels[min(i, j), max(i, j)]})"
        atoms.append("C" + closures)
    return "".join(atoms)


def test_an_ordinary_molecule_passes():
    assert check_text(ASPIRIN) == ""
    assert check_text("[Na+].[Cl-]") == ""  # table salt: charges and fragments within the caps


@pytest.mark.parametrize("smi", ["", "   ", None, float("nan")])
def test_an_empty_cell_is_e_empty(smi):
    assert code_of(check_text(smi)) == "E_EMPTY"


@pytest.mark.parametrize("smi", ["C\u0421", "\u201cCCO\u201d", "CC\x00O", "CC\x07O", "CCO ethanol", "C\u200bC", "CC\tO", "CÖ"])
def test_characters_outside_printable_ascii_are_e_charset(smi):
    # U+0421 is the Cyrillic letter that looks like C; RDKit would drop it without a word
    assert code_of(check_text(smi)) == "E_CHARSET"


@pytest.mark.parametrize("smi", ["[Mg+1000]", "[C+999999999]", "[Fe+5]", "[C-5]", "[Fe+++++]", "CC[O-----]", "[C+" + "9" * 1000 + "]"])
def test_charges_beyond_four_are_e_charge(smi):
    assert code_of(check_text(smi)) == "E_CHARGE"


@pytest.mark.parametrize("smi", ["[Th+4]", "[Sn++++]", "[O-2]", "C[N+](C)(C)C", "C1CC-1", "C-5CCCCC-5", "[C+0]"])
def test_real_charges_and_explicit_bonds_before_digits_pass(smi):
    # "-5" outside a bracket is a single bond and a ring closure
    assert check_text(smi) == ""


def test_t1_a_line_of_20000_carbons_is_e_too_long():
    assert code_of(check_text("C" * 20_000)) == "E_TOO_LONG"
    batch = MoleculeBatch(["CCO", "C" * 20_000, ASPIRIN])
    assert batch.valid.tolist() == [True, False, True]
    assert batch.canonical == ("CCO", "", ASPIRIN)


def test_t2_501_atoms_are_e_too_large_and_500_pass():
    assert code_of(check_text("C" * 501)) == "E_TOO_LARGE"
    assert check_text("C" * 500) == ""
    assert code_of(check_text("[13CH2]" * 501, Caps(max_characters=10_000))) == "E_TOO_LARGE"


def test_explicit_hydrogens_are_not_heavy_atoms():
    assert check_text("C" * 499 + "C([2H])([2H])") == ""


def test_t3_51_fragments_are_e_fragments_and_50_pass():
    assert code_of(check_text(".".join(["C"] * 51))) == "E_FRAGMENTS"
    assert check_text(".".join(["C"] * 50)) == ""


def test_t4_a_ring_bomb_is_e_complexity_within_a_second():
    bomb = complete_graph(60)
    began = time.process_time()
    batch = MoleculeBatch([bomb, "c1ccccc1"], caps=Caps(max_characters=100_000))
    assert code_of(batch.reasons[0]) == "E_COMPLEXITY"
    assert batch.valid.tolist() == [False, True]
    assert time.process_time() - began < 1


def test_digits_in_brackets_are_no_ring_closures():
    labelled = "".join(f"[CH2:{k}]" for k in range(1, 150))  # 149 atom-mapped carbons in a chain
    assert check_text(labelled) == ""


def test_isotope_numbers_beyond_three_digits_are_refused():
    assert code_of(check_text("[999999999C]")) == "E_PARSE"
    assert check_text("[235U]") == ""


def test_a_cxsmiles_part_is_dropped():
    assert clean_text("C[C@H](N)O |o1:1|") == "C[C@H](N)O"
    batch = MoleculeBatch(["C |" + "x" * 1_000_000 + "|"])  # the part of a million characters that RDKit would read
    assert batch.valid[0]
    assert batch.canonical == ("C",)


def test_molecules_from_elsewhere_meet_the_same_caps():
    parse = Chem.MolFromSmiles
    assert check_mol(parse(ASPIRIN)) == ""
    assert code_of(check_mol(Chem.Mol())) == "E_EMPTY"
    assert code_of(check_mol(parse("C" * 501))) == "E_TOO_LARGE"
    assert code_of(check_mol(parse(".".join("C" * 51)))) == "E_FRAGMENTS"
    assert code_of(check_mol(parse("C12C3C4C1C5C2C3C45"), Caps(max_rings=4))) == "E_COMPLEXITY"  # cubane has 5 independent rings
    assert code_of(check_mol(parse("[Fe+5]"))) == "E_CHARGE"


def test_a_cap_below_one_is_refused():
    with pytest.raises(ConfigError, match="max_rings"):
        Caps(max_rings=0)
