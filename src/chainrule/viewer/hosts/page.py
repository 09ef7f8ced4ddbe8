"""The local page: a session in a browser on the same machine, by a server in a thread that ends with the process."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

from chainrule.errors import MissingExtraError
from chainrule.viewer.hosts.documents import front_end, local_page
from chainrule.viewer.hosts.messages import PAUSE, Outbox, pass_on, read, written
from chainrule.viewer.session import Session

try:
    import uvicorn
    import websockets  # noqa: F401  (uvicorn's WebSockets are its)
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from chainrule.viewer.hosts.door import Door
except ModuleNotFoundError as error:
    raise MissingExtraError.of(error.name or "starlette", "view", "the page in a browser") from None

LARGEST = 1 << 20
"""Bytes of a command."""
UNANSWERED = 64
"""Commands of one browser that may wait for their answers; further ones wait to be read."""


class Page:
    """Serves a session to browsers on this machine: to several tabs at once, and to a tab that is loaded anew.

    Parameters
    ----------
    session : Session
        What is shown; it is started.
    title : str
        The page's name.
    """

    def __init__(self, session: Session, title: str) -> None:
        self.session, self.title = session, title
        self._listening = socket.create_server(("127.0.0.1", 0))
        routes = [Route("/", self._index), Route("/view.js", self._module), WebSocketRoute("/socket", self._converse)]
        self.door = Door(Starlette(routes=routes), self._listening.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.door,
                http="h11",
                ws="websockets-sansio",
                ws_max_size=LARGEST,
                ws_per_message_deflate=False,
                ws_ping_interval=None,  # on one machine an end is noticed, and who waits for many answers is not gone
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        session.start()
        self._thread = threading.Thread(target=self._serve, name="chainrule-page", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """An address that opens the page in one browser, once."""
        return self.door.url

    @property
    def is_open(self) -> bool:
        """Whether it is served."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Return when it is closed."""
        while self.is_open:
            self._thread.join(0.2)  # in slices, for Ctrl-C is not heard while a thread is joined on Windows

    def close(self) -> None:
        """End the server; tabs that are open say so."""
        self._server.should_exit = True
        self._thread.join(5)

    def _serve(self) -> None:
        with self._listening:  # closed too where the server is ended before it has begun
            asyncio.run(self._until_closed())

    async def _until_closed(self) -> None:
        await self._server.serve(sockets=[self._listening])
        for connection in tuple(
            self._server.server_state.connections
        ):  # of tabs that have not read what they were told
            connection.transport.abort()
        await asyncio.sleep(0)

    # --- what it answers

    async def _index(self, _: Request) -> Response:
        return HTMLResponse(local_page(self.title))

    async def _module(self, _: Request) -> Response:
        return Response(front_end(), media_type="text/javascript")

    async def _converse(self, browser: WebSocket) -> None:
        """One tab: its commands go to the session, and what has changed goes back."""
        await browser.accept()
        loop, something = asyncio.get_running_loop(), asyncio.Event()
        room = asyncio.Semaphore(UNANSWERED)

        def wake() -> None:
            with suppress(RuntimeError):  # the page was closed meanwhile
                loop.call_soon_threadsafe(something.set)

        outbox = Outbox(wake)
        stop = self.session.listen(outbox.tell)
        both = [
            asyncio.create_task(self._hear(browser, outbox, room)),
            asyncio.create_task(_tell(browser, outbox, something, room)),
        ]
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        except asyncio.CancelledError:  # the server ends, and this tab does not read
            pass
        finally:
            stop()
            for task in both:
                task.cancel()

    async def _hear(self, browser: WebSocket, outbox: Outbox, room: asyncio.Semaphore) -> None:
        while await room.acquire() and (message := await browser.receive())["type"] == "websocket.receive":
            pass_on(read(message.get("text") or message.get("bytes") or b""), self.session, outbox)


async def _tell(browser: WebSocket, outbox: Outbox, something: asyncio.Event, room: asyncio.Semaphore) -> None:
    with suppress(WebSocketDisconnect):
        while await something.wait():
            something.clear()
            parts, answers = outbox.taken()
            if parts:
                await browser.send_text(written({"set": parts}))
            for answer in answers:
                await browser.send_text(written(answer))
                room.release()
            await asyncio.sleep(PAUSE)
