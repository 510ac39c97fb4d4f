"""What is answered: the page, its changes, the files that it links to, and what its buttons ask.

Requests without the token, for another host's name (a page elsewhere whose name leads here), or
from another origin get nothing. GET changes no state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from harness import received
from harness.live import words
from harness.live.changes import Changes
from harness.report import page
from harness.report.page import Live

_TEXT: Final = (".log", ".conf", ".txt", ".stats", ".json", ".jsonl")
_LARGEST: Final = 1000
"""Bytes that a button's request may have."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Type = Callable[[str], None]
"""Types a line at the prompt."""


class Server:
    """Answers for one run's folder; ``typed`` is None where there is no prompt."""

    def __init__(self, run: Path, token: str, typed: Type | None) -> None:
        self._run, self._token, self._typed = run, token, typed
        self._changes = Changes(run)

    def application(self) -> Starlette:
        """What uvicorn runs."""
        return Starlette(
            routes=[
                Route("/{token}/", self._page),
                Route("/{token}/events", self._events),
                Route("/{token}/do", self._do, methods=["POST"]),
                Route("/{token}/{path:path}", self._file),
            ],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
            ],
            lifespan=self._watching,
        )

    @contextlib.asynccontextmanager
    async def _watching(self, app: Starlette) -> AsyncIterator[None]:
        ended = asyncio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._changes.watch, ended)
            yield
            ended.set()

    def _knows(self, request: Request) -> bool:
        given = str(request.path_params["token"])
        return secrets.compare_digest(given.encode(), self._token.encode())

    async def _page(self, request: Request) -> Response:
        if not self._knows(request):
            return _nothing()
        nonce, since = secrets.token_urlsafe(16), self._changes.count
        text = await anyio.to_thread.run_sync(self._drawn, since, nonce)
        policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'"
        policy += "; img-src data: blob:; connect-src 'self'; frame-ancestors 'none'"
        headers = {**_HEADERS, "Content-Security-Policy": policy}
        return Response(text, media_type="text/html", headers=headers)

    def _drawn(self, since: int, nonce: str) -> str:
        run = self._changes.run()
        nodes = [
            str(node["name"]) for each in run.scenarios[:1] for node in each.about.get("nodes", ())
        ]
        faults = () if self._typed is None else words.FAULTS
        return page.render([run], self._run, Live(since, nonce, nodes, faults))

    async def _events(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not self._knows(request) or not (since.isascii() and since.isdecimal()):
            return _nothing()
        return StreamingResponse(
            self._stream(int(since[:9])), media_type="text/event-stream", headers=_HEADERS
        )

    async def _stream(self, since: int) -> AsyncIterator[str]:
        """Server-sent events: a line of JSON has no line's end in it."""
        yield ": it begins\n\n"
        async for told in self._changes.since(since):
            yield f"event: scenario\ndata: {told}\n\n"

    async def _file(self, request: Request) -> Response:
        """A file of the run, never as anything that a browser would run."""
        if not self._knows(request):
            return _nothing()
        name = str(request.path_params["path"])
        try:
            content = await anyio.to_thread.run_sync(received.read, self._run, name)
        except (OSError, ValueError):
            return _nothing()
        headers = {**_HEADERS, "Content-Security-Policy": "sandbox; default-src 'none'"}
        if name.endswith(_TEXT):
            return PlainTextResponse(content, headers=headers)
        headers["Content-Disposition"] = "attachment"
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def _do(self, request: Request) -> Response:
        """Type what a button stands for; refused unless the page itself asks."""
        origin, kind = request.headers.get("origin"), request.headers.get("content-type", "")
        own = f"http://{request.headers.get('host')}"
        if not self._knows(request) or self._typed is None:
            return _nothing()
        if origin != own or kind.partition(";")[0] != "application/json":
            return PlainTextResponse("only the page itself may ask", 403, headers=_HEADERS)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST:
                return PlainTextResponse("that is too long", 413, headers=_HEADERS)
        try:
            line = words.line(json.loads(body))
        except ValueError:
            line = None
        if line is None:
            return PlainTextResponse("no button asks that", 400, headers=_HEADERS)
        self._typed(line)
        return PlainTextResponse(f"typed: {line}", headers=_HEADERS)


def _nothing() -> Response:
    return PlainTextResponse("there is nothing", 404, headers=_HEADERS)
