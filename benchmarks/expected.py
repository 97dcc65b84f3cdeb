"""The answers that the server must give, byte for byte: those that it gave when nobody else asked."""

import itertools

from benchmarks.drawings import make_drawings
from benchmarks.http_client import Answer, Client, post, request

MODELS = {"digits": "conv_2", "digits-average": "conv_1", "section-6-3": None, "five-layer-convolutional": None}
POOLINGS = (None, "max", "average", "min")
ROUTES = ("prediction", "feature-maps", "comparison", "activations.npz")
DRAWINGS = 3
GARBAGE = (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a\xff\xff\xff\xff", bytes(100_000))

ExpectedAnswers = dict[bytes, Answer]  # by request


def record_answers(port: int) -> ExpectedAnswers:
    """Record the answers to all of the visitors' requests, from a server that nobody else uses."""
    with Client(port) as client:
        return {data: client.send(data) for data in [*_good_requests(), *_bad_requests()]}


def is_same(answer: Answer, expected: Answer) -> bool:
    """Compare status and body."""
    return answer.status == expected.status and answer.body == expected.body


def _good_requests() -> list[bytes]:
    """Return drawings in every model and pooling mode, for the API and the page."""
    found = []
    for drawing, (model, layer), pooling in itertools.product(make_drawings(DRAWINGS), MODELS.items(), POOLINGS):
        fields = [("pooling", pooling)] if pooling else []
        found += [post(f"/api/models/{model}/{route}", drawing, fields) for route in ROUTES]
        found.append(post("/exploration", drawing, [("model", model), *fields, ("scale", "map"), ("columns", "8")]))
        if layer:
            at = f"/api/models/{model}/layers/{layer}/feature-maps"
            found += [post(f"{at}.png", drawing, fields), post(f"{at}/3/cells/5,6", drawing, fields)]
    return found


def _bad_requests() -> list[bytes]:
    """Return requests that must be refused."""
    drawing = make_drawings(1)[0]
    found = [post("/api/models/digits/prediction", garbage) for garbage in GARBAGE]
    found += [post("/exploration", garbage, [("model", "digits")]) for garbage in GARBAGE]
    for name, value in (("pooling", "median"), ("columns", "0"), ("columns", "x" * 2000), ("scale", "\x00")):
        found.append(post("/api/models/digits/feature-maps", drawing, [(name, value)]))
    found += [post(f"/api/models/digits/layers/{name}/feature-maps.png", drawing) for name in ("none", "%00", "..%2f")]
    found.append(request("POST", "/api/models/digits/prediction", b"--x", "multipart/form-data; boundary=x"))
    found.append(request("POST", "/api/models/digits/prediction", b"{}", "application/json"))
    found += [request(method, "/api/models/digits/prediction") for method in ("GET", "DELETE", "OPTIONS")]
    return [*found, request("GET", "/nothing"), request("GET", "/static/../app/main.py"), request("GET", "/health")]
