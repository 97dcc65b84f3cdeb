from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.hosting.security import AllowedHosts, UnknownHost, host_name, is_cross_site
from app.main import create_app
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
        ("localhost@evil.example", None),
        ("localhost:80@evil.example", None),
        ("user:secret@localhost", None),
        ("a b", None),
        (" localhost", None),
        ("localhost/evil", None),
        ("localhost?", None),
        ("localhost#", None),
        ("localhost:port", None),
        ("localhost:80:80", None),
        ("localhost,evil.example", None),
        ("::1", None),
        ("[::1]x", None),
        ("[evil.example]", None),
        (".", None),
        ("l\xf6calhost", None),
        ("my_host-1.example:65535", "my_host-1.example"),
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
        ({"token": "a" * 32, "allowed_hosts": "draw.example"}, {"a" * 32 + ".localhost"}),
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


SEVERAL_HOSTS = "The request has more than one Host header. Send one, with the name in the server's address."
NO_HOST = (
    "The Host header of the request is not a host name with or without a port. Send the name in the server's address, "
    "such as localhost:8000."
)


@pytest.mark.parametrize("allowed", ["localhost", "*"])
@pytest.mark.parametrize(
    ("hosts", "detail"),
    [
        (["localhost", "localhost"], SEVERAL_HOSTS),
        (["localhost", "evil.example"], SEVERAL_HOSTS),
        (["evil.example", "localhost"], SEVERAL_HOSTS),
        (["localhost", ""], SEVERAL_HOSTS),
        (["", ""], SEVERAL_HOSTS),
        (["user@localhost"], NO_HOST),
        (["localhost:80@evil.example"], NO_HOST),
        (["evil.example@localhost"], NO_HOST),
        (["a b"], NO_HOST),
        ([""], NO_HOST),
        (["[::1"], NO_HOST),
        (["localhost/api"], NO_HOST),
        (["localhost"], None),
        (["LOCALHOST:8000"], None),
    ],
    ids=str,
)
def test_a_host_header_that_could_be_read_in_two_ways_is_refused(
    app: FastAPI, client: TestClient, allowed: str, hosts: list[str], detail: str | None
) -> None:
    made = create_app(Settings(allowed_hosts=allowed))
    made.state.library = app.state.library
    answer = TestClient(made).get("/api/models", headers=[("host", host) for host in hosts])
    assert answer.status_code == (400 if detail else 200)
    if detail:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == detail


def test_without_a_host_header_any_host_or_none_is_meant() -> None:
    """As clients of HTTP/1.0 send it."""
    assert AllowedHosts(app=unused, hosts=frozenset("*"))._error([]) is None
    assert isinstance(AllowedHosts(app=unused, hosts=frozenset({"localhost"}))._error([]), UnknownHost)


async def unused(scope: Scope, receive: Receive, send: Send) -> None:
    pass


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
