# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""A TCP connection that a test can cut, stall or listen to."""
import asyncio

from .ground import free_port


class Relay:
    """Takes connections on `port` and passes on what is said to and from `target`."""

    def __init__(self, target):
        self.target, self.port = target, free_port()
        self.connections = 0
        self.flows = asyncio.Event()  # cleared: nothing is read from either side
        self.flows.set()
        self.said = {"up": bytearray(), "down": bytearray()}
        self._server = None
        self._open = set()

    async def start(self):
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        return self

    async def _take(self, reader, writer):
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._open |= {writer, far_writer}
        await asyncio.gather(
            self._pass(reader, far_writer, "up"), self._pass(far_reader, writer, "down")
        )
        self._open -= {writer, far_writer}

    async def _pass(self, reader, writer, way):
        try:
            while data := await reader.read(65536):
                await self.flows.wait()
                self.said[way] += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def cut(self):
        """Reset every connection; new ones are still taken."""
        for writer in list(self._open):
            writer.transport.abort()

    async def stop(self):
        """Cut, and listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.cut()
