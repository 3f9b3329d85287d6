"""Client of the AION-OS kernel for agents written in Python.

    from aion_sdk.agent import Agent

``aion_sdk.errors`` holds what a call can raise.
"""

from .agent import Agent
from .errors import (
    AionError,
    Denied,
    InvalidRequest,
    KernelFault,
    KernelUnavailable,
    LimitReached,
    NotAuthenticated,
    ToolFailed,
    Unreachable,
)
from .live import Event, LiveCall
from .task import Stopped, Task

__all__ = [
    "Agent",
    "AionError",
    "Denied",
    "Event",
    "InvalidRequest",
    "KernelFault",
    "KernelUnavailable",
    "LimitReached",
    "LiveCall",
    "NotAuthenticated",
    "Stopped",
    "Task",
    "ToolFailed",
    "Unreachable",
]
