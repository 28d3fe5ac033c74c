"""Scaffolds decorated, fragments linked, molecules regrown and edited: what is given is kept, with the shipped prior and with graph edits alike."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from drugai.errors import ConfigError, MoleculeError
from drugai.generation import load_generator
from drugai.generation.attachment import begins_with_one_bond, joined, open_ends, read_fragments, read_scaffold, rooted, spellings
from drugai.generation.constrained import decorate, link, regrow
from drugai.generation.neighbours import edit_around, edit_linker, edit_scaffold
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto

NICOTINAMIDE = "O=C(N[*:1])c1ccc([*:2])nc1"
PHENYL_MORPHOLINE = "c1ccc([*:1])cc1.[*:2]N1CCOCC1"
CELECOXIB = "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F"
SCAFFOLDS = [
    "[*:1]c1ccccc1",
    NICOTINAMIDE,
    "O=C(N[*:1])c1cc2ccccc2[nH]1",  # an indole with its hydrogen
    "[*:1]n1ccc2cc([*:2])ccc21",  # an indole whose nitrogen is the point
    "C[C@H]([*:1])c1ccccc1",  # a stereocentre at the point
    "[*:1]N1CCN([*:2])CC1",
]


@pytest.fixture(scope="module")
def prior():
    return load_generator()


@pytest.mark.parametrize("text", SCAFFOLDS)
def test_every_spelling_breaks_off_at_its_point(text):
    scaffold = read_scaffold(text)
    for point in scaffold.points:
        found = spellings(scaffold.mol, point, 0)
        assert found
        whole = {Chem.CanonSmiles(smi + "F") for smi in found}
        assert len(whole) == 1
        others = [other for other in scaffold.points if other != point]
        with_fluorine = joined(scaffold.mol, point, "F")
        for other in others:  # the other points are hydrogens in a spelling
            with_fluorine = joined(with_fluorine, other, "[H]")
        assert whole == {Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(with_fluorine)))}


def test_substituents_are_joined_and_nothing_else_may_grow():
    scaffold = read_scaffold(NICOTINAMIDE)
    made = joined(joined(scaffold.mol, 1, "C1CC1"), 2, "OC")
    assert Chem.MolToSmiles(made) == Chem.CanonSmiles("O=C(NC1CC1)c1ccc(OC)nc1")
    asked = ["O=C(NC1CC1)c1ccc(OC)nc1", "O=C(NC1CC1)c1cccnc1", "O=C(NC1CC1)c1ccc(OC)nc1F", "O=C(N(C)C)c1ccc(OC)nc1", "not a molecule"]
    assert scaffold.kept_by(MoleculeBatch(asked)).tolist() == [True, False, False, False, False]


def test_a_continuation_hangs_on_one_bond_and_is_broken_off_where_nothing_is_open():
    assert [begins_with_one_bond(tail) for tail in ("CC", "[nH]", "", "(C)C", "1CC1", "=O", "%10CC", ")C")] == [True, True, *[False] * 6]
    assert open_ends(["C", "1", "C", "C", "1", "=", "O"]) == [1, 5, 7]  # not while ring 1 is open, not behind the bond sign
    assert open_ends(["C", ")", "C"]) == [1]


def test_a_fragment_is_written_from_its_point():
    first, second = read_fragments(PHENYL_MORPHOLINE)
    assert Chem.CanonSmiles("C" + rooted(second.mol)) == Chem.CanonSmiles("CN1CCOCC1")
    assert first.points == (1,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c1ccccc1", r"no attachment point; mark each place .* for example 'c1ccc\(\[\*:1\]\)cc1'"),
        ("c1cc[nH]c1", r"for example 'c1cc\(\[\*:1\]\)c\[nH\]1'"),
        ("c1ccc", "unclosed ring"),
        ("", "it is empty"),
        ("[*:1]", "nothing but points"),
        ("[*:1]=C", "not at the end of one single bond"),
        ("[*:1]C[*:1]", "same number"),
        ("C[*:1].C", "2 parts"),
    ],
)
def test_a_scaffold_that_cannot_be_used_is_explained_with_an_example(text, words):
    with pytest.raises(ConfigError, match=words):
        read_scaffold(text)


@pytest.mark.parametrize(("text", "words"), [("c1ccc([*:1])cc1", "has 1 part;"), ("C[*:1].C", "no attachment point"), ("C[*:1].[*:2]C[*:3]", "has 2 attachment points")])
def test_fragments_that_cannot_be_linked_are_explained(text, words):
    with pytest.raises(ConfigError, match=words):
        read_fragments(text)


def test_unnumbered_points_are_numbered():
    assert read_scaffold("[*]c1ccc(CC[*:3])nc1").points == (1, 3)


@pytest.mark.parametrize("make", [lambda prior, seed: decorate(prior, NICOTINAMIDE, 40, seed=seed), lambda prior, seed: edit_scaffold(NICOTINAMIDE, 40, seed=seed)])
@pytest.mark.slow
def test_decorated_scaffolds_keep_the_scaffold(prior, make):
    found, again, other = (make(prior, seed) for seed in (0, 0, 1))
    assert len(found) == len(set(found.smiles)) == 40
    assert found.smiles == again.smiles != other.smiles
    assert read_scaffold(NICOTINAMIDE).kept_by(MoleculeBatch(found.smiles)).all()
    assert 40 <= found.kept <= found.drawn


@pytest.mark.parametrize("make", [lambda prior: link(prior, PHENYL_MORPHOLINE, 40, longest=8), lambda _: edit_linker(PHENYL_MORPHOLINE, 40)])
def test_linked_fragments_are_both_there_with_a_linker_between(prior, make):
    found = make(prior)
    assert len(set(found.smiles)) == 40
    batch = MoleculeBatch(found.smiles)
    for part in read_fragments(PHENYL_MORPHOLINE):
        assert part.kept_by(batch).all()
    atoms = [mol.GetNumHeavyAtoms() for mol in batch.mols]
    assert min(atoms) >= 13  # 6 of phenyl, 6 of morpholine, at least one between


def test_the_linkers_length_is_kept(prior):
    found = link(prior, PHENYL_MORPHOLINE, 12, shortest=2, longest=4)
    assert {mol.GetNumHeavyAtoms() - 12 for mol in MoleculeBatch(found.smiles).mols} <= {2, 3, 4}


@pytest.mark.parametrize("make", [lambda prior: regrow(prior, [CELECOXIB], 40, min_similarity=0.5), lambda _: edit_around([CELECOXIB], 40, min_similarity=0.5)])
def test_neighbours_are_near_and_new(prior, make):
    found = make(prior)
    assert len(set(found.smiles)) == 40
    assert Chem.CanonSmiles(CELECOXIB) not in found.smiles
    assert np.all(tanimoto(fingerprint(found.smiles), fingerprint([CELECOXIB])) >= 0.5)


def test_what_the_prior_cannot_write_is_said_with_the_token_and_edits_can(prior):
    with pytest.raises(ConfigError, match=r"no token I; .*--engine edits"):
        decorate(prior, "Ic1ccc([*:1])cc1", 5)
    with pytest.raises(ConfigError, match="can be cut at a chain bond"):
        regrow(prior, ["c1ccccc1"], 5)
    with pytest.raises(ConfigError, match="none of the 1 given molecules can be read"):
        edit_around(["c1ccc"], 5)
    with pytest.raises(ConfigError, match="similarity lies in"):
        edit_around([CELECOXIB], 5, min_similarity=40)
    assert len(edit_around(["C[N+](C)(C)CCO"], 5, min_similarity=0.1)) == 5  # choline, which a prior without charges cannot write


def test_too_few_are_given_with_the_yield(caplog):
    found = edit_around(["CC"], 100, min_similarity=0.9)  # ethane has no neighbour so near
    assert (len(found), found.kept) == (0, 0)
    assert "0 different molecules of 100 asked for" in str(found)


def test_each_beginning_is_written_on_and_a_wrong_token_is_named(prior):
    begun = ["c1ccccc1", "CC(=O)N", ""]
    found = prior.complete(begun, seed=3)
    assert all(smi.startswith(prefix) for smi, prefix in zip(found, begun, strict=True))
    assert found == prior.complete(begun, seed=3)
    assert prior.sample(5, 3, prefix="CC(=O)N") == prior.complete(["CC(=O)N"] * 5, seed=3)
    with pytest.raises(MoleculeError, match=r"no token I;"):
        prior.complete(["CI"])


def test_the_likelihood_of_a_beginning_leaves_its_end_out(prior):
    begun, whole = (prior.log_likelihood(["c1ccccc1"], ended=ended)[0] for ended in (False, True))
    assert whole < begun < 0
