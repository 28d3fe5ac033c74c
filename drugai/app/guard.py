"""Who may speak to the app: this machine's browser, opened with the app's key, and no other page that happens to be open in it."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REPORT = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Of a result's page, which holds names and texts from a user's file: it runs without an origin, so that not even a fault in it could reach the app."""
_HEADERS = {
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin", "cache-control": "no-store",
}  # fmt: skip


class Guard:
    """ASGI middleware. In this order:

    - the Host header must be this machine's (a foreign name that resolves to 127.0.0.1 is refused: DNS rebinding);
    - whatever changes something must come from the app's own pages (Origin, and Sec-Fetch-Site where the browser sends it), as JSON or as bytes, which no form of
      another site can send unasked;
    - the key must be there, as a cookie or, on the first visit, in the address: other users of the machine do not have it.
    """

    def __init__(self, app: Any, *, hosts: frozenset[str], key: str, cookie: str) -> None:
        self.app, self.hosts, self.key, self.cookie = app, hosts, key, cookie

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the app speaks HTTP alone, not {scope['type']}")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host", "") not in self.hosts:
            await _answer(send, 421, "This app answers to 127.0.0.1 and localhost alone.")
            return
        if scope["method"] not in ("GET", "HEAD"):
            fault = self._foreign(headers)
            if fault:
                await _answer(send, 403, fault)
                return
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if "key" in query and self._is_key(query["key"][0]) and scope["method"] == "GET":
            rest = urlencode([(name, value) for name, values in query.items() if name != "key" for value in values])
            cookie = f"{self.cookie}={self.key}; HttpOnly; SameSite=Strict; Path=/"
            await _answer(send, 303, "", location=scope["path"] + (f"?{rest}" if rest else ""), **{"set-cookie": cookie})
            return
        if not self._is_key(_cookie(headers.get("cookie", ""), self.cookie)):
            await _answer(send, 403, "Open the address that `drugai serve` printed: it carries the key of this app.")
            return
        await self.app(scope, receive, _with_headers(send))

    def _foreign(self, headers: dict[str, str]) -> str:
        """Why a request that changes something is not the app's own; empty if it is."""
        if headers.get("origin", "") not in {f"http://{host}" for host in self.hosts} or headers["origin"] != f"http://{headers['host']}":
            return "Refused: the request does not come from a page of this app (Origin)."
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "Refused: the request comes from another site (Sec-Fetch-Site)."
        if headers.get("content-type", "").partition(";")[0].strip() not in ("application/json", "application/octet-stream"):
            return "Refused: JSON or bytes are expected (Content-Type)."
        return ""

    def _is_key(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.key.encode())


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _with_headers(send: Any) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            named = {name.lower() for name, _ in message["headers"]}
            report = (b"x-drugai-report", b"1") in message["headers"]
            policy = {"content-security-policy": _REPORT if report else _POLICY}
            added = [(name.encode(), value.encode()) for name, value in {**_HEADERS, **policy}.items() if name.encode() not in named]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sending


async def _answer(send: Any, status: int, text: str, **headers: str) -> None:
    body = (text + "\n").encode() if text else b""
    shown = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), "content-security-policy": _POLICY, **_HEADERS, **headers}
    await send({"type": "http.response.start", "status": status, "headers": [(name.encode(), value.encode("latin-1")) for name, value in shown.items()]})
    await send({"type": "http.response.body", "body": body})
