"""The lab's page, its fragments, and the same by REST."""

import hashlib
import io
import json
import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from app.lab.chain import MAX_STEPS, OPERATIONS
from app.lab.samples import SAMPLE_PICTURES, open_sample
from app.web.lab.forms import DEFAULT_CHAIN
from tests.pictures import encode
from tests.web.test_pages import Tags

PHOTOGRAPH = encode(Image.effect_noise((60, 44), 70).convert("L"), "JPEG")


def post(client: TestClient, path: str = "", picture: bytes | None = None, **fields: Any) -> Response:
    files = {"picture": picture} if picture is not None else None
    if picture is None:
        fields.setdefault("sample", "digit")
    return client.post(f"/api/lab{path}", data=fields, files=files)


def fragment(client: TestClient, path: str = "/lab/chain", file: bytes | None = None, **fields: Any) -> Response:
    files = {"file": file} if file is not None else None
    return client.post(path, data={"picture": "digit", "chain": "max"} | fields, files=files)


class TestPage:
    def test_the_first_visit_shows_a_chain_at_work(self, client: TestClient) -> None:
        page = client.get("/lab")
        tags = Tags(page.text)
        assert page.status_code == 200 and not tags.misplaced and not tags.open
        steps = [each for each in tags.all("li") if (each.get("class") or "").startswith("lab-step")]
        assert len(steps) == 1 + len(DEFAULT_CHAIN.split(","))
        pictures = [each for each in tags.all("img") if (each.get("src") or "").startswith("data:")]
        assert len(pictures) == len(steps)
        assert "1,200×1,600" in page.text and "600×800" in page.text
        assert tags.all("a", href="/lab")[0]["aria-current"] == "page"

    @pytest.mark.parametrize("path", ["/", "/compare", "/models", "/docs"])
    def test_every_page_leads_there(self, client: TestClient, path: str) -> None:
        assert Tags(client.get(path).text).all("a", href="/lab")

    def test_the_address_is_the_state(self, client: TestClient) -> None:
        chain = "convolution:kernel=1_2_1;2_4_2;1_2_1:padding=reflect,max:window=3:stride=2"
        page = client.get(f"/lab?picture=digit&chain={quote(chain)}&step=2&row=3&column=4").text
        tags = Tags(page)
        assert tags.all("ol", id="lab-steps")[0]["data-chain"] == chain
        assert tags.all("section", id="microscope")[0] | {"data-row": "3", "data-column": "4", "data-step": "2"}
        assert [each["value"] for each in tags.all("input", name="picture") if "checked" in each] == ["digit"]

    def test_a_chain_without_steps_is_the_picture(self, client: TestClient) -> None:
        tags = Tags(client.get("/lab?picture=digit&chain=").text)
        assert len(tags.all("figure")) == 1

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("chain=cosine", "there is no operation “cosine”"),
            ("chain=" + ",".join(["max"] * 100), "This chain has 100 steps"),
            ("chain=max:window=-1", "“window”"),
            ("chain=convolution:kernel=a_b", "no matrix of numbers"),
            ("picture=dog", "There is no sample picture “dog”"),
            ("picture=digit&chain=max:window=20,max:window=9", "window 1 instead of 9, since its input has 1 row"),
            ("picture=digit&chain=max:window=28,convolution", "left out, since its kernel has 3×3 weights"),
        ],
    )
    def test_a_bad_address_says_so_and_shows_something(self, client: TestClient, query: str, said: str) -> None:
        page = client.get(f"/lab?{query}")
        assert page.status_code == 200
        assert said in re.sub(r"<[^>]+>", "", page.text) and "data:image/png" in page.text

    def test_a_picture_of_ones_own_is_asked_for_by_the_page(self, client: TestClient) -> None:
        tags = Tags(client.get("/lab?picture=own&chain=min").text)
        assert tags.all("form", id="lab")[0]["data-asked"] == "own"

    @pytest.mark.parametrize("query", ["step=-1", "row=-3", "channel=7", "grey=perhaps", f"chain={'a' * 20_000}"])
    def test_what_no_address_of_ours_says_is_refused(self, client: TestClient, query: str) -> None:
        assert client.get(f"/lab?{query}").status_code in {414, 422}

    def test_html_in_an_address_stays_text(self, client: TestClient) -> None:
        page = client.get("/lab?picture=<script>&chain=<b>").text
        assert "<script>&" not in page and "“<b>”" not in page and "&lt;b&gt;" in page


