"""Journal, SQLite, PostgreSQL: the same study wherever it lives."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.tuning import tune
from drugai.tuning.reading import find_studies, load_study, study_columns
from drugai.tuning.storage import open_storage


@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)


def square(config):
    return config.x**2


def test_a_journal_and_sqlite_give_the_same_trials(tmp_path):
    found = [tune(Bowl(), square, trials=12, storage=place, name="s", direction="min") for place in (tmp_path / "s.journal", f"sqlite:///{tmp_path / 's.db'}")]
    assert [trial.params for trial in found[0].study.trials] == [trial.params for trial in found[1].study.trials]


def test_studies_are_read_from_a_database_url(tmp_path):
    url = f"sqlite:///{tmp_path / 's.db'}"
    tune(Bowl(), square, trials=3, storage=url, name="mine", direction="min")
    assert [entry.name for entry in find_studies(url)] == ["mine"]
    assert len(study_columns(url, "mine")["number"]) == 3
    with pytest.raises(ConfigError, match="mine"):
        load_study(url, "other")


def test_a_database_that_cannot_be_reached_is_an_error_in_words():
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError, match="cannot be reached"):
        open_storage("postgresql://nobody@127.0.0.1:1/none")


def test_a_study_with_other_directions_is_refused(tmp_path):
    tune(Bowl(), square, trials=1, storage=tmp_path / "s.journal", name="s", direction="min")
    with pytest.raises(ConfigError, match="directions"):
        tune(Bowl(), square, trials=1, storage=tmp_path / "s.journal", name="s", direction="max")


def postgres_programs() -> Path | None:
    """The folder with initdb, of the newest PostgreSQL on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])) if Path("/usr/lib/postgresql").is_dir() else []
    if found:
        return found[-1].parent
    where = shutil.which("initdb")
    return Path(where).parent if where else None


@pytest.fixture
def postgres(tmp_path):
    """A PostgreSQL server of its own on a Unix socket; its URL."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg")
    # PostgreSQL refuses to run as root; its folder must be short, a socket's path has 107 characters at most
    import tempfile

    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if user:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    subprocess.run([*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "drugai", "--no-sync"], check=True, capture_output=True)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*user, programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"], check=True, capture_output=True)
    subprocess.run([programs / "createdb", "-h", folder, "-U", "drugai", "studies"], check=True)
    yield f"postgresql://drugai@/studies?host={folder}"
    subprocess.run([*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


WORKER = """
import sys, time
from dataclasses import dataclass
from drugai.config import Config, tunable
from drugai.tuning import stale, tune
stale.HEARTBEAT, stale.STALE_AFTER = 1.0, 3.0
@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)
def slow(config):
    time.sleep({seconds})
    return config.x ** 2
tune(Bowl(), slow, trials={trials}, storage={url!r}, name="s", direction="min")
"""


@pytest.mark.slow
def test_two_workers_share_a_postgresql_study_and_the_heartbeat_tells_of_a_third_that_died(tmp_path, postgres, monkeypatch):
    from drugai.tuning import heartbeat, stale
    from drugai.tuning.locking import exclusive

    def begin(trials, seconds):
        return subprocess.Popen([sys.executable, "-c", WORKER.format(url=postgres, trials=trials, seconds=seconds)])

    lost = begin(24, 60)
    while not _signed(postgres):
        time.sleep(0.2)
    os.kill(lost.pid, signal.SIGKILL)
    lost.wait()
    # as another host would see it: no process of that machine can be looked at, the server's heartbeat alone decides
    monkeypatch.setattr(heartbeat, "machine", lambda: "another host")
    monkeypatch.setattr(stale, "HEARTBEAT", 1.0)
    monkeypatch.setattr(stale, "STALE_AFTER", 3.0)
    deadline = time.monotonic() + 60
    reaped = 0
    while not reaped and time.monotonic() < deadline:
        study = load_study(postgres, "s")
        with exclusive(postgres):
            reaped = stale.reap(study, postgres)
        time.sleep(0.5)
    assert reaped == 1
    workers = [begin(24, 0.05), begin(24, 0.05)]
    assert [worker.wait() for worker in workers] == [0, 0]
    study = load_study(postgres, "s")
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") == 24
    assert states.count("FAIL") == 1
    assert "RUNNING" not in states
    assert len({trial.user_attrs["worker"]["pid"] for trial in study.trials}) == 3
    retried = next(trial for trial in study.trials if trial.user_attrs.get("retry_of") == 0)
    assert retried.params == study.trials[0].params == {"x": 3.0}


def _signed(url):
    """Whether a worker has begun."""
    try:
        return any("worker" in trial.user_attrs for trial in load_study(url, "s").trials)
    except ConfigError:
        return False
