"""What the server must answer to a request, byte for byte: what it answered when nobody else asked."""

import itertools

from benchmarks.drawings import make_drawings
from benchmarks.http_client import Answer, Client, post, request

MODELS = {"digits": "conv_2", "digits-average": "conv_1", "section-6-3": None, "five-layer-convolutional": None}
POOLINGS = (None, "max", "average", "min")
ROUTES = ("prediction", "feature-maps", "comparison", "activations.npz")
DRAWINGS = 3
GARBAGE = (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a\xff\xff\xff\xff", bytes(100_000))

Truth = dict[bytes, Answer]


def find_truth(port: int) -> Truth:
    """The answers of a server that nobody else uses, to all requests that visitors make."""
    with Client(port) as client:
        return {data: client.send(data) for data in [*_questions(), *_nonsense()]}


def is_as_before(answer: Answer, expected: Answer) -> bool:
    """The same status and the same bytes."""
    return answer.status == expected.status and answer.body == expected.body


def _questions() -> list[bytes]:
    """Drawings in every model and pooling, by the API and the page."""
    found = []
    for drawing, (model, layer), pooling in itertools.product(make_drawings(DRAWINGS), MODELS.items(), POOLINGS):
        fields = [("pooling", pooling)] if pooling else []
        found += [post(f"/api/models/{model}/{route}", drawing, fields) for route in ROUTES]
        found.append(post("/exploration", drawing, [("model", model), *fields, ("scale", "map"), ("columns", "8")]))
        if layer:
            at = f"/api/models/{model}/layers/{layer}/feature-maps"
            found += [post(f"{at}.png", drawing, fields), post(f"{at}/3/cells/5,6", drawing, fields)]
    return found


def _nonsense() -> list[bytes]:
    """What must be refused."""
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
