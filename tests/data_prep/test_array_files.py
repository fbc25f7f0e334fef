from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_prep.array_files import read_arrays, read_specs, write_arrays
from data_prep.errors import InputError
from data_prep.files import atomic_writer


def test_arrays_come_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.int8).reshape(2, 3), "b": np.array([0.5], np.float16)}
    write_arrays(tmp_path / "deep" / "arrays", arrays, overwrite=False)
    back = read_arrays(tmp_path / "deep" / "arrays")
    assert sorted(back) == ["a", "b"]
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="power cut"), atomic_writer(path, overwrite=True) as file:
        file.write(b"new")
        raise RuntimeError("power cut")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="exists already"), atomic_writer(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    with atomic_writer(path, overwrite=True) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_unwritable_places_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="Cannot write"), atomic_writer(tmp_path / "file" / "below"):
        pass
    with pytest.raises(InputError, match="is a folder"), atomic_writer(tmp_path, overwrite=True):
        pass


def test_python_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="dtype object, which is not read"):
        read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged or no \.npz file"):
        read_arrays(path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_arrays(tmp_path / "missing.npz")


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    write_arrays(path, {"a": np.arange(1000, dtype=np.float32)})
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_arrays(path)


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(10_000_000, np.float32))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="would unpack to 40000128 bytes"):
        read_arrays(path)


def test_an_array_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 1_000_000)}
    )
    path = tmp_path / "liar.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vectors.npy", header.getvalue() + b"\0" * 64)
    with pytest.raises(InputError, match=r"claims shape .1000000, 1000000., which does not fit its size"):
        read_arrays(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_without_a_limit_is_refused(tmp_path: Path, packing: int) -> None:
    with zipfile.ZipFile(tmp_path / "packed.npz", "w", packing) as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array(member, np.zeros(10))
    with pytest.raises(InputError, match="packed in another way"):
        read_specs(tmp_path / "packed.npz", packed=True)
