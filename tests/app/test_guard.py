"""Who may speak to the app."""

from __future__ import annotations

import pytest

ASK = {"kind": "predict", "model": "solubility/model", "text": "CCO"}


def test_the_key_in_the_address_becomes_a_cookie_and_leaves_the_address(served):
    status, headers, _ = served.ask("GET", "/?key=a-key-for-tests", Cookie=None)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]


@pytest.mark.parametrize("cookie", [None, "drugai-1=a-key-for-tests", "a=b; c"])
def test_without_the_key_nothing_is_shown(served, cookie):
    status, _, text = served.ask("GET", "/", Cookie=cookie)
    assert status == 403
    assert "drugai serve" in text
    assert served.ask("GET", "/?key=wrong", Cookie=None)[0] == 403
    assert served.ask("POST", "/api/jobs", ASK, Cookie=cookie)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", None])
def test_a_foreign_host_is_refused_even_with_the_key(served, host):
    assert served.ask("GET", "/", Host=host)[0] in (400, 421)


def test_localhost_is_this_machine_too(served):
    assert served.ask("GET", "/", Host=f"localhost:{served.port}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "multipart/form-data; boundary=x"},
    ],
)
def test_a_request_of_another_page_changes_nothing(served, headers):
    assert served.ask("POST", "/api/jobs", ASK, **headers)[0] == 403
    assert [entry for entry in served.root.iterdir() if entry.is_dir()] == []


def test_another_local_address_is_another_origin(served):
    assert served.ask("POST", "/api/jobs", ASK, Origin=f"http://localhost:{served.port}")[0] == 403
    assert served.ask("POST", "/api/jobs", ASK, Origin="http://127.0.0.1:1")[0] == 403


def test_every_answer_forbids_what_the_app_does_not_need(served):
    for path in ("/", "/static/app.js", "/api/jobs/nothing", "/nowhere"):
        headers = served.ask("GET", path)[1]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src 'self';" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_the_page_of_a_result_runs_without_an_origin(served):
    name = served.job(**ASK)
    served.wait(name)
    policy = served.ask("GET", f"/jobs/{name}/files/page.html")[1]["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_no_method_reaches_a_route_that_it_was_not_made_for(served):
    assert served.ask("POST", "/")[0] == 405
    assert served.ask("GET", "/api/jobs")[0] == 405
    assert served.ask("DELETE", "/api/jobs/x", Origin=f"http://127.0.0.1:{served.port}", Content_Type="application/json")[0] == 405


def test_it_listens_on_the_loopback_address_alone():
    from drugai.app.serving import listening

    with listening(0) as found:
        assert found.getsockname()[0] == "127.0.0.1"
