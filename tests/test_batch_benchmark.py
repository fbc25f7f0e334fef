"""The benchmark of batches: what is reckoned and simulated, without running it."""

from __future__ import annotations

import numpy as np
import pytest

from apps.shared.reports import Stored
from benchmarks import batch
from benchmarks.simulated_cluster import simulated


def test_equal_parts_on_equal_cores_are_ideal() -> None:
    found = simulated([2.0], parts=100, machines=5, cores=2, slow=False, lost=False)
    assert found == {"hours": 20 / 3600, "ideal_hours": 20 / 3600, "repeated": 0, "tail_minutes": 0.0}


def test_the_last_part_is_waited_for() -> None:
    found = simulated([3600.0], parts=5, machines=2, cores=2, slow=False, lost=False)
    assert found["hours"] == 2 and found["ideal_hours"] == 1.25 and found["tail_minutes"] == 60


def test_slow_machines_take_fewer_parts() -> None:
    times = np.random.default_rng(0).uniform(5, 15, 50)
    even, slow = (
        simulated(times, parts=20_000, machines=20, cores=2, slow=slow, lost=False) for slow in (False, True)
    )
    assert 1.0 <= even["hours"] / even["ideal_hours"] < 1.01
    # One of 20 machines at half speed: 19.5 machines do the work of 20.
    assert slow["hours"] / slow["ideal_hours"] == pytest.approx(20 / 19.5, rel=0.01)


def test_lost_machines_answer_their_parts_again() -> None:
    found = simulated([60.0], parts=200_000, machines=10, cores=2, slow=False, lost=True)
    losses = 10 * found["hours"] / 100
    assert 0.5 * losses < found["repeated"] / 2 < 2 * losses
    assert 1.0 < found["hours"] / found["ideal_hours"] < 1.02


def made() -> dict:
    rate = {"documents": 100, "one": 10.0, "two": 19.0, "ordinary_one": 10.0, "ordinary_two": 20.0}
    rate |= {"scaling": 1.9, "against_one": 1.0, "against_two": 0.95, "starting": 3.0}
    rate |= {"bytes_in": 50_000, "bytes_out": 10_000, "documents_per_part": 50, "read_seconds": 0.1}
    rates = {"tag": rate}
    return {
        "rates": rates,
        "costs": batch.costs(rates),
        "simulation": batch.simulation({}, rates),
        "kills": {"jobs": {"documents": 100, "kills": 2, "lost": 0, "doubled": 0, "different": 0}},
        "limits": {"manifest_parts_per_second": 300.0, "read_documents_per_second": 1000.0},
        "settings": {"processor": "P", "cores": 2, "characters": 900.0, "drawn": 4},
    }


def test_a_billion_documents_are_reckoned() -> None:
    cost = made()["costs"]["tag"]
    assert cost["days"]["1"] == pytest.approx(1e9 / 19 / 86_400)
    assert cost["days"]["100"] == pytest.approx(cost["days"]["1"] / 100)
    assert cost["core_hours"] == pytest.approx(2 * 24 * cost["days"]["1"])
    assert (cost["gigabytes_in"], cost["gigabytes_out"], cost["parts"]) == (500, 100, 2e7)
    assert cost["parts_by_100"] == pytest.approx(38) and cost["read_by_100"] == pytest.approx(0.95)


def test_tables_are_written_from_what_is_stored() -> None:
    results = made()
    results["simulation"] = {
        "tag": {
            "10": {
                name: {**simulated([9.0], 50, 10, 2, slow=False, lost=False), "times": 1.0}
                for name in ("even", "slow", "lost", "slow_and_lost")
            }
        }
    }
    found = Stored("batch.json", results)
    for table in (batch.RATES, batch.COSTS, batch.SIMULATION, batch.KILLS):
        assert table.report(found).markdown().count("\n") >= 2
