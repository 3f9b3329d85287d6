"""How bytes get to the kernel and back."""

from __future__ import annotations

import collections
import contextlib
import http.client
import os
import re
import selectors
import socket
import ssl
import time
import weakref
from typing import Callable, Deque, Iterator, List, Mapping, NamedTuple, Optional, Protocol, Tuple
from urllib.parse import urlsplit

from .errors import Unreachable


class Answer(NamedTuple):
    """An HTTP answer as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Carries one request at a time for each thread that calls; many threads may call at once."""

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Sends a request once and waits for the answer, whatever its status.

        ``target`` is sent as it is, since the signature covers it. Raises Unreachable if no answer
        comes; its ``code`` and ``sent`` decide whether the caller may repeat the request.
        """

    def open(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> "OpenAnswer":
        """As ``exchange``, but gives the answer while it comes."""

    def close(self) -> None:
        """Lets go of what is held open. Idempotent."""


class OpenAnswer(Protocol):
    """An HTTP answer that is still coming; header names are in lower case. For one thread."""

    status: int
    headers: Mapping[str, str]

    def lines(self, bytes_max: int) -> Iterator[bytes]:
        """Its lines without their ends, until it ends. Raises Unreachable for a broken connection,
        a silence longer than the time-out, and a line of more than ``bytes_max``."""

    def read(self) -> bytes:
        """All of it."""

    def close(self) -> None:
        """Ends the connection. Idempotent."""


class KernelUrl(NamedTuple):
    """Where a kernel listens; ``path`` is what comes before ``/v1``, without a slash at its end."""

    scheme: str
    host: str
    port: Optional[int]
    path: str


def parse_kernel_url(url: str) -> KernelUrl:
    """Reads ``http(s)://host[:port][/path]``. Raises ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("kernel_url must be http://host:port or https://host:port")
    if parts.username is not None or parts.password is not None:
        raise ValueError("kernel_url must not carry a user or a password")
    if parts.query or parts.fragment:
        raise ValueError("kernel_url must not carry a query or a fragment")
    if not re.fullmatch(r"[\x21-\x7e]*", parts.path):
        raise ValueError("the path of kernel_url must be percent-encoded ASCII")
    return KernelUrl(parts.scheme, parts.hostname, parts.port, parts.path.rstrip("/"))


class _Kept(NamedTuple):
    """A connection that waits for its next request."""

    connection: http.client.HTTPConnection
    since: float
    process: int


