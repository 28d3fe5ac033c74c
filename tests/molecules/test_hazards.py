"""Mutated strings and files: whatever comes, every row comes back and the process lives (T20)."""

import os
import random
import subprocess
import sys
import textwrap

import pytest

SEEDS = [
    "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O", "C/C=C/C(=O)[O-].[Na+]",
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1", "[13CH3][C@@H](F)Cl", "C1CC%10CCC1CC%10", "O=[N+]([O-])c1ccc([Se]C)cc1",
]  # fmt: skip
ALPHABET = "CNOPSFIBrclnops()[]=#-+:%/\\@.0123456789*HK$>~&;,!{}\x00\u0421 |"


def mutate(text: str, rng: random.Random, alphabet: str) -> str:
    letters = list(text)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(letters) + 1)
        what = rng.randrange(4)
        if what == 0:
            letters.insert(at, rng.choice(alphabet))
        elif what == 1 and letters:
            del letters[min(at, len(letters) - 1)]
        elif what == 2 and letters:
            letters[min(at, len(letters) - 1)] = rng.choice(alphabet)
        else:
            end = rng.randrange(at, len(letters) + 1)
            letters[at:at] = letters[at:end] * rng.randrange(1, 4)
    return "".join(letters)


CHILD = textwrap.dedent(
    """
    import json, sys
    from drugai.molecules.batch import MoleculeBatch
    from drugai.molecules.fingerprints import fingerprint
    from drugai.molecules.reading import read_library

    if sys.argv[1] == "smiles":
        smiles = json.load(open(sys.argv[2]))
        for at in range(0, len(smiles), 4000):
            part = smiles[at:at + 4000]
            batch = MoleculeBatch(part)
            assert len(batch.mols) == len(batch.reasons) == len(batch.canonical) == len(part)
            assert all((mol is None) == bool(why) for mol, why in zip(batch.mols, batch.reasons))
            assert fingerprint(batch, bits=256).shape == (len(part), 256)
    else:
        got = sum(len(chunk) for chunk in read_library(sys.argv[2]))
        assert got >= int(sys.argv[3]), got
    """
)


def run_child(*arguments: str) -> None:
    # in a process of its own: a SIGSEGV is a failed test, not a lost test run
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_t20_60000_mutated_smiles_do_not_end_the_process(tmp_path):
    import json

    rng = random.Random(20)
    smiles = [mutate(rng.choice(SEEDS), rng, ALPHABET) for _ in range(60_000)]
    path = tmp_path / "smiles.json"
    path.write_text(json.dumps(smiles))
    run_child("smiles", str(path))


@pytest.mark.slow
def test_t20_2000_mutated_sdf_records_do_not_end_the_process(tmp_path):
    from rdkit import Chem

    rng = random.Random(21)
    blocks = [Chem.MolToMolBlock(mol) for mol in map(Chem.MolFromSmiles, SEEDS)] + [Chem.MolToV3KMolBlock(Chem.MolFromSmiles(SEEDS[0]))]
    records = []
    for _ in range(2000):
        record = mutate(rng.choice(blocks) + "> <x>\n1\n\n", rng, "0123456789 CNO.-\nMEDV")
        records.append(record.replace("$$$$", ""))
    path = tmp_path / "a.sdf"
    path.write_text("$$$$\n".join(records) + "$$$$\n")
    run_child("sdf", str(path), "2000")


def test_t20_a_few_thousand_mutations_in_the_fast_suite(tmp_path):
    import json

    rng = random.Random(22)
    path = tmp_path / "smiles.json"
    path.write_text(json.dumps([mutate(rng.choice(SEEDS), rng, ALPHABET) for _ in range(3_000)]))
    run_child("smiles", str(path))
