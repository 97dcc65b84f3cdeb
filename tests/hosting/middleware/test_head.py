import pytest
from fastapi.testclient import TestClient


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
