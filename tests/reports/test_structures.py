"""Structures: a few paths a molecule, themed colours, nothing but path data."""

from drugai.molecules import draw_svg
from drugai.reports.structures import compact, draw_many, draw_paths, to_svg


def test_a_drawing_is_a_few_paths_and_far_shorter_than_rdkits():
    aspirin = "CC(=O)Oc1ccccc1C(=O)O"
    paths = draw_paths(aspirin)
    assert {kind.split()[0] for kind, _ in paths} == {"k", "o"}  # carbon in the text's colour, oxygen in its own
    assert len(str(to_svg(paths))) < len(draw_svg(aspirin)) / 3


def test_every_element_has_the_class_of_its_colour():
    # halothane, methylphosphine, thiophene, iodomethane, pyridine
    for smi, letter in (("FC(F)(F)C(Cl)Br", "flb"), ("CP", "p"), ("c1ccsc1", "s"), ("CI", "i"), ("c1ccncc1", "n")):
        assert set(letter) <= {kind.split()[0] for kind, _ in draw_paths(smi)}, smi


def test_filled_wedges_and_glyphs_are_faces_and_bonds_are_lines():
    painted = {kind.split()[1] for kind, _ in draw_paths("C[C@H](N)C(=O)O")}  # L-alanine: one wedge
    assert "t" in painted
    assert painted & {"u", "v"}


def test_what_cannot_be_drawn_is_none():
    assert draw_paths("c1ccccc") is None  # unclosed ring
    assert draw_paths("C" * 200) is None  # more than 150 atoms


def test_a_drawing_with_anything_but_path_data_is_refused():
    assert compact('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0" style=""/><script>alert(1)</script></svg>') is None
    assert compact('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0&quot;&gt;&lt;script&gt;" style=""/></svg>') is None


def test_the_label_of_a_structure_is_escaped():
    assert "<b>" not in to_svg(draw_paths("CCO"), "<b>ethanol</b>")


def test_only_the_first_molecules_are_drawn():
    assert len(draw_many(["C", "CC", "CCC"], 2)) == 2
