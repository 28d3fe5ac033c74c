"""A headless Chromium driven over its debugging protocol: go to a page, ask it things, press keys, take a picture."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BINARY is None, reason="no Chromium here")
_QUIET = [
    "--headless",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-sandbox",
    "--disable-dev-shm-usage",
]
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "ArrowDown": (40, ""), "ArrowUp": (38, ""), "Tab": (9, ""), "Home": (36, ""), "End": (35, ""), " ": (32, " ")}


class Browser:
    """One page of a browser."""

    def __init__(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address, self.loop, self.numbers = address, loop, itertools.count(1)
        self.faults: list[str] = []
        """Errors and warnings of the console, and resources that were refused."""

    async def _open(self) -> None:
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(self.address, max_msg_size=0)

    async def _close(self) -> None:
        await self.socket.close()
        await self.session.close()

    async def _ask(self, method: str, values: dict[str, Any]) -> dict[str, Any]:
        number = next(self.numbers)
        await self.socket.send_json({"id": number, "method": method, "params": values})
        while True:
            found = await self.socket.receive_json(timeout=120)
            if found.get("method") == "Log.entryAdded" and found["params"]["entry"]["level"] in ("error", "warning"):
                self.faults.append(found["params"]["entry"]["text"])
            elif found.get("method") == "Runtime.exceptionThrown":
                self.faults.append(str(found["params"]["exceptionDetails"]))
            if found.get("id") == number:
                assert "error" not in found, found["error"]
                return dict(found["result"])

    def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """One command of the protocol."""
        return self.loop.run_until_complete(self._ask(method, values))

    def go(self, address: str, until: str = "document.documentElement.dataset.ready") -> None:
        """Load an address and wait until an expression is true there."""
        self.ask("Page.navigate", url=address)
        self.wait(until)

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float = 90.0) -> Any:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.ask("Runtime.evaluate", expression=f"document.readyState === 'complete' && !!({expression})", returnByValue=True)
            if "exceptionDetails" not in found and found["result"].get("value"):
                return found["result"]["value"]
            time.sleep(0.1)
        text = self.js("document.body.innerText")
        raise AssertionError(f"never true: {expression}\nthe page says:\n{text[:3000]}\nconsole: {self.faults}")

    def press(self, *keys: str) -> None:
        """Press keys, one after another, wherever the focus is; a text of several characters is typed."""
        for key in keys:
            code, text = _KEYS.get(key, (0, key))
            if key in _KEYS or len(key) == 1:
                shared: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code or ord(key.upper()), "code": key if key in _KEYS else ""}
                self.ask("Input.dispatchKeyEvent", type="keyDown", **shared, **({"text": text} if text else {}))
                self.ask("Input.dispatchKeyEvent", type="keyUp", **shared)
            else:
                self.ask("Input.insertText", text=key)

    def picture(self, file: Path, *, width: int = 1400, height: int = 1000, dark: bool = False) -> Path:
        """A picture of what is seen."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        time.sleep(0.4)
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))
        return file


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser with an empty profile, gone at the end."""
    assert BINARY is not None
    with tempfile.TemporaryDirectory(prefix="drugai-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [BINARY, *_QUIET, f"--user-data-dir={profile}", "--remote-debugging-port=0", "--window-size=1400,1000", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        loop = asyncio.new_event_loop()
        try:
            port = _port(Path(profile, "DevToolsActivePort"), process)
            found = loop.run_until_complete(_page(port))
            page = Browser(found, loop)
            loop.run_until_complete(page._open())
            for domain in ("Page", "Runtime", "Log"):
                page.ask(f"{domain}.enable")
            yield page
            loop.run_until_complete(page._close())
        finally:
            process.terminate()
            process.wait(timeout=30)
            loop.close()


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, f"the browser ended with status {process.returncode}"
        if file.is_file() and file.read_text().strip():
            return int(file.read_text().split()[0])
        time.sleep(0.1)
    raise AssertionError("the browser did not open its debugging port")


async def _page(port: int) -> str:
    end = time.monotonic() + 60
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.1)
    raise AssertionError("the browser has no page")
