"""Jobs from request to result, over HTTP, with a worker that does nothing of what it is asked but end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from drugai.app import limits
from drugai.app.jobs import JobStore
from drugai.app.serving import app_key, listening
from drugai.errors import ConfigError

ASK = {"kind": "predict", "model": "solubility/model", "text": "CCO ethanol"}


def test_the_front_page_offers_the_models_that_there_are(served):
    status, _, text = served.ask("GET", "/")
    assert status == 200
    assert "solubility/model (mean: logS)" in text
    assert "None yet." in text


def test_a_job_runs_and_its_page_is_there_after_a_restart(start):
    with start() as served:
        name = served.job(**ASK)
        assert served.wait(name)["state"] == "done"
        assert "the page" in served.ask("GET", f"/jobs/{name}/files/page.html")[2]
    with start() as again:
        assert "Save the page" in again.ask("GET", f"/jobs/{name}")[2]
        assert f"/jobs/{name}" in again.ask("GET", "/")[2]


def test_a_job_that_kills_its_process_fails_alone(served):
    bad, good = served.job(**{**ASK, "text": "die"}), served.job(**ASK)
    found = served.wait(bad)
    assert found["state"] == "failed"
    assert "SIGSEGV" in found["words"]
    assert served.wait(good)["state"] == "done"


def test_a_running_job_can_be_stopped_and_started_again(served):
    first, second = served.job(**{**ASK, "text": "wait"}), served.job(**{**ASK, "text": "wait too"})
    assert served.ask("POST", f"/api/jobs/{second}/stop", {})[0] == 200  # while it waits
    assert served.wait(second)["state"] == "stopped"
    assert served.ask("POST", f"/api/jobs/{first}/remove", {})[0] == 400  # not while it runs
    served.ask("POST", f"/api/jobs/{first}/stop", {})
    assert served.wait(first)["state"] == "stopped"
    store = JobStore(served.root)
    store.change(first, asked={**store.read(first).asked, "text": "CCO"})
    served.ask("POST", f"/api/jobs/{first}/again", {})
    assert served.wait(first, "done")["state"] == "done"
    assert served.ask("POST", f"/api/jobs/{first}/remove", {})[0] == 200
    assert not (served.root / first).exists()


def test_what_was_running_when_the_app_was_closed_says_so(start):
    with start() as served:
        name = served.job(**{**ASK, "text": "wait"})
    JobStore(served.root).change(name, state="running")  # as after a kill, where nothing could be written down
    with start() as again:
        found = again.wait(name)
        assert found["state"] == "stopped"
        assert "start it again" in found["words"]


def test_a_file_is_given_only_if_the_result_names_it(served):
    name = served.job(**ASK)
    served.wait(name)
    assert (served.root / name / "secret.txt").is_file()
    for path in ("secret.txt", "job.json", "../key", "..%2f..%2fkey", "%2e%2e/worker.log", ""):
        status, _, text = served.ask("GET", f"/jobs/{name}/files/{path}")
        assert status in (400, 404), path
        assert "not named" not in text
    assert served.ask("GET", "/jobs/..%2f..%2fetc/files/passwd")[0] in (400, 404)
    assert served.ask("GET", "/static/../jobs.py")[0] in (400, 404)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "erase"}, "unknown kind of job"),
        ({"model": "../secret"}, "there is no model"),
        ({"model": "/etc"}, "there is no model"),
        ({"text": ""}, "give molecules"),
        ({"level": 0.9}, "no calibration"),
        ({"level": 2}, "0.5 to 0.99"),
        ({"path": "/etc/passwd"}, "unknown key 'path'"),
        ({"text": "", "file": "../../key"}, "not there any more"),
    ],
)
def test_a_request_that_cannot_be_done_is_refused_with_words(served, change, words):
    status, _, text = served.ask("POST", "/api/jobs", {**ASK, **change})
    assert status == 400
    assert words in json.loads(text)["error"]


def test_what_is_no_json_is_refused(served):
    for body in (b"{", b"[]", b"\xff", b'"x"'):
        assert served.ask("POST", "/api/jobs", body)[0] == 400


def test_an_uploaded_file_becomes_the_jobs_own(served):
    status, _, text = served.ask("POST", "/api/files?name=..%2f..%2fmine.csv", b"SMILES\nCCO\n", Content_Type="application/octet-stream")
    assert status == 200
    name = json.loads(text)["file"]
    assert name.endswith(".csv")
    assert "mine" not in name
    job = served.job(kind="predict", model="solubility/model", file=name)
    assert (served.root / job / name).read_text() == "SMILES\nCCO\n"
    assert not (served.root / "uploads" / name).exists()


def test_too_much_is_refused_before_it_is_kept(served, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 10)
    status, _, text = served.ask("POST", "/api/files?name=a.smi", b"C" * 100, Content_Type="application/octet-stream")
    assert status == 413
    assert "command line" in text
    assert list((served.root / "uploads").iterdir()) == []
    monkeypatch.setattr(limits, "TEXT_BYTES", 10)
    assert served.ask("POST", "/api/jobs", {**ASK, "text": "C" * 100})[0] == 413


def test_a_format_that_no_reader_takes_is_refused(served):
    status, _, text = served.ask("POST", "/api/files?name=a.pkl", b"x", Content_Type="application/octet-stream")
    assert status == 400
    assert ".csv" in text


def test_a_script_in_a_request_is_text_on_the_pages(served):
    name = served.job(kind="link", text="<script>document.title='owned'</script>", top=5)
    served.wait(name)
    for path in ("/", f"/jobs/{name}"):
        text = served.ask("GET", path)[2]
        assert "<script>document" not in text
        assert "&lt;script&gt;document" in text


def test_the_key_is_the_owners_alone_and_stays(tmp_path):
    key = app_key(tmp_path)
    assert app_key(tmp_path) == key
    assert len(key) >= 24
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_said(tmp_path):
    with listening(0) as found, pytest.raises(ConfigError, match="give another --port"):
        listening(found.getsockname()[1])


@pytest.mark.slow
def test_the_command_prints_its_address_answers_there_and_ends_by_an_interrupt(tmp_path):
    command = [sys.executable, "-c", "from drugai.cli import main; main()", "serve", "--port", "0", "--out", str(tmp_path / "app"), "--models", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b"No model is there yet" in opener.open(address, timeout=60).read()
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "another drugai serve uses this folder" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in (0, 130)
    finally:
        process.kill()
        process.communicate()
