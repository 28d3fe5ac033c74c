"""optuna-dashboard opens a study's journal as it is."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from drugai.config import Config, tunable
from drugai.tuning import tune


@dataclass(frozen=True)
class Bowl(Config):
    x: float = tunable(3.0, -5.0, 5.0)


@pytest.mark.slow
def test_the_dashboard_lists_the_study_and_its_trials(tmp_path):
    program = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("optuna-dashboard is not installed")
    tune(Bowl(), lambda config: config.x**2, trials=5, storage=tmp_path / "s.journal", name="mine", direction="min")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([program, str(tmp_path / "s.journal"), "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        studies = _get(f"http://127.0.0.1:{port}/api/studies")["study_summaries"]
        assert [study["study_name"] for study in studies] == ["mine"]
        found = _get(f"http://127.0.0.1:{port}/api/studies/{studies[0]['study_id']}")
        assert [trial["state"] for trial in found["trials"]] == ["Complete"] * 5
    finally:
        server.terminate()
        server.wait()


def _get(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.loads(answer.read())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
