"""The kernel's wire: signing, building requests, reading answers. No I/O here.

``sdk/conformance/signatures.json`` holds test vectors of both signatures, for every language.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any, Callable, Dict, Iterable, Mapping, Optional
from urllib.parse import quote

from .errors import Unreachable, error_of
from .transport import Answer

SCHEMA = "aion.syscall.v1"

TENANT_SECRET = "tenant-secret"
"""Stands for the key id where the tenant's own secret signs."""

_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
_SECONDS = re.compile(r"[0-9]{1,9}")


def signature_v1(secret: bytes, body: bytes) -> str:
    """Signs the body alone: nothing else of the request is protected, and it can be replayed."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def signature_v2(secret: bytes, canonical: str) -> str:
    """Signs the whole request in its canonical form."""
    return hmac.new(secret, canonical.encode("ascii"), hashlib.sha256).hexdigest()


def canonical_v2(
    method: str, target: str, tenant: str, key_id: str, timestamp: str, nonce: str, body: bytes
) -> str:
    """What a v2 signature signs.

    ``target``     path and query, exactly as sent
    ``timestamp``  milliseconds since 1970 in UTC, in decimal
    ``nonce``      16 to 64 characters of ``A-Z a-z 0-9 _ -``, never used twice
    """
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join(
        ("AION-HMAC-SHA256-V2", method, target, tenant, key_id, timestamp, nonce, digest)
    )


class Signer:
    """Makes the headers that prove who sends a request. Holds the secret and never shows it.

    ``signature``  1 or 2; by default 2 with a key id, else 1. A GET has no body for a v1 signature
                   to protect, so it is always signed with v2.
    ``clock``      seconds since 1970 in UTC
    ``nonce``      makes a nonce (see ``canonical_v2``)

    Raises ValueError where the arguments cannot make a valid request.
    """

    def __init__(
        self,
        tenant: str,
        secret: str,
        key_id: Optional[str],
        signature: Optional[int],
        clock: Callable[[], float],
        nonce: Callable[[], str],
    ) -> None:
        if not _HEADER_TEXT.fullmatch(tenant):
            raise ValueError("tenant must be ASCII text without spaces")
        if key_id is not None and not _HEADER_TEXT.fullmatch(key_id):
            raise ValueError("key_id must be ASCII text without spaces")
        if signature not in (None, 1, 2):
            raise ValueError("signature must be 1 or 2")
        if signature == 1 and key_id is not None:
            raise ValueError("a key signs with signature 2 only")
        self._tenant = tenant
        self._secret = _secret_bytes(secret)
        self._key_id = key_id or TENANT_SECRET
        self._version = signature or (1 if key_id is None else 2)
        self._clock = clock
        self._nonce = nonce

    def headers(self, method: str, target: str, body: bytes) -> Dict[str, str]:
        """Signs one sending of a request; each retry needs headers of its own."""
        headers = {"X-Tenant-Id": self._tenant}
        if body:
            headers["Content-Type"] = "application/json"
        if self._version == 1 and method != "GET":
            headers["X-Sig-HMAC"] = signature_v1(self._secret, body)
            return headers

        timestamp = str(int(self._clock() * 1000))
        nonce = self._nonce()
        canonical = canonical_v2(method, target, self._tenant, self._key_id, timestamp, nonce, body)
        headers["X-Sig-Version"] = "2"
        headers["X-Sig-Key"] = self._key_id
        headers["X-Sig-Timestamp"] = timestamp
        headers["X-Sig-Nonce"] = nonce
        headers["X-Sig-HMAC"] = signature_v2(self._secret, canonical)
        return headers

    def __repr__(self) -> str:
        return f"Signer(tenant={self._tenant!r}, key_id={self._key_id!r}, secret=withheld)"


class Unsigned:
    """Makes the headers of a request that nobody signs: its way to the kernel says whose it is."""

    def __init__(self, tenant: str) -> None:
        if not _HEADER_TEXT.fullmatch(tenant):
            raise ValueError("tenant must be ASCII text without spaces")
        self._tenant = tenant

    def headers(self, method: str, target: str, body: bytes) -> Dict[str, str]:
        headers = {"X-Tenant-Id": self._tenant}
        if body:
            headers["Content-Type"] = "application/json"
        return headers


def _secret_bytes(secret: str) -> bytes:
    if not isinstance(secret, str) or not secret:
        raise ValueError("secret must be a text that is not empty")
    try:
        return secret.encode("utf-8")
    except UnicodeEncodeError:
        pass
    # Raised out here because the original error, which holds the whole text, would come along.
    raise ValueError("secret is not valid Unicode text")


def syscall_target(name: str) -> str:
    """Path of a syscall, below the kernel URL."""
    return "/v1/syscall/" + quote(name, safe="")


def syscall_document(
    name: str,
    agent_id: str,
    params: Mapping[str, Any],
    *,
    caps_required: Iterable[str] = (),
    task_id: Optional[str] = None,
    trace_id: Optional[str] = None,
    idempotency_key: Optional[str] = None,
    usd_max: Optional[float] = None,
    latency_ms: Optional[int] = None,
) -> Dict[str, Any]:
    """The request object of a syscall; what is empty is left out, except ``params``."""
    if isinstance(caps_required, str):
        raise TypeError("caps_required is a list of names, not one text")
    document = {
        "schema": SCHEMA,
        "syscall": name,
        "agent_id": agent_id,
        "context": present(task_id=task_id, trace_id=trace_id, idempotency_key=idempotency_key),
        "caps_required": list(caps_required),
        "budget": present(usd_max=usd_max, latency_ms=latency_ms),
    }
    document = {field: value for field, value in document.items() if value}
    document["params"] = dict(params)
    return document


def present(**fields: Any) -> Dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def encode(document: Mapping[str, Any]) -> bytes:
    """Writes JSON in UTF-8.

    Raises TypeError or ValueError for what JSON cannot say (such as NaN), before anything is sent.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def read_answer(answer: Answer) -> Dict[str, Any]:
    """The kernel's answer, if it is a success.

    Raises the AionError it stands for if it is not, and Unreachable if no kernel wrote it.
    """
    retry_after = answer.headers.get("retry-after", "").strip()
    # The other form of the header, a date, would need the two clocks to agree.
    seconds = float(retry_after) if _SECONDS.fullmatch(retry_after) else None

    document = _object(answer.body)
    if document is not None:
        if 200 <= answer.status < 300 and document.get("status") != "error":
            return document
        error = error_of(answer.status, document, seconds)
        if error is not None:
            raise error
    raise Unreachable(
        f"what answered, with HTTP {answer.status}, is not an AION-OS kernel; check the kernel URL"
        " and what stands in between",
        code="FOREIGN_ANSWER",
        http_status=answer.status,
        retry_after=seconds,
    )


def _object(body: bytes) -> Optional[Dict[str, Any]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
