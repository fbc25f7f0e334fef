"""Parts of the service without a server: pools, the guard, and the limit of bytes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from apps.service.guard import Guard
from apps.service.metrics import Metrics
from apps.service.pools import Busy, Pool, Work, WrongItem
from apps.service.server import make_app
from apps.service.settings import Limits, is_loopback, token_for
from data_prep.errors import InputError

TOKEN = "a token that nobody guesses"


class Slow:
    """A model that answers when it may, and knows what it was asked together."""

    def __init__(self) -> None:
        self.may, self.begun, self.asked = threading.Event(), threading.Event(), []

    def answer(self, items: Sequence[str]) -> list[str]:
        self.begun.set()
        assert self.may.wait(10)
        self.asked.append(list(items))
        if "wrong" in items:
            raise InputError("This is wrong")
        if "defect" in items:
            raise RuntimeError("a defect")
        return [item.upper() for item in items]


def answered(slow: Slow, items: Sequence[str]) -> list[str]:
    return slow.answer(items)


@pytest.fixture
def slow() -> Slow:
    return Slow()


def pool_of(most: int = 64, places: int = 4) -> Pool:
    return Pool("slow", places, threads=1, most=most, metrics=Metrics())


def test_what_waits_is_answered_together_in_its_order(slow: Slow) -> None:
    pool = pool_of()
    jobs = [pool.submit(Work(answered, slow), ["a"])]
    slow.begun.wait(10)
    jobs += [pool.submit(Work(answered, slow), items) for items in (["b", "c"], ["d"])]
    slow.may.set()
    assert [job.future.result(10) for job in jobs] == [['"A"'], ['"B"', '"C"'], ['"D"']]
    assert slow.asked == [["a"], ["b", "c", "d"]]
    pool.close()


def test_together_stays_below_the_most(slow: Slow) -> None:
    pool = pool_of(most=2)
    jobs = [pool.submit(Work(answered, slow), ["a"])]
    slow.begun.wait(10)
    jobs += [pool.submit(Work(answered, slow), items) for items in (["b", "c"], ["d"])]
    slow.may.set()
    pool.close()
    assert slow.asked == [["a"], ["b", "c"], ["d"]]


def test_one_wrong_item_harms_its_own_request_alone(slow: Slow) -> None:
    pool = pool_of()
    first = pool.submit(Work(answered, slow), ["a"])
    slow.begun.wait(10)
    good, bad = (pool.submit(Work(answered, slow), items) for items in (["b"], ["c", "wrong"]))
    slow.may.set()
    assert (first.future.result(10), good.future.result(10)) == (['"A"'], ['"B"'])
    with pytest.raises(WrongItem) as caught:
        bad.future.result(10)
    assert (caught.value.at, caught.value.error.problem) == (1, "This is wrong")
    pool.close()


def test_a_defect_is_told_and_the_thread_lives_on(slow: Slow) -> None:
    slow.may.set()
    pool = pool_of()
    with pytest.raises(RuntimeError, match="a defect"):
        pool.submit(Work(answered, slow), ["defect"]).future.result(10)
    assert pool.submit(Work(answered, slow), ["a"]).future.result(10) == ['"A"']
    pool.close()


def test_a_full_queue_refuses_and_says_when(slow: Slow) -> None:
    pool = pool_of(places=2)
    jobs = [pool.submit(Work(answered, slow), ["a"])]
    slow.begun.wait(10)
    jobs += [pool.submit(Work(answered, slow), ["b"]) for _ in range(2)]
    with pytest.raises(Busy) as caught:
        pool.submit(Work(answered, slow), ["c"])
    assert caught.value.seconds == 1
    slow.may.set()
    pool.close()  # what was taken is answered first
    assert all(job.future.result(0) for job in jobs)


def test_requests_that_nobody_waits_for_make_room(slow: Slow) -> None:
    pool = pool_of(places=2)
    pool.submit(Work(answered, slow), ["a"])
    slow.begun.wait(10)
    left = [pool.submit(Work(answered, slow), ["b"]) for _ in range(2)]
    left[0].drop()
    last = pool.submit(Work(answered, slow), ["c"])
    with pytest.raises(Busy):
        pool.submit(Work(answered, slow), ["d"])
    slow.may.set()
    assert last.future.result(10) == ['"C"'] and left[1].future.result(10) == ['"B"']
    pool.close()
    assert [item for items in slow.asked for item in items] == ["a", "b", "c"]


def test_a_request_that_nobody_waits_for_is_not_answered(slow: Slow) -> None:
    pool = pool_of(most=1)
    pool.submit(Work(answered, slow), ["a"])
    slow.begun.wait(10)
    running = pool.submit(Work(answered, slow), ["b"])
    running.drop()
    slow.may.set()
    pool.close()
    assert slow.asked == [["a"]]


def in_a_loop(coroutine):
    """Run it in a thread of its own: Playwright's loop may run in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def ask(app: Guard, path: str, **settings) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://lectern.example") as client:
            return (
                await client.post(path, **settings)
                if settings.pop("post", False)
                else await client.get(path, **settings)
            )

    return in_a_loop(answer())


