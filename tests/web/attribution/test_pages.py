"""The page "Why this answer"."""

import re

import pytest
from fastapi.testclient import TestClient
from markupsafe import escape

from app.attribution.method import METHODS
from app.web.formatting import MINUS, fixed

EACH_MODE = pytest.mark.parametrize("pooling", ["max", "average", "min"])


def fragment(client: TestClient, four: bytes, model: str = "digits", **fields: str) -> str:
    response = client.post("/why", files={"drawing": four}, data={"model": model} | fields)
    assert response.status_code == 200, response.text
    return response.text


def numbers(text: str) -> list[float]:
    return [float(each.replace(MINUS, "-")) for each in re.findall(rf"<b>({MINUS}?[\d.]+)</b>", text)]


def sums(html: str) -> list[list[float]]:
    """The parts of the number at each layer as they are shown, the number last."""
    return [numbers(each) for each in re.findall(r'<p class="why-sum">(.*?)</p>', html, re.DOTALL)]


@EACH_MODE
def test_what_is_shown_at_each_layer_adds_up_to_the_number(client: TestClient, four: bytes, pooling: str) -> None:
    html = fragment(client, four, pooling=pooling)
    found = sums(html)
    assert len(found) > 3
    assert len({each[-1] for each in found}) == 1
    for *parts, number in found:
        assert sum(parts) == pytest.approx(number, abs=1e-9)


@EACH_MODE
def test_the_first_sentence_says_where_it_comes_from(client: TestClient, four: bytes, pooling: str) -> None:
    html = fragment(client, four, pooling=pooling)
    (because,) = re.findall(r'<p class="why-because">(.*?)</p>', html, re.DOTALL)
    assert "of the drawing speaks most for" in because
    form = {"pooling": pooling, "layers": "pool1"}
    (link,) = re.findall(r'data-selection="(\S+) (\d+) \d+ \d+"', because)
    answer = client.post("/api/models/digits/contributions", files={"drawing": four}, data={**form, "layers": link[0]})
    maps = next(each["maps"] for each in answer.json()["layers"] if each["layer"] == link[0])
    assert max(maps, key=lambda each: each["contribution"])["map"] == int(link[1])
    assert html.count('class="why-over"') == 1


def test_the_number_is_the_api_s(client: TestClient, four: bytes) -> None:
    answer = client.post(
        "/api/models/digits/contributions", files={"drawing": four}, data={"target": "3", "against": "5"}
    )
    number = answer.json()["number"]
    html = fragment(client, four, target="3", against="5")
    assert [each[-1] for each in sums(html)] == pytest.approx([number] * len(sums(html)), abs=0.005)
    assert "Why 3, not 5?" in html


def test_left_alone_it_asks_about_the_first_two_guesses(client: TestClient, four: bytes) -> None:
    prediction = client.post("/api/models/digits/prediction", files={"drawing": four}).json()
    first, second = sorted(prediction["probabilities"], key=lambda each: -each["probability"])[:2]
    assert f"Why {first['label']}, not {second['label']}?" in fragment(client, four)
    assert f"Why {second['label']}, not {first['label']}?" in fragment(client, four, target=second["label"])
    assert f"<h2>Why {first['label']}?</h2>" in fragment(client, four, against="alone")


@pytest.mark.parametrize("query", ["target=horse", "target=7&against=7", "against=horse"])
def test_a_class_of_another_model_is_passed_over(client: TestClient, query: str) -> None:
    response = client.get(f"/why?model=digits&{query}")
    assert response.status_code == 200
    assert "Why " in response.text


def test_each_share_leads_to_its_strongest_cell(client: TestClient, four: bytes) -> None:
    html = fragment(client, four)
    selections = re.findall(r'data-selection="([^"]+)"', html)
    assert any(len(each.split()) == 4 for each in selections)
    for each in selections[:4]:
        names = ("layer", "channel", "row", "column")
        fields = dict(zip(names, each.split(), strict=False)) | {"model": "digits"}
        assert client.post("/microscope", files={"drawing": four}, data=fields).status_code == 200


def test_a_network_that_answers_with_a_picture_is_told_so(client: TestClient, four: bytes) -> None:
    assert "answers with a picture" in fragment(client, four, "picture")


def test_an_unknown_model_is_refused(client: TestClient, four: bytes) -> None:
    assert client.post("/why", files={"drawing": four}, data={"model": "none"}).status_code == 404


@pytest.mark.parametrize("method", list(METHODS))
def test_each_method_shows_what_it_says_and_the_check(client: TestClient, four: bytes, method: str) -> None:
    fields = {"model": "digits", "method": method, "target": "4", "against": "9"}
    response = client.post("/why/attribution", files={"drawing": four}, data=fields)
    assert response.status_code == 200, response.text
    assert response.text.count("<img src=") >= 2
    assert str(escape(METHODS[method].cannot)) in response.text
    answer = client.post(
        f"/api/models/digits/attributions/{method}", files={"drawing": four}, data={"target": "4", "against": "9"}
    ).json()
    assert f"add up to <strong>{fixed(answer['total'], 2)}</strong>" in response.text


def test_a_method_that_is_not_there_is_refused(client: TestClient, four: bytes) -> None:
    response = client.post("/why/attribution", files={"drawing": four}, data={"method": "astrology"})
    assert response.status_code in {404, 422}
    assert "astrology" in response.text
