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


def test_other_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other training images"):
        read_mnist("train", write(tmp_path / "mnist.npz"))


def test_other_counts_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mnist.npz", x_test=np.zeros((9_999, 28, 28), np.uint8))
    with pytest.raises(InputError, match="does not hold the test part"):
        read_mnist("test", path)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mnist.npz", y_test=np.full(10_000, 10, np.uint8))
    with pytest.raises(InputError, match="wrong labels"):
        read_mnist("test", path)


def test_other_types_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mnist.npz", y_test=np.zeros(10_000, np.int64))
    with pytest.raises(InputError, match="lacks x_test or y_test of uint8"):
        read_mnist("test", path)


def test_there_are_two_parts() -> None:
    with pytest.raises(InputError, match="no such part"):
        read_mnist("dev")  # type: ignore[arg-type]
