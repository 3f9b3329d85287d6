"""What an Agent sends, and when it sends it again."""

import json
import re
import unittest

from aion_sdk.agent import Agent
from aion_sdk.errors import (
    AionError,
    Denied,
    InvalidRequest,
    KernelUnavailable,
    LimitReached,
    Unreachable,
)
from aion_sdk.transport import Answer

from .fakes import OK, SECRET, World, answer, busy, error, lost, refused


class Requests(unittest.TestCase):
    def test_a_syscall_is_sent_whole(self):
        world = World(answer())

        result = world.agent.syscall(
            "tool.invoke",
            {"tool": "web_search", "query": "AION-OS"},
            caps_required=("network", "gpu"),
            task_id="t-123",
            trace_id="4bf9",
            idempotency_key="once",
            usd_max=0.05,
            latency_ms=3000,
        )

        [sent] = world.sent
        self.assertEqual(result, OK)
        self.assertEqual((sent.method, sent.target), ("POST", "/v1/syscall/tool.invoke"))
        self.assertEqual(sent.headers["Content-Type"], "application/json")
        self.assertEqual(
            json.loads(sent.body),
            {
                "schema": "aion.syscall.v1",
                "syscall": "tool.invoke",
                "agent_id": "agent://tenantA/researcher-1",
                "context": {"task_id": "t-123", "trace_id": "4bf9", "idempotency_key": "once"},
                "caps_required": ["network", "gpu"],
                "params": {"tool": "web_search", "query": "AION-OS"},
                "budget": {"usd_max": 0.05, "latency_ms": 3000},
            },
        )

    def test_what_is_empty_is_left_out_but_for_params(self):
        world = World(answer())

        world.agent.syscall("kernel.noop", {})

        self.assertEqual(
            json.loads(world.sent[0].body),
            {
                "schema": "aion.syscall.v1",
                "syscall": "kernel.noop",
                "agent_id": "agent://tenantA/researcher-1",
                "params": {},
            },
        )

    def test_a_budget_of_zero_is_a_budget(self):
        world = World(answer())

        world.invoke(usd_max=0)

        self.assertEqual(json.loads(world.sent[0].body)["budget"], {"usd_max": 0})

    def test_persian_text_travels_as_utf_8(self):
        world = World(answer())

        world.agent.syscall("tool.invoke", {"query": "سیستم‌عامل هوشمند"})

        self.assertIn("سیستم‌عامل هوشمند".encode("utf-8"), world.sent[0].body)

    def test_a_syscall_name_cannot_leave_its_place_in_the_path(self):
        world = World(answer())

        world.agent.syscall("a/../b?c d", {})

        self.assertEqual(world.sent[0].target, "/v1/syscall/a%2F..%2Fb%3Fc%20d")

    def test_the_path_of_the_kernel_url_is_part_of_what_is_sent(self):
        world = World(answer(), kernel_url="https://gateway.test/kernel/")

        world.invoke()

        self.assertEqual(world.sent[0].target, "/kernel/v1/syscall/tool.invoke")

    def test_what_json_cannot_say_is_not_sent(self):
        world = World()

        with self.assertRaises(ValueError):
            world.agent.syscall("tool.invoke", {"n": float("nan")})
        with self.assertRaises(TypeError):
            world.agent.syscall("tool.invoke", {"o": object()})
        with self.assertRaises(TypeError):
            world.invoke(caps_required="network")

        self.assertEqual(world.sent, [])

    def test_register_sends_what_it_was_given(self):
        world = World(answer({"status": "ok"}))

        world.agent.register(
            "researcher", "1.0.0", {"network": True}, {"max_concurrency": 4}, "kind: Agent\n"
        )

        [sent] = world.sent
        self.assertEqual((sent.method, sent.target), ("POST", "/v1/agent/register"))
        self.assertEqual(
            json.loads(sent.body),
            {
                "agent_id": "agent://tenantA/researcher-1",
                "name": "researcher",
                "version": "1.0.0",
                "capabilities": {"network": True},
                "limits": {"max_concurrency": 4},
                "manifest": "kind: Agent\n",
            },
        )

    def test_heartbeat_sends_what_is_known(self):
        world = World(answer({"status": "ok"}))

        world.agent.heartbeat(cpu=0.5, queue=0)

        [sent] = world.sent
        self.assertEqual((sent.method, sent.target), ("POST", "/v1/agent/heartbeat"))
        self.assertEqual(
            json.loads(sent.body),
            {"agent_id": "agent://tenantA/researcher-1", "cpu": 0.5, "queue": 0},
        )

    def test_tools_sends_no_body(self):
        world = World(answer({"items": [{"name": "web_search"}]}))

        tools = world.agent.tools()

        [sent] = world.sent
        self.assertEqual(tools, {"items": [{"name": "web_search"}]})
        self.assertEqual((sent.method, sent.target, sent.body), ("GET", "/v1/tools", b""))
        self.assertNotIn("Content-Type", sent.headers)

    def test_close_closes_the_transport(self):
        world = World()

        world.agent.close()

        self.assertTrue(world.transport.closed)


