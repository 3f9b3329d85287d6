"""A researcher: asks the kernel for a web search and prints what came back.

    python main.py "AION-OS Kernel"

Reads AION_KERNEL_URL, AION_AGENT_ID, AION_TENANT, AION_KEY_ID and AION_SECRET; each has an option
too, and without either the sample tenant of the dev profile is used. Ends with 1 and the kernel's
reason if the search was refused or failed, with 2 if it was started wrongly.

Submitted to the kernel with the intent "agent:researcher-1" and {"query": ...} it runs as a process
of the kernel's own, needs no secret, and its task's result is the titles and addresses it found.
"""

import argparse
import os
import re
import sys

from aion_sdk.agent import Agent
from aion_sdk.errors import AionError
from aion_sdk.task import Task

QUERY = "AION-OS Kernel"


def arguments(argv=None):
    parser = argparse.ArgumentParser(description="Searches the web through an AION-OS kernel.")
    parser.add_argument("query", nargs="*", help=f"what to search for ({QUERY})")

    def option(name, variable, default, text):
        parser.add_argument(
            name, metavar="TEXT", default=os.environ.get(variable) or default, help=text
        )

    option("--kernel-url", "AION_KERNEL_URL", "http://localhost:8010", "where the kernel listens")
    option("--agent-id", "AION_AGENT_ID", "agent://tenantA/researcher-1", "who asks")
    option("--tenant", "AION_TENANT", "tenantA", "the agent's tenant")
    option("--key-id", "AION_KEY_ID", None, "whose secret it is; not given: the tenant's")
    option(
        "--secret",
        "AION_SECRET",
        "TENANT_A_SECRET",
        "better in AION_SECRET: other users of this machine can read a command line",
    )
    return parser.parse_args(argv)


def main(argv=None):
    given = arguments(argv)
    try:
        agent = Agent(
            agent_id=given.agent_id,
            kernel_url=given.kernel_url,
            secret=given.secret,
            tenant=given.tenant,
            key_id=given.key_id,
        )
    except ValueError as wrong:
        print(f"cannot start: {wrong}", file=sys.stderr)
        return 2
    query = " ".join(given.query) or QUERY
    try:
        report(query, search(agent, query))
    except AionError as error:
        print(f"search failed: {error}", file=sys.stderr)
        return 1
    finally:
        agent.close()
    return 0


def run_task(task):
    """As a process of the kernel. What is raised ends it, and the kernel decides what then."""
    query = task.params.get("query", QUERY)
    res = search(task, query)
    report(query, res)
    items = res["result"].get("items", [])
    return {"query": query, "items": [{"title": i.get("title"), "url": i.get("url")} for i in items]}


def search(caller, query):
    """``caller`` is an agent, or a task: both make calls."""
    return caller.syscall(
        "tool.invoke", {"tool": "web_search", "query": query}, caps_required=["network"]
    )


def report(query, res):
    items = res["result"].get("items", [])
    print(f"{len(items)} results for: {query}")
    for number, item in enumerate(items, start=1):
        print(f"\n{number}. {shown(item, 'title')}")
        print(f"   {shown(item, 'url')}")
        print(f"   {shown(item, 'snippet')}")
        print(f"   source: {shown(item, 'source')}")

    usage = ", ".join(f"{name} {value}" for name, value in res.get("usage", {}).items())
    print(f"\nusage: {usage or 'not reported'}")
    print(f"audit id: {res.get('audit_id', 'not reported')}")


def shown(item, field):
    """A field on one line; the web must not send control codes to the reader's terminal."""
    text = str(item.get(field) or "-")
    return re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).strip()


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # Results are in any script; a terminal that cannot show one should not end the program.
        stream.reconfigure(errors="replace")
    if "AION_TASK_ID" in os.environ:
        Task.current().run(run_task)
    else:
        sys.exit(main())
