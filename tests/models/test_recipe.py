from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest

from data_prep.errors import InputError
from models.training.recipe import differing, from_dict, to_dict, with_overrides


@dataclass(frozen=True)
class Network:
    units: int = 8
    dropout: float = 0.5


@dataclass(frozen=True)
class Recipe:
    epochs: int = 2
    rate: float = 0.1
    name: str = "plain"
    shuffle: bool = True
    clip: float | None = 1.0
    kind: Literal["cbow", "skipgram"] = "cbow"
    widths: tuple[int, ...] = (1, 2)
    betas: tuple[float, float] = (0.9, 0.99)
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise InputError("epochs must be at least 1")


CHANGED = Recipe(
    epochs=5,
    rate=0.25,
    name="other = one",
    shuffle=False,
    clip=None,
    kind="skipgram",
    widths=(3, 4, 5),
    betas=(0.5, 0.75),
    network=Network(64, 0.25),
)


def test_every_key_can_be_overridden():
    texts = ["epochs=5", "rate=0.25", "name=other = one", "shuffle=false", "clip=none", "kind=skipgram"]
    texts += ["widths=3, 4,5", "betas=(0.5,0.75)", "network.units=64", "network.dropout=0.25"]
    assert with_overrides(Recipe(), texts) == CHANGED


def test_an_override_leaves_the_given_recipe_alone_and_the_last_one_wins():
    recipe = Recipe()
    assert with_overrides(recipe, ["epochs=3", "epochs=4"]).epochs == 4
    assert recipe == Recipe()


def test_an_empty_tuple_and_a_whole_number_for_a_float():
    changed = with_overrides(Recipe(), ["widths=", "rate=1", "clip=2"])
    assert (changed.widths, changed.rate, changed.clip) == ((), 1.0, 2.0)
    assert type(changed.rate) is float


def test_a_recipe_survives_plain_values():
    assert from_dict(Recipe, to_dict(CHANGED)) == CHANGED
    assert to_dict(CHANGED)["widths"] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch=3", "The key 'epoch' is unknown.*Did you mean 'epochs'"),
        ("network.unit=3", "The key 'network.unit' is unknown.*Did you mean 'units'"),
        ("epochs.a=3", "The key 'epochs.a' is unknown"),
        ("epochs", "no key or no value.*key=value.*'epochs'"),
        ("=3", "no key or no value"),
        ("epochs=3.5", "epochs does not fit. Allowed: a whole number. Received: 3.5"),
        ("epochs=true", "epochs does not fit"),
        ("epochs=0", "epochs must be at least 1"),
        ("rate=fast", "rate does not fit. Allowed: a number"),
        ("rate=nan", "rate does not fit. Allowed: a finite number"),
        ("rate=inf", "rate does not fit"),
        ("shuffle=1", "shuffle does not fit. Allowed: true or false"),
        ("clip=soon", "clip does not fit. Allowed: a number"),
        ("kind=glove", "kind does not fit. Allowed: 'cbow' or 'skipgram'"),
        ("widths=1,x", "widths does not fit. Allowed: a whole number"),
        ("betas=0.5", "betas does not fit"),
        ("network=3", "'network' is a group of settings. Allowed: network.units"),
    ],
)
def test_a_wrong_override_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        with_overrides(Recipe(), [text])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "The key 'extra' is unknown"),
        ({"network": {"units": 1, "dropout": 0.1, "depth": 2}}, "The key 'network.depth' is unknown"),
        ({"network": {"units": 1}}, "The key 'network.dropout' is missing"),
        ({"network": 4}, "network. is not a mapping"),
        ({"epochs": True}, "epochs does not fit"),
        ({"epochs": "3"}, "epochs does not fit"),
        ({"rate": None}, "rate does not fit"),
        ({"shuffle": 1}, "shuffle does not fit"),
        ({"betas": [1.0]}, "betas does not fit"),
        ({"kind": 1}, "kind does not fit"),
    ],
)
def test_wrong_plain_values_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        from_dict(Recipe, {**to_dict(Recipe()), **change})


def test_a_missing_key_is_refused_although_it_has_a_default():
    values = to_dict(Recipe())
    del values["rate"]
    with pytest.raises(InputError, match=r"The key 'rate' is missing"):
        from_dict(Recipe, values)


def test_a_value_that_is_not_finite_is_not_written():
    with pytest.raises(ValueError, match=r"not JSON compliant"):
        to_dict({"rate": float("nan")})


def test_differing_keys_are_named_with_dots():
    other = {**to_dict(Recipe(rate=0.2, network=Network(units=9))), "more": 1}
    assert differing(to_dict(Recipe()), other) == [
        "more (absent -> 1)",
        "network.units (8 -> 9)",
        "rate (0.1 -> 0.2)",
    ]
    assert differing(to_dict(Recipe()), to_dict(Recipe())) == []


def test_older_files_lack_what_was_added():
    @dataclass(frozen=True)
    class Grown(Network):
        depth: int = 3

        ADDED: ClassVar[Mapping[str, int]] = {"depth": 1}

    assert from_dict(Grown, {"units": 4, "dropout": 0.1}) == Grown(4, 0.1, depth=1)
    assert from_dict(Grown, to_dict(Grown())) == Grown(depth=3)
    with pytest.raises(InputError, match=r"The key 'units' is missing"):
        from_dict(Grown, {"dropout": 0.1})
