import pytest

from app.settings import Settings
from app.web.uploads import body_limit, is_upload


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/models/"), ("POST", "/api/models/m/prediction"), ("PUT", "/api/models")]
)
def test_other_requests_have_the_limit_of_a_drawing(method: str, path: str) -> None:
    limit = body_limit(Settings(), {"type": "http", "method": method, "path": path})
    assert (limit.max_bytes, limit.in_memory) == (4 * 2**20 + 64 * 1024, True)


def test_an_upload_has_a_limit_of_its_own_and_is_not_in_memory() -> None:
    limit = body_limit(Settings(upload_megabytes=100), {"type": "http", "method": "POST", "path": "/api/models"})
    assert (limit.max_bytes, limit.in_memory) == (100 * 2**20 + 64 * 1024, False)


def test_a_websocket_is_no_upload() -> None:
    assert not is_upload({"type": "websocket", "path": "/api/models"})
