"""Middleware for security: response headers, and the origins that may change something."""

import hmac
import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .refusals import Refused, refuse

# The browser features that OWASP's secure headers name, but for full screen, which lecture mode asks for.
_UNUSED_FEATURES = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
    *("gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"),
    *("local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture"),
    *("publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access"),
    *("sync-xhr", "usb", "window-management", "xr-spatial-tracking"),
)

_HEADERS = {
    # Everything is loaded from the app itself, and nothing runs inline.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(["fullscreen=(self)", *(f"{feature}=()" for feature in _UNUSED_FEATURES)]),
    # Not no-referrer: browsers that do not send Sec-Fetch-Site would then send "Origin: null" to the app itself.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Permitted-Cross-Domain-Policies": "none",
}
_CSP = "Content-Security-Policy"


def security_headers(frame_ancestors: Sequence[str] = ()) -> dict[str, str]:
    """Return the security headers. frame_ancestors: origins whose pages may show the app in a frame."""
    if not frame_ancestors:
        return _HEADERS | {_CSP: f"{_HEADERS[_CSP]}'none'", "X-Frame-Options": "DENY"}
    # X-Frame-Options can name no other origin. Browsers that know frame-ancestors do not need it.
    return _HEADERS | {_CSP: f"{_HEADERS[_CSP]}{' '.join(frame_ancestors)}"}


# A name or an IPv4 address, or an IPv6 address in brackets, and perhaps a port: of what RFC 3986 allows, what a browser
# sends. No user name, which would hide the host's name behind it.
_HOST = re.compile(r"(?P<name>(?!\.)[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
_SEVERAL_HOSTS = "The request has more than one Host header. Send one, with the name in the server's address."
_NO_HOST = (
    "The Host header of the request is not a host name with or without a port. Send the name in the server's address, "
    "such as localhost:8000."
)

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class ResponseHeaders:
    """Middleware that adds the security headers to every answer, and keeps drawings and errors out of caches."""

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = ()) -> None:
        self.app = app
        headers = security_headers(frame_ancestors)
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers]
                if scope["method"] == "POST" or message["status"] >= 400:
                    MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class HeadAsGet:
    """Middleware that answers HEAD with the head of the answer to GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        get = {**scope, "method": "GET"}  # a copy: the server must still see HEAD
        try:
            await self.app(get, receive, send_head)
        finally:
            scope["route"] = get.get("route")  # for the log


class UnknownHost(Refused):
    """A Host header with a name that is not this server's."""

    status = HTTPStatus.BAD_REQUEST
    reason = "unknown host"
    message = (
        "The server does not answer to this host name. Use an address that it was started with, or have it started "
        "with the name in LAYERGLASS_ALLOWED_HOSTS."
    )


class InvalidHost(Refused):
    """A Host header that is no name, or more than one of them."""

    status = HTTPStatus.BAD_REQUEST
    reason = "invalid host"


class CrossSite(Refused):
    """A request that a page of another website sent."""

    status = HTTPStatus.FORBIDDEN
    reason = "cross-site"
    message = "This was sent by a page of another website, which may not do that. Open Layerglass itself."


class WrongToken(Refused):
    """A request that does not know the secret in the server's address."""

    status = HTTPStatus.FORBIDDEN
    reason = "wrong token"
    message = (
        "This server answers only to those who know its whole address, which has a secret in it. In a notebook, run "
        "the cell again that shows the model."
    )


class RequireToken:
    """Middleware that refuses requests to any other host than TOKEN.localhost, which browsers look for on this machine.

    The host is the one place for a secret that every request of a page has without the page's doing, and that no other
    site, port or frame is sent. Browsers keep cookies from a frame of another site, and send them to every port.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.host = f"{token}.localhost".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(Headers(scope=scope).getlist("host")):
            await refuse(WrongToken(), scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _knows(self, hosts: list[str]) -> bool:
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        return hmac.compare_digest((name or "").encode(), self.host)


class AllowedHosts:
    """Middleware that refuses unknown host names, so that DNS rebinding cannot reach a local server.

    It also refuses what could mean one host here and another one to a proxy. Starlette's TrustedHostMiddleware answers
    in plain text, and splits [::1] at its first colon.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """hosts: in lower case; * allows any."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._error(Headers(scope=scope).getlist("host")) if scope["type"] == "http" else None
        if error is None:
            await self.app(scope, receive, send)
        else:
            await refuse(error, scope, receive, send)

    def _error(self, hosts: list[str]) -> Refused | None:
        if len(hosts) > 1:
            return InvalidHost(_SEVERAL_HOSTS)
        if hosts and host_name(hosts[0]) is None:
            return InvalidHost(_NO_HOST)
        if "*" in self.hosts or (hosts and host_name(hosts[0]) in self.hosts):
            return None
        return UnknownHost()


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
    """Return the name in a Host header, without the port and in lower case; None if it is not a name, or not there."""
    found = _HOST.fullmatch(host or "")
    return found["name"].strip("[]").rstrip(".").lower() if found else None
