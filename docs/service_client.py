"""Ask the service from Python: `python docs/service_client.py [ADDRESS]`; the token, if any, is in LECTERN_TOKEN.

It needs httpx: `pip install httpx`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx


class Lectern:
    """A client of the service."""

    def __init__(self, address: str = "http://127.0.0.1:8600", token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=60)

    def ask(self, name: str, **body: Any) -> list[Any]:
        """Ask ``tag``, ``classify``, ``analogy`` or ``neighbours``; a full queue is waited for."""
        while (answer := self._http.post(f"/v1/{name}", json=body)).status_code == 429:
            time.sleep(float(answer.headers["Retry-After"]))
        return self._checked(answer).json()["results"]

    def pictures(self, name: str, pictures: list[bytes], **fields: str) -> list[Any]:
        """Ask ``digit`` or ``read`` about PNG or JPEG pictures."""
        files = [("pictures", picture) for picture in pictures]
        return self._checked(self._http.post(f"/v1/{name}", files=files, data=fields)).json()["results"]

    def write(self, prompt: str, **settings: Any) -> Iterator[str]:
        """Yield a text piece by piece, as it is written."""
        with self._http.stream("POST", "/v1/generate", json={"prompt": prompt, **settings}) as answer:
            if answer.is_error:
                answer.read()
            self._checked(answer)
            event = ""
            for line in answer.iter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    event = value
                elif key == "data" and event == "piece":
                    yield json.loads(value)["text"]
                elif key == "data" and event == "error":
                    raise RuntimeError(json.loads(value)["error"]["what"])

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            problem = answer.json()["error"]
            raise ValueError(". ".join(f"{key}: {text}" for key, text in problem.items() if text))
        return answer


def main() -> None:
    """Ask some things."""
    lectern = Lectern(*sys.argv[1:2], token=os.environ.get("LECTERN_TOKEN"))
    (tagged,) = lectern.ask("tag", texts=["She can't fish because the fish sleeps."])
    print(*(f"{token['text']}/{token['upos']}" for token in tagged["sentences"][0]["tokens"]))
    (analogy,) = lectern.ask("analogy", expressions=["paris - france + spain"], topn=1)
    print(analogy["query"], "=", analogy["results"][0]["word"])
    good, bad = lectern.ask("classify", texts=["A wonderful film.", "A dull and boring film."])
    print(good["label"], bad["label"])
    for piece in lectern.write("ROMEO:\n", length=100, seed=1):
        print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    try:
        main()
    except httpx.ConnectError as error:
        sys.exit(f"No service answers: {error}. Start it with: python -m apps serve")
