"""Sends the requests of ``api.py``."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence, TypeVar
from urllib.parse import urlsplit

from .api import AppToken, Event, EventCursor, EventEpoch, Filter, Methods, Scope
from .websocket import Refused, WebSocket

CALL_TIMEOUT_S = 90.0
POLL_MS = 30_000
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
ACKNOWLEDGED_AT_ONCE = 100

T = TypeVar("T")


class MadangError(Exception):
    """What the node answered instead of a result, or why it answered nothing."""

    def __init__(self, message: str, data: dict[str, Any]) -> None:
        super().__init__(message)
        self.code: str = data["code"]
        """What to act on: a code of the node, ``unauthorized`` for a token that doesn't work (yet), ``refused`` for another HTTP
        status, or ``unreachable``."""
        self.retryable: bool = data["retryable"]
        """Whether the same call may succeed later."""
        self.field: str | None = data.get("field")
        """The parameter at fault."""
        self.limit: int | None = data.get("limit")
        """The bound that was hit."""
        self.retry_after_ms: int | None = data.get("retry_after_ms")
        """When to try again."""
        self.scope: str | None = data.get("scope")
        """The scope that the token lacks."""

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.code})"


class Place:
    """Where a node listens, and what lets this program in."""

    def __init__(self, url: str, token: str | None, unix: str | None = None) -> None:
        self.url = url
        self.token = token
        self.unix = unix

    def connection(self, timeout_s: float) -> http.client.HTTPConnection:
        if self.unix is not None:
            return _UnixConnection(self.unix, timeout_s)
        parts = urlsplit(self.url)
        of_scheme = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return of_scheme(parts.hostname or "", parts.port, timeout=timeout_s)


class Client(Methods):
    """A node. One client may be used by several threads."""

    def __init__(self, url: str, token: str, *, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """The node at ``http://127.0.0.1:PORT``, with the cookie or an app's token."""
        self._init(lambda: Place(url, token), timeout_s)

    @classmethod
    def connect(
        cls, data: str | os.PathLike[str], *, token: str | None = None, unix: bool = False, timeout_s: float = CALL_TIMEOUT_S
    ) -> Client:
        """The node whose data directory this is: with its cookie, an app's token, or by its Unix socket, which needs neither."""

        def find() -> Place:
            places = json.loads(_read(Path(data) / "rpc.json"))
            if unix:
                if "unix" not in places:
                    raise MadangError("this node has no Unix socket", {"code": "unreachable", "retryable": False})
                return Place(places["http"], None, places["unix"])
            return Place(places["http"], token or _read(Path(data) / "cookie").strip())

        client = cls.__new__(cls)
        client._init(find, timeout_s)
        return client

    def _init(self, find: Callable[[], Place], timeout_s: float) -> None:
        self._find = find
        self._timeout_s = timeout_s
        self._place: Place | None = None
        self._ids = itertools.count(1)
        Methods.__init__(self, self.call)

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """Calls a method by its name; parameters that are ``None`` count as absent."""
        with self._at_place() as place:
            return _post(place, "/", next(self._ids), method, params, self._timeout_s)

    def _open(self) -> WebSocket:
        """Opens a WebSocket."""
        with self._at_place() as place, _reaching():
            try:
                return WebSocket(place.connection(self._timeout_s), place.token)
            except Refused as refused:
                raise _refusal(refused.status, str(refused)) from refused

    @contextlib.contextmanager
    def _at_place(self) -> Iterator[Place]:
        place = self._place or self._find()
        self._place = place
        try:
            yield place
        except MadangError as error:
            if error.code in ("unreachable", "unauthorized"):
                # A new start of the node may have another port.
                self._place = None
            raise

    def events(
        self,
        *,
        after: EventCursor | None = None,
        epoch: EventEpoch | None = None,
        filter: Filter | None = None,
        acknowledge: bool = False,
        limit: int | None = None,
    ) -> Iterator[Event]:
        """Reads events, and waits for more; while the node can't be reached it tries again. Unknown kinds must be ignored.

        ``after`` is the cursor behind which to begin: ``"0"`` for the log's start, ``"ack"`` for what was acknowledged last. By default
        ``"ack"`` with ``acknowledge``, else now. ``epoch`` is the one that came with that cursor.

        With ``acknowledge`` the node remembers what was dealt with, and each event is given at least once: again, if the program ends
        before it asked for the next one.
        """
        if after is None and acknowledge:
            after = "ack"
        handled: tuple[EventCursor, EventEpoch] | None = None

        try:
            while True:
                page = self.persist(
                    lambda: self.event.poll(after=after, epoch=epoch, filter=filter, limit=limit, timeout_ms=POLL_MS)
                )
                for event in page["items"]:
                    yield event
                    handled = (event["cursor"], event["epoch"])
                after, epoch = page["next"], page["epoch"]
                if acknowledge and page["items"]:
                    cursor, its_epoch = page["next"], page["epoch"]
                    self.persist(lambda: self.event.ack(cursor=cursor, epoch=its_epoch))
                handled = None
        except GeneratorExit:
            # The reader has left: what it handled before the last event. If that can't be said now, it only comes again.
            if acknowledge and handled is not None:
                with contextlib.suppress(MadangError):
                    self.event.ack(cursor=handled[0], epoch=handled[1])
            raise

    def subscribe(
        self,
        *,
        after: EventCursor | None = None,
        epoch: EventEpoch | None = None,
        filter: Filter | None = None,
        acknowledge: bool = False,
    ) -> Iterator[Event]:
        """Gives the same as ``events``, over a WebSocket on which the node sends events as they come: for many events, or soon."""
        if after is None and not acknowledge:
            now = self.persist(lambda: self.event.poll(limit=1, timeout_ms=0))
            after, epoch = now["next"], now["epoch"]
        elif after is None:
            after = "ack"
        handled: tuple[EventCursor, EventEpoch] | None = None

        def acknowledge_handled() -> None:
            nonlocal handled
            if acknowledge and handled is not None:
                cursor, its_epoch = handled
                self.persist(lambda: self.event.ack(cursor=cursor, epoch=its_epoch))
            handled = None

        try:
            while True:
                subscription = self.persist(lambda: Subscription(self, after, epoch, filter))
                try:
                    unacknowledged = 0
                    while True:
                        if unacknowledged >= ACKNOWLEDGED_AT_ONCE or subscription.must_wait():
                            acknowledge_handled()
                            unacknowledged = 0
                        event = subscription.next()
                        yield event
                        after, epoch = handled = event["cursor"], event["epoch"]
                        unacknowledged += 1
                except MadangError as error:
                    if not error.retryable:
                        raise
                    time.sleep(FIRST_PAUSE_S)
                finally:
                    subscription.close()
        except GeneratorExit:
            # The reader has left: what it handled before the last event. If that can't be said now, it only comes again.
            if acknowledge and handled is not None:
                with contextlib.suppress(MadangError):
                    self.event.ack(cursor=handled[0], epoch=handled[1])
            raise

    def approved(self) -> None:
        """Waits until the user has approved this client's token."""
        while True:
            try:
                self.app.self()
                return
            except MadangError as error:
                if error.code != "unauthorized" and not error.retryable:
                    raise
            time.sleep(1)

    def persist(self, call: Callable[[], T]) -> T:
        """Repeats a call while that may help: for one that changes nothing when it is repeated, as ``message.send`` with an idempotency key."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return call()
            except MadangError as error:
                if not error.retryable:
                    raise
                time.sleep(pause_s if error.retry_after_ms is None else error.retry_after_ms / 1000)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class Subscription:
    """A WebSocket with one subscription."""

    def __init__(
        self, client: Client, after: EventCursor | None, epoch: EventEpoch | None, filter: Filter | None
    ) -> None:
        params = {"after": after, "epoch": epoch, "filter": filter}
        params = {name: value for name, value in params.items() if value is not None}
        self._socket = client._open()
        try:
            with _reaching():
                self._socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "event.subscribe", "params": params}))
                _result(json.loads(self._socket.receive()))
        except BaseException:
            self.close()
            raise

    def must_wait(self) -> bool:
        """Whether no event is there yet."""
        with _reaching():
            return self._socket.must_wait()

    def next(self) -> Event:
        """Waits for an event."""
        with _reaching():
            event: Event = _result(json.loads(self._socket.receive())["params"])
            return event

    def close(self) -> None:
        self._socket.close()


def url_of(data: str | os.PathLike[str]) -> str:
    """Where the node listens whose data directory this is."""
    url: str = json.loads(_read(Path(data) / "rpc.json"))["http"]
    return url


def request_token(
    url: str, *, name: str, scopes: Sequence[Scope], icon: str | None = None, timeout_s: float = CALL_TIMEOUT_S
) -> AppToken:
    """Asks a node for a token of one's own. It works once the user has approved: see ``Client.approved``."""
    params = {"name": name, "scopes": list(scopes), "icon": icon}
    token: AppToken = _post(Place(url, None), "/app", 1, "app.request", params, timeout_s)
    return token


