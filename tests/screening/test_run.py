"""A whole screen: row law, the same bytes for every worker count and after kill -9, refusals, a full disk."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest

import drugai
from drugai.errors import ConfigError, DatasetError, code_of
from drugai.molecules import read_table
from drugai.scoring import TermScorer, mean_of, predicted, product_of, property_term, qed, within
from drugai.scoring.transforms import Ramp
from drugai.screening import read_hits, screen

SHARDS = {"shard_size": 300, "chunk": 128}


def contents(folder: Path) -> dict[str, bytes]:
    """What a run must reproduce: every shard and the hits."""
    files = [*sorted((folder / "shards").glob("*.parquet")), folder / "hits.csv", folder / "hits.parquet"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def light() -> TermScorer:
    """A scorer that costs little, in this process."""
    return product_of(property_term("weight", Ramp(100, 900)))


def rows_of(folder: Path) -> list[dict[str, object]]:
    return [row for path in sorted((folder / "shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_a_library_with_300_bad_rows_keeps_every_row_in_order_with_its_reason(library: Path, finished: Path) -> None:
    hits = read_hits(finished)
    given = read_table(library).columns
    rows = rows_of(finished)
    assert [row["index"] for row in rows] == list(range(1000))
    assert [row["id"] for row in rows] == given["id"]
    assert [row["smiles"] for row in rows] == given["SMILES"]
    bad = [row for row in rows if row["reason"]]
    assert len(bad) == 300
    assert all(row["total"] == 0 and row["pActivity"] is None for row in bad)
    counted = Counter(code_of(str(row["reason"])) for row in bad)
    assert hits.summary["reasons"] == dict(counted)
    assert counted == dict.fromkeys(("E_EMPTY", "E_PARSE", "E_TOO_LONG", "E_CHARSET", "E_CHARGE", "E_FRAGMENTS"), 50)
    assert (hits.summary["n"], hits.summary["n_bad"], hits.n_errors) == (1000, 300, 300)
    assert sum(hits.summary["histogram"]["counts"]) == 700


def test_the_values_are_those_of_the_predictor_and_the_order_is_theirs(library: Path, model: Path, finished: Path) -> None:
    hits = read_hits(finished)
    predictor = drugai.load_predictor(model)
    found = predictor.predict(read_table(library).columns["SMILES"])
    assert found.std is not None
    rows = rows_of(finished)
    np.testing.assert_array_equal(np.array([row["pActivity"] for row in rows], dtype=np.float32), found.mean[:, 0])
    np.testing.assert_array_equal(np.array([row["pActivity_std"] for row in rows], dtype=np.float32), found.std[:, 0])
    order = np.lexsort((np.arange(1000), np.nan_to_num(found.mean[:, 0], nan=np.inf)))[:25]
    np.testing.assert_array_equal(hits.table["pActivity"], found.mean[order, 0])
    assert hits.table["index"].tolist() == order.tolist()


def test_one_and_two_workers_and_an_interrupted_run_write_the_same_bytes(tmp_path: Path, library: Path, hazardous: ModuleType) -> None:
    model = hazardous.place("peaceful")
    screen(library, model, out=tmp_path / "one", top=40, **SHARDS)
    screen(library, model, out=tmp_path / "two", top=40, workers=2, **SHARDS)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")

    # a shard is lost, another damaged, the third has no manifest row yet: what a killed run leaves
    shards = sorted((tmp_path / "two" / "shards").glob("*.parquet"))
    shards[0].unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-9] + b"otherwise")
    shards[2].with_suffix(".json").unlink()
    debris = tmp_path / "two" / "shards" / ".shard_00001.parts"
    debris.mkdir()
    (debris / "300.arrow").write_bytes(b"half")
    hits = screen(library, model, out=tmp_path / "two", top=40, **SHARDS)
    assert hits.summary["shards"] == {"n": 4, "computed": 3, "skipped": 1}
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert not list((tmp_path / "two" / "shards").glob(".*"))


def test_a_finished_run_is_read_back_and_merged_anew_for_another_top(tmp_path: Path, library: Path) -> None:
    screen(library, light(), out=tmp_path / "run", top=40, **SHARDS)
    hits = screen(library, light(), out=tmp_path / "run", top=7, **SHARDS)
    assert hits.summary["shards"]["computed"] == 0
    back = read_hits(tmp_path / "run")
    assert len(back) == len(hits) == 7
    assert back.summary == hits.summary
    for name, values in hits.table.items():
        assert list(values) == list(back.table[name]), name
    assert "7 hits" in str(hits)


def test_a_scorer_file_writes_its_terms_and_short_circuits_leave_nulls(tmp_path: Path, library: Path, model: Path) -> None:
    (tmp_path / "s.toml").write_text(
        f'[[term]]\nkind = "predicted"\nmodel = "{model}"\nlow = 5\nhigh = 7\n[[term]]\nkind = "property"\nproperty = "weight"\n'
        f'transform = "step"\nhigh = 350\nfilter = true\n[[term]]\nkind = "predicted"\nmodel = "{model}"\n'
        'name = "steep"\ntransform = "sigmoid"\nlow = 5.5\nhigh = 6.5\n'
    )
    hits = screen(library, tmp_path / "s.toml", out=tmp_path / "run", top=10, **SHARDS)
    rows = [row for row in rows_of(tmp_path / "run") if not row["reason"]]
    killed = [row for row in rows if row["weight_score"] == 0]
    assert killed  # a good part of RDKit's compounds weighs more
    assert all(row["total"] == 0 and row["pActivity"] is None and row["steep_score"] is None for row in killed)
    alive = [row for row in rows if row["weight_score"] == 1]
    assert all(row["pActivity"] == row["steep"] and row["pActivity_std"] is not None for row in alive)
    assert {entry["name"]: entry["reached"] for entry in hits.summary["terms"]} == {"pActivity": len(alive), "weight": 700, "steep": len(alive)}
    # the same scorer, made in Python, runs in this process
    scorer = product_of(predicted(drugai.load_predictor(model), low=5, high=7), within("weight", 0, 350))
    here = screen(library, scorer, out=tmp_path / "here", top=10, **SHARDS)
    assert here.summary["n_alive"] == len(alive)


def test_the_shards_of_two_slices_make_the_hits_of_the_whole(tmp_path: Path, library: Path) -> None:
    screen(library, light(), out=tmp_path / "whole", top=40, **SHARDS)
    for part in (0, 1):
        hits = screen(library, light(), out=tmp_path / "sliced", top=40, shard_slice=(part, 2), **SHARDS)
        assert not hits.complete
        assert hits.summary["shards"]["n"] == 2
    assert not (tmp_path / "sliced" / "hits.csv").exists()
    hits = screen(library, light(), out=tmp_path / "sliced", top=40, **SHARDS)
    assert hits.summary["shards"] == {"n": 4, "computed": 0, "skipped": 4}
    assert contents(tmp_path / "whole") == contents(tmp_path / "sliced")


def _kill_at_random(tmp_path: Path, library: Path, scorer: str, times: int, longest: float) -> None:
    script = f"import drugai; drugai.screen({str(library)!r}, {scorer!r}, out={str(tmp_path / 'killed')!r}, top=40, workers=2, shard_size=100, chunk=50)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    dice = random.Random(0)
    for _ in range(times):
        child = subprocess.Popen([sys.executable, "-c", script], env=environment)
        time.sleep(dice.uniform(0.8, longest))
        child.send_signal(signal.SIGKILL)
        child.wait()
    screen(library, scorer, out=tmp_path / "killed", top=40, shard_size=100, chunk=50)
    screen(library, scorer, out=tmp_path / "quiet", top=40, shard_size=100, chunk=50)
    assert contents(tmp_path / "killed") == contents(tmp_path / "quiet")
    assert not list((tmp_path / "killed" / "shards").glob(".*"))


def test_t8_killed_with_kill_9_at_random_and_resumed_gives_the_same_bytes(tmp_path: Path, library: Path, hazardous: ModuleType) -> None:
    _kill_at_random(tmp_path, library, hazardous.place("slow"), times=2, longest=2.0)


@pytest.mark.slow
def test_t8_twenty_times(tmp_path: Path, library: Path, hazardous: ModuleType) -> None:
    _kill_at_random(tmp_path, library, hazardous.place("slow"), times=20, longest=4.0)


def test_t9_a_full_disk_is_a_clear_error_and_leaves_no_half_shard(tmp_path: Path, library: Path) -> None:
    scorer = light()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # a write beyond fails as on a full disk
    try:
        with pytest.raises(DatasetError, match="cannot be written.*make room"):
            screen(library, scorer, out=tmp_path / "run", **SHARDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "run" / "shards").glob("*.parquet"))
    assert screen(library, scorer, out=tmp_path / "run", **SHARDS).summary["n"] == 1000  # with room again, the same call goes through


def test_t10_a_second_run_is_refused_and_sigterm_ends_the_first_cleanly(tmp_path: Path, library: Path, hazardous: ModuleType) -> None:
    slow = hazardous.place("slow")
    script = (
        f"import drugai\ntry:\n drugai.screen({str(library)!r}, {slow!r}, out={str(tmp_path / 'run')!r}, shard_size=50, chunk=50)\n"
        "except KeyboardInterrupt:\n print('ended')"
    )
    child = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, stdout=subprocess.PIPE, text=True)
    try:
        limit = time.monotonic() + 60
        while not list((tmp_path / "run" / "shards").glob("*.json")) and time.monotonic() < limit:
            time.sleep(0.05)
        with pytest.raises(ConfigError, match=f"another run works in this folder \\(process {child.pid}\\)"):
            screen(library, slow, out=tmp_path / "run", shard_size=50, chunk=50)
        workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        assert workers
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=30)[0].strip() == "ended"
    finally:
        child.kill()
        child.wait()
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert screen(library, slow, out=tmp_path / "run", shard_size=50, chunk=50).summary["shards"]["skipped"] >= 1


def test_t11_a_changed_model_or_setting_is_refused_by_name(tmp_path: Path, library: Path, model: Path, finished: Path) -> None:
    own = {"rank_by": "pActivity:min", "out": finished, **SHARDS}
    with pytest.raises(ConfigError, match=r"shard_size \(300 → 500\)"):
        screen(library, model, **{**own, "shard_size": 500})
    with pytest.raises(ConfigError, match=r"the direction \(min → max\)"):
        screen(library, model, **{**own, "rank_by": "pActivity:max"})
    other = drugai.load_predictor(model)
    other.record["note"] = "trained again"
    with pytest.raises(ConfigError, match="holds another run: the model .* → "):
        screen(library, other.save(tmp_path / "other"), **own)
    changed = tmp_path / "library.csv"
    changed.write_text(library.read_text() + "M1000,CCO\n")
    with pytest.raises(ConfigError, match="the library's content"):
        screen(changed, model, **own)
    assert json.loads((finished / "summary.json").read_text())["n"] == 1000  # the old run stands


def test_gzipped_csv_and_sdf_give_the_totals_of_the_plain_file(tmp_path: Path, molecules: list[str]) -> None:
    from drugai.molecules import write_table

    columns = {"id": [f"m{k}" for k in range(200)], "smiles": molecules[:200], "batch": ["a", "b"] * 100}
    found = []
    for name in ("l.csv", "l.csv.gz", "l.parquet", "l.sdf.gz"):
        hits = screen(write_table(tmp_path / name, columns), light(), out=tmp_path / name.replace(".", "_"), top=5, keep=("batch",), shard_size=90, chunk=40)
        assert set(hits.table["batch"]) <= {"a", "b"}
        found.append([(row["id"], row["batch"], round(float(str(row["total"])), 9)) for row in rows_of(hits.path)])
    assert found[0] == found[1] == found[2] == found[3]


def test_labels_give_enrichment_and_actives_give_novelty(tmp_path: Path, molecules: list[str]) -> None:
    rows = ["smiles,active"] + [f"{smi},{int(k % 9 == 0)}" for k, smi in enumerate(molecules[:300])]
    (tmp_path / "l.csv").write_text("\n".join(rows))
    hits = screen(tmp_path / "l.csv", mean_of(qed()), out=tmp_path / "run", top=20, labels="active", actives=molecules[:3], diverse=4, formats=("csv", "sdf"))
    assert hits.summary["enrichment"]["n"] == 300
    assert hits.summary["enrichment"]["n_active"] == 34
    assert sorted(hits.table["diverse"])[-4:] == [1, 2, 3, 4]
    assert (tmp_path / "run" / "hits.sdf").read_text().count("$$$$") == 20
    assert all(0 <= value <= 1 for value in hits.table["similarity"])


def test_settings_that_cannot_be_are_refused_at_the_door_all_at_once(tmp_path: Path, library: Path, model: Path) -> None:
    with pytest.raises(ConfigError, match=r"top=0 .*workers=0 .*shard_slice=2/2.*format 'xlsx'"):
        screen(library, model, out=tmp_path / "run", top=0, workers=0, shard_slice=(2, 2), formats=("xlsx",))
    with pytest.raises(ConfigError, match="runs in this process alone"):
        screen(library, product_of(qed()), out=tmp_path / "run", workers=2)
    with pytest.raises(DatasetError, match="there is no column 'SMILE'; did you mean 'SMILES'"):
        screen(library, model, out=tmp_path / "run", smiles="SMILE")
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize("guarded", [False, True])
def test_an_empty_library_gives_no_hits_and_no_error(tmp_path: Path, model: Path, guarded: bool) -> None:
    (tmp_path / "l.csv").write_text("smiles,id\n")
    hits = screen(tmp_path / "l.csv", model if guarded else light(), out=tmp_path / "run")
    assert len(hits) == 0
    assert hits.summary["n"] == 0


@pytest.mark.slow
def test_t24_memory_is_flat_in_the_size_of_the_library(tmp_path: Path, molecules: list[str]) -> None:
    # a term that costs next to nothing: what could grow is the reading, the shards and the merge
    (tmp_path / "s.py").write_text(
        "import numpy as np\nfrom drugai.scoring import Term, TermScorer\n"
        "def make():\n    return TermScorer((Term('length', lambda b: (np.array([len(s) % 97 / 97 for s in b.smiles]), [''] * len(b))),))\n"
    )
    short = [smi for smi in molecules if len(smi) < 60]
    peaks = []
    for n in (100_000, 1_000_000):
        with (tmp_path / f"{n}.smi").open("w") as stream:
            stream.writelines(f"{short[k % len(short)]} m{k}\n" for k in range(n))
        # in a process of its own: this one has other tests' memory
        script = (
            f"import drugai; print(drugai.screen({str(tmp_path / f'{n}.smi')!r}, {str(tmp_path / 's.py') + ':make'!r}, out={str(tmp_path / f'run{n}')!r}, "
            f"shard_size=50_000).summary['peak_memory_mb'])"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        peaks.append(int(subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.slow
def test_t8_the_command_on_a_gzipped_library_and_a_model_killed_twenty_times_gives_the_undisturbed_bytes(tmp_path: Path, molecules: list[str], model: Path) -> None:
    from drugai.molecules import write_table

    library = write_table(tmp_path / "lib.smi.gz", {"smiles": molecules * 4, "id": [f"m{k}" for k in range(4 * len(molecules))]})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", "from drugai.cli import main; main()", "--log", "error", "screen", str(library), "--model", str(model), "--top", "1000", "--workers", "2",
               "--shard-size", "400", "--out"]  # fmt: skip
    begun = time.perf_counter()
    subprocess.run([*command, str(tmp_path / "quiet")], env=environment, check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - begun
    dice = random.Random(1)
    for _ in range(20):
        child = subprocess.Popen([*command, str(tmp_path / "hits")], env=environment, stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.0, whole))
        child.send_signal(signal.SIGKILL)
        child.wait()
    subprocess.run([*command, str(tmp_path / "hits")], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert contents(tmp_path / "hits") == contents(tmp_path / "quiet")
    assert not list((tmp_path / "hits" / "shards").glob(".*"))
