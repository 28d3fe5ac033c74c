"""An app with two models, on a port of its own; its worker is a small script unless a test asks for the real one."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drugai.contracts import Task
from drugai.predictors.constant import MeanPredictor

KEY = "a-key-for-tests"
FAKE = """
import json, pathlib, sys, os, signal, time
root = pathlib.Path(sys.argv[1])
for line in sys.stdin:
    file = root / line.strip() / "job.json"
    job = json.loads(file.read_text())
    words = job["asked"].get("text", "")
    if "die" in words:
        os.kill(os.getpid(), signal.SIGSEGV)
    while "wait" in words:
        time.sleep(0.05)
    (file.parent / "page.html").write_text("<p>the page</p>")
    (file.parent / "secret.txt").write_text("not named by the result")
    job.update(state="done", ended=time.time(), result={"n": 1, "reasons": {}, "page": "page.html", "files": [], "notes": []})
    (file.parent / "beside").write_text(json.dumps(job))
    os.replace(file.parent / "beside", file)
    print(line.strip(), flush=True)
"""


@dataclass
class Served:
    """A running app and how to speak to it."""

    port: int
    root: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?key={KEY}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> tuple[int, dict[str, str], str]:
        """(status, headers, text). A header given as None is left out; underscores stand for dashes."""
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"drugai-{self.port}={KEY}"}
        if method == "POST":
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        for name, value in sent.items():
            if value is not None:
                link.putheader(name, value)
        link.putheader("Content-Length", str(len(data)))
        link.endheaders(data)
        found = link.getresponse()
        answer = found.status, {name.lower(): value for name, value in found.getheaders()}, found.read().decode()
        link.close()
        return answer

    def job(self, **asked: Any) -> str:
        """Ask for a job; its name."""
        status, _, text = self.ask("POST", "/api/jobs", asked)
        assert status == 201, text
        return str(json.loads(text)["id"])

    def wait(self, name: str, *states: str) -> dict[str, Any]:
        """The job once it is in one of the states."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = json.loads(self.ask("GET", f"/api/jobs/{name}")[2])
            if found["state"] in (states or ("done", "failed", "stopped")):
                return dict(found)
            time.sleep(0.05)
        raise AssertionError(found)


@contextmanager
def serving(root: Path, models: Sequence[Path], command: Sequence[str] = ()) -> Iterator[Served]:
    """Serve from a thread of the test."""
    pytest.importorskip("starlette", reason="the extra app is not installed")
    uvicorn = pytest.importorskip("uvicorn", reason="the extra app is not installed")
    from drugai.app.jobs import JobStore
    from drugai.app.runner import Runner
    from drugai.app.server import build_app
    from drugai.app.serving import listening

    with listening(0) as found:
        port = found.getsockname()[1]
        app = build_app(root, models, key=KEY, port=port, runner=Runner(JobStore(root), command))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        try:
            yield Served(port, root)
        finally:
            server.should_exit = True
            thread.join(timeout=30)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model that predicts −3 for everything, and a folder that is none."""
    MeanPredictor((Task("logS", "regression", "log mol/L"),), np.array([-3.0])).save(tmp_path / "runs" / "solubility" / "model")
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def start(tmp_path: Path, models: Path) -> Callable[[], Any]:
    """A function that serves with the fake worker."""
    script = tmp_path / "worker.py"
    script.write_text(FAKE)
    root = tmp_path / "app"
    return lambda: serving(root, [models], [sys.executable, str(script), str(root)])


@pytest.fixture
def served(start: Callable[[], Any]) -> Iterator[Served]:
    with start() as found:
        yield found
