"""A description of an activity as a term of a score, from the shipped linker and from a scorer file."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.linking import load_linker
from drugai.linking.matching import matches
from drugai.scoring import read_scorer

IBUPROFEN, METOPROLOL, METFORMIN = "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "COCCc1ccc(OCC(O)CNC(C)C)cc1", "CN(C)C(=N)NC(=N)N"


@pytest.fixture(scope="module")
def linker():
    return load_linker()


def test_molecules_like_the_drugs_that_the_text_describes_score_higher(linker):
    asked = [IBUPROFEN, METOPROLOL, METFORMIN]
    antiinflammatory = matches(linker, "nonsteroidal anti-inflammatory drug, inhibits cyclooxygenase").values
    blocker = matches(linker, "beta adrenergic receptor antagonist").values
    from drugai.molecules import MoleculeBatch

    batch = MoleculeBatch([*asked, "c1ccccc"])
    first, second = antiinflammatory(batch)[0], blocker(batch)[0]
    assert first[0] == max(first)
    assert second[1] == max(second)
    assert np.all((first >= 0) & (first <= 1))
    assert first[3] == 0


def test_a_scorer_file_names_the_text(tmp_path, linker):
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "matches"\nlinker = "shipped"\ntext = "beta adrenergic receptor antagonist"\n')
    found = read_scorer(tmp_path / "s.toml").score([METOPROLOL, METFORMIN])
    assert found.total[0] > found.total[1]
    with pytest.raises(ConfigError, match="needs a text"):
        matches(linker, " ")
