"""Archives and HDF5 files that reach out of themselves, or blow up: nothing outside is read, little memory taken."""

import io
import resource
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model_files.errors import ModelError
from app.model_files.loading import load_model
from tests.model_files.config.test_hostile_configs import INPUT, refusal
from tests.model_files.files import (
    change_weights,
    members,
    numbers,
    save_h5,
    save_zip,
    sequential,
    small_file,
)

KERNEL = "layers/conv2d/vars/0"
SHAPE = (3, 3, 1, 2)


def with_kernel(folder: Path, put: Callable[[h5py.File], None]) -> Path:
    """A .keras file whose first kernel is put there by other means."""

    def change(file: h5py.File) -> None:
        del file[KERNEL]
        put(file)

    return change_weights(small_file(folder), change)


def secret(folder: Path) -> Path:
    """A file of someone else's, with numbers of the right shape."""
    path = folder / "secret.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = np.ones(SHAPE, np.float32)
    return path


def test_cve_2026_1669_an_external_link(tmp_path: Path) -> None:
    other = secret(tmp_path)
    path = with_kernel(tmp_path, lambda file: file.__setitem__(KERNEL, h5py.ExternalLink(str(other), "/kernel")))
    assert "is a link to another file" in refusal(path)


def test_cve_2026_1669_an_external_link_in_an_h5_file(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("Conv2D", {"name": "c", "filters": 2, "kernel_size": 3})), {})
    with h5py.File(path, "r+") as file:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink(str(secret(tmp_path)), "/")
    assert "is a link to another file" in refusal(path)


def test_cve_2026_1669_external_storage(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(4 * 18))
    path = with_kernel(
        tmp_path, lambda file: file.create_dataset(KERNEL, SHAPE, np.float32, external=[(str(raw), 0, 4 * 18)])
    )
    assert "keeps its numbers in another file" in refusal(path)


def test_cve_2026_12480_a_virtual_dataset(tmp_path: Path) -> None:
    layout = h5py.VirtualLayout(SHAPE, np.float32)
    layout[:] = h5py.VirtualSource(str(secret(tmp_path)), "kernel", SHAPE)
    path = with_kernel(tmp_path, lambda file: file.create_virtual_dataset(KERNEL, layout))
    assert "is a virtual dataset" in refusal(path)


def test_a_soft_link(tmp_path: Path) -> None:
    path = with_kernel(tmp_path, lambda file: file.__setitem__(KERNEL, h5py.SoftLink("/layers/dense/vars/0")))
    assert "is a link to another place" in refusal(path)


def test_a_group_that_holds_itself(tmp_path: Path) -> None:
    path = with_kernel(tmp_path, lambda file: file.__setitem__("layers/again", file["layers"]))
    assert "under two names" in refusal(path)


