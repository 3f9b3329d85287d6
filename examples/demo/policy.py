"""Tries another version of the policy on one tenant, has a person decide about a call, and goes back.

usage: policy.py AION

Exit 0 only if the tool that the trial version wants a person for was refused without one, ran once with one, and is as
free as before once the trial has ended.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

from aion_sdk.agent import Agent
from aion_sdk.errors import Denied

KERNEL = "http://localhost:" + os.environ.get("AION_KERNEL_PORT", "8010")
FILE = "agent.capabilities.yaml"


def main() -> int:
    token = subprocess.run([sys.argv[1], "token"], capture_output=True, text=True, check=True).stdout.strip()

    def operator(method, path, body=None):
        request = urllib.request.Request(
            KERNEL + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer " + token},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            sys.exit(f"   {path} was refused: {refused.read().decode()}")

    agent = Agent("agent://tenantA/researcher-1", KERNEL, "TENANT_A_SECRET", "tenantA")

    def echo():
        try:
            return agent.syscall("tool.invoke", {"tool": "echo", "text": "may I?"})["status"]
        except Denied as denied:
            return denied.code

    version = operator("GET", "/v1/policy")["version"]
    files = operator("GET", "/v1/policy/versions/" + version)["files"]
    allowing = '  tools:\n    allow: ["*"]\n'
    files[FILE] = files[FILE].replace(allowing, allowing + '    approve: ["echo"]\n', 1)
    trial = operator(
        "POST", "/v1/policy/versions", {"files": files, "rationale": "a person looks at each echo"}
    )["version"]
    changes = operator("GET", f"/v1/policy/diff?from={version}&to={trial}")
    print(f"   {trial} differs from {version}: {json.dumps(changes)[:200]}")
    operator("POST", "/v1/policy/activate/" + trial, {"tenants": ["tenantA"]})

    outcomes = [echo()]
    waiting = operator("GET", "/v1/approvals")["items"][0]
    print(f"   waits for a person: {waiting['id']}, {waiting['subject'].split()[0]} with {waiting['shown']}")
    operator("POST", f"/v1/approvals/{waiting['id']}/approve", {})
    outcomes += [echo(), echo()]
    operator("POST", "/v1/policy/canary/end", {})
    outcomes.append(echo())
    print(f"   without a word, with it, once more, after the trial: {', '.join(outcomes)}")
    return 0 if outcomes == ["APPROVAL_REQUIRED", "ok", "APPROVAL_REQUIRED", "ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
