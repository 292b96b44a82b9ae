"""The side of WebSocket (RFC 6455) that subscriptions need, on the standard library's sockets."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import select
import ssl

PONG_WITHIN_S = 150.0
"""The node pings more often than that: from one that is silent for longer nothing comes any more."""
MAX_MESSAGE = 32 * 1024 * 1024
ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA


class Refused(Exception):
    """The node answers the handshake otherwise."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text.strip()}")
        self.status = status


class WebSocket:
    """A WebSocket over an HTTP connection that isn't used yet; ``OSError`` where it breaks off."""

    def __init__(self, connection: http.client.HTTPConnection, token: str | None) -> None:
        key = base64.b64encode(os.urandom(16))
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._connection = connection
        self._read = b""
        try:
            connection.request("GET", "/", headers=headers)
            response = connection.getresponse()
            if response.status != 101:
                raise Refused(response.status, response.read().decode("utf-8", "replace"))
        except BaseException:
            connection.close()
            raise
        accepted = base64.b64encode(hashlib.sha1(key + ACCEPTS).digest()).decode()
        # The node says nothing before it is asked, so that all that came is the head.
        if connection.sock is None or response.headers.get("Sec-WebSocket-Accept") != accepted:
            connection.close()
            raise ConnectionError("no WebSocket is spoken there")
        self._socket = connection.sock
        self._socket.settimeout(PONG_WITHIN_S)

    def close(self) -> None:
        self._connection.close()

    def send(self, text: str) -> None:
        self._frame(TEXT, text.encode())

    def must_wait(self) -> bool:
        """Whether nothing has come that wasn't read."""
        if self._read or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return False
        return not select.select([self._socket], [], [], 0)[0]

    def receive(self) -> str:
        """Waits for a message."""
        message = b""
        while True:
            first, length = self._take(2)
            if length == 126:
                length = int.from_bytes(self._take(2), "big")
            elif length == 127:
                length = int.from_bytes(self._take(8), "big")
            # Masked ones have a greater length here: servers send none.
            if length > MAX_MESSAGE - len(message):
                raise ConnectionError("the node sends what is no message of its own")
            payload = self._take(length)
            kind = first & 0x0F
            if kind == PING:
                self._frame(PONG, payload)
            elif kind == CLOSE:
                raise ConnectionError("the node has closed the connection")
            elif kind in (TEXT, CONTINUATION):
                message += payload
                if first & 0x80:
                    return message.decode()

    def _take(self, length: int) -> bytes:
        parts = [self._read]
        missing = length - len(self._read)
        while missing > 0:
            part = self._socket.recv(max(missing, 65536))
            if not part:
                raise ConnectionError("the connection has ended")
            parts.append(part)
            missing -= len(part)
        read = b"".join(parts)
        self._read = read[length:]
        return read[:length]

    def _frame(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        if length < 126:
            head = bytes([0x80 | kind, 0x80 | length])
        elif length < 65536:
            head = bytes([0x80 | kind, 0x80 | 126]) + length.to_bytes(2, "big")
        else:
            head = bytes([0x80 | kind, 0x80 | 127]) + length.to_bytes(8, "big")
        mask = os.urandom(4)
        pad = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(length, "big")
        self._socket.sendall(head + mask + masked)
