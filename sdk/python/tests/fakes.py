"""Hand-written stand-ins for what an Agent takes from outside."""

import itertools
import json
from typing import Any, Dict, List, NamedTuple, Union

from aion_sdk.agent import Agent
from aion_sdk.errors import Unreachable
from aion_sdk.transport import Answer

OK = {
    "status": "ok",
    "result": {"items": []},
    "usage": {"latency_ms": 1, "cost_usd": 0, "tokens_in": 0, "tokens_out": 0},
    "engine": {"kind": "module", "name": "tooling/web_search@1.2.0"},
    "audit_id": "sc-1",
}

SECRET = "TENANT_A_SECRET"


class Sent(NamedTuple):
    method: str
    target: str
    headers: Dict[str, str]
    body: bytes


class ScriptedTransport:
    """Plays answers and failures in their order, and keeps what it was given."""

    def __init__(self, *script: Union[Answer, Exception]):
        self.script = list(script)
        self.sent: List[Sent] = []
        self.closed = False

    def exchange(self, method, target, headers, body):
        self.sent.append(Sent(method, target, dict(headers), body))
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self):
        self.closed = True


class World:
    """An Agent whose time, chance and names are in the test's hand."""

    def __init__(self, *script: Union[Answer, Exception], **options: Any):
        self.transport = ScriptedTransport(*script)
        self.waits: List[float] = []
        self.now = 1_700_000_000.0
        numbers = itertools.count(1)
        self.agent = Agent(
            **{
                "agent_id": "agent://tenantA/researcher-1",
                "kernel_url": "http://kernel.test:8010",
                "secret": SECRET,
                "tenant": "tenantA",
                "transport": self.transport,
                "sleep": self._sleep,
                "clock": lambda: self.now,
                "chance": lambda: 0.5,
                "nonce": lambda: f"nonce-{next(numbers):012d}",
                **options,
            }
        )

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def invoke(self, **options: Any) -> Dict[str, Any]:
        return self.agent.syscall("tool.invoke", {"tool": "web_search"}, **options)

    @property
    def sent(self) -> List[Sent]:
        return self.transport.sent


def answer(document: Any = OK, status: int = 200, **headers: str) -> Answer:
    """``headers`` are written with underscores: ``retry_after="2"``."""
    return Answer(
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        json.dumps(document, ensure_ascii=False).encode("utf-8"),
    )


def error(code: str, number: int, status: int, audit_id: str = "sc-7", **fields: Any) -> Answer:
    """An error answer as the kernel writes it."""
    problem = {"code": code, "number": number, "blame": "caller", "message": "no", **fields}
    return answer({"status": "error", "error": problem, "audit_id": audit_id}, status)


def busy(**fields: Any) -> Answer:
    return error("KERNEL_BUSY", 403, 503, retry="after_delay", **fields)


def refused() -> Unreachable:
    return Unreachable("nothing listens", code="CONNECTION_REFUSED", sent=False)


def lost() -> Unreachable:
    return Unreachable("it broke", code="CONNECTION_LOST")
