#!/usr/bin/env python3
"""Echo bot: answers each text with the same text.

It may be stopped and killed at any moment. The node keeps how far it has come; a text that it sees again is answered with the same
idempotency key, which the node answers without sending twice. So every text is answered once. Don't let two echo bots be friends: they
would never stop.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from madang_client import Client, Event, MadangError, request_token, url_of

NAME = "Echo bot"


def token_of(data: Path, file: Path, scopes: list[str]) -> str:
    """The bot's own token: the one it has, or one that it asks for."""
    if file.exists():
        return file.read_text("utf-8").strip()
    given = request_token(url_of(data), name=NAME, scopes=scopes)
    # For this user alone, from the first byte on.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(given["token"] + "\n")
    return given["token"]


def handle(client: Client, event: Event, approve_all: bool) -> None:
    """Does what an event asks for; doing it again changes nothing."""
    if event["kind"] == "contact.requested" and approve_all:
        try:
            client.contact.approve(request=event["data"]["request"])
            print(f"approved {event['data'].get('name', 'somebody')}", flush=True)
        except MadangError as error:
            # It was approved before, or its sender has taken it back.
            if error.code != "not_found":
                raise
    elif event["kind"] == "message.received":
        message = event["data"]
        if message["body"]["kind"] == "text":
            body = {"kind": "text", "text": message["body"]["text"], "reply_to": message["message"]}
            client.message.send(chat=message["chat"], body=body, idempotency_key=f"echo {message['message']}")
            print(f"echoed {message['message']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers each text with the same text.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data directory of the node")
    parser.add_argument("--token-file", type=Path, default=Path("echo-bot.token"), metavar="FILE", help="keeps the bot's own token")
    parser.add_argument("--approve-all", action="store_true", help="approve everybody who asks for contact")
    args = parser.parse_args()

    scopes = ["chat:read", "chat:send"]
    if args.approve_all:
        scopes += ["contact:read", "contact:write"]
    token = token_of(args.data, args.token_file, scopes)
    client = Client.connect(args.data, token=token)
    print(f'waiting for you: madang app approve "{NAME}"', flush=True)
    client.approved()
    if client.app.self()["acknowledged"] == "0":
        # What was said before it came isn't answered.
        now = client.event.poll()
        client.event.ack(cursor=now["next"], epoch=now["epoch"])
    print("ready", flush=True)
    kinds = ["message.received", "contact.requested"] if args.approve_all else ["message.received"]
    for event in client.events(acknowledge=True, filter={"kinds": kinds}):
        client.persist(lambda: handle(client, event, args.approve_all))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    main()
