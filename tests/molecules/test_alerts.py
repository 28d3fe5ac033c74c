"""Structural alerts."""

import pytest

from drugai.errors import ConfigError
from drugai.molecules.alerts import ALERT_SETS, find_alerts, has_alerts

# 1,4-benzoquinone, a rhodanine, aspirin, unreadable
SMILES = ["O=C1C=CC(=O)C=C1", "O=C1CSC(=S)N1", "CC(=O)Oc1ccccc1C(=O)O", "bad"]


def test_a_quinone_and_a_rhodanine_are_pains_and_aspirin_is_not():
    assert find_alerts(SMILES, ["PAINS"]) == [("PAINS: quinone_A(370)",), ("PAINS: rhod_sat_A(33)",), (), ()]


def test_sets_are_joined_in_the_order_asked_for():
    both = find_alerts(SMILES, ["BRENK", "PAINS"])
    assert [alert.split(":")[0] for alert in both[0]][-1] == "PAINS"
    assert both[0][:-1] == find_alerts(SMILES, ["BRENK"])[0]
    assert "BRENK: phenol_ester" in both[2]  # aspirin


@pytest.mark.parametrize("name", list(ALERT_SETS))
def test_every_set_loads_and_keeps_the_rows(name):
    found = find_alerts(SMILES, [name])
    assert len(found) == 4
    assert found[3] == ()
    assert has_alerts(SMILES, [name]) == [bool(alerts) for alerts in found]


def test_an_unknown_set_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'PAINS'"):
        find_alerts(SMILES, ["PAIN"])
