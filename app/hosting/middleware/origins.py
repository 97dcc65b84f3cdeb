"""Checks of the Host and Origin headers, against DNS rebinding and cross-site requests."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.refusals import Refused, refuse

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class UnknownHost(Refused):
    """A Host header with a name that is not this server's."""

    status = HTTPStatus.BAD_REQUEST
    reason = "unknown host"

    def __init__(self) -> None:
        super().__init__(
            "The server does not answer to this host name. Use an address that it was started with, or have it started "
            "with the name in LAYERGLASS_ALLOWED_HOSTS."
        )


class CrossSite(Refused):
    """A request that a page of another website sent."""

    status = HTTPStatus.FORBIDDEN
    reason = "cross-site"

    def __init__(self) -> None:
        super().__init__("This was sent by a page of another website, which may not do that. Open Layerglass itself.")


class AllowedHosts:
    """Middleware that refuses unknown host names, so that DNS rebinding cannot reach a local server.

    Starlette's TrustedHostMiddleware answers in plain text, and splits [::1] at its first colon.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """hosts: in lower case; * allows any."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "*" in self.hosts or host_name(Headers(scope=scope).get("host")) in self.hosts:
            await self.app(scope, receive, send)
        else:
            await refuse(UnknownHost(), scope, receive, send)


class RefuseCrossSite:
    """Middleware that refuses requests from pages of other websites, unless their method is safe.

    Browsers say where a request comes from in Sec-Fetch-Site, or only in Origin on an untrusted connection. Scripts
    send neither and are let through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS and is_cross_site(Headers(scope=scope)):
            await refuse(CrossSite(), scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_cross_site(headers: Headers) -> bool:
    """Return whether these are a browser's headers for a request from another origin."""
    if site := headers.get("sec-fetch-site"):
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:  # not a URL
        return True


def host_name(host: str | None) -> str | None:
    """Return the name in a Host header, without the port and in lower case; None if there is none."""
    try:
        name = urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return None
    return name.rstrip(".") if name else None
