"""SVG of molecules: well-formed, escaped, and text where a picture would take minutes."""

import time
from xml.etree import ElementTree

import pytest
from rdkit import Chem

from drugai.molecules.drawing import draw_svg

CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    "options",
    [{}, {"highlight": [0, 1, 99]}, {"atom_weights": [0.5, -1.0, float("nan"), *[0.0] * 11]}, {"legend": "caffeine", "size": (300, 200)}],
)
def test_a_drawing_is_well_formed_xml(options):
    root = ElementTree.fromstring(draw_svg(CAFFEINE, **options))
    assert root.tag == SVG + "svg"
    assert len(root.findall(f".//{SVG}path")) > 10
    assert root.get("width") == str(options.get("size", (250, 180))[0])


def test_t13_a_legend_cannot_carry_markup():
    svg = draw_svg("CCO", legend='<script>alert("x")</script>\x00')
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).findall(f".//{SVG}text")[-1].text == '<script>alert("x")</script>\ufffd'


def test_an_unreadable_molecule_is_shown_as_text_with_its_reason():
    svg = draw_svg("<b>", legend="x")
    assert "E_PARSE" in svg
    assert "<b>" not in svg
    ElementTree.fromstring(svg)


def test_more_than_150_atoms_are_text_at_once():
    peptide = Chem.MolFromSequence("A" * 90)  # polyalanine of 451 heavy atoms
    began = time.process_time()
    svg = draw_svg(peptide)
    assert time.process_time() - began < 1
    assert "451 heavy atoms" in svg
    ElementTree.fromstring(svg)


def test_the_molecule_itself_is_not_changed():
    mol = Chem.MolFromSmiles(CAFFEINE)
    draw_svg(mol, highlight=[0])
    assert mol.GetNumConformers() == 0
