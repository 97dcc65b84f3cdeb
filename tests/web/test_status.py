from pathlib import Path

from fastapi.testclient import TestClient

from app import __version__
from app.main import create_app
from app.settings import Settings


def test_health_says_alive_and_the_version(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive", "version": __version__}


def test_ready_once_the_default_network_is_loaded(client: TestClient) -> None:
    assert client.get("/ready").json() == {"status": "ready", "version": __version__}


def test_not_ready_before_it_started_or_once_it_stops(models: Path) -> None:
    client = TestClient(create_app(Settings(built_in_models=models, allowed_hosts="testserver")))
    assert_not_ready(client)
    with client:
        assert client.get("/ready").status_code == 200
    assert_not_ready(client)


def assert_not_ready(client: TestClient) -> None:
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["detail"] == (
        "The default network is not loaded yet, or the server is stopping. Try again in 5 seconds."
    )
    assert client.get("/health").status_code == 200
