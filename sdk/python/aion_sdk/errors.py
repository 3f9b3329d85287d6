"""What a call to the kernel can raise.

The kernel's error codes are a closed list of stable numbers, and a block of a hundred is one kind
of trouble; each kind is a class here. ``Unreachable`` alone is not the kernel's own word.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Type


class AionError(Exception):
    """A call that did not succeed.

    ``message``         what is wrong and what to do next
    ``code``            stable name, such as ``CAPABILITY_DENIED``
    ``number``          stable number of the code; None if the kernel did not send one
    ``http_status``     None if there was no answer
    ``blame``           who has to act: caller, policy, budget, tool, operator, kernel
    ``pointer``         JSON pointer of the bad field in the request body
    ``rule``, ``policy_version``  the policy rule that spoke, and where it stands
    ``admit``           what would admit the call
    ``retry``           ``never``, ``after_fixing``, ``after_delay`` or ``after_operator``
    ``retry_after``     seconds to wait before a retry
    ``audit_id``        where the kernel's journal has the call; None if it was not recorded
    ``usage``           what the call used up all the same: ``latency_ms``, ``cost_usd``,
                        ``tokens_in``, ``tokens_out``

    Everything but ``message`` and ``code`` may be None.
    """

    def __init__(
        self,
        message: str,
        code: str = "UNKNOWN",
        number: Optional[int] = None,
        http_status: Optional[int] = None,
        blame: Optional[str] = None,
        pointer: Optional[str] = None,
        rule: Optional[str] = None,
        policy_version: Optional[str] = None,
        admit: Optional[str] = None,
        retry: Optional[str] = None,
        retry_after: Optional[float] = None,
        audit_id: Optional[str] = None,
        usage: Optional[Dict[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.number = number
        self.http_status = http_status
        self.blame = blame
        self.pointer = pointer
        self.rule = rule
        self.policy_version = policy_version
        self.admit = admit
        self.retry = retry
        self.retry_after = retry_after
        self.audit_id = audit_id
        self.usage = usage

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}"
        if self.pointer:
            text += f" [at {self.pointer}]"
        if self.rule:
            text += f" [rule {self.rule}]"
        if self.admit:
            text += f" [what would admit it: {self.admit}]"
        if self.audit_id:
            text += f" [audit id: {self.audit_id}]"
        return text


class InvalidRequest(AionError):
    """100–199: the request is wrong; mend it."""


class NotAuthenticated(AionError):
    """200–299: the request does not prove who sent it, or they may not send it."""


class Denied(AionError):
    """300–399: the policy says no; ``rule`` says which rule, ``admit`` what would change that."""


class LimitReached(AionError):
    """400–499: a rate, a budget or a capacity is used up. The call changed nothing."""


class ToolFailed(AionError):
    """500–599: the tool ran and failed, or did not end in time. It may have had effects."""


class KernelUnavailable(AionError):
    """From 600, HTTP 501 or 503: the kernel cannot serve this now. The call changed nothing."""


class KernelFault(AionError):
    """From 600, otherwise: a defect of the kernel, or a call whose outcome is not known."""


class Unreachable(AionError):
    """No answer of a kernel came back.

    ``sent``   False: the call certainly never reached the kernel.
               True: it may have been carried out all the same.
    ``code``   ``CONNECTION_REFUSED`` nothing listens there (not sent);
               ``NO_CONNECTION`` unknown host, no route, certificate not trusted … (not sent);
               ``CONNECTION_LOST`` the connection broke before the whole answer came;
               ``NO_ANSWER`` the timeout passed in silence;
               ``FOREIGN_ANSWER`` something answered, but not as a kernel does.
    """

    def __init__(
        self,
        message: str,
        code: str = "FOREIGN_ANSWER",
        sent: bool = True,
        http_status: Optional[int] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message, code, http_status=http_status, retry_after=retry_after)
        self.sent = sent


_BLOCKS: Dict[int, Type[AionError]] = {
    1: InvalidRequest,
    2: NotAuthenticated,
    3: Denied,
    4: LimitReached,
    5: ToolFailed,
}


def error_of(
    http_status: int, document: Mapping[str, Any], retry_after: Optional[float] = None
) -> Optional[AionError]:
    """The exception that an error answer stands for; None if the document is not an error answer.

    ``retry_after`` (seconds) is used where the document does not give a time itself. A field of the
    wrong type counts as absent: a broken answer must not hide the error it carries.
    """
    problem = document.get("error")
    if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
        return None

    number = problem.get("number")
    number = number if isinstance(number, int) else None
    retry_after_ms = problem.get("retry_after_ms")
    if isinstance(retry_after_ms, (int, float)) and retry_after_ms >= 0:
        retry_after = retry_after_ms / 1000
    usage = document.get("usage")
    audit_id = document.get("audit_id")

    def text(name: str) -> Optional[str]:
        value = problem.get(name)
        return value if isinstance(value, str) else None

    return _kind(number, http_status)(
        message=text("message") or "the kernel gave no message",
        code=problem["code"],
        number=number,
        http_status=http_status,
        blame=text("blame"),
        pointer=text("pointer"),
        rule=text("rule"),
        policy_version=text("policy_version"),
        admit=text("admit"),
        retry=text("retry"),
        retry_after=retry_after,
        audit_id=audit_id if isinstance(audit_id, str) and audit_id else None,
        usage=usage if isinstance(usage, dict) else None,
    )


def _kind(number: Optional[int], http_status: int) -> Type[AionError]:
    if number is None or number < 100:
        return AionError
    if number >= 600:
        return KernelUnavailable if http_status in (501, 503) else KernelFault
    return _BLOCKS[number // 100]
