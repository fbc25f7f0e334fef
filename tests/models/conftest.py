"""Presets on the disk, for the tests of what is kept and of what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import pytest

from models.presets import kinds
from tests.models import contract
from tests.models.preset_files import GOLDEN, NetworkConfig, build_network, save_vectors

KIND = ("test_network", "tests.models.preset_files:NETWORK")


@pytest.fixture
def vectors(tmp_path):
    return save_vectors(tmp_path / "vectors")


@pytest.fixture(scope="session")
def saved_network(tmp_path_factory):
    keras.utils.set_random_seed(1)
    config = NetworkConfig(bidirectional=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kinds.KINDS, *KIND)
        folder = tmp_path_factory.mktemp("network")
        preset = contract.check_save_load_equal(
            "test_network", config, build_network(config), GOLDEN, folder, labels=["a", "b", "c"]
        )
    return preset.path


@pytest.fixture
def preset_network(saved_network, tmp_path, monkeypatch):
    monkeypatch.setitem(kinds.KINDS, *KIND)
    return Path(shutil.copytree(saved_network, tmp_path / "network"))
