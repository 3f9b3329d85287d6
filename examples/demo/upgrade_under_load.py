"""Sixteen clients call `echo` without pause while an operator swaps its version back and forth.

usage: upgrade_under_load.py AION JAR_A JAR_B [SWAPS]

Exit 0 only if not one call failed and both versions answered.
"""

import collections
import os
import subprocess
import sys
import threading

from aion_sdk.agent import Agent
from aion_sdk.errors import AionError

CLIENTS = 16


class Load:
    """Calls until told to stop, and counts what came back."""

    def __init__(self) -> None:
        self.versions: "collections.Counter[str]" = collections.Counter()
        self.failures: "collections.Counter[str]" = collections.Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        agent = Agent(
            agent_id="agent://tenantA/researcher-1",
            kernel_url="http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010"),
            secret="TENANT_A_SECRET",
            tenant="tenantA",
            max_retries=0,
        )
        while not self._stop.is_set():
            try:
                answer = agent.syscall("tool.invoke", {"tool": "echo", "text": "hello"})
                with self._lock:
                    self.versions[answer["result"]["version"]] += 1
            except AionError as failure:
                with self._lock:
                    self.failures[str(failure)] += 1


def main() -> int:
    aion, jar_a, jar_b = sys.argv[1:4]
    swaps = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    with Load() as load:
        for swap in range(swaps):
            jar = jar_b if swap % 2 == 0 else jar_a
            done = subprocess.run([aion, "deploy", jar], capture_output=True, text=True, check=False)
            print("   " + (done.stdout + done.stderr).strip())
            if done.returncode != 0:
                return 1
    calls = sum(load.versions.values())
    print(f"   {calls} calls answered by {dict(load.versions)}, {sum(load.failures.values())} failed")
    for failure, count in load.failures.most_common(5):
        print(f"   {count} x {failure}", file=sys.stderr)
    return 0 if calls and len(load.versions) == 2 and not load.failures else 1


if __name__ == "__main__":
    sys.exit(main())
