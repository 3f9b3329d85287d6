"""What a program that runs as a task says to the kernel, and when it stops."""

import json
import os
import signal
import unittest

from aion_sdk.agent import Agent
from aion_sdk.errors import AionError, Denied
from aion_sdk.task import Stopped, Task

from .fakes import OK, World, answer, error, lost

ENVIRONMENT = {
    "AION_AGENT_ID": "agent://tenantA/researcher-1",
    "AION_KERNEL_URL": "http://localhost:8010",
    "AION_TENANT": "tenantA",
    "AION_TASK_ID": "t-1",
    "AION_TASK_PARAMS": '{"query": "AION-OS"}',
    "AION_TASK_ATTEMPT": "2",
}


def result(**values):
    return answer({**OK, "result": values})


class Script:
    """A task whose kernel plays answers."""

    def __init__(self, *answers):
        self.world = World(*answers, secret=None)
        self.task = Task(self.world.agent, "t-1", {"query": "x"}, 1)

    def said(self):
        """The syscalls, and their params."""
        return [
            (document["syscall"], document["params"])
            for document in (json.loads(sent.body) for sent in self.world.sent)
        ]


class Signals(unittest.TestCase):
    """``run`` takes SIGTERM; each test gives it back."""

    def setUp(self):
        before = signal.getsignal(signal.SIGTERM)
        self.addCleanup(signal.signal, signal.SIGTERM, before)

    @staticmethod
    def terminate():
        os.kill(os.getpid(), signal.SIGTERM)


class Current(unittest.TestCase):
    def test_the_task_is_read_from_the_environment(self):
        task = Task.current(ENVIRONMENT)

        self.assertEqual((task.id, task.params, task.attempt), ("t-1", {"query": "AION-OS"}, 2))
        self.assertEqual(task.agent.agent_id, "agent://tenantA/researcher-1")
        self.assertEqual(task.agent.kernel_url, "http://localhost:8010")

    def test_a_process_that_the_kernel_has_not_started_is_told_so(self):
        for name in ENVIRONMENT:
            with self.subTest(name):
                partial = {key: value for key, value in ENVIRONMENT.items() if key != name}
                with self.assertRaisesRegex(RuntimeError, name):
                    Task.current(partial)

    def test_nothing_secret_is_shown(self):
        self.assertEqual(
            repr(Task.current(ENVIRONMENT)).count("secret"), 0, repr(Task.current(ENVIRONMENT))
        )


class WithoutSecret(unittest.TestCase):
    def test_a_call_carries_no_signature(self):
        script = Script(answer())

        script.task.syscall("tool.invoke", {"tool": "web_search"})

        [sent] = script.world.sent
        names = {name.lower() for name in sent.headers}
        self.assertEqual(sent.headers["X-Tenant-Id"], "tenantA")
        self.assertFalse({name for name in names if "hmac" in name or "nonce" in name}, names)
        self.assertNotIn("authorization", names)

    def test_options_of_a_call_are_passed_on(self):
        script = Script(answer())

        script.task.syscall("tool.invoke", {}, usd_max=0.5, idempotency_key="k")

        document = json.loads(script.world.sent[0].body)
        self.assertEqual(document["budget"], {"usd_max": 0.5})
        self.assertEqual(document["context"], {"idempotency_key": "k"})


class Running(Signals):
    def test_what_main_returns_is_the_result(self):
        script = Script(answer(), result())

        def main(task):
            task.syscall("tool.invoke", {"tool": "echo"})
            return {"titles": ["a"]}

        script.task.run(main)

        self.assertEqual(
            script.said(),
            [
                ("tool.invoke", {"tool": "echo"}),
                ("task.complete", {"result": {"titles": ["a"]}}),
            ],
        )

    def test_nothing_is_an_empty_result(self):
        script = Script(result())

        script.task.run(lambda task: None)

        self.assertEqual(script.said(), [("task.complete", {"result": {}})])

    def test_what_main_raises_ends_the_process_and_nothing_is_said_of_a_result(self):
        script = Script(error("TOOL_DENIED", 302, 403))

        with self.assertRaises(Denied):
            script.task.run(lambda task: task.syscall("tool.invoke", {}))

        self.assertEqual([name for name, _ in script.said()], ["tool.invoke"])

    def test_a_lost_connection_is_not_repeated_for_the_call_may_have_been_made(self):
        script = Script(lost())

        with self.assertRaises(AionError):
            script.task.run(lambda task: task.syscall("tool.invoke", {}))

        self.assertEqual(len(script.said()), 1)


