"""Serve the app on this machine's own address until it is interrupted."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from drugai.errors import ConfigError

HOST = "127.0.0.1"


def serve(root: str | Path, models: Sequence[str | Path], *, port: int = 8765, say: Callable[[str], None] = print) -> None:
    """Serve until Ctrl-C.

    Args:
        root: Folder of the jobs; the key of the app lies there too, readable by its owner alone, so that a page that is open goes on after a restart.
        models: Folders searched for models.
        port: On 127.0.0.1, the only address that it listens on; 0 takes a free one.
        say: Told the address.

    Raises:
        ConfigError: The extra is not installed, the port is taken, or another app serves the folder.
    """
    try:
        import uvicorn

        from drugai.app.server import build_app
    except ImportError as error:
        raise ConfigError(f'the app needs {error.name}: pip install "drugai[app]"') from None
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder}: another drugai serve uses this folder; stop it, or give another --out") from None
        with listening(port) as found:
            taken = found.getsockname()[1]
            key = app_key(folder)
            say(f"http://{HOST}:{taken}/?key={key}")
            app = build_app(folder, models, key=key, port=taken)
            uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, lifespan="on", timeout_graceful_shutdown=5)).run(sockets=[found])


def listening(port: int) -> socket.socket:
    """A socket on the loopback address.

    Raises:
        ConfigError: The port is taken.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(128)  # from here on a browser that is too early waits in place of being refused
    except OSError as error:
        found.close()
        raise ConfigError(f"port {port} of {HOST} cannot be used ({error.strerror}); give another --port, or 0 for a free one") from None
    return found


def app_key(folder: Path) -> str:
    """The key of the folder's app; made on the first call."""
    file = folder / "key"
    if not file.is_file():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(24))
    return file.read_text(encoding="ascii")
