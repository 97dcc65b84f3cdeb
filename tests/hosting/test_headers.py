import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.pictures import four_png


def ask(client: TestClient, request: str) -> Response:
    """The answer to, for example, "POST /exploration", with a drawing unless the path says without."""
    method, path = request.split()
    files = {"drawing": four_png()} if method == "POST" and "nothing" not in path else None
    return client.request(method, path, files=files)


EVERY_ANSWER = pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /", 200),
        ("GET /models", 200),
        ("GET /docs", 200),
        ("GET /health", 200),
        ("GET /openapi.json", 200),
        ("GET /api/models", 200),
        ("GET /static/css/base.css", 200),
        ("GET /colormaps/viridis.png", 200),
        ("POST /exploration", 200),
        ("POST /api/models/digits/prediction", 200),
        ("POST /api/models/digits/layers/conv1/feature-maps.png", 200),
        ("POST /api/models/digits/activations.npz", 200),
        ("GET /missing", 404),
        ("GET /static/missing.js", 404),
        ("GET /api/models/missing", 404),
        ("GET /?model=missing", 404),
        ("GET /api/models/digits/prediction", 405),
        ("POST /api/models/digits/prediction?nothing", 422),
        ("POST /exploration?nothing", 422),
    ],
)


@EVERY_ANSWER
def test_every_answer_has_the_security_headers(client: TestClient, request_line: str, status: int) -> None:
    response = ask(client, request_line)
    assert response.status_code == status
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-permitted-cross-domain-policies": "none",
        "referrer-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    assert {name: response.headers.get(name) for name in expected} == expected
    assert "content-security-policy" in response.headers


@EVERY_ANSWER
def test_nothing_is_said_about_the_server(client: TestClient, request_line: str, status: int) -> None:
    headers = ask(client, request_line).headers
    assert "server" not in headers
    assert "x-powered-by" not in headers


def policy(client: TestClient) -> dict[str, list[str]]:
    directives = client.get("/").headers["content-security-policy"].split("; ")
    return {name: sources for name, *sources in (directive.split() for directive in directives)}


def test_what_is_too_large_has_the_headers_too(client: TestClient) -> None:
    response = client.post("/exploration", files={"drawing": bytes(5_000_000)})
    assert response.status_code == 413
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in response.headers


def test_the_policy_allows_nothing_unsafe(client: TestClient) -> None:
    assert "unsafe" not in client.get("/").headers["content-security-policy"]


def test_what_is_not_named_is_not_loaded(client: TestClient) -> None:
    assert policy(client)["default-src"] == ["'none'"]


def test_scripts_and_styles_come_from_the_app_alone(client: TestClient) -> None:
    assert policy(client)["script-src"] == policy(client)["style-src"] == ["'self'"]


def test_nothing_comes_from_another_host(client: TestClient) -> None:
    allowed = {"'self'", "'none'", "data:", "blob:"}
    assert {source for sources in policy(client).values() for source in sources} <= allowed


def test_no_other_site_may_frame_the_app(client: TestClient) -> None:
    assert policy(client)["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("feature", ["camera", "microphone", "geolocation", "usb", "payment", "display-capture"])
def test_no_feature_of_the_browser_is_used(client: TestClient, feature: str) -> None:
    assert f"{feature}=()" in client.get("/").headers["permissions-policy"].split(", ")


def test_the_app_alone_may_fill_the_screen(client: TestClient) -> None:
    features = client.get("/").headers["permissions-policy"].split(", ")
    assert [feature for feature in features if feature.startswith("fullscreen")] == ["fullscreen=(self)"]


@pytest.mark.parametrize("request_line", ["POST /exploration", "POST /exploration?nothing", "GET /missing"])
def test_what_holds_a_drawing_or_a_refusal_is_kept_by_no_cache(client: TestClient, request_line: str) -> None:
    assert ask(client, request_line).headers["cache-control"] == "no-store"


def test_what_never_changes_may_be_kept(client: TestClient) -> None:
    assert client.get("/colormaps/viridis.png").headers["cache-control"] == "max-age=86400"


@pytest.mark.parametrize("path", ["/", "/health", "/api/models", "/static/css/base.css", "/colormaps/viridis.png"])
def test_head_is_the_head_of_get(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


def test_head_of_nothing(client: TestClient) -> None:
    response = client.head("/missing")
    assert (response.status_code, response.content) == (404, b"")


def test_head_where_there_is_no_get(client: TestClient) -> None:
    response = client.head("/exploration")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
