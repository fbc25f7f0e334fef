"""MNIST is MNIST, and nothing else is mistaken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.mnist import idx_md5, read_mnist


def test_the_md5_is_that_of_an_idx_file() -> None:
    import hashlib

    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    content = bytes.fromhex("00000803 00000002 00000003 00000004") + bytes(range(24))
    assert idx_md5(images) == hashlib.md5(content).hexdigest()


@pytest.mark.realdata
def test_both_parts_are_whole(data_dir: Path) -> None:
    train, test = read_mnist("train"), read_mnist("test")
    assert train.images.shape == (60_000, 28, 28) and test.images.shape == (10_000, 28, 28)
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def write(path: Path, **changes: np.ndarray) -> Path:
    arrays = {
        "x_train": np.zeros((60_000, 28, 28), np.uint8),
        "y_train": np.zeros(60_000, np.uint8),
        "x_test": np.zeros((10_000, 28, 28), np.uint8),
        "y_test": np.zeros(10_000, np.uint8),
    }
    np.savez(path, **(arrays | changes))
    return path


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("train", {}),
        ("test", {"x_test": np.zeros((9_999, 28, 28), np.uint8)}),
        ("test", {"y_test": np.full(10_000, 10, np.uint8)}),
        ("test", {"y_test": np.zeros(10_000, np.int64)}),
    ],
    ids=["images", "counts", "labels", "types"],
)
def test_other_files_are_refused(part: str, changes: dict[str, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"is not MNIST: x_{part}"):
        read_mnist(part, write(tmp_path / "mnist.npz", **changes))


@pytest.mark.realdata
def test_other_labels_are_refused(tmp_path: Path, data_dir: Path) -> None:
    right = read_mnist("test")
    for labels in (right.labels[::-1].astype(np.uint8), right.labels):  # another order, another type
        path = write(tmp_path / "mnist.npz", x_test=right.images, y_test=labels)
        with pytest.raises(InputError, match="is not MNIST: y_test"):
            read_mnist("test", path)


def test_there_are_two_parts() -> None:
    with pytest.raises(InputError, match="no such part"):
        read_mnist("dev")  # type: ignore[arg-type]
