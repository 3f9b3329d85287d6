"""Has the kernel do work by itself: a workflow of three calls, and an agent as a process.

usage: tasks.py AION

Submits as the tenant's Control would, with the contract alone and no SDK. Exit 0 only if both tasks succeeded; where
the host cannot isolate an agent, the second is to be refused for that reason.
"""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

KERNEL = "http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010")
AGENT = "agent://tenantA/researcher-1"
PATIENCE_S = 30

WORKFLOW = {
    "steps": [
        {"id": "search", "syscall": "tool.invoke", "params": {"tool": "web_search", "query": "kernel"}},
        {
            "id": "keep",
            "syscall": "memory.put",
            "params": {"type": "short", "key": "found", "value": {"$ref": "/search/items/0/title"}},
        },
        {
            "id": "read",
            "syscall": "memory.get",
            "params": {"type": "short", "key": {"$ref": "/keep/key"}},
        },
    ]
}


def submit(task_id, intent, priority, params):
    body = json.dumps(
        {"task_id": task_id, "intent": intent, "agent_id": AGENT, "priority": priority, "params": params}
    ).encode()
    signature = hmac.new(b"TENANT_A_SECRET", body, hashlib.sha256).hexdigest()
    return call("/v1/schedule/submit", {"X-Tenant-Id": "tenantA", "X-Sig-HMAC": signature}, body)


def call(path, headers, body=None):
    request = urllib.request.Request(KERNEL + path, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        sys.exit(f"   {path} was refused: {refused.read().decode()}")


def ended(task_id, token):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        task = call(f"/v1/schedule/tasks/{task_id}?tenant=tenantA", {"Authorization": "Bearer " + token})
        if task["state"] in ("succeeded", "failed", "cancelled"):
            return task
        time.sleep(0.05)
    sys.exit(f"   {task_id} has not ended after {PATIENCE_S} s")


def main():
    aion = sys.argv[1]
    token = subprocess.run([aion, "token"], capture_output=True, text=True, check=True).stdout.strip()
    submit("demo-workflow", "workflow", "high", WORKFLOW)
    # Nobody has vouched for the program yet: this start is refused, and the refusal names what is to be approved.
    submit("demo-first", "agent:researcher-1", "normal", {"query": "scheduler"})

    flow = ended("demo-workflow", token)
    if flow["state"] != "succeeded":
        sys.exit(f"   the workflow failed: {flow['error']}")
    print(f"   workflow: {flow['usage']['calls']} calls; kept and read again: {flow['result']['steps']['read']['value']!r}")

    refusal = ended("demo-first", token).get("error", {})
    if refusal.get("code") != "APPROVAL_REQUIRED":
        sys.exit(f"   an agent whose program nobody approved was not refused: {refusal}")
    print(f"   not run: {refusal['message']}")
    digest = refusal["rule"].split(":", 1)[1]
    subprocess.run([aion, "agent", "approve", AGENT, digest], check=True)

    submit("demo-agent", "agent:researcher-1", "normal", {"query": "scheduler"})
    run = ended("demo-agent", token)
    subprocess.run([aion, "task", "explain", "tenantA/demo-agent"], check=True)
    if run["state"] == "failed" and run["error"]["code"] == "TIER_UNAVAILABLE":
        print(f"   this host cannot isolate an agent: {run['error']['message']}; ./aion doctor")
        return
    if run["state"] != "succeeded" or not run["result"]["items"]:
        sys.exit(f"   the agent failed: {run.get('error')}")
    print(f"   the agent ran as a process, {run['usage']['cpu_ms']} ms of processor time; its task's result:")
    print("   " + json.dumps(run["result"], ensure_ascii=False)[:300])


if __name__ == "__main__":
    main()
