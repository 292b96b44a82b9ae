"""Plays with two nodes that share a chat: ``play.py ALICE_DATA BOB_DATA CHAT ALICE_URL``. ``cargo test --test contract`` starts it."""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable, Iterable

from madang_client import Client, Event, MadangError, Sent, all_items, request_token

alice_data, bob_data, chat, url = sys.argv[1:]
alice = Client.connect(alice_data)
bob = Client.connect(bob_data)


def refusal(call: Callable[[], Any]) -> MadangError:
    """Awaits a refusal."""
    try:
        call()
    except MadangError as error:
        return error
    raise AssertionError("it isn't refused")


def until(events: Iterable[Event], found: Callable[[Event], bool]) -> list[Event]:
    """Reads until an event is there; gives all that were read."""
    read = []
    for event in events:
        read.append(event)
        if found(event):
            break
    return read


def says(text: str) -> Callable[[Event], bool]:
    def found(event: Event) -> bool:
        if event["kind"] != "message.received":
            return False
        body = event["data"]["body"]
        return body["kind"] == "text" and body["text"] == text

    return found


def send(text: str) -> Sent:
    return alice.message.send(chat=chat, body={"kind": "text", "text": text}, idempotency_key=f"python {text}")


# Results are typed, and a send can be repeated.
assert alice.node.info()["account"] == alice.account.get()["account"]
assert send("one")["message"] == send("one")["message"]
send("two")

# The event at which a reader left comes again, and none before it.
first = until(bob.events(acknowledge=True), says("two"))
assert any(map(says("one"), first))
second = until(bob.events(acknowledge=True), says("two"))
assert not any(map(says("one"), second))
kinds = until(bob.events(after="0", filter={"kinds": ["message.received"]}, limit=1), says("two"))
assert all(event["kind"] == "message.received" for event in kinds)

# The same by a subscription.
again = until(bob.subscribe(after="0", filter={"kinds": ["message.received"]}), says("two"))
assert [event["cursor"] for event in again] == [event["cursor"] for event in kinds]
third = until(bob.subscribe(acknowledge=True), says("two"))
assert not any(map(says("one"), third))
refused = refusal(lambda: next(iter(bob.subscribe(after="no cursor"))))
assert (refused.code, refused.field) == ("invalid_params", "after"), refused
strange = Client(url, "strange")
assert refusal(lambda: next(iter(strange.subscribe(after="0")))).code == "unauthorized"

# Lists, page by page.
group = alice.chat.create(name="Two", members=[bob.account.get()["account"]])
chats = {item["chat"] for item in all_items(lambda after=None: alice.chat.list(after=after, limit=1))}
assert chats == {chat, group["chat"]}, chats

# Errors.
unknown = refusal(lambda: alice.message.get(message="00" * 32))
assert (unknown.code, unknown.field, unknown.retryable) == ("not_found", "message", False), unknown
large = refusal(lambda: alice.message.send(chat=chat, body={"kind": "text", "text": "x" * 32_769}))
assert (large.code, large.field, large.limit) == ("too_large", "body.text", 32_768), large
nobody = refusal(lambda: Client("http://127.0.0.1:1", "").node.info())
assert (nobody.code, nobody.retryable) == ("unreachable", True), nobody

# The Unix socket.
by_socket = Client.connect(alice_data, unix=True)
assert by_socket.account.get() == alice.account.get()
assert next(iter(by_socket.subscribe(after="0")))["cursor"] == "1"

# A token of one's own.
asked = request_token(url, name="Python", scopes=["chat:read"])
app = Client(url, asked["token"])
assert refusal(app.app.self).code == "unauthorized"
waiting = threading.Thread(target=app.approved)
waiting.start()
alice.app.approve(app=asked["app"])
waiting.join()
assert len(app.chat.list()["items"]) == 2
assert refusal(app.node.info).scope == "node:read"
alice.app.revoke(app=asked["app"])
assert refusal(app.app.self).code == "unauthorized"

# A node that starts again, at another port, is found again.
now = bob.event.poll()
events = bob.events(after=now["next"], epoch=now["epoch"])
pushed = bob.subscribe(after=now["next"], epoch=now["epoch"])
pushing = threading.Thread(target=until, args=(pushed, says("after the restart")))
pushing.start()
print("restart", flush=True)
until(events, says("after the restart"))
pushing.join()
print("done", flush=True)
