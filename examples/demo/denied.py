"""Calls web_search as an agent without `network`; exit 0 only if the kernel denies it, and says why."""

import os
import sys

from aion_sdk.agent import Agent
from aion_sdk.errors import Denied


def main() -> int:
    agent = Agent(
        agent_id="agent://tenantA/quiet-1",
        kernel_url="http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010"),
        secret="TENANT_A_SECRET",
        tenant="tenantA",
    )
    try:
        agent.syscall("tool.invoke", {"tool": "web_search", "query": "AION-OS Kernel"})
    except Denied as denial:
        print(f"   {denial}")
        return 0 if denial.code == "CAPABILITY_DENIED" and denial.rule and denial.admit else 1
    print("   it was let through", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
