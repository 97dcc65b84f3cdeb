"""Security headers on every answer: nothing is loaded from anywhere but the app itself, and nothing runs inline."""

from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginEmbedderPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    XContentTypeOptions,
    XFrameOptions,
    XPermittedCrossDomainPolicies,
)
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Everything that a page could ask a browser for and that OWASP names: the app needs none of it.
_UNUSED = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
    *("fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"),
    *("local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture"),
    *("publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access"),
    *("sync-xhr", "usb", "window-management", "xr-spatial-tracking"),
)

_POLICY = Secure(
    csp=(
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "data:", "blob:")
        .connect_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    ),
    xcto=XContentTypeOptions(),
    xfo=XFrameOptions().deny(),
    # Not no-referrer: with it, browsers send "Origin: null" to the app itself where they do not send Sec-Fetch-Site.
    referrer=ReferrerPolicy().same_origin(),
    permissions=PermissionsPolicy().set(", ".join(f"{feature}=()" for feature in _UNUSED)),
    coep=CrossOriginEmbedderPolicy().require_corp(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    xpcdp=XPermittedCrossDomainPolicies().none(),
)


class SecurityHeaders:
    """The policy above on every answer; nothing else here sets any of it.

    The library's own middleware would put it together for each answer anew, and look for what it has to replace.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in _POLICY.header_items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        await self.app(scope, receive, send_secured)


class NoStore:
    """What was made of a drawing, and what went wrong, is kept by no cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_uncached(message: Message) -> None:
            if message["type"] == "http.response.start" and (scope["method"] == "POST" or message["status"] >= 400):
                MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_uncached)
