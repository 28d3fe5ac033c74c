"""Files come from the folder, the cache or the web, and only with the right checksum. The web is a server in this process."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from drugai.data import download
from drugai.data.dataset_card import CardFile
from drugai.data.download import fetch, fetch_file, fetch_files, locate, locate_file
from drugai.errors import DatasetError

GOOD = b"smiles,y\nCCO,1\n"
SHA = hashlib.sha256(GOOD).hexdigest()
PAGES = {"/good.csv": GOOD, "/other.csv": b"smiles,y\nCCO,2\n", "/page.csv": b"<!DOCTYPE html><html>please log in</html>"}


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGES.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            """Nothing on the terminal."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DRUGAI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DRUGAI_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 0)


def test_a_file_is_downloaded_once_and_kept(server, tmp_path):
    file = CardFile("group/good.csv", SHA, url=f"{server}/good.csv")
    assert locate_file(file) is None
    path = fetch_file(file)
    assert path == tmp_path / "cache" / "group" / "good.csv"
    assert path.read_bytes() == GOOD
    assert locate_file(file) == path
    assert fetch_file(CardFile("group/good.csv", SHA, url="http://127.0.0.1:9/gone")) == path  # no second look at the web


def test_the_folder_of_ones_own_comes_first(server, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    (own / "good.csv").write_bytes(GOOD)
    monkeypatch.setenv("DRUGAI_DATA", str(own))
    assert fetch_file(CardFile("good.csv", SHA, url=f"{server}/good.csv")) == own / "good.csv"


def test_a_changed_file_in_the_folder_is_passed_over_with_a_warning(server, tmp_path, monkeypatch, caplog):
    (tmp_path / "good.csv").write_bytes(GOOD + b"CCN,2\n")
    monkeypatch.setenv("DRUGAI_DATA", str(tmp_path))
    assert fetch_file(CardFile("good.csv", SHA, url=f"{server}/good.csv")).read_bytes() == GOOD
    assert "another version" in caplog.text


def test_a_web_page_in_place_of_data_is_named_and_not_kept(server, tmp_path):
    with pytest.raises(DatasetError, match=r"answered with a web page \(HTML\)"):
        fetch_file(CardFile("page.csv", SHA, url=f"{server}/page.csv"))
    assert not list((tmp_path / "cache").rglob("*.csv"))


def test_another_checksum_is_named_and_the_file_not_kept(server, tmp_path):
    with pytest.raises(DatasetError, match="another checksum"):
        fetch_file(CardFile("other.csv", SHA, url=f"{server}/other.csv"))
    assert not list((tmp_path / "cache").rglob("*.csv"))


def test_a_page_that_is_gone_and_no_connection_say_where_to_put_the_file(server, tmp_path):
    with pytest.raises(DatasetError, match=r"cannot be downloaded \(404.*copy the file to"):
        fetch_file(CardFile("gone.csv", SHA, url=f"{server}/gone.csv"))
    with pytest.raises(DatasetError, match=r"no connection to 127.0.0.1\).*DRUGAI_DATA"):
        fetch_file(CardFile("gone.csv", SHA, url="http://127.0.0.1:9/gone.csv"))


def test_a_file_of_a_package_is_found_in_the_package():
    path = fetch("chembl2321810")
    assert path.name == "CHEMBL2321810.smi"
    assert locate("chembl2321810") == path
    assert [one.name for one in fetch_files("chembl2321810")] == ["CHEMBL2321810.smi", "CHEMBL2321810_act.csv"]


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(DatasetError, match="install no_such_package"):
        fetch_file(CardFile("a.csv", SHA, package="no_such_package"))


def test_a_data_set_that_is_not_here_is_located_nowhere():
    assert locate("esol") is None