def taken(path: Path) -> tuple[str, int]:
    """The sentence, and by how many bytes the peak of this process' memory grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sentence = refusal(path)
    return sentence, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


@pytest.mark.parametrize("shape", [(50_000_000, 50_000_000), (100_000, 100_000), (2**31, 2, 2)])
def test_cve_2026_0897_a_shape_of_petabytes(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = with_kernel(
        tmp_path,
        lambda file: file.create_dataset(KERNEL, shape, np.float32, chunks=(1,) * len(shape), compression="gzip"),
    )
    sentence, grown = taken(path)
    assert "claims the shape" in sentence
    assert grown < 50 * 2**20


def test_a_shape_just_under_the_limit_with_nothing_stored(tmp_path: Path) -> None:
    path = with_kernel(tmp_path, lambda file: file.create_dataset(KERNEL, (100_000_000,), np.float32, chunks=(1000,)))
    sentence, grown = taken(path)
    assert "unpacks to more than 200 times its size" in sentence
    assert grown < 50 * 2**20


def test_a_compressed_bomb_in_hdf5(tmp_path: Path) -> None:
    zeros = np.zeros(20_000_000, np.float32)
    path = with_kernel(tmp_path, lambda file: file.create_dataset(KERNEL, data=zeros, compression="gzip"))
    assert path.stat().st_size < 1_000_000
    assert "unpacks to more than 200 times its size" in refusal(path)


def test_an_attribute_that_claims_to_be_huge(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        file.attrs.create("layer_names", np.zeros(30_000, "S8"))
    assert "“layer_names” of “/” is larger" in refusal(tmp_path / "m.h5")


@pytest.mark.parametrize("kind", [np.dtype("S8"), h5py.string_dtype(), h5py.ref_dtype, np.dtype([("a", "f4")]), "c8"])
def test_weights_of_another_type(kind: object, tmp_path: Path) -> None:
    path = with_kernel(tmp_path, lambda file: file.create_dataset(KERNEL, SHAPE, kind))
    assert "numbers" in refusal(path)


def test_weights_of_the_wrong_shape(tmp_path: Path) -> None:
    path = with_kernel(tmp_path, lambda file: file.__setitem__(KERNEL, numbers(5, 5, 1, 2)))
    assert (
        "kernel of the layer “conv” have the shape (5, 5, 1, 2) in the file; its settings ask for (3, 3, 1, 2)"
        in refusal(path)
    )


def test_missing_weights(tmp_path: Path) -> None:
    path = change_weights(small_file(tmp_path), lambda file: file.__delitem__("layers/dense"))
    assert "no weights for the layer “answer”" in refusal(path)


def test_one_array_too_few(tmp_path: Path) -> None:
    path = change_weights(small_file(tmp_path), lambda file: file.__delitem__("layers/dense/vars/1"))
    assert "“answer” has 2 arrays of weights, the file 1" in refusal(path)


def test_weights_that_lead_upward(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("PReLU", {"name": "p"})), {"p": [numbers(8, 8, 1)]})
    with h5py.File(path, "r+") as file:
        file["model_weights/p"].attrs["weight_names"] = [b"../p/p/weight_0:0"]
    assert "no weights for the layer “p”" in refusal(path)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "assets/../../evil", "..\\evil", "C:/evil"])
def test_a_member_that_leaves_the_archive(name: str, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    assert "points out of the archive" in refusal(save_zip(path, members(path) | {name: b"evil"}))


@pytest.mark.parametrize("name", ["evil.py", "assets/vocabulary.txt", "config.json/x", "model.weights.json"])
def test_a_member_that_is_not_expected(name: str, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    assert f"“{name}”" in refusal(save_zip(path, members(path) | {name: b"evil"}))


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "link"])
def test_a_member_that_is_a_link(name: str, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    contents = members(path)
    contents.pop(name, None)
    save_zip(path, contents)
    link = zipfile.ZipInfo(name)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    assert f"“{name}” is a link" in refusal(path)


def test_a_member_twice(tmp_path: Path) -> None:
    path = small_file(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", "{}")
    assert "“config.json” twice" in refusal(path)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_zip_bomb(name: str, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    contents = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each, data in contents.items():
            file.writestr(each, bytes(100_000_000) if each == name else data)
    assert path.stat().st_size < 300_000
    sentence, grown = taken(path)
    assert "at most 8,388,608 are read" in sentence or "as a zip bomb does" in sentence
    assert grown < 50 * 2**20


def test_a_member_that_lies_about_its_size(tmp_path: Path) -> None:
    path = small_file(tmp_path)
    contents = members(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for each, data in contents.items():
            file.writestr(each, bytes(100_000_000) if each == "config.json" else data)
    lie = buffer.getvalue().replace((100_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    path.write_bytes(lie)
    sentence, grown = taken(path)
    assert sentence
    assert grown < 50 * 2**20


@pytest.mark.parametrize("missing", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_zip_without_a_part(missing: str, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    contents = members(path)
    del contents[missing]
    assert f"it has no {missing}" in refusal(save_zip(path, contents))


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    made = ("Conv2D", {"name": "c", "filters": 2, "kernel_size": 3})
    h5 = save_h5(folder / "m.h5", sequential(INPUT, made), {"c": [numbers(*SHAPE), numbers(2)]})
    return small_file(folder).read_bytes(), h5.read_bytes()


@given(which=st.integers(0, 1), share=st.floats(0, 1))
def test_a_file_cut_anywhere(
    which: int, share: float, whole_files: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = whole_files[which]
    path = tmp_path_factory.getbasetemp() / "cut.keras"
    path.write_bytes(data[: int(share * (len(data) - 1))])
    with pytest.raises(ModelError):
        load_model(path)


# Archives only: the HDF5 library is written in C, and bent .h5 files make it crash or run for ever, which is what the
# child process is for. In an archive the checksums stand before it.
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_an_archive_with_any_bytes_changed_opens_or_is_refused(
    changes: list[tuple[float, int]], whole_files: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(whole_files[0])
    for share, value in changes:
        data[int(share * (len(data) - 1))] = value
    path = tmp_path_factory.getbasetemp() / "changed.keras"
    path.write_bytes(data)
    try:
        load_model(path)
    except ModelError as error:
        assert str(error)