class Checkpoints(Signals):
    def test_every_so_many_calls_the_state_is_kept(self):
        script = Script(*[answer() for _ in range(7)])
        done = []
        script.task.on_checkpoint(lambda: {"done": len(done)}, every=2)

        def main(task):
            for i in range(4):
                task.syscall("tool.invoke", {"i": i})
                done.append(i)

        script.task.run(main)

        self.assertEqual(
            [name for name, _ in script.said()],
            [
                "tool.invoke",
                "tool.invoke",
                "task.checkpoint",
                "tool.invoke",
                "tool.invoke",
                "task.checkpoint",
                "task.complete",
            ],
        )

    def test_a_call_that_failed_is_no_reason_for_a_checkpoint(self):
        script = Script(error("TOOL_DENIED", 302, 403))
        script.task.on_checkpoint(lambda: {}, every=1)

        with self.assertRaises(Denied):
            script.task.syscall("tool.invoke", {})

        self.assertEqual([name for name, _ in script.said()], ["tool.invoke"])

    def test_a_state_may_be_given(self):
        script = Script(result(calls=3))

        script.task.checkpoint({"page": 3})

        self.assertEqual(script.said(), [("task.checkpoint", {"state": {"page": 3}})])

    def test_without_a_state_and_a_hook_there_is_nothing_to_keep(self):
        script = Script()

        with self.assertRaisesRegex(ValueError, "on_checkpoint"):
            script.task.checkpoint()

        self.assertEqual(script.said(), [])

    def test_what_was_saved_is_restored_before_main_begins(self):
        script = Script(result(state={"page": 3}, calls=9), result())
        seen = []
        script.task.on_resume(seen.append)

        script.task.run(lambda task: seen.append("main"))

        self.assertEqual(seen, [{"page": 3}, "main"])
        self.assertEqual(script.said()[0], ("task.resume", {}))

    def test_where_nothing_was_saved_nothing_is_restored(self):
        script = Script(result(state=None, calls=0), result())
        seen = []
        script.task.on_resume(seen.append)

        script.task.run(lambda task: seen.append("main"))

        self.assertEqual(seen, ["main"])

    def test_who_does_not_restore_is_not_resumed_for_its_calls_are_made_again(self):
        script = Script(result())
        script.task.on_checkpoint(lambda: {})

        script.task.run(lambda task: None)

        self.assertEqual([name for name, _ in script.said()], ["task.complete"])


class Ending(Signals):
    def test_a_sigterm_ends_it_at_the_next_call_with_a_checkpoint_and_without_a_result(self):
        script = Script(answer(), result())
        script.task.on_checkpoint(lambda: {"at": 1})

        def main(task):
            task.syscall("tool.invoke", {"i": 1})
            self.terminate()
            try:
                task.syscall("tool.invoke", {"i": 2})
            except Exception:  # As careless programs do.
                self.fail("a program must not catch this by accident")
            self.fail("it went on")

        script.task.run(main)

        self.assertEqual([name for name, _ in script.said()], ["tool.invoke", "task.checkpoint"])

    def test_without_a_hook_it_just_ends(self):
        script = Script()

        def main(task):
            self.terminate()
            task.pause()

        script.task.run(main)

        self.assertEqual(script.said(), [])

    def test_a_pause_is_nothing_unless_it_is_to_end(self):
        Script().task.pause()

    def test_stopped_is_no_exception_that_a_program_would_catch(self):
        self.assertFalse(issubclass(Stopped, Exception))

    def test_a_program_that_has_done_its_work_by_then_says_what_came_of_it(self):
        script = Script(result())

        def main(task):
            self.terminate()
            return {"done": True}

        script.task.run(main)

        self.assertEqual(script.said(), [("task.complete", {"result": {"done": True}})])


class FromOutside(unittest.TestCase):
    """Submitting tasks, and asking after them."""

    def test_a_submission_is_sent_whole_and_gives_the_task(self):
        world = World(answer({"task": {"task_id": "t", "state": "queued"}, "audit_id": "a"}, 202))

        task = world.agent.submit(
            "t",
            "workflow",
            {"steps": []},
            priority="high",
            quota={"usd_max": 0.5},
            retry={"attempts_max": 2},
            deadline="2026-12-31T23:59:59Z",
        )

        [sent] = world.sent
        self.assertEqual(task, {"task_id": "t", "state": "queued"})
        self.assertEqual((sent.method, sent.target), ("POST", "/v1/schedule/submit"))
        self.assertEqual(
            json.loads(sent.body),
            {
                "task_id": "t",
                "agent_id": "agent://tenantA/researcher-1",
                "intent": "workflow",
                "priority": "high",
                "quota": {"usd_max": 0.5},
                "retry": {"attempts_max": 2},
                "params": {"steps": []},
                "deadline": "2026-12-31T23:59:59Z",
            },
        )

    def test_what_is_not_said_is_not_sent_and_priority_zero_is_said(self):
        world = World(answer({"task": {}}), answer({"task": {}}))

        world.agent.submit("t", "agent:researcher-1")
        world.agent.submit("t", "agent:researcher-1", priority=0)

        self.assertEqual(
            set(json.loads(world.sent[0].body)) - {"params"}, {"task_id", "agent_id", "intent"}
        )
        self.assertEqual(json.loads(world.sent[1].body)["priority"], 0)

    def test_a_submission_whose_answer_was_lost_is_repeated_for_it_is_the_same_task(self):
        world = World(lost(), answer({"task": {"task_id": "t"}}))

        self.assertEqual(world.agent.submit("t", "syscall:x.y"), {"task_id": "t"})

        self.assertEqual(world.sent[0].body, world.sent[1].body)

    def test_a_task_is_looked_at_explained_and_cancelled_by_its_id(self):
        world = World(answer({"state": "queued"}), answer({"summary": "s"}), answer({}))

        self.assertEqual(world.agent.task("a/b c"), {"state": "queued"})
        self.assertEqual(world.agent.explain("t")["summary"], "s")
        world.agent.cancel_task("t")

        self.assertEqual(
            [(sent.method, sent.target) for sent in world.sent],
            [
                ("GET", "/v1/schedule/tasks/a%2Fb%20c"),
                ("GET", "/v1/schedule/tasks/t/explain"),
                ("POST", "/v1/schedule/tasks/t/cancel"),
            ],
        )

    def test_an_agent_without_a_secret_needs_its_tenant_all_the_same(self):
        agent = Agent("agent://tenantA/a", "http://localhost:8010", None, "tenantA")
        self.assertNotIn("None", repr(agent))
        with self.assertRaises(ValueError):
            Agent("agent://tenantA/a", "http://localhost:8010", None, "ten\nant")


if __name__ == "__main__":
    unittest.main()
