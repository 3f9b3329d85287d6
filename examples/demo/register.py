"""Registers the two agents of the demo with the sample tenant's secret, which only the dev profile has."""

import os

from aion_sdk.agent import Agent

MANIFEST = """
apiVersion: aion.os/v1
kind: Agent
metadata: {{ name: "{name}", version: "1.0.0" }}
spec:
  capabilities: {{ network: {network} }}
  syscalls: [tool.invoke, tool.list, agent.info]
"""


def main() -> None:
    kernel_url = "http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010")
    for name, network in (("demo-1", "true"), ("quiet-1", "false")):
        agent = Agent(
            agent_id=f"agent://tenantA/{name}",
            kernel_url=kernel_url,
            secret="TENANT_A_SECRET",
            tenant="tenantA",
        )
        row = agent.register(name, "1.0.0", manifest=MANIFEST.format(name=name, network=network))
        print(f"   {row['agent_id']}: granted {row['grants']}, withheld {row['withheld']}")


if __name__ == "__main__":
    main()