class TestFragments:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_every_operation_has_controls_and_arithmetic(self, client: TestClient, name: str) -> None:
        answer = fragment(client, chain=name, step=1, row=2, column=3)
        assert answer.status_code == 200
        tags = Tags(answer.text)
        assert not tags.misplaced and len(tags.all("figure")) == 2
        for each in tags.all("input", type="range"):
            low, high, value = (float(each[key] or "") for key in ("min", "max", "value"))
            assert low <= value <= high
        cell = fragment(client, "/lab/cell", chain=name, step=1, row=2, column=3)
        assert cell.status_code == 200 and 'id="microscope"' in cell.text
        assert not Tags(cell.text).misplaced
        precise = fragment(client, "/lab/cell", chain=name, step=1, row=2, column=3, precise="true")
        assert precise.status_code == 200

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_so_it_has_in_colour_and_of_one_pixel(self, client: TestClient, name: str) -> None:
        colour = fragment(client, "/lab/cell", picture="raccoon-768", chain=name, step=1, channel=2)
        pixel = fragment(client, "/lab/chain", chain=f"average:window=28,{name}", step=1)
        assert (colour.status_code, pixel.status_code) == (200, 200)

    def test_pictures_that_the_page_has_are_named_alone(self, client: TestClient) -> None:
        first = Tags(fragment(client, chain="max,average").text)
        keys = [each["data-key"] or "" for each in first.all("figure")]
        second = Tags(fragment(client, chain="max,min", have=",".join(keys)).text)
        figures = second.all("figure")
        assert [each.get("data-kept") for each in figures] == [*keys[:2], None]
        assert figures[2]["data-key"] not in keys

    def test_another_theme_or_width_is_another_picture(self, client: TestClient) -> None:
        def keys(**fields: Any) -> set[str | None]:
            return {
                each["data-key"] for each in Tags(fragment(client, chain="convolution", **fields).text).all("figure")
            }

        assert not keys() & keys(theme="dark") and not keys() & keys(width=64)

    def test_while_a_slider_is_dragged_what_takes_long_waits(self, client: TestClient) -> None:
        lean, whole = (fragment(client, picture="raccoon-768", lean=each).text for each in ("true", "false"))
        assert "lab-later" in lean and "lab-later" not in whole
        assert "lab-later" not in fragment(client, lean="true").text  # a small picture takes no time

    def test_a_difference_is_drawn_on_demand(self, client: TestClient) -> None:
        assert "lab-difference" not in fragment(client).text
        assert "lab-difference" in fragment(client, differences="1").text
        assert "lab-difference" not in fragment(client, chain="swap", differences="1,x,9").text

    def test_a_picture_is_sent_once(self, client: TestClient) -> None:
        digest = hashlib.sha256(PHOTOGRAPH).hexdigest()
        forgotten = fragment(client, picture="own", digest="0" * 64)
        assert forgotten.status_code == 409 and "Send it again" in forgotten.text
        assert "44×60" in fragment(client, picture="own", file=PHOTOGRAPH).text
        assert "44×60" in fragment(client, picture="own", digest=digest).text

    @pytest.mark.parametrize(
        ("fields", "file", "status", "said"),
        [
            ({"chain": "cosine"}, None, 422, "no operation"),
            ({"picture": "own"}, b"no picture", 422, "not a picture"),
            ({"picture": "own"}, b"", 422, "empty"),
            ({"picture": "own"}, encode(Image.new("L", (10_000, 3))), 413, "10,000×3"),
            ({"picture": "own"}, encode(Image.new("L", (2100, 2100))), 413, "4,194,304"),
            ({"picture": "dog"}, None, 404, "no sample picture"),
            ({"width": "1000000"}, None, 422, "“width”"),
            ({"row": "-1"}, None, 422, "“row”"),
            ({"chain": ",".join(["max"] * 13)}, None, 422, "13 steps"),
        ],
    )
    def test_bad_input_gets_a_sentence(
        self, client: TestClient, fields: dict[str, str], file: bytes | None, status: int, said: str
    ) -> None:
        for path in ("/lab/chain", "/lab/cell"):
            answer = fragment(client, path, file, **fields)
            assert answer.status_code == status and said in answer.text
            assert answer.text.startswith("<p>")

    def test_a_cell_that_is_not_there_is_the_nearest_or_none(self, client: TestClient) -> None:
        assert 'data-row="13" data-column="13"' in fragment(client, "/lab/cell", step=1, row=999, column=999).text
        assert "microscope" not in fragment(client, "/lab/cell", step=5).text
        assert "microscope" not in fragment(client, "/lab/cell").text


