"""The tool @NAME@. One JSON object a line: see docs/process-tools.md of AION-OS."""

import json
import sys


def answer(arguments):
    """What one call is answered. A failure is for the agent to read and act on."""
    text = arguments["text"]
    if not text.strip():
        return {"failure": {"code": "BAD_ARGUMENT", "message": "the text has no words"}}
    return {"result": {"words": len(text.split())}}


def say(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    say({"ready": True})
    for line in sys.stdin:
        say(answer(json.loads(line)["arguments"]))
