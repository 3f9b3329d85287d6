"""An agent asks a model through the kernel, and hears the answer as it is written; exit 0 only if it was charged for it."""

import os
import sys

from aion_sdk.agent import Agent


def main() -> int:
    agent = Agent(
        agent_id="agent://tenantA/researcher-1",
        kernel_url="http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010"),
        secret="TENANT_A_SECRET",
        tenant="tenantA",
    )
    print("   ", end="")
    answer = agent.generate(
        "In 40 tokens: what does an operating system for agents do?",
        max_tokens=40,
        on_text=lambda text: print(text, end="", flush=True),
        latency_ms=60_000,
    )
    result, usage = answer["result"], answer["usage"]
    print(
        f"\n   {result['model']} said {usage['tokens_out']} tokens to {usage['tokens_in']}, for"
        f" {usage['cost_usd']} USD, in {usage['latency_ms']:.0f} ms; on record as {answer['audit_id']}"
    )
    return 0 if result["text"] and usage["tokens_out"] > 0 and answer["engine"]["kind"] == "model" else 1


if __name__ == "__main__":
    sys.exit(main())
