"""Where requests may come from: the names that the server answers to, and the pages that may send it something."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.refusals import Refused
from app.web.errors import say_no_now

_SAFE = {"GET", "HEAD", "OPTIONS"}


class UnknownHost(Refused):
    """The Host header names a host that this server is not."""

    status = HTTPStatus.BAD_REQUEST
    reason = "unknown host"

    def __init__(self) -> None:
        super().__init__(
            "The server does not answer to this host name. Use an address that it was started with, or have it started "
            "with the name in LAYERGLASS_ALLOWED_HOSTS."
        )


class CrossSite(Refused):
    """Another website's page sent this."""

    status = HTTPStatus.FORBIDDEN
    reason = "cross-site"

    def __init__(self) -> None:
        super().__init__("This was sent by a page of another website, which may not do that. Open Layerglass itself.")


class AllowedHosts:
    """Refuses other host names, so that no website can reach a local server by renaming itself (DNS rebinding).

    Starlette's TrustedHostMiddleware answers in plain text, and cannot take [::1] apart.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "*" in self.hosts or host_name(Headers(scope=scope).get("host")) in self.hosts:
            await self.app(scope, receive, send)
        else:
            await say_no_now(UnknownHost(), scope, receive, send)


class RefuseCrossSite:
    """Refuses what changes or computes something when another website's page sent it.

    Browsers say where a request comes from in Sec-Fetch-Site, or in Origin where they do not trust the connection;
    programs say neither, and are let through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and is_cross_site(Headers(scope=scope)):
            await say_no_now(CrossSite(), scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin sent this."""
    if site := headers.get("sec-fetch-site"):
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:  # no address at all, and so not ours
        return True


def host_name(host: str | None) -> str | None:
    """A Host header without its port, in lower case; None where it is none."""
    try:
        name = urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return None
    return name.rstrip(".") if name else None
