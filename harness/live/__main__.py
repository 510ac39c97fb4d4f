"""The process that serves the page: ``python -m harness.live FOLDER [prompt]``.

On its standard input it is given the token, and ends when that input does, as it does where its
parent is killed. It prints the port, and then what the buttons have typed, line by line.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path


def main() -> None:
    """Serve until the input ends."""
    import uvicorn

    from harness.live.server import Server

    folder, *more = sys.argv[1:]
    token = sys.stdin.readline().strip()
    os.nice(10)  # the cluster comes first

    def typed(line: str) -> None:
        print(line, flush=True)

    application = Server(Path(folder), token, typed if more == ["prompt"] else None).application()
    server = uvicorn.Server(
        uvicorn.Config(
            application, log_level="critical", access_log=False, timeout_graceful_shutdown=1,
            server_header=False, limit_concurrency=64,
        )
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        asyncio.run(_serve(server, listening))


async def _serve(server: object, listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    def ended() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            server.should_exit = True  # type: ignore[attr-defined]

    loop.add_reader(0, ended)
    await server.serve(sockets=[listening])  # type: ignore[attr-defined]


main()
