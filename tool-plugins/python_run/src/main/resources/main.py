"""python_run: a code interpreter.

One process waits warm and forks a child for each call, so a call begins with a fresh namespace and fresh modules and
costs no start of Python. The child runs the code, speaks for its effects, and leaves its result in a file in memory; the
parent says it once the child is gone. If the child ends without one, the parent ends the same way, and the kernel tells
the agent how.
"""

import ast
import json
import os
import signal
import sys
import traceback

# Loaded once, here, so that calls that use them do not wait for them.
import collections  # noqa: F401
import csv  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import itertools  # noqa: F401
import math  # noqa: F401
import random
import re  # noqa: F401
import statistics  # noqa: F401

OUTPUT_MAX = 256 << 10  # characters of each of stdout and stderr; the rest is cut off
CODE_MAX = 200_000
TIMEOUT_S = 10
TIMEOUT_S_MAX = 60


class WorkspaceError(OSError):
    """The workspace did not do as asked; `code` is the kernel's word for why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Effects:
    """What the kernel does for a call."""

    def __init__(self, to_kernel, from_kernel):
        self._to_kernel = to_kernel
        self._from_kernel = from_kernel
        self._last = 0

    def ask(self, **effect):
        self._last += 1
        write_all(self._to_kernel, json.dumps({**effect, "id": self._last}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part = os.read(self._from_kernel, 65536)
            if not part:
                raise EOFError("the kernel has gone")
            line += part
        return json.loads(line)

    def progress(self, done=None, message=""):
        """Tells the caller how far the call is, from 0 to 1, if it listens."""
        answer = self.ask(effect="progress", done=done, message=message)
        if "error" in answer:
            raise ValueError(answer["error"]["message"])

    def partial(self, **part):
        """Shows the caller a part of the result, if it listens."""
        answer = self.ask(effect="partial", part=part)
        if "error" in answer:
            raise ValueError(answer["error"]["message"])


class Workspace:
    """The calling agent's files. Paths are relative to it."""

    def __init__(self, effects):
        self._effects = effects

    def read_text(self, path):
        return self._ask(effect="read_text", path=path)

    def write_text(self, path, text):
        self._ask(effect="write_text", path=path, text=text)

    def list(self, path="."):
        return self._ask(effect="list", path=path)

    def _ask(self, **effect):
        answer = self._effects.ask(**effect)
        if "error" in answer:
            raise WorkspaceError(answer["error"]["code"], answer["error"]["message"])
        return answer["value"]


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def say(message):
    write_all(1, json.dumps(message).encode() + b"\n")


def refusal(arguments):
    code, timeout = arguments.get("code"), arguments.get("timeout_s", TIMEOUT_S)
    if not isinstance(code, str) or len(code) > CODE_MAX:
        return "code must be text of at most %d characters" % CODE_MAX
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0.1 <= timeout <= TIMEOUT_S_MAX:
        return "timeout_s must be a number from 0.1 to %d" % TIMEOUT_S_MAX
    return None


def plain(value):
    """A value as JSON can say it."""
    try:
        json.dumps(value, allow_nan=False)
        return value
    except (TypeError, ValueError, RecursionError):
        return repr(value)[:OUTPUT_MAX]


def run(code, effects):
    """Runs the code as a script; gives the value of its last line."""
    tree = ast.parse(code, "<code>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names = {
        "__name__": "__main__",
        "__builtins__": __builtins__,
        "workspace": Workspace(effects),
        "progress": effects.progress,
        "partial": effects.partial,
    }
    exec(compile(tree, "<code>", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "<code>", "eval"), names)


def out_of_time(signum, frame):
    raise TimeoutError("the code took longer than timeout_s")


def traced(error):
    """The traceback as the code's author knows it, without our own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename == "<code>"]
    lines = traceback.format_list(own) + traceback.format_exception_only(type(error), error)
    return "".join(lines)[:OUTPUT_MAX]


def child(arguments, result_fd):
    to_kernel, from_kernel = os.dup(1), os.dup(0)
    stdout, stderr = os.memfd_create("stdout"), os.memfd_create("stderr")
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    random.seed()
    result = {}
    try:
        signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, arguments.get("timeout_s", TIMEOUT_S))
        value = run(arguments["code"], Effects(to_kernel, from_kernel))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if value is not None:
            result["value"] = plain(value)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the code's own affair too
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            result["error"] = {"type": type(error).__name__, "message": str(error)[:10_000], "traceback": traced(error)}
    sys.stdout.flush()
    sys.stderr.flush()
    for name, fd in (("stdout", stdout), ("stderr", stderr)):
        text = os.pread(fd, OUTPUT_MAX + 1, 0)
        result[name] = text[:OUTPUT_MAX].decode("utf-8", "replace") + ("\n[cut off]" if len(text) > OUTPUT_MAX else "")
    write_all(result_fd, json.dumps(result).encode())
    os._exit(0)


def call(arguments):
    why_not = refusal(arguments)
    if why_not:
        return {"failure": {"code": "BAD_ARGUMENT", "message": why_not}}
    result_fd = os.memfd_create("result")
    pid = os.fork()
    if pid == 0:
        try:
            child(arguments, result_fd)
        finally:
            os._exit(70)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    if os.WEXITSTATUS(status) != 0:
        os._exit(os.WEXITSTATUS(status))
    text = os.pread(result_fd, os.fstat(result_fd).st_size, 0)
    os.close(result_fd)
    return {"result": json.loads(text)} if text else os._exit(70)


def serve():
    say({"ready": True})
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        say(call(json.loads(line)["arguments"]))


serve()