class HttpTransport:
    """Speaks HTTP/1.1 with keep-alive, straight to the kernel: proxy variables are not looked at.

    ``timeout``  seconds to wait for a connection, and for each next piece of the answer
    ``tls``      for https; by default the system's authorities are trusted and names are checked
    ``ticker``   seconds from any origin, never set back

    Safe for use by many threads. A thread has a connection to itself for the length of its call;
    afterwards the connection waits for whoever calls next. So there are never more than threads
    that called at once, and a thread that ends leaves none behind.
    """

    # A request on a connection that the kernel has just closed may not be repeated blindly: nobody
    # knows whether it was carried out. So we do not run into it: a kept connection is looked at
    # before use, and left alone well before the 30 s after which HTTP servers commonly close it.

    IDLE_SECONDS_MAX = 15.0
    """A connection that waited longer is not used again."""

    ANSWER_BYTES_MAX = 64 * 1024 * 1024
    """Far above what a kernel sends; a longer answer is given up instead of filling the memory."""

    def __init__(
        self,
        kernel_url: str,
        *,
        timeout: float = 60.0,
        tls: Optional[ssl.SSLContext] = None,
        ticker: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = parse_kernel_url(kernel_url)
        self._shown_url = kernel_url
        self._timeout = timeout
        self._tls = tls
        if tls is None and self._url.scheme == "https":
            self._tls = ssl.create_default_context()
        self._ticker = ticker
        # Only append and pop, which are atomic: no lock that a fork could leave held.
        self._kept: Deque[_Kept] = collections.deque()
        self._closed = False
        # For the program that never calls close(): at garbage collection, or at exit.
        weakref.finalize(self, _close_all, self._kept)

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = self._kept_connection() or self._new_connection()
        reusable = False
        try:
            with self._explained():
                answer, reusable = self._converse(connection, method, target, headers, body)
                return answer
        finally:
            if reusable:
                self._keep(connection)
            else:
                connection.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Says in our words what went wrong with a connection."""
        try:
            yield
        except socket.timeout as cause:
            raise Unreachable(
                f"the kernel at {self._shown_url} said nothing for {self._timeout:g} s; the call"
                " may have been carried out",
                code="NO_ANSWER",
            ) from cause
        except (OSError, http.client.IncompleteRead) as cause:
            raise Unreachable(
                f"the connection to the kernel at {self._shown_url} broke before the whole answer"
                " came; the call may have been carried out",
                code="CONNECTION_LOST",
            ) from cause
        except http.client.HTTPException as cause:
            raise Unreachable(
                f"what answered at {self._shown_url} does not speak HTTP; check the kernel URL",
                code="FOREIGN_ANSWER",
            ) from cause

    def open(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> OpenAnswer:
        """On a connection of its own, which ends with the answer."""
        connection = self._new_connection()
        try:
            with self._explained():
                connection.request(method, target, body=body or None, headers=dict(headers))
                return _Coming(self, connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Ends the kept connections; one that is in use ends with its call.

        A call made later still works, on a connection of its own.
        """
        self._closed = True
        _close_all(self._kept)

    def _kept_connection(self) -> Optional[http.client.HTTPConnection]:
        while True:
            try:
                kept = self._kept.pop()
            except IndexError:
                return None
            if self._is_usable(kept):
                return kept.connection
            kept.connection.close()

    def _is_usable(self, kept: _Kept) -> bool:
        return (
            # After a fork both processes hold the socket, and would read each other's answers.
            kept.process == os.getpid()
            and self._ticker() - kept.since < self.IDLE_SECONDS_MAX
            # Nothing is due to arrive, so what is there to read is the end of the connection.
            and not _is_readable(kept.connection.sock)
        )

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        self._kept.append(_Kept(connection, self._ticker(), os.getpid()))
        if self._closed:
            _close_all(self._kept)

    def _new_connection(self) -> http.client.HTTPConnection:
        url = self._url
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(
                url.host, url.port, timeout=self._timeout, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(url.host, url.port, timeout=self._timeout)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError as cause:
            connection.close()
            raise Unreachable(
                f"no kernel listens at {self._shown_url}", code="CONNECTION_REFUSED", sent=False
            ) from cause
        except (OSError, UnicodeError) as cause:
            connection.close()
            raise Unreachable(
                f"no connection to the kernel at {self._shown_url}: {cause}",
                code="NO_CONNECTION",
                sent=False,
            ) from cause

    def _converse(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Tuple[Answer, bool]:
        cut_short = False
        try:
            connection.request(method, target, body=body or None, headers=dict(headers))
        except ConnectionError:
            # A kernel that refuses a large body answers before it has read it all; the answer may
            # be waiting.
            cut_short = True
        response = connection.getresponse()
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            self._read(response),
        )
        return answer, not (cut_short or response.will_close)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        announced = response.length
        pieces: List[bytes] = []
        size = 0
        while True:
            piece = response.read(64 * 1024)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > self.ANSWER_BYTES_MAX:
                raise Unreachable(
                    f"the answer of {self._shown_url} is longer than {self.ANSWER_BYTES_MAX} bytes",
                    code="FOREIGN_ANSWER",
                    http_status=response.status,
                )
        if announced is not None and size < announced:
            raise http.client.IncompleteRead(b"", announced - size)
        return b"".join(pieces)


class _Coming:
    """An answer that is still coming."""

    def __init__(
        self,
        transport: HttpTransport,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def lines(self, bytes_max: int) -> Iterator[bytes]:
        while True:
            with self._transport._explained():
                line = self._response.readline(bytes_max + 1)
            if not line:
                return
            if len(line) > bytes_max:
                raise Unreachable(
                    f"a line of the answer is longer than {bytes_max} bytes",
                    code="FOREIGN_ANSWER",
                    http_status=self.status,
                )
            yield line.rstrip(b"\r\n")

    def read(self) -> bytes:
        with self._transport._explained():
            return self._transport._read(self._response)

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def _is_readable(sock: Optional[socket.socket]) -> bool:
    if sock is None:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))


def _close_all(kept: Deque[_Kept]) -> None:
    while True:
        try:
            kept.pop().connection.close()
        except IndexError:
            return
