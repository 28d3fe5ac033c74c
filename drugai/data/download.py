"""Where a card's files are: a folder of one's own, a package, the cache, or the web.

Every file is known by its sha256, so what is found is what the card means: first ``$DRUGAI_DATA/<path>``, then the cache
(``$DRUGAI_CACHE`` or the system's cache folder), then the URL, pinned to a commit.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from drugai.data.dataset_card import CardFile, card
from drugai.errors import DatasetError

log = logging.getLogger(__name__)

RETRIES = 3
TIMEOUT = 30
"""Seconds without a byte after which a download is tried again."""


def fetch(name: str) -> Path:
    """Path of a data set's first file on this machine, downloaded where it has to be; :func:`fetch_files` has all of them.

    Raises:
        DatasetError: unknown name, no connection, a page instead of data, or a checksum that differs.
    """
    return fetch_files(name)[0]


def fetch_files(name: str) -> tuple[Path, ...]:
    """Paths of all files of a data set, in the card's order, downloaded where they have to be."""
    return tuple(fetch_file(file) for file in card(name).files)


def locate(name: str) -> Path | None:
    """Path of a data set's first file if every file of it is on this machine, else None. Never downloads."""
    found = [locate_file(file) for file in card(name).files]
    return None if None in found else found[0]


def locate_file(file: CardFile) -> Path | None:
    """Path of a file with the right checksum, or None. A file of the right name with another checksum is passed over with a warning."""
    for path in candidates(file):
        if path.is_file():
            if sha256_of(path) == file.sha256:
                return path
            log.warning("%s is another version of this file than the card means (its sha256 differs); it is not used", path)
    return None


def fetch_file(file: CardFile) -> Path:
    """Path of a file with the right checksum, downloaded into the cache if it is nowhere else."""
    return locate_file(file) or _download(file)


def candidates(file: CardFile) -> list[Path]:
    """Where a file may lie, in the order in which it is looked for."""
    if file.package:
        root = package_folder(file.package)
        return [root / file.path] if root else []
    own = os.environ.get("DRUGAI_DATA")
    return ([Path(own) / file.path] if own else []) + [cache_folder() / file.path]


def cache_folder() -> Path:
    """Where downloads are kept: ``$DRUGAI_CACHE``, else ``drugai`` in the system's cache folder."""
    own = os.environ.get("DRUGAI_CACHE")
    if own:
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "drugai"


def package_folder(package: str) -> Path | None:
    """Folder of a package's data; ``rdkit:data`` and ``rdkit:contrib`` are named by RDKit itself. None if it is not installed."""
    if package.startswith("rdkit:"):
        from rdkit import RDConfig

        return Path(RDConfig.RDDataDir if package == "rdkit:data" else RDConfig.RDContribDir)
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def sha256_of(path: Path) -> str:
    """sha256 of a file in hexadecimal; read once for as long as size and time of change stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(file: CardFile) -> Path:
    if file.package:
        package = file.package.partition(":")[0]
        raise DatasetError(
            f"{file.path} of the package {package} is not there or is another version than the card means; install {package} or give a file of your own"
        )
    if not file.url:
        raise DatasetError(f"{file.path} has no URL; put the file into a folder and name that folder in DRUGAI_DATA")
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)  # it writes to the terminal by itself; ours goes through logging
    target = cache_folder() / file.path
    log.info("downloading %s (%.1f MB)", file.url, file.bytes / 1e6)
    store = pooch.create(
        path=target.parent,
        base_url="",
        registry={target.name: f"sha256:{file.sha256}"},
        urls={target.name: file.url},
        retry_if_failed=RETRIES,
    )
    try:
        return Path(store.fetch(target.name, downloader=_download_data))
    except DatasetError:
        raise
    except ValueError as error:  # pooch's word for a checksum that differs
        raise DatasetError(
            f"{file.url}: the file that came has another checksum than the card states (sha256 {file.sha256[:12]}…); it was not kept. "
            "The copy there has changed or the download was disturbed: try again, or put the right file into the folder named by DRUGAI_DATA"
        ) from error
    except (requests.RequestException, OSError) as error:
        own = os.environ.get("DRUGAI_DATA")
        place = Path(own) / file.path if own else target
        why = f"no connection to {urlsplit(file.url).hostname}" if isinstance(error, requests.ConnectionError) else _first_line(error)
        raise DatasetError(
            f"{file.url} cannot be downloaded ({why}). Without a connection, copy the file to {place} or name a folder that has {file.path} in DRUGAI_DATA"
        ) from error


def _download_data(url: str, output_file: Any, store: Any) -> None:
    """pooch's downloader, and a look at what came: a site under maintenance or a log-in page answers with HTML and status 200."""
    import pooch

    pooch.HTTPDownloader(timeout=TIMEOUT)(url, output_file, store)
    with Path(output_file).open("rb") as stream:
        head = stream.read(512).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise DatasetError(f"{url} answered with a web page (HTML) and not with data; it was not kept. Look at the address in a browser, or try later")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
