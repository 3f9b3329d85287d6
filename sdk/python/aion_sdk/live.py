"""A call whose caller listens while it runs."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, NamedTuple, Optional

from .errors import Unreachable, error_of
from .transport import OpenAnswer

LINE_BYTES_MAX = 16 * 1024 * 1024
"""Far above what a kernel sends in one event."""


class Event(NamedTuple):
    """Something a call says before it ends.

    ``name``  ``progress`` (``done`` from 0 to 1 or None, ``message``), ``partial`` (what the tool
              shows of its result) or ``dropped`` (``events`` that were lost, since nobody read)
    """

    name: str
    data: Dict[str, Any]


class LiveCall:
    """A call while it runs: iterate for its events; afterwards ``answer`` is the whole answer.

        with agent.stream("tool.invoke", {"tool": "python_run", "code": code}) as call:
            for event in call:
                print(event.name, event.data)
            print(call.answer["result"])

    ``audit_id``  names the call, for the journal and for ``Agent.cancel``
    ``answer``    as ``Agent.syscall`` returns it; None until the events have ended

    Leaving the ``with`` before the end hangs up, which cancels the call. Iterating raises the
    AionError that a failed call stands for, and Unreachable if the connection ends before it does.
    For one thread.
    """

    def __init__(self, answer: OpenAnswer) -> None:
        self._from_kernel = answer
        self._events = self._read()
        self._held: Optional[Event] = None
        self.audit_id: Optional[str] = None
        self.answer: Optional[Dict[str, Any]] = None
        # A repeated idempotency key has no beginning: its answer comes at once.
        self._held = next(self._events, None)

    def __iter__(self) -> Iterator[Event]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        yield from self._events

    def __enter__(self) -> "LiveCall":
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up. Idempotent."""
        self._from_kernel.close()

    def _read(self) -> Iterator[Event]:
        try:
            yield from self._parsed()
        finally:
            self._from_kernel.close()

    def _parsed(self) -> Iterator[Event]:
        name = ""
        for line in self._from_kernel.lines(LINE_BYTES_MAX):
            if line.startswith(b"event: "):
                name = line[7:].decode("utf-8", "replace")
            elif line.startswith(b"data: "):
                data = self._object(line[6:])
                if name == "started":
                    self.audit_id = data.get("audit_id")
                elif name == "result":
                    self._end(data)
                    return
                else:
                    yield Event(name, data)
        raise Unreachable(
            "the connection to the kernel ended before the call did; it may have been carried out",
            code="CONNECTION_LOST",
        )

    def _end(self, answer: Dict[str, Any]) -> None:
        error = error_of(200, answer)
        if error is not None:
            raise error
        self.audit_id = answer.get("audit_id")
        self.answer = answer

    @staticmethod
    def _object(text: bytes) -> Dict[str, Any]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
        raise Unreachable(
            "what answered is not an AION-OS kernel: an event holds no JSON object",
            code="FOREIGN_ANSWER",
        )