class Signatures(unittest.TestCase):
    def test_without_a_key_id_the_body_is_signed(self):
        world = World(answer())

        world.invoke()

        self.assertEqual(set(world.sent[0].headers), {"X-Tenant-Id", "X-Sig-HMAC", "Content-Type"})

    def test_with_a_key_id_the_request_is_signed(self):
        world = World(answer(), key_id="key-7")

        world.invoke()

        headers = world.sent[0].headers
        self.assertEqual(headers["X-Sig-Version"], "2")
        self.assertEqual(headers["X-Sig-Key"], "key-7")
        self.assertEqual(headers["X-Sig-Timestamp"], "1700000000000")
        self.assertEqual(headers["X-Sig-Nonce"], "nonce-000000000001")

    def test_the_tenant_secret_can_sign_the_request_too(self):
        world = World(answer(), signature=2)

        world.invoke()

        self.assertEqual(world.sent[0].headers["X-Sig-Version"], "2")
        self.assertEqual(world.sent[0].headers["X-Sig-Key"], "tenant-secret")

    def test_a_get_is_always_signed_whole(self):
        world = World(answer(), signature=1)

        world.agent.tools()

        self.assertEqual(world.sent[0].headers["X-Sig-Version"], "2")
        self.assertEqual(world.sent[0].headers["X-Sig-Key"], "tenant-secret")

    def test_nonces_are_long_enough_and_never_the_same(self):
        transport = World(*[answer() for _ in range(100)]).transport
        agent = Agent(
            "agent://tenantA/a",
            "http://kernel.test",
            SECRET,
            "tenantA",
            signature=2,
            transport=transport,
        )

        for _ in range(100):
            agent.syscall("tool.invoke", {})

        nonces = {sent.headers["X-Sig-Nonce"] for sent in transport.sent}
        self.assertEqual(len(nonces), 100)
        for nonce in nonces:
            self.assertRegex(nonce, re.compile(r"\A[A-Za-z0-9_-]{16,64}\Z"))

    def test_a_constructor_that_cannot_work_says_why(self):
        for options, reason in (
            ({"signature": 3}, "signature must be 1 or 2"),
            ({"signature": 1, "key_id": "key-7"}, "a key signs with signature 2 only"),
            ({"key_id": "key\n7"}, "key_id must be"),
            ({"key_id": ""}, "key_id must be"),
            ({"tenant": "tenant A"}, "tenant must be"),
            ({"secret": ""}, "secret must be"),
            ({"secret": "\udc80 spoilt"}, "secret is not valid"),
            ({"kernel_url": "localhost:8010"}, "kernel_url must be"),
            ({"kernel_url": "ftp://kernel.test"}, "kernel_url must be"),
            ({"kernel_url": "http://u:pass@kernel.test"}, "must not carry a user"),
            ({"kernel_url": "http://kernel.test/?a=b"}, "must not carry a query"),
        ):
            with self.subTest(reason):
                with self.assertRaisesRegex(ValueError, reason) as caught:
                    World(**options)
                self.assertIsNone(caught.exception.__context__)
                self.assertNotIn("pass@", repr(caught.exception))


