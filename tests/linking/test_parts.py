import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.linking.parts import find_benchmark, split_benchmark
from drugai.linking.study import link_score


def test_parts_have_their_shares_and_keep_similar_drugs_together(primer):
    found = split_benchmark(primer, seed=3)
    parts = found.drug_parts[3]
    for group in np.unique(found.drug_groups):
        assert len(set(parts[found.drug_groups == group])) == 1
    share = np.bincount(parts, minlength=3) / len(parts)
    assert share == pytest.approx([0.7, 0.15, 0.15], abs=0.08)
    assert (found.disease_parts[3] == split_benchmark(primer, seed=3).disease_parts[3]).all()
    assert not (found.disease_parts[3] == split_benchmark(primer, seed=4).disease_parts[4]).all()


def test_tables_without_a_split_can_be_tuned_on(primer, encoder, quick):
    score = link_score(split_benchmark(primer, 0), encoder=encoder)
    assert 0 < score(quick) < 1


def test_the_primer_is_the_default_and_senseless_fractions_are_refused(primer):
    assert len(find_benchmark().tables.drugs) == len(primer.drugs)
    with pytest.raises(ConfigError, match="sum to 1"):
        split_benchmark(primer, fractions=(0.5, 0.1, 0.1))
