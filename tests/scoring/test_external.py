"""A program as a term: its numbers, its failures molecule by molecule, deadlines, and the scorer file."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.scoring import external_term, product_of, read_scorer
from drugai.scoring.transforms import Ramp

# ethanol, benzene, aspirin, caffeine, methylamine
MOLECULES = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CN"]


def program(tmp_path: Path, body: str) -> list[str]:
    """A program that runs ``body`` for each line ``smi``."""
    lines = "\n    ".join(body.splitlines())
    (tmp_path / "score.py").write_text(f"import os, sys, time\nfor line in sys.stdin:\n    smi = line.strip()\n    {lines}\n")
    return [sys.executable, str(tmp_path / "score.py")]


def test_every_molecule_gets_the_number_of_its_line(tmp_path):
    values, reasons = external_term(program(tmp_path, "print(len(smi))"), "letters", batch=2).values(MoleculeBatch(MOLECULES))
    assert values.tolist() == [len(smi) for smi in MOLECULES]
    assert reasons == [""] * 5


def test_what_the_program_says_in_place_of_a_number_is_the_reason(tmp_path):
    values, reasons = external_term(program(tmp_path, "print('no conformer' if 'N' in smi else 'nan' if smi == 'CCO' else 1.5)"), "dock").values(MoleculeBatch(MOLECULES))
    assert np.isnan(values).tolist() == [True, False, False, False, True]
    assert reasons[4] == "E_VALUE: term 'dock': the program said 'no conformer'"
    assert reasons[0] == "E_VALUE: term 'dock': the program said 'nan'"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("if smi == 'CN': print('bad atom', file=sys.stderr); sys.exit(3)\nprint(1)", "E_CRASH: term 'dock': the program ended with status 3: bad atom"),
        ("if smi == 'CN': os.kill(os.getpid(), 11)\nprint(1, flush=True)", "E_CRASH: term 'dock': the program was ended by signal 11: it said nothing"),
        ("if smi != 'CN': print(1)", "E_VALUE: term 'dock': the program wrote 0 lines for 1 molecules; it must write one a molecule"),
    ],
)
def test_a_molecule_at_which_the_program_fails_is_found_and_the_others_have_their_scores(tmp_path, body, why):
    values, reasons = external_term(program(tmp_path, body), "dock").values(MoleculeBatch(MOLECULES))
    assert values[:4].tolist() == [1.0] * 4
    assert reasons == ["", "", "", "", why]
    scores = product_of(external_term(program(tmp_path, body), "dock")).score(MOLECULES)
    assert scores.total.tolist() == [1.0] * 4 + [0.0]
    assert scores.reasons[4] == why


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path):
    mark = tmp_path / "child"
    # a shell, which starts at once: the deadline is for the molecule, not for the start of an interpreter on a busy machine
    body = f'while read smi; do if [ "$smi" = CN ]; then sleep 60 & echo $! > {mark}; wait; fi; echo 1; done'
    values, reasons = external_term(["/bin/sh", "-c", body], "dock", deadline=2.0).values(MoleculeBatch(MOLECULES[3:]))
    assert values[0] == 1.0
    assert reasons[1] == "E_TIMEOUT: term 'dock': no score within 2 s"
    child = Path("/proc") / mark.read_text().strip() / "stat"
    for _ in range(100):  # a killed process is gone, or a zombie until its parent looks
        if not child.exists() or child.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_a_scorer_file_names_the_program_beside_it(tmp_path):
    program(tmp_path, "print(len(smi))")
    (tmp_path / "s.toml").write_text(f'[[term]]\nkind = "external"\nname = "letters"\ncommand = ["{sys.executable}", "score.py"]\nlow = 0\nhigh = 10\ndirection = "min"\ndeadline = 20\n')
    found = read_scorer(tmp_path / "s.toml").score(["CCO", "not a molecule"])
    assert found.total.tolist() == pytest.approx([0.7, 0.0])
    assert found.raw["letters"][0] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"command": ["no-such-program"]}, "no program 'no-such-program' that can be run"),
        ({"command": "python dock.py"}, r"a list of words, for example \[\"python\", \"dock.py\"\]"),
        ({"command": [sys.executable], "deadline": 0}, "deadline"),
        ({"command": [sys.executable], "batch": 0}, "batch"),
    ],
)
def test_what_cannot_be_run_is_said_at_the_door(arguments, words):
    with pytest.raises(ConfigError, match=words):
        external_term(**arguments, name="dock", transform=Ramp(0, 1))
