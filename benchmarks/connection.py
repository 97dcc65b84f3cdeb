"""An asynchronous client's connection, for many of them in one process."""

import asyncio

from benchmarks.http_client import Answer, read_head

TIMEOUT = 120.0  # seconds for one answer: longer than the server itself gives it


class Connection:
    """A keep-alive connection that is opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes) -> Answer:
        """Raises: OSError, asyncio.IncompleteReadError, TimeoutError; the connection is then closed."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._send(data)
        except BaseException:
            self.close()
            raise

    async def _send(self, data: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(data)
        status, headers = read_head((await reader.readuntil(b"\r\n\r\n"))[:-4])
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams:
            streams[1].close()
