"""T5, T6, T7 of the hazards: one molecule kills, hangs or fills a worker, and only its row is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

from drugai.errors import DrugaiError, code_of
from drugai.screening import screen
from drugai.screening.plan import Library, Plan
from drugai.screening.process import Process
from drugai.screening.shard import Shard
from drugai.screening.supervisor import Case


def write(path: Path, smiles: list[str]) -> Path:
    path.write_text("".join(f"{smi} {row}\n" for row, smi in enumerate(smiles)))
    return path


def rows_of(folder: Path) -> list[dict[str, object]]:
    return [row for path in sorted((folder / "shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def screen_with(tmp_path: Path, smiles: list[str], scorer: str, **options: object) -> list[dict[str, object]]:
    library = write(tmp_path / "library.smi", smiles)
    screen(library, scorer, out=tmp_path / "run", top=5, **options)  # type: ignore[arg-type]
    return rows_of(tmp_path / "run")


def test_t5_a_molecule_that_crashes_its_worker_alone_gets_e_crash(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    smiles = molecules[:150]
    smiles[37] = smiles[111] = hazardous.SIGNS["crash"]
    found = screen_with(tmp_path, smiles, hazardous.place("crash"))
    assert [row["index"] for row in found] == list(range(150))
    assert {row["index"]: code_of(str(row["reason"])) for row in found if row["reason"]} == {37: "E_CRASH", 111: "E_CRASH"}
    assert "SIGSEGV" in str(found[37]["reason"])
    (tmp_path / "other").mkdir()
    peaceful = screen_with(tmp_path / "other", smiles, hazardous.place("peaceful"))
    assert [row["total"] for row in found if not row["reason"]] == [row["total"] for row in peaceful if row["index"] not in (37, 111)]


def test_t6_a_molecule_that_hangs_gets_e_timeout_soon_after_the_deadline(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    smiles = molecules[:70]
    smiles[66] = hazardous.SIGNS["hang"]
    begun = time.perf_counter()
    found = screen_with(tmp_path, smiles, hazardous.place("hang"), deadline=1.5)
    assert {row["index"]: code_of(str(row["reason"])) for row in found if row["reason"]} == {66: "E_TIMEOUT"}
    # the chunk and the molecule each wait for the deadline; three starts of a worker on a busy machine beside that
    assert time.perf_counter() - begun < 2 * (1.5 + 2) + 3 * 6


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell how long a process waits for a processor")
def test_t6_a_worker_that_waits_for_the_processor_is_not_late_and_one_that_sleeps_is(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {"1": 3.0}
    clock = [100.0]
    monkeypatch.setattr("drugai.screening.process.queue_waits", lambda pid: dict(waits))
    monkeypatch.setattr("drugai.screening.process.time.monotonic", lambda: clock[0])
    process = Process(1)
    try:
        process.patience = 10.0
        process.announced(7)
        clock[0], waits["1"] = 125.0, 18.5  # 25 s on the wall, 15.5 of them in the queue
        assert not process.late
        clock[0] = 130.0  # and 5 s asleep
        assert process.late
        waits["1"] = 40.0
        assert not process.late
        clock[0], waits["1"] = 201.0, 104.0  # ten times its patience: late, whatever the reason
        assert process.late
    finally:
        monkeypatch.undo()
        process.end()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell how long a process waits for a processor")
def test_t6_on_a_crowded_processor_a_healthy_worker_is_kept(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    mine = os.sched_getaffinity(0)
    crowd = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(5)]
    try:
        one = {min(mine)}
        for process in crowd:
            os.sched_setaffinity(process.pid, one)
        os.sched_setaffinity(0, one)  # the worker inherits it: a sixth of one processor
        library = write(tmp_path / "library.smi", molecules[:60])
        hits = screen(library, hazardous.place("busy"), out=tmp_path / "run", top=5, chunk=30, deadline=4.0)
    finally:
        os.sched_setaffinity(0, mine)
        for process in crowd:
            process.kill()
            process.wait()
    assert hits.summary["replaced"] == 0
    assert hits.summary["n_bad"] == 0


def test_t7_a_molecule_that_eats_memory_gets_e_memory(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    smiles = molecules[:70]
    smiles[3] = hazardous.SIGNS["hungry"]
    found = screen_with(tmp_path, smiles, hazardous.place("hungry"), memory_gb=0.3)
    assert {row["index"]: row["reason"] for row in found if row["reason"]} == {3: "E_MEMORY: needed more than 0.3 GB"}


def test_an_exception_of_a_term_costs_its_molecule_and_carries_its_words(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    smiles = molecules[:70]
    smiles[5] = hazardous.SIGNS["raise"]
    found = screen_with(tmp_path, smiles, hazardous.place("raising"))
    assert {row["index"]: row["reason"] for row in found if row["reason"]} == {5: "E_CRASH: raised RuntimeError: this one, no"}


def test_a_scorer_that_fails_on_every_molecule_ends_the_run_with_its_words(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    with pytest.raises(DrugaiError, match="a mistake in the term"):
        screen_with(tmp_path, molecules[:300], hazardous.place("broken"))


def test_a_chunk_that_is_too_much_as_a_whole_is_scored_in_groups(tmp_path: Path, molecules: list[str], hazardous: ModuleType) -> None:
    found = screen_with(tmp_path, molecules[:150], hazardous.place("unpleasantly_full"))
    assert len(found) == 150
    assert not any(row["reason"] for row in found)


def plan(records: int = 10_000) -> Plan:
    return Plan(Library("lib.smi", "lib.smi", "smi", "0" * 64, 1, records), {"kind": "object"}, shard_size=5000, chunk=4096)


def search(bad: set[int], case: Case) -> int:
    """Act as a worker that dies at the records in ``bad``; the number of workers that it took."""
    assert case.shard is not None
    deaths = 0
    while True:
        command = case.command()
        known = {int(row) for row in command["verdicts"]}
        step = command.get("step", 4096)
        died = None
        for at in range(command["start"], command["stop"], step):
            if any(at <= row < min(at + step, command["stop"]) for row in bad - known):
                died = at
                break
        if died is not None:
            deaths += 1
            case.failed(died, "crash", "died", plan())
        elif case.done():
            return deaths


def test_the_search_finds_exactly_the_culprits_in_two_deaths_each_beside_the_first() -> None:
    bad = {5000, 5001, 7777, 9095, 9096, 9999}  # first, neighbours, middle, last of a chunk, first of the next, last of all
    case = Case(Shard(1, 5000, 10_000, Path("shard")))
    deaths = search(bad, case)
    assert set(case.verdicts) == bad
    assert deaths <= 2 * len(bad) + 2


def test_a_search_that_finds_too_many_culprits_gives_up() -> None:
    with pytest.raises(DrugaiError, match="it is the scorer"):
        search(set(range(5000, 5500)), Case(Shard(1, 5000, 10_000, Path("shard"))))
