"""An agent's way to the kernel."""

from __future__ import annotations

import logging
import random
import secrets
import time
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, TypeVar, Union
from urllib.parse import quote

from .errors import AionError, Unreachable
from .live import LiveCall
from .syscall import Signer, Unsigned, encode, present, read_answer, syscall_document, syscall_target
from .transport import Answer, HttpTransport, Transport, parse_kernel_url

log = logging.getLogger("aion_sdk")

Result = TypeVar("Result")

WAIT_SECONDS_MAX = 30.0
"""No longer between two attempts, whatever the kernel asks: an agent should learn that it waits."""

FIRST_WAIT_SECONDS_MAX = 0.25
"""Before the first retry where the kernel names no time; doubles with each further one."""


def _nonce() -> str:
    return secrets.token_urlsafe(24)


class Agent:
    """One agent of one tenant, as the kernel knows it. Safe for use by many threads.

        agent = Agent("agent://tenantA/researcher-1", "http://localhost:8010", secret, "tenantA")
        answer = agent.syscall("tool.invoke", {"tool": "web_search", "query": "AION-OS"})

    ``agent_id``     ``agent://<tenant>/<agent>``
    ``kernel_url``   ``http(s)://host[:port]``
    ``secret``       of the key, or of the tenant; never logged, shown or sent. None for a process
                     that the kernel has started: it is known by its way to the kernel
    ``key_id``       whose secret it is; None for the tenant's own
    ``signature``    1 signs the body, 2 the whole request, against replay; by default 2 with a
                     key id, else 1
    ``timeout``      seconds to wait for a connection, and for each next piece of an answer; keep it
                     above the ``latency_ms`` of the calls
    ``max_retries``  further attempts after the first one

    Replaceable: ``transport``; ``sleep`` (seconds); ``clock`` (seconds since 1970 in UTC);
    ``chance`` (a number from 0 up to, not including, 1); ``nonce`` (see ``syscall.canonical_v2``).

    **Errors.** Each call raises an AionError (see ``errors``) for every answer but a success, and
    TypeError or ValueError, before anything is sent, for what cannot be written as JSON.

    **Retries.** A call is repeated only if the kernel cannot have carried it out: the connection
    was refused, or it answered 429 or 503 and did not say that waiting is useless. With an
    idempotency key the kernel tells a repetition from a new call, so then a lost connection is
    retried too.
    """

    def __init__(
        self,
        agent_id: str,
        kernel_url: str,
        secret: Optional[str],
        tenant: str,
        *,
        key_id: Optional[str] = None,
        signature: Optional[int] = None,
        timeout: float = 60.0,
        max_retries: int = 2,
        transport: Optional[Transport] = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        nonce: Callable[[], str] = _nonce,
    ) -> None:
        self.agent_id = agent_id
        self.kernel_url = kernel_url
        self.tenant = tenant
        self._path = parse_kernel_url(kernel_url).path
        self._signer: Union[Signer, Unsigned] = (
            Unsigned(tenant)
            if secret is None
            else Signer(tenant, secret, key_id, signature, clock, nonce)
        )
        self._transport = transport or HttpTransport(kernel_url, timeout=timeout)
        self._max_retries = max_retries
        self._sleep = sleep
        self._chance = chance

    def syscall(
        self,
        name: str,
        params: Mapping[str, Any],
        *,
        caps_required: Iterable[str] = (),
        task_id: Optional[str] = None,
        trace_id: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        usd_max: Optional[float] = None,
        latency_ms: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Calls the kernel and returns its whole answer::

            {"status": "ok",
             "result": {...},
             "usage": {"latency_ms": 412, "cost_usd": 0.002, "tokens_in": 0, "tokens_out": 0},
             "engine": {"kind": "module", "name": "tooling/web_search@1.2.0"},
             "audit_id": "sc-..."}

        ``name``             for example ``tool.invoke``
        ``params``           what that syscall takes; any JSON values
        ``caps_required``    capabilities the call needs, such as ``network``; the kernel refuses
                             the call if the agent does not hold them all
        ``task_id``, ``trace_id``  where the call stands in the agent's own work
        ``idempotency_key``  two calls of one agent with one key are one call
        ``usd_max``          the most the call may cost, in US dollars
        ``latency_ms``       the most it may take, in milliseconds
        """
        document = syscall_document(
            name,
            self.agent_id,
            params,
            caps_required=caps_required,
            task_id=task_id,
            trace_id=trace_id,
            idempotency_key=idempotency_key,
            usd_max=usd_max,
            latency_ms=latency_ms,
        )
        return self._call(
            "POST", syscall_target(name), document, repeatable=idempotency_key is not None
        )

    def stream(
        self,
        name: str,
        params: Mapping[str, Any],
        *,
        caps_required: Iterable[str] = (),
        task_id: Optional[str] = None,
        trace_id: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        usd_max: Optional[float] = None,
        latency_ms: Optional[int] = None,
    ) -> LiveCall:
        """As ``syscall``, but gives the call while it runs: see ``LiveCall``.

        What the kernel refuses before the call begins is raised here, and repeated as ``syscall``
        would repeat it; a call that has begun is not. ``timeout`` bounds each silence, and the
        kernel breaks it many times a second.
        """
        document = syscall_document(
            name,
            self.agent_id,
            params,
            caps_required=caps_required,
            task_id=task_id,
            trace_id=trace_id,
            idempotency_key=idempotency_key,
            usd_max=usd_max,
            latency_ms=latency_ms,
        )
        return self._repeated(
            self._open,
            syscall_target(name),
            encode(document),
            repeatable=idempotency_key is not None,
        )

    def _open(self, target: str, body: bytes) -> LiveCall:
        headers = self._signer.headers("POST", target, body)
        headers["Accept"] = "text/event-stream"
        answer = self._transport.open("POST", target, headers, body)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return LiveCall(answer)
        try:
            read_answer(Answer(answer.status, answer.headers, answer.read()))
        finally:
            answer.close()
        raise Unreachable(
            "the kernel answered without events; it is older than this SDK", code="FOREIGN_ANSWER"
        )

    def generate(
        self,
        prompt: Union[str, Iterable[Mapping[str, Any]]],
        *,
        model: Optional[str] = None,
        system: Optional[str] = None,
        max_tokens: Optional[int] = None,
        temperature: Optional[float] = None,
        schema: Optional[Mapping[str, Any]] = None,
        on_text: Optional[Callable[[str], None]] = None,
        usd_max: Optional[float] = None,
        latency_ms: Optional[int] = None,
        **params: Any,
    ) -> Dict[str, Any]:
        """Asks a model and returns the kernel's whole answer; its ``result``::

            {"text": "...", "finish_reason": "stop", "model": "provider/model"}

        and ``json`` with a ``schema``, ``tool_calls`` with ``tools``. If this program ends, or is
        interrupted, the model's work ends too, and what it has done until then is charged.

        ``prompt``      a text, or messages: ``[{"role": "user", "content": "..."}, ...]``
        ``model``       a name of the kernel's models.yaml; None for its default
        ``schema``      JSON Schema that the answer has to be of
        ``on_text``     told each piece of the text as it comes
        ``usd_max``     the most it may cost
        ``params``      what else model.generate takes: ``tools``, ``seed``, ``stop``, ``cache``,
                        ``allow_cloud``, ...
        """
        asked = {"prompt": prompt} if isinstance(prompt, str) else {"messages": list(prompt)}
        document = present(
            model=model,
            system=system,
            max_tokens=max_tokens,
            temperature=temperature,
            schema=schema,
            **asked,
            **params,
        )
        with self.stream(
            "model.generate", document, usd_max=usd_max, latency_ms=latency_ms
        ) as call:
            for event in call:
                if on_text is not None and event.name == "partial" and "text" in event.data:
                    on_text(event.data["text"])
            assert call.answer is not None  # Otherwise iterating has raised.
            return call.answer

    def embed(
        self, texts: Union[str, Iterable[str]], *, model: Optional[str] = None
    ) -> Dict[str, Any]:
        """Makes vectors of texts: ``{"vectors": [[...], ...], "model": ..., "dimensions": ...}``
        in the answer's ``result``, in the order of the texts."""
        asked = texts if isinstance(texts, str) else list(texts)
        return self.syscall("model.embed", present(input=asked, model=model))

    def calls(self) -> Dict[str, Any]:
        """The agent's calls in flight: ``{"items": [{"audit_id", "syscall", "tool", ...}]}``."""
        return self._call("GET", "/v1/calls")

    def cancel(self, audit_id: str) -> Dict[str, Any]:
        """Ends a call in flight; whoever waits for it gets the error ``CANCELLED``.

        Takes a key, or signature 2.
        """
        return self._call("POST", "/v1/calls/" + quote(audit_id, safe="") + "/cancel")

    def submit(
        self,
        task_id: str,
        intent: str,
        params: Optional[Mapping[str, Any]] = None,
        *,
        priority: Union[int, str, None] = None,
        quota: Optional[Mapping[str, Any]] = None,
        retry: Optional[Mapping[str, Any]] = None,
        deadline: Optional[str] = None,
    ) -> Dict[str, Any]:
        """Has the kernel do work when its turn comes, on behalf of this agent; returns the task.

        The same submission under the same ``task_id`` is the same task.

        ``intent``    ``syscall:<name>``, ``agent:<name>``, or ``workflow`` (``params["steps"]``)
        ``priority``  0 to 9, or ``high``, ``normal``, ``low``
        ``quota``     what it may use: ``calls_max``, ``tokens_max``, ``usd_max``, ``time_ms_max``
        ``retry``     ``attempts_max``, ``backoff_ms``, ``backoff_max_ms``
        ``deadline``  in UTC, as ``2026-12-31T23:59:59Z``
        """
        document = present(
            task_id=task_id,
            agent_id=self.agent_id,
            intent=intent,
            priority=priority,
            quota=quota,
            retry=retry,
            params=params,
            deadline=deadline,
        )
        return self._call("POST", "/v1/schedule/submit", document, repeatable=True)["task"]

    def task(self, task_id: str) -> Dict[str, Any]:
        """A task of this agent as it stands. Takes a key, or signature 2, as all that follow."""
        return self._call("GET", _task_path(task_id))

    def explain(self, task_id: str) -> Dict[str, Any]:
        """Why a task waits, and what would admit it."""
        return self._call("GET", _task_path(task_id) + "/explain")

    def cancel_task(self, task_id: str) -> Dict[str, Any]:
        """Ends a task that has not ended."""
        return self._call("POST", _task_path(task_id) + "/cancel")

    def register(
        self,
        name: str,
        version: str,
        capabilities: Any = None,
        limits: Optional[Mapping[str, Any]] = None,
        manifest: Union[str, Mapping[str, Any], None] = None,
    ) -> Dict[str, Any]:
        """Enters the agent in the kernel's process table and returns its row there.

        A tenant registers its agents with its own secret; the key of one agent may not.

        ``capabilities``  what the agent may ever need, such as ``{"network": True}``
        ``limits``        what it asks for, such as ``{"max_concurrency": 4}``
        ``manifest``      its agent.yml: the text, or the object it stands for
        """
        return self._call(
            "POST",
            "/v1/agent/register",
            present(
                agent_id=self.agent_id,
                name=name,
                version=version,
                capabilities=capabilities,
                limits=limits,
                manifest=manifest,
            ),
        )

    def heartbeat(
        self,
        cpu: Optional[float] = None,
        mem_bytes: Optional[int] = None,
        gpu: Optional[float] = None,
        queue: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Tells the kernel that the agent lives, and returns the kernel's answer.

        ``cpu``        cores in use
        ``mem_bytes``  memory in use
        ``gpu``        graphics processors in use
        ``queue``      jobs that wait
        """
        return self._call(
            "POST",
            "/v1/agent/heartbeat",
            present(agent_id=self.agent_id, cpu=cpu, mem_bytes=mem_bytes, gpu=gpu, queue=queue),
        )

    def tools(self) -> Dict[str, Any]:
        """The tools installed right now: ``{"items": [{"name", "version", ...}]}``."""
        return self._call("GET", "/v1/tools")

    def close(self) -> None:
        """Ends the connections to the kernel. Optional: they also end with the program."""
        self._transport.close()

    def __repr__(self) -> str:
        return f"Agent({self.agent_id!r}, kernel_url={self.kernel_url!r}, tenant={self.tenant!r})"

    def _call(
        self,
        method: str,
        path: str,
        document: Optional[Mapping[str, Any]] = None,
        *,
        repeatable: bool = False,
    ) -> Dict[str, Any]:
        def exchange(target: str, body: bytes) -> Dict[str, Any]:
            headers = self._signer.headers(method, target, body)
            return read_answer(self._transport.exchange(method, target, headers, body))

        body = b"" if document is None else encode(document)
        return self._repeated(exchange, path, body, repeatable=repeatable)

    def _repeated(
        self,
        attempted: Callable[[str, bytes], Result],
        path: str,
        body: bytes,
        *,
        repeatable: bool,
    ) -> Result:
        attempt = 0
        while True:
            try:
                return attempted(self._path + path, body)
            except AionError as error:
                if attempt >= self._max_retries or not _may_repeat(error, repeatable):
                    raise
                wait = self._wait(error, attempt)
                log.info(
                    "call is repeated: path=%s code=%s attempt=%d wait_s=%.3f audit_id=%s",
                    path,
                    error.code,
                    attempt + 1,
                    wait,
                    error.audit_id,
                )
            self._sleep(wait)
            attempt += 1

    def _wait(self, error: AionError, attempt: int) -> float:
        """Seconds until the next attempt; full jitter, so that many agents do not return as one."""
        if error.retry_after is not None:
            return min(error.retry_after, WAIT_SECONDS_MAX)
        doubled = FIRST_WAIT_SECONDS_MAX * 2.0 ** min(attempt, 16)
        return self._chance() * min(doubled, WAIT_SECONDS_MAX)


def _task_path(task_id: str) -> str:
    return "/v1/schedule/tasks/" + quote(task_id, safe="")


def _may_repeat(error: AionError, repeatable: bool) -> bool:
    """Whether another attempt cannot carry out a call twice, and may help.

    ``repeatable``  the kernel would know a repetition for one
    """
    turned_away = error.http_status in (429, 503)
    if isinstance(error, Unreachable):
        # A 503 of something in between says nothing about what the kernel did.
        lost = turned_away or error.code == "CONNECTION_LOST"
        return error.code == "CONNECTION_REFUSED" or (lost and repeatable)
    return turned_away and error.retry in (None, "after_delay")
