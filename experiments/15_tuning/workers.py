"""Are workers on one journal safe, and what do they cost?

    python experiments/15_tuning/workers.py [--only sharing overhead kills]

``sharing``: four workers, 200 quick trials: each number once, none lost, no parameters twice. ``overhead``: four workers go on with that study with trials of 10 s that
report 30 epochs; how much longer than the trials do they take? ``kills``: a study of trials of 1 s whose workers and parent are killed with ``kill -9`` five times at random and
started again. Each is one JSON file under results.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.config import Config, tunable  # noqa: E402
from drugai.errors import ConfigError  # noqa: E402
from drugai.tuning import Study, tune  # noqa: E402
from drugai.tuning.reading import load_study  # noqa: E402

QUICK, SLOW, SECONDS, EPOCHS, WORKERS = 200, 24, 10.0, 30, 4
NOTES = "DRUGAI_WORKERS_NOTES"
KILLS, KILLED_TRIALS = 5, 30


@dataclass(frozen=True)
class Bowl(Config):
    """A function whose value depends on its seed, as a training does."""

    x: float = tunable(3.0, -5.0, 5.0)
    rate: float = tunable(1e-3, 1e-5, 1e-1, log=True)
    shape: str = tunable("a", choices=("a", "b", "c"))


def value(config: Bowl, seed: int) -> float:
    """The score of a config and a seed."""
    return (config.x - 1) ** 2 + abs(np.log10(config.rate) + 2) + (config.shape == "a") + 0.01 * float(np.random.default_rng(seed).normal())


def quick(config: Bowl, seed: int) -> float:
    """A trial of no time."""
    return value(config, seed)


def slow(config: Bowl, seed: int, on_epoch: Any) -> float:
    """A trial of ten seconds that reports its epochs; all have one curve, so that none is pruned. It notes how long it slept, and the process's CPU time so far."""
    cpu, slept = time.process_time(), 0.0
    for epoch in range(EPOCHS):
        began = time.monotonic()
        time.sleep(SECONDS / EPOCHS)
        slept += time.monotonic() - began  # a busy machine wakes a sleeper late: that is its own, not the study's
        on_epoch(epoch, {"loss": 1 / (epoch + 1)})
    with open(os.environ[NOTES], "a", encoding="ascii") as stream:
        stream.write(json.dumps({"pid": os.getpid(), "cpu": cpu, "slept": slept}) + "\n")
    return value(config, seed)


def brief(config: Bowl, seed: int) -> float:
    """A trial that can be killed in its middle."""
    time.sleep(1.0)
    return value(config, seed)


def study_of(journal: Path, function: Any, trials: int, jobs: int) -> Study:
    """The study, continued to ``trials``."""
    return tune(Bowl(), function, trials=trials, storage=journal, name="s", direction="min", jobs=jobs)


def sharing(journal: Path) -> dict[str, Any]:
    """200 quick trials by four workers."""
    began = time.monotonic()
    study = study_of(journal, quick, QUICK, WORKERS)
    trials = study.study.trials
    workers = [trial.user_attrs["worker"]["pid"] for trial in trials]
    parameters = [json.dumps(trial.params, sort_keys=True) for trial in trials if "duplicate_of" not in trial.user_attrs]
    return {
        "workers": len(set(workers)),
        "trials": len(trials),
        "complete": study.counts().get("COMPLETE", 0),
        "numbers_once": [trial.number for trial in trials] == list(range(QUICK)),
        "parameters_twice": len(parameters) - len(set(parameters)),
        "trials_by_worker": sorted(workers.count(each) for each in set(workers)),
        "seconds": round(time.monotonic() - began, 2),
    }


