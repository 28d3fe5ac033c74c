"""``drugai generate`` and ``drugai optimize`` as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ConfigError

RUN = CliRunner()


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    """From aspirin, ibuprofen, caffeine and an unclosed ring towards celecoxib."""
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "objective"\nname = "celecoxib_rediscovery"\n')
    (tmp_path / "start.csv").write_text("ID,SMILES\n1,CC(=O)Oc1ccccc1C(=O)O\n2,CC(C)Cc1ccc(C(C)C(=O)O)cc1\n3,Cn1c(=O)c2c(ncn2C)n(C)c1=O\n4,c1ccccc\n")
    files = ["--scorer", str(tmp_path / "s.toml"), "--start", str(tmp_path / "start.csv"), "--out", str(tmp_path / "run")]
    return ["optimize", *files, "--budget", "60", "--set", "population=20", "--set", "offspring=20"]


def test_optimize_prints_the_ten_best_and_goes_on_with_its_run(tmp_path: Path, typed: list[str]) -> None:
    found = RUN.invoke(app, typed)
    assert found.exit_code == 0, found.output
    assert "60 molecules scored; area under the curve of the ten best 0." in found.output
    assert found.stdout.splitlines()[11].split()[0] == "10"
    assert len((tmp_path / "run" / "scored.jsonl").read_text().splitlines()) == 60
    again = RUN.invoke(app, typed)
    assert again.stdout == found.stdout
    with pytest.raises(ConfigError, match="other settings"):
        RUN.invoke(app, [*typed, "--seed", "1"], catch_exceptions=False)


def test_optimize_writes_the_front_and_says_how_many_are_on_it(tmp_path: Path, typed: list[str]) -> None:
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "qed"\n[[term]]\nkind = "synthetic_accessibility"\nlow = 1\nhigh = 6\ndirection = "min"\n')
    found = RUN.invoke(app, [*typed, "--pareto"], catch_exceptions=False)
    assert "molecules that no other beats in qed, synthetic_accessibility at once" in found.stdout
    assert (tmp_path / "run" / "front.csv").read_text().startswith("smiles,total,")


def test_optimize_improves_a_lead_and_prints_its_matched_pairs(tmp_path: Path, typed: list[str]) -> None:
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "qed"\n')
    lead = ["--start", "CC(=O)Nc1ccc(O)cc1", "--keep", "c1ccccc1", "--min-similarity", "0.3"]  # paracetamol
    typed[typed.index("--start") : typed.index("--start") + 2] = lead
    found = RUN.invoke(app, typed, catch_exceptions=False)
    assert "matched pairs with the molecule to start from (total 0." in found.stdout
    assert ">>" in found.stdout
    with pytest.raises(ConfigError, match="limits around one molecule"):
        RUN.invoke(app, ["optimize", "--scorer", str(tmp_path / "s.toml"), "--out", str(tmp_path / "x"), "--keep", "c1ccccc1"], catch_exceptions=False)


def test_optimize_runs_in_stages(tmp_path: Path, typed: list[str]) -> None:
    (tmp_path / "stages.toml").write_text('[[stage]]\nscorer = "s.toml"\nbudget = 30\n[[stage]]\nscorer = "s.toml"\nbudget = 40\n')
    at = typed.index("--scorer")
    found = RUN.invoke(app, [*typed[:at], "--stages", str(tmp_path / "stages.toml"), *typed[at + 2 :]], catch_exceptions=False)
    assert "stage 1: 30 of 30 molecules" in found.stdout
    assert "stage 2: 40 of 40 molecules" in found.stdout
    with pytest.raises(ConfigError, match="and not both"):
        RUN.invoke(app, [*typed, "--stages", str(tmp_path / "stages.toml")], catch_exceptions=False)


def test_an_unknown_method_is_refused_with_the_nearest(typed: list[str]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'hybrid'"):
        RUN.invoke(app, [*typed, "--method", "hybird"], catch_exceptions=False)


def generated(tmp_path: Path, *words: str) -> tuple[str, list[str]]:
    """What ``drugai generate`` said, and the molecules that it wrote."""
    found = RUN.invoke(app, ["generate", "--out", str(tmp_path / "g.smi"), *words], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout, (tmp_path / "g.smi").read_text().split()


def test_generate_writes_the_same_raw_samples_for_the_same_seed(tmp_path: Path) -> None:
    said, first = generated(tmp_path, "-n", "20")
    assert said == f"20 molecules → {tmp_path / 'g.smi'}\n"
    assert len(first) == 20
    assert generated(tmp_path, "-n", "20")[1] == first
    assert generated(tmp_path, "-n", "20", "--seed", "1")[1] != first
    assert all(smi.startswith("CC(=O)N") for smi in generated(tmp_path, "-n", "5", "--prefix", "CC(=O)N")[1])


@pytest.mark.parametrize("engine", ["prior", "edits"])
def test_generate_keeps_what_is_given_with_either_engine_and_says_the_yield(tmp_path: Path, engine: str) -> None:
    for words in (["--scaffold", "c1ccc([*:1])nc1"], ["--link", "c1ccc([*:1])cc1.[*:2]N1CCOCC1"], ["--around", "CC(=O)Oc1ccccc1C(=O)O", "--min-similarity", "0.3"]):
        said, found = generated(tmp_path, "-n", "10", "--engine", engine, *words)
        assert "10 different molecules of 10 asked for" in said
        assert "keep what was given" in said
        assert len(set(found)) == 10


def test_generate_around_a_file_says_what_could_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CC(=O)Oc1ccccc1C(=O)O aspirin\nc1ccccc broken\n")
    said, found = generated(tmp_path, "-n", "5", "--around", str(tmp_path / "a.smi"), "--min-similarity", "0.3")
    assert said.startswith("given molecules that are not used: 1 E_PARSE")
    assert len(found) == 5


@pytest.mark.slow
def test_generate_after_fine_tuning_reports_the_curve_and_what_was_learnt_by_heart(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("".join(f"COc1ccc({'C' * n}C(=O)N{end})cc1\n" for n in range(1, 6) for end in ("C", "CC", "CCO")))
    said, found = generated(tmp_path, "-n", "20", "--fine-tune", str(tmp_path / "a.smi"))
    assert "held-out loss" in said
    assert "learnt by heart" in said
    assert len(found) == 20


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--scaffold", "c1ccccc1"], r"no attachment point; .*for example 'c1ccc\(\[\*:1\]\)cc1'"),
        (["--scaffold", "C[*:1]", "--prefix", "CC"], "--scaffold and --prefix cannot be combined"),
        (["--engine", "edits"], "starts from something"),
        (["--engine", "edit"], "did you mean 'edits'"),
        (["--around", "nosuchfile.smi"], "neither a file nor a molecule"),
    ],
)
def test_generate_explains_what_it_cannot_do(tmp_path: Path, words: list[str], error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        RUN.invoke(app, ["generate", "--out", str(tmp_path / "g.smi"), *words], catch_exceptions=False)
    assert not (tmp_path / "g.smi").exists()
