"""A visitor of the page without a browser: Streamlit's own messages over its websocket."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from data_prep.errors import InputError

_SECONDS = re.compile(r"\d[\d.,]* m?s\b")  # how long it took: never twice the same
_ENDED = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
)


@dataclass(frozen=True, eq=False)
class Ask:
    """What a visitor asks of a page.

    Attributes:
        page: Key of the page.
        query: Its address behind the question mark when it is opened.
        typed: Key of a widget to the text or number that is put into it.
        form: The form that is sent then; None where the page answers at once.
    """

    page: str
    query: str
    typed: Mapping[str, str | int]
    form: str | None = None


class Visitor:
    """One session, as a tab of a browser holds it, without drawing anything."""

    def __init__(self) -> None:
        self._page = self._query = ""
        self._pages: dict[str, str] = {}
        self._shown: dict[tuple[int, ...], Any] = {}

    async def enter(self, port: int, **settings: Any) -> Visitor:
        """Connect; ``settings`` go to the websocket."""
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._socket: ClientConnection = await connect(
            address, subprotocols=["streamlit"], max_size=None, compression=None, **settings
        )
        return self

    async def open(self, page: str, query: str) -> str:
        """Open a page; what it shows."""
        self._page, self._query, self._states = page, query, BackMsg().rerun_script.widget_states
        await self._send("")
        return await self.read()

    async def send(self, ask: Ask) -> None:
        """Type on the page that is open, and send the form to the part of the page that it stands in."""
        part = ""
        for key, value in ask.typed.items():
            part = self._type(key, value)
        button, part = self._widget(f"FormSubmitter:{ask.form}") if ask.form else (None, part)
        await self._send(part, button)

    async def answer(self, ask: Ask) -> str:
        """Send, and wait for the answer: what the page shows then, without the times that it took."""
        await self.send(ask)
        return await self.read()

    @property
    def page(self) -> str:
        """Key of the page that is open."""
        return self._page

    async def leave(self) -> None:
        """Close the tab."""
        await self._socket.close()

    def vanish(self) -> None:
        """Be gone without a word, as a laptop that is shut."""
        self._socket.transport.abort()

    def _widget(self, key: str) -> tuple[str, str]:
        """Its name, and that of the part of the page that it belongs to."""
        for delta in self._shown.values():
            element = delta.new_element
            name = getattr(getattr(element, element.WhichOneof("type") or "", None), "id", "")
            if name.endswith(f"-{key}") or (key.startswith("FormSubmitter") and f"-{key}-" in name):
                return name, delta.fragment_id
        raise InputError("The page has no such widget", received=key)

    def _type(self, key: str, value: str | int) -> str:
        name, part = self._widget(key)
        state = next(
            (one for one in self._states.widgets if one.id == name), None
        ) or self._states.widgets.add(id=name)
        if isinstance(value, str):
            state.string_value = value
        else:
            state.int_value = value
        return part

    async def _send(self, part: str, button: str | None = None) -> None:
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_script_hash = self._query, self._pages.get(self._page, "")
        run.page_name = "" if run.page_script_hash else self._page
        run.fragment_id = part
        run.widget_states.CopyFrom(self._states)
        if button:
            run.widget_states.widgets.add(id=button, trigger_value=True)
        await self._socket.send(message.SerializeToString())

    async def read(self) -> str:
        """Wait until the page is complete; what it shows."""
        while True:
            message = ForwardMsg.FromString(await self._socket.recv())
            match message.WhichOneof("type"):
                case "new_session":
                    again = message.metadata.run.fragment_ids
                    kept = self._shown.items() if again else ()
                    self._shown = {path: delta for path, delta in kept if delta.fragment_id not in again}
                case "navigation":
                    self._pages = {
                        page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
                    }
                case "page_info_changed":
                    self._query = message.page_info_changed.query_string
                case "delta" if message.delta.HasField("new_element"):
                    self._shown[tuple(message.metadata.delta_path)] = message.delta
                case "script_finished" if message.script_finished in _ENDED:
                    return "\n".join(self._texts())

    def _texts(self) -> Iterator[str]:
        for path in sorted(self._shown):
            element = self._shown[path].new_element
            match element.WhichOneof("type"):
                case "html" | "markdown" | "alert" | "metric" as kind:
                    yield _SECONDS.sub("", getattr(element, kind).body)
                case "plotly_chart":
                    yield element.plotly_chart.spec
                case "bidi_component":
                    yield element.bidi_component.json
                case "exception":
                    raise InputError("The page shows a defect", received=element.exception.type)