def overhead(journal: Path) -> dict[str, Any]:
    """Trials of 10 s after the 200. For each worker: the time from its first trial's start to its last one's end, over what the trials themselves slept; and the CPU time
    from one trial's start to the next, all of it the study's, over ten seconds: what the overhead is where a processor is free."""
    before = len(load_study(journal.parent, "s").trials)
    notes = journal.with_name("notes.jsonl")
    os.environ[NOTES] = str(notes)
    load = [os.getloadavg()[0]]
    study = study_of(journal, slow, before + SLOW, WORKERS)
    load.append(os.getloadavg()[0])
    told = [json.loads(line) for line in notes.read_text().splitlines()]
    found = []
    for pid in {trial.user_attrs["worker"]["pid"] for trial in study.study.trials[before:]}:
        own = [trial for trial in study.study.trials[before:] if trial.user_attrs["worker"]["pid"] == pid]
        span = (max(trial.datetime_complete for trial in own) - min(trial.datetime_start for trial in own)).total_seconds()
        slept, cpu = sum(each["slept"] for each in told if each["pid"] == pid), sorted(each["cpu"] for each in told if each["pid"] == pid)
        cycle = (cpu[-1] - cpu[0]) / (len(cpu) - 1)
        found.append({"trials": len(own), "seconds": round(span, 3), "slept": round(slept, 3), "overhead_share": span / slept - 1, "cpu_seconds_a_trial": round(cycle, 4)})
    return {
        "workers": found,
        "overhead_share_of_wall_time": float(np.mean([each["overhead_share"] for each in found])),
        "overhead_share_of_a_free_processor": float(np.mean([each["cpu_seconds_a_trial"] for each in found])) / SECONDS,
        "load_before_and_after": load,
        "processors": os.cpu_count(),
        "journal_bytes": journal.stat().st_size,
    }


def kills(journal: Path, seed: int = 0) -> dict[str, Any]:
    """Five times ``kill -9`` on a worker or the parent at a random moment; then the study is finished."""
    draw = random.Random(seed)
    script = f"import sys; sys.path.insert(0, {str(HERE)!r}); import workers; from pathlib import Path; workers.study_of(Path({str(journal)!r}), workers.brief, {KILLED_TRIALS}, 2)"
    told, parent, done = [], None, 0
    while done < KILLS:
        if parent is None or parent.poll() is not None:
            if parent is not None and parent.returncode == 0:
                raise SystemExit(f"the study ended after {done} kills; it needs more trials")
            parent = subprocess.Popen([sys.executable, "-c", script])
        before = _told(journal)
        while _told(journal) <= before and parent.poll() is None:
            time.sleep(0.05)
        time.sleep(draw.uniform(0.0, 0.6))
        children = [int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
        victims = {"parent": [parent.pid], "worker": [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]}
        kind = draw.choice([kind for kind, pids in victims.items() if pids]) if done else "worker"  # one of each at least
        kind = "parent" if done == KILLS - 1 else kind
        os.kill(draw.choice(victims[kind]), signal.SIGKILL)
        told.append(kind)
        if kind == "parent":
            parent.wait()
            parent = None
        done += 1
    study = study_of(journal, brief, KILLED_TRIALS, 2)
    trials = study.study.trials
    failed = [trial for trial in trials if trial.state.name == "FAIL"]
    root = {trial.number: trial.user_attrs.get("retry_of", trial.number) for trial in trials}
    finished = {root[trial.number] for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")}
    best = study.best_trial
    return {
        "killed": told,
        "counts": study.counts(),
        "numbers_once": [trial.number for trial in trials] == list(range(len(trials))),
        "running": study.counts().get("RUNNING", 0),
        "failed_without_finished_retry": [trial.number for trial in failed if root[trial.number] not in finished],
        "best_value": best.value,
        "best_again_differs_by": abs(value(study.best_config, best.user_attrs["seed"]) - best.value),
    }


def _told(journal: Path) -> int:
    """Finished trials so far."""
    try:
        return sum(trial.state.is_finished() for trial in load_study(journal.parent, "s").trials)
    except ConfigError:
        return 0  # not created yet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=("sharing", "overhead", "kills"), default=("sharing", "overhead", "kills"))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="workers"))
    places = {"sharing": folder / "a" / "s.journal", "overhead": folder / "a" / "s.journal", "kills": folder / "b" / "s.journal"}
    for name in options.only:
        if name == "overhead" and "sharing" not in options.only:
            study_of(places[name], quick, QUICK, WORKERS)
        found = {**globals()[name](places[name]), "code": code_hash(["tuning", "runtime"]), "versions": versions()}
        print(name, json.dumps(found, indent=1))
        write_text_atomically(HERE / "results" / f"{name}.json", json.dumps(found, indent=1) + "\n")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