class Retries(unittest.TestCase):
    def test_a_busy_kernel_is_asked_again_after_the_time_it_names(self):
        world = World(busy(retry_after_ms=1500), answer())

        self.assertEqual(world.invoke(), OK)
        self.assertEqual(world.waits, [1.5])

    def test_a_reached_rate_is_asked_again(self):
        world = World(error("RATE_LIMITED", 400, 429, retry="after_delay"), answer())

        self.assertEqual(world.invoke(), OK)

    def test_the_header_names_the_time_where_the_body_does_not(self):
        plain = answer({"status": "error", "error": {"code": "RESTARTING", "number": 700}}, 503)
        world = World(plain._replace(headers={"retry-after": "2"}), answer())

        world.invoke()

        self.assertEqual(world.waits, [2.0])

    def test_a_header_that_is_a_date_is_not_a_time_to_wait(self):
        late = busy()._replace(headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})
        world = World(late, answer())

        world.invoke()

        self.assertEqual(world.waits, [0.125])

    def test_no_wait_is_longer_than_thirty_seconds(self):
        world = World(busy(retry_after_ms=3_600_000), answer())

        world.invoke()

        self.assertEqual(world.waits, [30.0])

    def test_without_a_named_time_the_waits_double_under_full_jitter(self):
        world = World(*[busy()] * 9, answer(), max_retries=9)

        world.invoke()

        self.assertEqual(world.waits, [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0])

    def test_after_the_last_retry_the_error_is_raised(self):
        world = World(busy(), busy(), busy(retry_after_ms=9))

        with self.assertRaises(LimitReached) as caught:
            world.invoke()

        self.assertEqual(caught.exception.retry_after, 0.009)
        self.assertEqual(len(world.sent), 3)

    def test_max_retries_zero_means_one_attempt(self):
        world = World(busy(), max_retries=0)

        with self.assertRaises(LimitReached):
            world.invoke()

        self.assertEqual((len(world.sent), world.waits), (1, []))

    def test_an_exhausted_budget_is_not_waited_for(self):
        world = World(error("BUDGET_EXHAUSTED", 401, 429, retry="after_operator"))

        with self.assertRaises(LimitReached):
            world.invoke()

        self.assertEqual(len(world.sent), 1)

    def test_other_errors_are_not_retried_whatever_advice_they_carry(self):
        for number, status in ((110, 404), (117, 409), (300, 403), (502, 504), (703, 500)):
            with self.subTest(number):
                world = World(error("SOME", number, status, retry="after_delay"))

                with self.assertRaises(AionError):
                    world.invoke(idempotency_key="once")

                self.assertEqual(len(world.sent), 1)

    def test_a_refused_connection_is_tried_again(self):
        world = World(refused(), refused(), answer())

        self.assertEqual(world.invoke(), OK)
        self.assertEqual(world.waits, [0.125, 0.25])

    def test_a_lost_connection_is_not_tried_again(self):
        world = World(lost())

        with self.assertRaises(Unreachable) as caught:
            world.invoke()

        self.assertTrue(caught.exception.sent)
        self.assertEqual(len(world.sent), 1)

    def test_a_lost_connection_is_tried_again_under_an_idempotency_key(self):
        world = World(lost(), answer())

        self.assertEqual(world.invoke(idempotency_key="once"), OK)
        self.assertEqual(world.sent[0].body, world.sent[1].body)

    def test_silence_is_not_tried_again_even_under_an_idempotency_key(self):
        world = World(Unreachable("silence", code="NO_ANSWER"))

        with self.assertRaises(Unreachable):
            world.invoke(idempotency_key="once")

        self.assertEqual(len(world.sent), 1)

    def test_a_503_of_something_in_between_is_tried_again_only_under_an_idempotency_key(self):
        html = Answer(503, {"retry-after": "1"}, b"<h1>Bad day</h1>")

        with self.assertRaises(Unreachable):
            World(html).invoke()
        world = World(html, answer())
        self.assertEqual(world.invoke(idempotency_key="once"), OK)
        self.assertEqual(world.waits, [1.0])

    def test_each_attempt_is_signed_afresh(self):
        world = World(busy(retry_after_ms=2000), answer(), key_id="key-7")

        world.invoke()

        first, second = (sent.headers for sent in world.sent)
        self.assertEqual(second["X-Sig-Timestamp"], "1700000002000")
        self.assertNotEqual(first["X-Sig-Nonce"], second["X-Sig-Nonce"])
        self.assertNotEqual(first["X-Sig-HMAC"], second["X-Sig-HMAC"])

    def test_register_heartbeat_and_tools_are_retried_in_the_same_way(self):
        for call in (
            lambda agent: agent.register("a", "1"),
            lambda agent: agent.heartbeat(),
            lambda agent: agent.tools(),
        ):
            world = World(refused(), busy(retry_after_ms=0), answer())

            self.assertEqual(call(world.agent), OK)


