"""The task in which the kernel has started this process.

    from aion_sdk.task import Task

    def main(task):
        found = task.agent.syscall("tool.invoke", {"tool": "web_search", "query": task.params["query"]})
        return {"titles": [item["title"] for item in found["result"]["items"]]}

    Task.current().run(main)

The kernel may freeze the process and let it go on later; it notices nothing. It may also have to
start it anew: after a crash of the kernel, or to make room. Then the program makes its calls again,
and those that had ended are answered from the kernel's log: they are not carried out, nor charged,
twice. That needs a program that makes the same calls in the same order whenever it is given the
same answers; take time, chance and identifiers from the kernel, or keep them in a checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any, Callable, Dict, Mapping, Optional

from .agent import Agent

State = Dict[str, Any]


class Stopped(BaseException):
    """The kernel wants the task to end. Let it pass: no ``except Exception`` catches it."""


class Task:
    """One task of one agent. Not for use by several threads, except for ``agent``.

    ``agent``    makes calls, without a secret: the kernel knows the process by its way in
    ``id``       the task's id
    ``params``   what it was submitted with
    ``attempt``  1 for the first; a start that goes on with an attempt does not count
    """

    def __init__(self, agent: Agent, id: str, params: State, attempt: int) -> None:
        self.agent = agent
        self.id = id
        self.params = params
        self.attempt = attempt
        self._save: Optional[Callable[[], State]] = None
        self._restore: Optional[Callable[[State], None]] = None
        self._every = 0
        self._calls = 0
        self._stop = False

    @classmethod
    def current(cls, environment: Optional[Mapping[str, str]] = None) -> "Task":
        """The task of this process.

        Raises RuntimeError if the kernel has not started it.
        """
        said = os.environ if environment is None else environment
        try:
            agent = Agent(
                said["AION_AGENT_ID"], said["AION_KERNEL_URL"], None, said["AION_TENANT"]
            )
            return cls(
                agent,
                said["AION_TASK_ID"],
                json.loads(said["AION_TASK_PARAMS"]),
                int(said["AION_TASK_ATTEMPT"]),
            )
        except KeyError as missing:
            raise RuntimeError(
                f"{missing.args[0]} is not set: this process was not started by the kernel; submit"
                ' it a task with the intent "agent:<name>"'
            ) from None

    def syscall(self, name: str, params: Mapping[str, Any], **options: Any) -> Dict[str, Any]:
        """As ``Agent.syscall``; between two calls a checkpoint may be due, or the end.

        Raises Stopped if the kernel wants the task to end.
        """
        self.pause()
        answer = self.agent.syscall(name, params, **options)
        self._calls += 1
        if self._every and self._calls % self._every == 0:
            self.checkpoint()
        return answer

    def pause(self) -> None:
        """A place where the task may be ended. Raises Stopped if it is to be."""
        if self._stop:
            raise Stopped()

    def on_checkpoint(self, save: Callable[[], State], every: int = 10) -> Callable[[], State]:
        """``save`` gives what the program needs to go on from here; JSON values by name.

        It is asked after every so many calls of ``syscall``, at ``checkpoint()``, and before the
        program ends because the kernel wants it to.
        """
        self._save = save
        self._every = every
        return save

    def on_resume(self, restore: Callable[[State], None]) -> Callable[[State], None]:
        """``restore`` takes what was saved last, before ``main`` begins.

        The program goes on from there: the calls before the checkpoint are not made again.
        """
        self._restore = restore
        return restore

    def checkpoint(self, state: Optional[State] = None) -> None:
        """Keeps a state in the kernel, in the place of the one before.

        ``state``  None: what the hook of ``on_checkpoint`` gives
        """
        if state is None:
            if self._save is None:
                raise ValueError("there is nothing to keep: pass a state, or set on_checkpoint")
            state = self._save()
        self.agent.syscall("task.checkpoint", {"state": state})

    def resume(self) -> Optional[State]:
        """What was saved last, to go on from; None if nothing was. Before the first other call."""
        return self.agent.syscall("task.resume", {})["result"]["state"]

    def complete(self, result: State) -> None:
        """Says what came of the task: its result, once the program has ended well."""
        self.agent.syscall("task.complete", {"result": result})

    def run(self, main: Callable[["Task"], Optional[State]]) -> None:
        """Does the whole task: goes on from the last checkpoint, runs ``main``, keeps its result.

        A SIGTERM of the kernel ends it at the next call of ``syscall`` or ``pause``, with a
        checkpoint. What ``main`` raises is not caught: the process ends with it, and the kernel may
        try again.
        """
        signal.signal(signal.SIGTERM, self._to_stop)
        if self._restore is not None:
            state = self.resume()
            if state is not None:
                self._restore(state)
        try:
            result = main(self)
        except Stopped:
            if self._save is not None:
                self.checkpoint()
            return
        self.complete(result or {})

    def _to_stop(self, number: int, frame: object) -> None:
        self._stop = True

    def __repr__(self) -> str:
        return f"Task({self.id!r}, agent={self.agent!r}, attempt={self.attempt})"
