"""A connection's two concerns that HTTP knows nothing of: whose it is, and how it ends.

Where a client still sends, a plain close has the system reset the connection, and the client may lose the answer that
it has not read yet. RFC 9112, section 9.6: half-close first, and read on until the client closes, too.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_DISCARD_SECONDS = 30  # for which bytes are read that nobody needs
_DISCARD_BYTES = 2**30  # enough for a client that sends all of a large file before it reads
_SILENT_SECONDS = 4  # after which a client has nothing more to send
_SITE_BITS = 64  # of an IPv6 address; one client may choose the others


class Discard:
    """Bytes that a client still sends and nobody needs, within limits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, give_up: Callable[[], None]) -> None:
        """give_up: called once the client is silent, has sent too much, or has taken too long."""
        self.loop = loop
        self.give_up = give_up
        self.deadline = loop.time() + _DISCARD_SECONDS
        self.received = self.received_before = 0
        self.timer = loop.call_later(_SILENT_SECONDS, self._look)

    def count(self, size: int) -> None:
        """Take note of so many bytes."""
        self.received += size
        if self.received > _DISCARD_BYTES:
            self.give_up()

    def stop(self) -> None:
        """Never give up."""
        self.timer.cancel()

    def _look(self) -> None:
        if self.received == self.received_before or self.loop.time() >= self.deadline:
            self.give_up()
        else:
            self.received_before = self.received
            self.timer = self.loop.call_later(_SILENT_SECONDS, self._look)


class GentleTransport(asyncio.Transport):
    """A connection that is closed gently: half-closed while a request has not been read to its end."""

    def __init__(self, transport: asyncio.Transport, is_unread: Callable[[], bool], linger: Callable[[], None]) -> None:
        """is_unread: whether the client may still be sending. linger: called when the connection is half-closed."""
        super().__init__()
        self.transport = transport
        self.is_lingering = False
        self._is_unread = is_unread
        self._linger = linger

    @property
    def is_gone(self) -> bool:
        """It is closed on both sides, or about to be."""
        return self.transport.is_closing()

    def is_closing(self) -> bool:
        return self.is_lingering or self.transport.is_closing()

    def close(self) -> None:
        if self._is_unread():
            self.linger()
        elif not self.is_lingering:
            self.transport.close()

    def linger(self) -> None:
        """Write nothing more, and let the client close the connection."""
        if not self.is_closing():
            self.is_lingering = True
            self.transport.write_eof()
            self.transport.resume_reading()
            self._linger()

    def abort(self) -> None:
        self.transport.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closing():  # an answer may go on after that; uvloop would raise
            self.transport.write(data)

    def get_write_buffer_size(self) -> int:
        return self.transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        if not self.is_lingering:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.transport.get_extra_info(name, default)


def share_of(host: str, trusted_proxies: str) -> str | None:
    """Return whose share of all connections one from this address belongs to; None if it has no limit.

    A proxy brings the connections of many. On a loopback address anyone may be one, so that it has a share, too.
    """
    try:
        address = ip_address(host)
    except ValueError:  # no address, but the name of a local socket
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_loopback and any(address in network for network in _networks(trusted_proxies)):
        return None
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(ip_network((address, _SITE_BITS), strict=False))
    return str(address)


@cache
def _networks(trusted_proxies: str) -> list[IPv4Network | IPv6Network]:
    """Return the addresses and networks among the proxies; * is nobody in particular."""
    found = []
    for part in trusted_proxies.split(","):
        try:
            found.append(ip_network(part.strip(), strict=False))
        except ValueError:
            continue
    return found
