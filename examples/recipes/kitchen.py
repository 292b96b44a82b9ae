#!/usr/bin/env python3
"""Kitchen: the recipe app's receiver. Prints each recipe that its user opens, and answers for how many it is cooked.

It may be stopped and killed at any moment: the node keeps how far it has come. A recipe may be printed and answered twice, never not at
all.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from madang_client import Client, Event, MadangError, request_token, url_of

NAME = "Kitchen"


def line(text: str) -> str:
    """Text without characters that steer a terminal or turn its writing direction."""
    return "".join(c for c in text if c.isprintable()).strip()


def recipe(event: Event) -> str:
    """What a card says of how it is cooked. Its signature was checked by the node; what it says wasn't, by anybody."""
    share, params = event["data"]["card"]["share"], event["data"]["params"]
    content = share.get("content", {})
    title = f"{line(content.get('title', ''))} ({line(params.get('recipe', ''))}, for {line(params.get('servings', '?'))})"
    items = [f"{line(item['name'])}: {line(item['value'])}" for item in share.get("details", {}).get("items", [])]
    steps = [line(step) for step in content.get("description", "").splitlines()]
    return "\n  ".join([title, *items, *steps])


def handle(client: Client, event: Event, servings: int) -> None:
    """Prints a recipe, and answers it."""
    print(recipe(event), flush=True)
    try:
        client.share.reply(message=event["data"]["message"], data=f"cooking for {servings}")
        print("answered", flush=True)
    except MadangError as error:
        if error.retryable:
            raise
        # Its time is over, or the user doesn't let it answer.
        print(f"not answered: {error}", file=sys.stderr, flush=True)


def token_of(data: Path, file: Path, app: str) -> str:
    """The receiver's own token: the one it has, or one that it asks for."""
    if file.exists():
        return file.read_text("utf-8").strip()
    given = request_token(url_of(data), name=NAME, scopes=[f"share:{app}:handle", f"share:{app}:reply"])
    # For this user alone, from the first byte on.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(given["token"] + "\n")
    return given["token"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints each recipe that its user opens, and answers it.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data directory of the node")
    parser.add_argument("--app", required=True, metavar="KEY", help="the app whose cards it handles")
    parser.add_argument("--servings", type=int, default=4, metavar="N", help="for how many is cooked here")
    parser.add_argument("--token-file", type=Path, default=Path("kitchen.token"), metavar="FILE", help="keeps the receiver's own token")
    args = parser.parse_args()

    client = Client.connect(args.data, token=token_of(args.data, args.token_file, args.app))
    print(f'waiting for you: madang app approve "{NAME}"', flush=True)
    client.approved()
    print("ready", flush=True)
    for event in client.events(acknowledge=True, filter={"kinds": ["share.payload"]}):
        if event["kind"] == "share.payload":
            client.persist(lambda: handle(client, event, args.servings))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    main()
