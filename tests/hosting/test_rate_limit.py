from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.hosting.limits import RateLimit
from app.hosting.request_counts import WindowCounter
from app.settings import Settings
from app.web.errors import add_error_handlers


@pytest.fixture
def limited() -> FastAPI:
    app = FastAPI()
    app.add_middleware(RateLimit, per_minute=3, counter=WindowCounter(3))
    add_error_handlers(app)

    @app.get("/api/there")
    @app.get("/health")
    def there() -> str:
        return "here"

    return app


def test_what_is_more_is_refused_with_a_time_to_wait(limited: FastAPI) -> None:
    with TestClient(limited) as client:
        assert [client.get("/api/there").status_code for _ in range(4)] == [200, 200, 200, 429]
        response = client.get("/api/there")
        seconds = int(response.headers["retry-after"])
        assert 50 <= seconds <= 61
        assert response.json()["detail"] == (
            f"More than 3 requests in a minute came from your address. Try again in {seconds} seconds."
        )


def test_each_address_has_its_own(limited: FastAPI) -> None:
    for address in ("10.0.0.1", "10.0.0.2"):
        with TestClient(limited, client=(address, 50_000)) as client:
            assert [client.get("/api/there").status_code for _ in range(3)] == [200] * 3


def test_what_watches_the_server_is_not_counted(limited: FastAPI) -> None:
    with TestClient(limited) as client:
        assert {client.get("/health").status_code for _ in range(9)} == {200}


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 0),
        ({"host": "localhost"}, 0),
        ({"host": "::1"}, 0),
        ({"host": "0.0.0.0"}, 3000),
        ({"host": "draw.example"}, 3000),
        ({"host": "0.0.0.0", "requests_per_minute": 0}, 0),
        ({"requests_per_minute": 60}, 60),
    ],
    ids=str,
)
def test_a_server_for_this_machine_alone_does_not_count(settings: dict[str, Any], rate: int) -> None:
    assert Settings(**settings).rate_limit == rate
