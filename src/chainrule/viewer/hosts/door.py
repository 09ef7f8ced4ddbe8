"""The door of the local page: who may come in, and what pages may do that go out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says: scripts and connections of this page only, nothing from elsewhere, nothing kept."""


class Door:
    """Lets through to an application what comes from a browser that was given the address, and from its own page.

    Any web site may send requests to this machine, and by rebinding its name even read the answers. So `Host` has to be this
    machine's own, `Origin` the page itself, and the browser to have a cookie. That is given once for the token of an address.

    Parameters
    ----------
    app : ASGI application
        What is behind it.
    port : int
        Where the server listens.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app, self.port = app, port
        self.hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
        self._cookie, self._key = f"chainrule-{port}", secrets.token_urlsafe(32)
        self._token = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """An address that opens the page in one browser, once; another one when it was used."""
        return f"http://{self.hosts[0]}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may come in, and answer the rest."""
        headers = Headers(scope=scope)
        from_here, known = self._is_from_here(scope, headers), self._knows(headers)
        invited = from_here and not known and self._takes_token(scope)
        app = self.app if from_here and (known or invited) else _refuse

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                given.update(HEADERS)
                if invited:
                    given.append("Set-Cookie", f"{self._cookie}={self._key}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        await app(scope, receive, answer)

    def _is_from_here(self, scope: Scope, headers: Headers) -> bool:
        """Whether the browser was told this machine's own name, by this page or by nobody; sockets are opened by pages only."""
        host, origin = headers.get("host", ""), headers.get("origin")
        return host in self.hosts and (origin == f"http://{host}" or (origin is None and scope["type"] == "http"))

    def _knows(self, headers: Headers) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return morsel is not None and secrets.compare_digest(morsel.value.encode(), self._key.encode())

    def _takes_token(self, scope: Scope) -> bool:
        """Whether the page is asked for with the token of the address, which is then another one."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", "/"):
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        right = len(given) == 1 and secrets.compare_digest(given[0].encode(), self._token.encode())
        if right:
            self._token = secrets.token_urlsafe(32)
        return right


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    says = "This address opens the page once, in one browser. view.open() in Python opens it again; view.url is the next address."
    refusal = PlainTextResponse(says, 403) if scope["type"] == "http" else WebSocketClose(1008)
    await refusal(scope, receive, send)