def all_items(list_page: Callable[..., Any]) -> Iterator[Any]:
    """Gives all items of a list, page by page: ``all_items(client.chat.list)``."""
    page = list_page()
    while True:
        yield from page["items"]
        if "next" not in page:
            return
        page = list_page(after=page["next"])


def _post(place: Place, path: str, id: int, method: str, params: dict[str, Any], timeout_s: float) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    headers = {"Content-Type": "application/json", "Connection": "close"}
    if place.token is not None:
        headers["Authorization"] = f"Bearer {place.token}"
    connection = place.connection(timeout_s)
    try:
        with _reaching():
            connection.request("POST", path, body.encode(), headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or (response.status != 200 and "error" not in answer):
        raise _refusal(response.status, f"HTTP {response.status}: {text.strip()}")
    return _result(answer)


def _result(answer: dict[str, Any]) -> Any:
    """The result of an answer or a notification."""
    if "error" in answer:
        refusal = answer["error"]
        raise MadangError(refusal["message"], refusal.get("data") or {"code": str(refusal["code"]), "retryable": False})
    return answer["result"]


def _refusal(status: int, text: str) -> MadangError:
    """The error of an HTTP status."""
    return MadangError(text, {"code": "unauthorized" if status == 401 else "refused", "retryable": status == 408})


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
    """Names what says that the node can't be reached."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise MadangError(f"the node doesn't answer: {error}", {"code": "unreachable", "retryable": True}) from error


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        data = {"code": "unreachable", "retryable": True}
        raise MadangError(f"no node runs here: {path} can't be read", data) from error


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("madang", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
