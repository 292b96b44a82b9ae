#!/usr/bin/env python3
"""Publisher: posts a shop's news from a feed file (RSS 2.0) on its channel.

It reads the file again and again. An item without a date is posted at once, one with a date of the future is planned for then: the node
posts it, whether this program runs or not. It may be stopped and killed at any moment: what it posted it notes after the node has
answered, and what it hadn't noted yet it posts with the same idempotency key, which the node answers without posting twice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from madang_client import Client, MadangError, request_token, url_of

NAME = "Publisher"
MAX_FEED_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Item:
    """One piece of news."""

    id: str
    title: str
    text: str
    link: str
    categories: tuple[str, ...]
    at_ms: int | None

    def body(self) -> dict:
        """A card where there is something to open, else text."""
        if not self.link:
            return {"kind": "text", "text": "\n".join(part for part in (self.title, self.text) if part)}
        buttons = [{"label": "Open", "url": self.link}]
        return {"kind": "card", "card": {"title": self.title or self.link, "text": self.text, "buttons": buttons}}


def items_of(feed: bytes) -> list[Item]:
    """The items of a feed, in its order; those without any id are passed over."""
    items = []
    for element in ElementTree.fromstring(feed).iter("item"):
        text = lambda tag: (element.findtext(tag) or "").strip()
        known = text("guid") or text("link")
        if not known:
            print(f"passed over, since it has neither guid nor link: {text('title')}", file=sys.stderr)
            continue
        date = text("pubDate")
        items.append(
            Item(
                id=known,
                title=text("title"),
                text=text("description"),
                link=text("link"),
                categories=tuple(category.text.strip() for category in element.findall("category") if category.text),
                at_ms=int(parsedate_to_datetime(date).timestamp() * 1000) if date else None,
            )
        )
    return items


class Posted:
    """Which items were posted; a line each, added once the node has answered."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ids = set(json.loads(line) for line in file.read_text("utf-8").splitlines()) if file.exists() else set()

    def add(self, id: str) -> None:
        with open(self.file, "a", encoding="utf-8") as out:
            out.write(json.dumps(id) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self.ids.add(id)


def token_of(data: Path, file: Path, channel: str) -> str:
    """The program's own token: the one it has, or one that it asks for."""
    if file.exists():
        return file.read_text("utf-8").strip()
    scopes = [f"channel:{channel}:read", f"channel:{channel}:publish"]
    given = request_token(url_of(data), name=NAME, scopes=scopes)
    # For this user alone, from the first byte on.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(given["token"] + "\n")
    return given["token"]


def publish(client: Client, channel: str, item: Item) -> None:
    """Posts an item, with those of its categories that the channel has."""
    manifest = client.channel.get(channel=channel)["manifest"]
    has = {category["id"] for category in manifest["categories"]}
    params: dict = {"channel": channel, "body": item.body()}
    if categories := [category for category in item.categories if category in has]:
        params["categories"] = categories
    if item.at_ms and item.at_ms > time.time() * 1000:
        params["at_ms"] = item.at_ms
    key = "feed " + hashlib.sha256(item.id.encode()).hexdigest()
    posted = client.channel.post(**params, idempotency_key=key)
    print(f"{'planned' if posted['planned'] else 'posted'} {item.title or item.id}", flush=True)


def look(client: Client, channel: str, feed: Path, posted: Posted) -> None:
    """Posts what is new in the feed."""
    content = feed.read_bytes()[: MAX_FEED_BYTES + 1]
    if len(content) > MAX_FEED_BYTES:
        raise ValueError(f"{feed} has more than {MAX_FEED_BYTES} bytes")
    for item in items_of(content):
        if item.id not in posted.ids:
            client.persist(lambda: publish(client, channel, item))
            posted.add(item.id)


def main() -> None:
    parser = argparse.ArgumentParser(description="Posts a shop's news from a feed file on its channel.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data directory of the node")
    parser.add_argument("--channel", required=True, metavar="ID", help="the channel's id")
    parser.add_argument("--feed", type=Path, required=True, metavar="FILE", help="the feed (RSS 2.0)")
    parser.add_argument("--every", type=float, default=60, metavar="SECONDS", help="how often the feed is read")
    parser.add_argument("--token-file", type=Path, default=Path("publisher.token"), metavar="FILE", help="keeps the program's own token")
    parser.add_argument("--posted", type=Path, default=Path("publisher.posted"), metavar="FILE", help="keeps what was posted")
    args = parser.parse_args()

    client = Client.connect(args.data, token=token_of(args.data, args.token_file, args.channel))
    print(f'waiting for you: madang app approve "{NAME}"', flush=True)
    client.approved()
    print("ready", flush=True)
    posted = Posted(args.posted)
    seen = None
    while True:
        try:
            stat = args.feed.stat()
            now = (stat.st_mtime_ns, stat.st_size)
            if now != seen:
                look(client, args.channel, args.feed, posted)
                seen = now
        except MadangError as error:
            print(f"refused: {error}", file=sys.stderr, flush=True)
            seen = now
        except (OSError, ValueError, ElementTree.ParseError) as error:
            # Whoever writes the feed may be in the middle of it.
            print(f"the feed can't be read: {error}", file=sys.stderr, flush=True)
        time.sleep(args.every)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    main()
