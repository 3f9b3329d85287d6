"""Calls whose caller listens, against a kernel that checks every signature itself."""

import json
import unittest

from aion_sdk.agent import Agent
from aion_sdk.errors import AionError, Denied, InvalidRequest, Unreachable
from aion_sdk.live import Event

from .fake_kernel import FakeKernel, Play
from .fakes import OK


def events(*said, **how):
    """What a kernel sends: pairs of a name and its data."""
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in said)
    return Play(raw=text.encode(), content_type="text/event-stream", chunked=True, **how)


STARTED = ("started", {"audit_id": "sc-1"})
HALF = ("progress", {"done": 0.5, "message": "نیمه"})
PART = ("partial", {"lines": ["a\nb"]})
CANCELLED = {
    "status": "error",
    "error": {"code": "CANCELLED", "number": 119, "message": "cancelled by key-7", "retry": "never"},
    "audit_id": "sc-1",
}


class Live(unittest.TestCase):
    def setUp(self):
        self.kernel = FakeKernel().__enter__()
        self.addCleanup(self.kernel.__exit__)
        self.waits = []
        self.agent = Agent(
            "agent://tenantA/researcher-1",
            self.kernel.url,
            "TENANT_A_SECRET",
            "tenantA",
            sleep=self.waits.append,
            timeout=10,
        )
        self.addCleanup(self.agent.close)

    def stream(self, **options):
        return self.agent.stream("tool.invoke", {"tool": "t"}, **options)

    def test_a_model_is_asked_and_its_text_is_told_as_it_comes(self):
        answer = dict(OK, result={"text": "once upon", "finish_reason": "stop", "model": "p/m"})
        self.kernel.script.append(
            events(
                STARTED,
                ("partial", {"text": "once "}),
                HALF,
                ("partial", {"tool_calls": []}),
                ("partial", {"text": "upon"}),
                ("result", answer),
            )
        )
        told = []

        got = self.agent.generate("a story", max_tokens=9, seed=7, on_text=told.append, usd_max=0.5)

        self.assertEqual(told, ["once ", "upon"])
        self.assertEqual(got, answer)
        document = self.kernel.received[0].document()
        self.assertEqual(document["syscall"], "model.generate")
        self.assertEqual(document["params"], {"prompt": "a story", "max_tokens": 9, "seed": 7})
        self.assertEqual(document["budget"], {"usd_max": 0.5})

    def test_a_model_that_is_cut_off_raises(self):
        self.kernel.script.append(events(STARTED, ("result", CANCELLED)))

        with self.assertRaises(AionError) as raised:
            self.agent.generate([{"role": "user", "content": "a story"}])

        self.assertEqual(raised.exception.code, "CANCELLED")

    def test_texts_are_embedded(self):
        self.kernel.script.append(Play(document=dict(OK, result={"vectors": [[1.0]]})))

        self.assertEqual(self.agent.embed(("a",))["result"], {"vectors": [[1.0]]})

        self.assertEqual(self.kernel.received[0].document()["params"], {"input": ["a"]})

    def test_events_come_and_then_the_answer(self):
        self.kernel.script.append(events(STARTED, HALF, PART, ("result", OK)))

        with self.stream() as call:
            self.assertEqual(call.audit_id, "sc-1")
            self.assertIsNone(call.answer)
            self.assertEqual(list(call), [Event(*HALF), Event(*PART)])
            self.assertEqual(call.answer, OK)

        request = self.kernel.received[0]
        self.assertEqual(request.headers["accept"], "text/event-stream")
        self.assertEqual(request.document()["params"], {"tool": "t"})

    def test_a_repeated_key_brings_its_answer_at_once(self):
        self.kernel.script.append(events(("result", OK)))

        with self.stream(idempotency_key="k") as call:
            self.assertEqual(call.answer, OK)
            self.assertEqual(list(call), [])

    def test_comments_are_passed_over(self):
        self.kernel.script.append(
            Play(
                raw=b": there?\n\n" + events(STARTED, ("result", OK)).raw,
                content_type="text/event-stream; charset=utf-8",
            )
        )

        with self.stream() as call:
            self.assertEqual(list(call), [])
            self.assertEqual(call.answer, OK)

    def test_a_call_that_fails_on_its_way_raises_after_its_events(self):
        self.kernel.script.append(events(STARTED, HALF, ("result", CANCELLED)))

        with self.stream() as call:
            heard = iter(call)
            self.assertEqual(next(heard), Event(*HALF))
            with self.assertRaises(InvalidRequest) as caught:
                next(heard)
        self.assertEqual(caught.exception.code, "CANCELLED")

    def test_what_is_refused_before_it_begins_raises_its_error(self):
        denied = {
            "status": "error",
            "error": {"code": "TOOL_DENIED", "number": 302, "message": "no"},
            "audit_id": "sc-2",
        }
        self.kernel.script.append(Play(403, denied))

        with self.assertRaises(Denied):
            self.stream()

    def test_a_kernel_that_restarts_is_asked_again(self):
        restarting = {
            "status": "error",
            "error": {"code": "RESTARTING", "number": 700, "message": "x", "retry": "after_delay"},
            "audit_id": "",
        }
        self.kernel.script.append(Play(503, restarting))
        self.kernel.script.append(events(STARTED, ("result", OK)))

        with self.stream() as call:
            list(call)
        self.assertEqual(call.answer, OK)
        self.assertEqual(len(self.waits), 1)

    def test_a_connection_that_ends_before_the_call_is_no_answer(self):
        for cut in (events(STARTED, HALF), events(STARTED)):
            self.kernel.script.append(cut)
            with self.assertRaises(Unreachable) as caught:
                with self.stream() as call:
                    list(call)
            self.assertEqual(caught.exception.code, "CONNECTION_LOST")

    def test_nonsense_is_not_taken_for_a_kernel(self):
        for raw in (b"event: partial\ndata: {\n\n", b"event: partial\ndata: []\n\n"):
            self.kernel.script.append(Play(raw=raw, content_type="text/event-stream"))
            with self.assertRaises(Unreachable):
                list(self.stream())
        self.kernel.script.append(Play(document=OK))
        with self.assertRaises(AionError):
            self.stream()

    def test_hanging_up_ends_the_connection(self):
        self.kernel.script.append(events(STARTED, HALF, PART))

        with self.stream() as call:
            self.assertEqual(next(iter(call)), Event(*HALF))

        self.assertTrue(self.kernel.hung_up.acquire(timeout=10))

    def test_calls_in_flight_are_asked_for_and_cancelled(self):
        agent = Agent(
            "agent://tenantA/researcher-1",
            self.kernel.url,
            "secret of key 7",
            "tenantA",
            key_id="key-7",
        )
        self.addCleanup(agent.close)

        agent.calls()
        agent.cancel("sc-1/..")

        self.assertEqual(
            [(sent.method, sent.target) for sent in self.kernel.received],
            [("GET", "/v1/calls"), ("POST", "/v1/calls/sc-1%2F../cancel")],
        )