class TestApi:
    def test_sizes_and_numbers_of_each_step(self, client: TestClient) -> None:
        answer = post(client, chain="max,convolution:kernel=edges").json()
        assert answer["chain"] == "max,convolution:kernel=edges"
        assert [answer["picture"][key] for key in ("height", "width", "channels", "share")] == [28, 28, 1, 1]
        first, second = answer["steps"]
        assert (first["height"], first["width"], first["share"]) == (14, 14, 0.25)
        assert first["step"] == {"operation": "max", "window": 2, "stride": None, "padding": "valid"}
        assert first["enlarged"]["rmse"] > 0 and second["enlarged"] is None
        assert second["minimum"] < 0

    def test_steps_are_json(self, client: TestClient) -> None:
        steps = [{"operation": "convolution", "kernel": [[0, 1], [1, 0]]}, {"operation": "lp", "p": 3}]
        answer = post(client, steps=json.dumps(steps)).json()
        assert answer["steps"][0]["step"]["kernel"] == [[0, 1], [1, 0]]
        assert answer["chain"] == "convolution:kernel=0_1;1_0,lp:p=3"

    def test_a_picture_of_ones_own(self, client: TestClient) -> None:
        answer = post(client, picture=PHOTOGRAPH, chain="average").json()
        assert (answer["picture"]["height"], answer["steps"][0]["width"]) == (44, 30)

    def test_grey(self, client: TestClient) -> None:
        assert post(client, sample="raccoon-768", grey="true").json()["picture"]["channels"] == 1

    def test_the_values_are_what_numpy_loads(self, client: TestClient) -> None:
        answer = post(client, "/values.npz", chain="max,swap")
        with np.load(io.BytesIO(answer.content)) as arrays:
            assert set(arrays) == {"picture", "step_1_max", "step_2_swap"}
            picture, pooled, swapped = (arrays[name] for name in ("picture", "step_1_max", "step_2_swap"))
        assert picture.shape == (28, 28, 1) and picture.dtype == np.float32
        np.testing.assert_array_equal(pooled[:, :, 0], picture.reshape(14, 2, 14, 2).max(axis=(1, 3)))
        np.testing.assert_allclose(swapped, 1 - pooled)

    def test_a_picture_is_saved_whole(self, client: TestClient) -> None:
        answer = post(client, "/steps/1.png", sample="raccoon", chain="max")
        picture = Image.open(io.BytesIO(answer.content))
        assert picture.size == (800, 600) and picture.mode == "RGB"
        whole = np.asarray(open_sample("raccoon")).reshape(600, 2, 800, 2, 3).max(axis=(1, 3))
        np.testing.assert_array_equal(np.asarray(picture), whole)
        small = post(client, "/steps/1.png", sample="raccoon", chain="max", width=200)
        assert Image.open(io.BytesIO(small.content)).size == (200, 150)

    def test_zero_is_near_the_page_in_either_theme(self, client: TestClient) -> None:
        for theme, is_zero in (("light", lambda level: level > 220), ("dark", lambda level: level < 60)):
            answer = post(client, "/steps/1.png", chain="convolution:kernel=edges", theme=theme)
            corner = Image.open(io.BytesIO(answer.content)).convert("RGB").getpixel((10, 1))
            assert isinstance(corner, tuple) and all(map(is_zero, corner)), (theme, corner)

    def test_a_difference_is_of_poolings(self, client: TestClient) -> None:
        answer = post(client, "/steps/2/difference.png", chain="max,max")
        assert Image.open(io.BytesIO(answer.content)).size == (28, 28)
        refused = post(client, "/steps/1/difference.png", chain="swap")
        assert refused.status_code == 422 and "no pooling" in refused.json()["detail"]

    def test_the_arithmetic_of_a_value(self, client: TestClient) -> None:
        answer = post(client, "/steps/1/cells/5,6", chain="average").json()
        assert answer["reads"] == [10, 12, 12, 14] and answer["cell"]["arithmetic"] == "pooling"
        assert np.mean(answer["cell"]["inputs"]) == pytest.approx(answer["value"], abs=1e-6)
        assert post(client, "/steps/0/cells/5,6").json()["cell"] is None

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_every_operation_is_explained(self, client: TestClient, name: str) -> None:
        answer = post(client, "/steps/1/cells/0,0", chain=name)
        assert answer.status_code == 200 and answer.json()["cell"]

    @pytest.mark.parametrize(
        ("path", "fields", "status", "said"),
        [
            ("", {"sample": "dog"}, 404, "There is no sample picture “dog”"),
            ("", {"chain": "max:window=29"}, 422, "its window is 29, and can be 28 at most"),
            ("", {"chain": "max:window=-1"}, 422, "“window”"),
            ("", {"chain": "max:stride=-1"}, 422, "“stride”"),
            ("", {"chain": "max:window=nan"}, 422, "“window”"),
            ("", {"chain": "convolution:kernel=nan"}, 422, "no matrix of numbers"),
            ("", {"chain": ",".join(["max"] * 100)}, 422, "100 steps; the lab takes 12"),
            ("", {"chain": ",".join(["max"] * 6)}, 422, "Step 5, max pooling, does not fit to its input of 1×1"),
            ("", {"steps": "[{"}, 422, "“steps” is no JSON"),
            ("", {"steps": "[" * 5000}, 422, "“steps” is no JSON"),
            ("", {"steps": "{}"}, 422, "a list"),
            ("", {"steps": '[{"operation": "lp", "p": NaN}]'}, 422, "“p”"),
            ("", {"steps": '[{"operation": "convolution", "kernel": [[1], "x"]}]'}, 422, "no matrix of numbers"),
            ("", {"steps": "[]", "chain": "max"}, 422, "not as both"),
            ("/steps/2.png", {"chain": "max"}, 404, "There is no step 2: this chain has 1"),
            ("/steps/-1.png", {"chain": "max"}, 404, "There is no step -1"),
            ("/steps/1.png", {"chain": "max", "width": 5}, 422, "“width”"),
            ("/steps/1/cells/14,0", {"chain": "max"}, 404, "14×14"),
            ("/steps/1/cells/0,0", {"chain": "max", "channel": 1}, 404, "1 channel."),
        ],
    )
    def test_bad_input_gets_a_sentence(
        self, client: TestClient, path: str, fields: dict[str, Any], status: int, said: str
    ) -> None:
        answer = post(client, path, **fields)
        assert answer.status_code == status, answer.text
        assert said in answer.json()["detail"] and answer.headers["content-type"] == "application/problem+json"

    def test_one_picture_is_needed(self, client: TestClient) -> None:
        for answer in (
            client.post("/api/lab", data={"chain": "max"}),
            post(client, picture=PHOTOGRAPH, sample="digit"),
        ):
            assert answer.status_code == 422 and "one of the two" in answer.json()["detail"]

    def test_pictures_that_cannot_be_read(self, client: TestClient) -> None:
        wide = encode(Image.new("L", (10_000, 3)))
        for data, status in ((b"no picture", 422), (b"", 422), (wide, 413), (PHOTOGRAPH[:300], 422)):
            answer = post(client, picture=data)
            assert answer.status_code == status and answer.json()["detail"].endswith(".")

    def test_samples_are_listed_and_shown(self, client: TestClient) -> None:
        listed = client.get("/api/lab/samples").json()
        assert [each["name"] for each in listed] == list(SAMPLE_PICTURES)
        for name in SAMPLE_PICTURES:
            small = Image.open(io.BytesIO(client.get(f"/api/lab/samples/{name}.png?thumbnail=true").content))
            assert max(small.size) <= 160
        assert client.get("/api/lab/samples/dog.png").status_code == 404

    def test_the_document_has_each_operation(self, client: TestClient) -> None:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        named = {
            schema["properties"]["operation"]["const"]
            for schema in schemas.values()
            if "operation" in schema.get("properties", {}) and "const" in schema["properties"]["operation"]
        }
        assert named == set(OPERATIONS) and MAX_STEPS == 12
