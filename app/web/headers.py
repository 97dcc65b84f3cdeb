"""Security headers on every answer: nothing is loaded from anywhere but the app itself, and nothing runs inline."""

import re
from urllib.parse import quote

from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    XContentTypeOptions,
    XFrameOptions,
)
from secure.middleware import SecureASGIMiddleware
from starlette.types import ASGIApp

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
    referrer=ReferrerPolicy().no_referrer(),
    permissions=PermissionsPolicy().camera().microphone().geolocation(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
)


def attachment(filename: str) -> str:
    """Content-Disposition for a file of any name to be saved (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", filename)
    other = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{other}'


class SecurityHeaders(SecureASGIMiddleware):
    """The policy above, as middleware."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, secure=_POLICY)