@pytest.fixture(scope="module")
def guarded() -> Guard:
    return make_app(Limits(), TOKEN)


@pytest.mark.parametrize("given", [None, f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", "Bearer ü"])
def test_without_the_token_nothing_is_told(guarded: Guard, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    answer = ask(guarded, "/metrics", headers=headers)
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert "token" in answer.json()["error"]["what"] and TOKEN not in answer.text


def test_with_the_token_any_host_is_answered(guarded: Guard) -> None:
    assert ask(guarded, "/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert ask(guarded, "/healthz").status_code == 200
    assert ask(guarded, "/readyz").status_code == 503


def test_the_bytes_of_all_requests_are_bounded() -> None:
    app = make_app(Limits(body=1000, held=1500), TOKEN)
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    app._held = 1000
    answer = ask(app, "/v1/tag", post=True, content=b"{" + b" " * 800, headers=headers)
    assert answer.status_code == 429 and answer.headers["retry-after"] == "1"
    assert ask(app, "/v1/tag", post=True, content=b"{", headers=headers).status_code == 400
    assert app._held == 1000


def test_a_slow_body_is_refused() -> None:
    app = make_app(Limits(seconds=0.05), TOKEN)
    sent = []

    async def receive() -> dict:
        await asyncio.sleep(0.04)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: dict) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/tag", "headers": headers}
    in_a_loop(app(scope, receive, send))
    assert sent[0]["status"] == 408 and app._held == 0


def test_addresses_of_this_machine_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "lectern.example")))
    monkeypatch.setenv("LECTERN_TOKEN", TOKEN.replace(" ", "_"))
    assert token_for("0.0.0.0") == TOKEN.replace(" ", "_")


def test_counters_are_in_the_form_of_prometheus() -> None:
    metrics = Metrics()
    metrics.requests.labels("/v1/tag", 200).inc()
    assert b'lectern_requests_total{address="/v1/tag",status="200"} 1.0' in metrics.text()


def test_what_needs_no_token_holds_no_bytes() -> None:
    app = make_app(Limits(body=1000, held=1500), TOKEN)
    app._held = 1000
    for path in ("/healthz", "/docs"):
        answer = ask(app, path, post=True, content=b" " * 900, headers={"content-type": "application/json"})
        assert answer.status_code == 405, "nothing was read, so nothing was too much"


def test_a_body_of_very_many_values_is_refused() -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    many = b'{"texts":[' + b",".join([b"1"] * 300_000) + b"]}"
    answer = ask(make_app(Limits(), TOKEN), "/v1/tag", post=True, content=many, headers=headers)
    assert answer.status_code == 413 and "too many values" in answer.json()["error"]["what"]
