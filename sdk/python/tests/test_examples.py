"""The examples, run as a reader would run them."""

import unittest
from pathlib import Path

from .fake_kernel import FakeKernel, Play
from .test_transport import closed_port, run_python

AGENTS = Path(__file__).parents[3] / "examples" / "agents"

FOUND = {
    "status": "ok",
    "result": {
        "items": [
            {
                "title": "هستهٔ AION-OS",
                "url": "https://example.org/kernel",
                "snippet": "A kernel\nfor agents \x1b[31mred",
                "source": "built-in index",
            },
            {"title": "Second", "url": "https://example.org/2"},
        ]
    },
    "usage": {"latency_ms": 412, "cost_usd": 0.002, "tokens_in": 0, "tokens_out": 0},
    "engine": {"kind": "module", "name": "tooling/web_search@1.2.0"},
    "audit_id": "sc-9f2a",
}

DENIED = {
    "status": "error",
    "error": {
        "code": "CAPABILITY_DENIED",
        "number": 300,
        "message": "the agent does not hold 'network'",
        "admit": "an operator grants 'network'",
        "retry": "after_operator",
    },
    "audit_id": "sc-77",
}


@unittest.skipUnless(AGENTS.is_dir(), "the examples stand in the repository only")
class Examples(unittest.TestCase):
    def setUp(self):
        self.kernel = FakeKernel().__enter__()
        self.addCleanup(self.kernel.__exit__)

    def researcher(self, *arguments, **environment):
        return run_python(
            str(AGENTS / "researcher" / "main.py"),
            *arguments,
            env={"AION_KERNEL_URL": self.kernel.url, **environment},
        )

    def test_the_minimal_agent_runs_unchanged(self):
        source = (AGENTS / "minimal.py").read_text(encoding="utf-8")
        self.assertIn("http://localhost:8010", source)

        done = run_python("-c", source.replace("http://localhost:8010", self.kernel.url))

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("'query': 'AION-OS Kernel'", done.stdout)
        self.assertIn("'status': 'ok'", done.stdout)

    def test_the_researcher_prints_what_it_found(self):
        self.kernel.script.append(Play(document=FOUND))

        done = self.researcher("AION-OS", "چیست")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            done.stdout,
            "2 results for: AION-OS چیست\n"
            "\n"
            "1. هستهٔ AION-OS\n"
            "   https://example.org/kernel\n"
            "   A kernel for agents [31mred\n"
            "   source: built-in index\n"
            "\n"
            "2. Second\n"
            "   https://example.org/2\n"
            "   -\n"
            "   source: -\n"
            "\n"
            "usage: latency_ms 412, cost_usd 0.002, tokens_in 0, tokens_out 0\n"
            "audit id: sc-9f2a\n",
        )
        document = self.kernel.received[0].document()
        self.assertEqual(document["params"], {"tool": "web_search", "query": "AION-OS چیست"})
        self.assertEqual(document["caps_required"], ["network"])

    def test_the_researcher_signs_with_a_key_where_it_is_given_one(self):
        self.kernel.script.append(Play(document=FOUND))

        done = self.researcher(AION_KEY_ID="key-7", AION_SECRET="secret of key 7")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.kernel.received[0].headers["x-sig-key"], "key-7")

    def test_a_denied_researcher_says_why_and_ends_with_one(self):
        self.kernel.script.append(Play(403, DENIED))

        done = self.researcher()

        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(
            done.stderr,
            "search failed: CAPABILITY_DENIED: the agent does not hold 'network'"
            " [what would admit it: an operator grants 'network'] [audit id: sc-77]\n",
        )

    def test_a_researcher_that_the_kernel_started_says_what_came_of_its_task(self):
        self.kernel.at_a_door = True
        self.kernel.script.extend([Play(document=FOUND), Play()])

        done = self.researcher(
            AION_AGENT_ID="agent://tenantA/researcher-1",
            AION_TENANT="tenantA",
            AION_TASK_ID="t-1",
            AION_TASK_ATTEMPT="1",
            AION_TASK_PARAMS='{"query": "چیست"}',
        )

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("2 results for: چیست\n"))
        search, complete = (received.document() for received in self.kernel.received)
        self.assertEqual(search["params"], {"tool": "web_search", "query": "چیست"})
        self.assertEqual(complete["syscall"], "task.complete")
        self.assertEqual(
            complete["params"]["result"]["items"][1],
            {"title": "Second", "url": "https://example.org/2"},
        )

    def test_a_researcher_that_is_started_wrongly_says_so_and_ends_with_two(self):
        done = self.researcher("--kernel-url", "localhost:8010")

        self.assertEqual(
            (done.returncode, done.stderr),
            (2, "cannot start: kernel_url must be http://host:port or https://host:port\n"),
        )

    def test_a_researcher_without_a_kernel_says_so_and_never_shows_its_secret(self):
        url = f"http://127.0.0.1:{closed_port()}"

        done = self.researcher("--kernel-url", url, "--secret", "s3cr3t-text")

        self.assertEqual(done.returncode, 1)
        self.assertIn(f"CONNECTION_REFUSED: no kernel listens at {url}", done.stderr)
        self.assertNotIn("s3cr3t-text", done.stdout + done.stderr)
        self.assertNotIn("TENANT_A_SECRET", self.researcher("--help").stdout)
