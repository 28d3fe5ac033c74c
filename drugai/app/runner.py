"""The one worker process of the app and the thread that feeds it: jobs one after another, a job that dies takes nothing with it."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from drugai.app.jobs import JobStore

_LEFT = "the app was closed before it ended; start it again"


class Runner:
    """Runs jobs in a process of their own, where models stay loaded from one job to the next.

    A molecule that kills the process fails its job; the next job gets a new process.
    """

    def __init__(self, store: JobStore, command: Sequence[str] = ()) -> None:
        self.store = store
        self.command = list(command) or [sys.executable, "-P", "-m", "drugai.app.worker", str(store.root)]
        self.queue: queue.Queue[str | None] = queue.Queue()
        self.process: subprocess.Popen[str] | None = None
        self.current = ""
        self.stopped: set[str] = set()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._loop, name="drugai-jobs", daemon=True)

    def start(self) -> None:
        """Begin to run; what an app that was closed left unfinished is marked as stopped."""
        for name in self.store.names():
            if not self.store.read(name).is_over:
                self.store.change(name, state="stopped", words=_LEFT, ended=time.time())
        self.thread.start()

    def submit(self, name: str) -> None:
        """Put a job at the end of the queue."""
        with self.lock:
            self.stopped.discard(name)
        self.store.change(name, state="waiting", words="", done=0, total=0, ended=0.0)
        self.queue.put(name)

    def stop(self, name: str) -> None:
        """Stop a job, whether it waits or runs; one that is over stays as it is."""
        with self.lock:
            if self.store.read(name).is_over:
                return
            self.stopped.add(name)
            if self.current == name and self.process is not None:
                self.process.terminate()
            else:
                self.store.change(name, state="stopped", words="stopped before it began", ended=time.time())

    def close(self) -> None:
        """End the worker and the thread; a running job is marked as stopped."""
        if not self.thread.is_alive():
            return
        self.queue.put(None)
        with self.lock:
            if self.current:
                self.stopped.add(self.current)
            if self.process is not None:
                self.process.terminate()
        self.thread.join(timeout=20)

    def _loop(self) -> None:
        while (name := self.queue.get()) is not None:
            if not (self.store.root / name).is_dir() or self.store.read(name).is_over:
                continue  # removed, or stopped while it waited
            with self.lock:
                self.current = name
                if self.process is None or self.process.poll() is not None:
                    self.process = self._spawn()
                process = self.process
            self._hand_over(process, name)
            with self.lock:
                self.current = ""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def _spawn(self) -> subprocess.Popen[str]:
        with open(self.store.root / "worker.log", "ab") as log:
            return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=Path.cwd())

    def _hand_over(self, process: subprocess.Popen[str], name: str) -> None:
        """Give a job to the worker and wait until it says that it is over, or dies."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(name + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer.strip() == name:
            return
        status = process.wait()
        if name in self.stopped:
            self.store.change(name, state="stopped", words="stopped; it can be started again", ended=time.time())
            return
        died = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        words = f"the process that ran it died ({died}); {self.store.root / 'worker.log'} may say why. Fewer molecules at a time tell which one it was."
        self.store.change(name, state="failed", words=words, ended=time.time())
