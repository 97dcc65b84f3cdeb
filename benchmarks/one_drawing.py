"""One warm request with a drawing, against its floor.

The floor is a bare FastAPI app behind the same uvicorn, which parses the same form and answers as many bytes, plus, in
this process, decoding and normalising the drawing, the forward pass, and the encoding of the same pictures. Request,
echo and computation alternate; each round has a drawing of its own.
"""

from app.cnn.network import Network
from benchmarks.computation import MODEL, compute, open_network
from benchmarks.drawings import make_drawings
from benchmarks.echo import PROGRAM
from benchmarks.figures import Figure, milliseconds, ratio, run_alone, summarise
from benchmarks.http_client import PAGE, Client, Fields, layers_drawn, page_fields, post, request
from benchmarks.serving import Server

ROUNDS, QUICK_ROUNDS, WARM_UP = 500, 60, 20
API = f"/api/models/{MODEL}/feature-maps"


def measure(quick: bool = False) -> list[Figure]:
    """Return the milliseconds of the API's and the page's answers, their floors, and the ratios."""
    network = open_network()
    count = WARM_UP + (QUICK_ROUNDS if quick else ROUNDS)
    drawings, others = make_drawings(count), make_drawings(count, seed=1)
    with Server() as server, Server(PROGRAM, ()) as echo, Client(server.port) as app, Client(echo.port) as bare:
        api = _measure("API", app, bare, API, [], drawings, network)
        fields = page_fields(app, others[0])
        return api + _measure("page", app, bare, PAGE, fields, others, network)


def _measure(
    name: str,
    app: Client,
    bare: Client,
    path: str,
    fields: Fields,
    drawings: list[bytes],
    network: Network,
) -> list[Figure]:
    first = app.send(post(path, drawings[0], fields))
    layers = layers_drawn(first.body) or [layer.name for layer in network.feature_map_layers]
    bare.send(request("PUT", f"/length/{len(first.body)}"))
    times: dict[str, list[float]] = {"request": [], "echo": [], "computation": []}
    for drawing in drawings:
        sent, echoed = post(path, drawing, fields), post("/echo", drawing, fields)
        times["request"].append(milliseconds(lambda: _expect_answer(app, sent)))  # noqa: B023
        times["echo"].append(milliseconds(lambda: _expect_answer(bare, echoed)))  # noqa: B023
        times["computation"].append(milliseconds(lambda: compute(drawing, network, layers)))  # noqa: B023
    times = {part: samples[WARM_UP:] for part, samples in times.items()}
    floor = [echo + computed for echo, computed in zip(times["echo"], times["computation"], strict=True)]
    return [
        summarise(f"{name}: request", times["request"], note=f"{len(layers)} pictures, {len(first.body):,} bytes"),
        summarise(f"{name}: floor, the echo", times["echo"]),
        summarise(f"{name}: floor, the computation", times["computation"]),
        ratio(f"{name}: request / floor", times["request"], floor),
    ]


def _expect_answer(client: Client, data: bytes) -> None:
    answer = client.send(data)
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")


if __name__ == "__main__":
    run_alone("one_drawing", measure, __doc__)