class SecretsStayInside(unittest.TestCase):
    def test_no_representation_of_an_agent_shows_its_secret(self):
        world = World()

        shown = repr(world.agent) + str(world.agent) + repr(vars(world.agent))

        self.assertIn("agent://tenantA/researcher-1", shown)
        self.assertNotIn(SECRET, shown)

    def test_no_error_shows_the_secret(self):
        script = (
            error("BAD_SIGNATURE", 202, 401),
            refused(),
            lost(),
            Answer(200, {}, b"not json"),
        )
        for step in script:
            world = World(step, max_retries=0)
            with self.assertRaises(AionError) as caught:
                world.invoke()
            shown = str(caught.exception) + repr(caught.exception) + repr(vars(caught.exception))
            self.assertNotIn(SECRET, shown)

    def test_no_request_carries_the_secret(self):
        world = World(answer(), answer(), answer())

        world.invoke()
        world.agent.register("a", "1")
        world.agent.tools()

        self.assertNotIn(SECRET, repr(world.sent))

    def test_a_retry_is_logged_without_secret_signature_or_params(self):
        world = World(busy(retry_after_ms=1500), answer(), key_id="key-7")

        with self.assertLogs(level="DEBUG") as logs:
            world.agent.syscall("tool.invoke", {"query": "private question"})

        [line] = logs.output
        self.assertIn("path=/v1/syscall/tool.invoke code=KERNEL_BUSY attempt=1", line)
        self.assertNotIn(SECRET, line)
        self.assertNotIn("private question", line)
        self.assertNotIn(world.sent[0].headers["X-Sig-HMAC"], line)


class Answers(unittest.TestCase):
    def test_an_error_answer_is_raised(self):
        world = World(error("CAPABILITY_DENIED", 300, 403))

        with self.assertRaises(Denied):
            world.invoke()

    def test_status_error_counts_even_with_http_200(self):
        world = World(error("MISSING_FIELD", 106, 200))

        with self.assertRaises(InvalidRequest):
            world.invoke()

    def test_an_answer_that_no_kernel_wrote_is_not_taken_for_one(self):
        deep = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
        for status, body in (
            (200, b""),
            (200, b"<html>login</html>"),
            (200, b"[]"),
            (200, b"\xff\xfe\x00"),
            (200, deep),
            (302, b'{"status": "ok"}'),
            (404, b'{"detail": "Not Found"}'),
            (500, b'{"error": "text"}'),
            (502, b"<h1>Bad Gateway</h1>"),
        ):
            with self.subTest(status=status, body=body[:20]):
                world = World(Answer(status, {}, body))

                with self.assertRaises(Unreachable) as caught:
                    world.invoke()

                self.assertEqual(caught.exception.code, "FOREIGN_ANSWER")
                self.assertEqual(caught.exception.http_status, status)

    def test_a_restarting_kernel_is_unavailable(self):
        world = World(error("RESTARTING", 700, 503), max_retries=0)

        with self.assertRaises(KernelUnavailable):
            world.invoke()
