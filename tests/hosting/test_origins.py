from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from app.hosting.security import host_name, is_cross_site
from app.settings import Settings
from tests.pictures import four_png

PREDICTION = "/api/models/digits/prediction"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("localhost.", "localhost"),
        ("evil.example:8000", "evil.example"),
        ("", None),
        (None, None),
        ("[::1", None),
        ("localhost@evil.example", "evil.example"),
    ],
)
def test_the_name_in_a_host_header(host: str | None, name: str | None) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ({}, {"localhost", "127.0.0.1", "::1"}),
        ({"host": "127.0.0.2"}, {"localhost", "127.0.0.1", "::1", "127.0.0.2"}),
        ({"host": "0.0.0.0"}, {"*"}),
        ({"allowed_hosts": "Draw.example, [::1]"}, {"draw.example", "::1"}),
        ({"host": "0.0.0.0", "allowed_hosts": "draw.example"}, {"draw.example"}),
    ],
)
def test_which_hosts_are_answered(settings: dict[str, Any], hosts: set[str]) -> None:
    assert Settings(**settings).hosts == hosts


def test_another_host_name_is_refused(client: TestClient) -> None:
    answer = client.get("/api/models", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("The server does not answer to this host name.")
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),  # curl
        ({"sec-fetch-site": "same-origin", "origin": "null"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "http://draw.example:8000"}, False),
        ({"origin": "https://draw.example:8000"}, False),  # a proxy may have taken TLS off
        ({"origin": "http://draw.example"}, True),
        ({"origin": "http://evil.example:8000"}, True),
        ({"origin": "null"}, True),
        ({"origin": "http://[::1"}, True),
    ],
    ids=str,
)
def test_what_another_site_sends(headers: dict[str, str], refused: bool) -> None:
    assert is_cross_site(Headers({"host": "draw.example:8000", **headers})) is refused


def test_another_site_s_post_is_refused(client: TestClient) -> None:
    files = {"drawing": four_png()}
    response = client.post(PREDICTION, files=files, headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    assert response.json()["detail"].startswith("This was sent by a page of another website")
    assert client.post(PREDICTION, files=files, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_link_from_another_site_is_followed(client: TestClient) -> None:
    assert client.get("/models", headers={"sec-fetch-site": "cross-site"}).status_code == 200
