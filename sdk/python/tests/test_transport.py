"""The real transport, against a kernel that checks every signature itself."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aion_sdk.agent import Agent
from aion_sdk.errors import InvalidRequest, NotAuthenticated, Unreachable
from aion_sdk.transport import HttpTransport, parse_kernel_url

from .fake_kernel import FakeKernel, Play

SDK = Path(__file__).parents[1]


class AgainstAKernel(unittest.TestCase):
    def setUp(self):
        self.kernel = FakeKernel().__enter__()
        self.addCleanup(self.kernel.__exit__)
        self.waits = []

    def agent(self, **options):
        agent = Agent(
            **{
                "agent_id": "agent://tenantA/researcher-1",
                "kernel_url": self.kernel.url,
                "secret": "TENANT_A_SECRET",
                "tenant": "tenantA",
                "sleep": self.waits.append,
                **options,
            }
        )
        self.addCleanup(agent.close)
        return agent

    def test_a_v1_signature_is_accepted(self):
        res = self.agent().syscall("tool.invoke", {"tool": "web_search", "query": "AION-OS"})

        self.assertEqual(res["result"], {"tool": "web_search", "query": "AION-OS"})
        self.assertNotIn("x-sig-version", self.kernel.received[0].headers)

    def test_v2_signatures_of_a_key_and_of_the_tenant_are_accepted(self):
        with_key = self.agent(key_id="key-7", secret="secret of key 7")
        with_tenant_secret = self.agent(signature=2)

        for agent in (with_key, with_tenant_secret):
            agent.syscall("tool.invoke", {"query": "q"})
            agent.register("researcher", "1.0.0", manifest={"kind": "Agent"})
            agent.heartbeat(cpu=0.5, mem_bytes=1 << 20, gpu=0, queue=2)
            agent.tools()

        self.assertEqual(len(self.kernel.nonces), 8)

    def test_a_wrong_secret_is_not_accepted(self):
        for options in ({}, {"signature": 2}):
            with self.assertRaises(NotAuthenticated):
                self.agent(secret="a wrong one", **options).syscall("tool.invoke", {})

    def test_persian_text_comes_back_as_it_went(self):
        text = "سیستم‌عامل هوشمند؛ پژوهش ۱۴۰۴"

        for options in ({}, {"signature": 2}):
            res = self.agent(**options).syscall("tool.invoke", {"پرسش": text})

            self.assertEqual(res["result"], {"پرسش": text})

    def test_a_megabyte_goes_and_comes_back(self):
        text = "م" * (512 * 1024)

        res = self.agent(signature=2).syscall("memory.put", {"value": text})

        self.assertEqual(res["result"]["value"], text)
        self.assertGreater(len(self.kernel.received[0].body), 1024 * 1024)

    def test_a_chunked_answer_is_read_whole(self):
        self.kernel.script.append(Play(chunked=True))

        res = self.agent().syscall("tool.invoke", {"query": "q" * 100})

        self.assertEqual(res["result"]["query"], "q" * 100)

    def test_calls_of_one_thread_share_a_connection(self):
        agent = self.agent()

        for _ in range(5):
            agent.syscall("tool.invoke", {})
            agent.tools()

        self.assertEqual(self.kernel.connections, 1)

    def test_threads_that_call_at_once_never_share_a_connection(self):
        agent = self.agent(signature=2)
        together = threading.Barrier(4)

        def work(number):
            together.wait(timeout=10)
            for turn in range(20):
                res = agent.syscall("tool.invoke", {"n": number * 100 + turn})
                self.assertEqual(res["audit_id"], "sc-1")
            return number

        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(work, range(4))), [0, 1, 2, 3])

        self.assertLessEqual(self.kernel.connections, 4)
        self.assertEqual(len(self.kernel.received), 80)

    def test_a_connection_that_the_kernel_closed_is_not_used_again(self):
        self.kernel.script.append(Play(hang_up_after=True))
        agent = self.agent()

        agent.syscall("tool.invoke", {})
        self.assertTrue(self.kernel.hung_up.acquire(timeout=10))
        agent.syscall("tool.invoke", {})

        self.assertEqual(self.kernel.connections, 2)
        self.assertEqual(len(self.kernel.received), 2)

    def test_a_connection_that_waited_too_long_is_not_used_again(self):
        now = [0.0]
        transport = HttpTransport(self.kernel.url, ticker=lambda: now[0])
        agent = self.agent(transport=transport)

        agent.tools()
        now[0] += HttpTransport.IDLE_SECONDS_MAX - 1
        agent.tools()
        self.assertEqual(self.kernel.connections, 1)
        now[0] += HttpTransport.IDLE_SECONDS_MAX
        agent.tools()
        self.assertEqual(self.kernel.connections, 2)

    def test_close_ends_the_connections_and_later_calls_keep_none(self):
        agent = self.agent()
        agent.tools()

        agent.close()
        self.assertTrue(self.kernel.hung_up.acquire(timeout=10))
        agent.tools()
        self.assertTrue(self.kernel.hung_up.acquire(timeout=10))

        self.assertEqual(self.kernel.connections, 2)

    def test_a_forgotten_agent_leaves_no_connection_behind(self):
        agent = Agent("agent://tenantA/a", self.kernel.url, "TENANT_A_SECRET", "tenantA")
        agent.tools()

        del agent

        self.assertTrue(self.kernel.hung_up.acquire(timeout=10))

    def test_a_call_dropped_after_it_was_sent_is_not_repeated(self):
        self.kernel.script.append(Play(drop=True))

        with self.assertRaises(Unreachable) as caught:
            self.agent().syscall("tool.invoke", {})

        self.assertEqual((caught.exception.code, caught.exception.sent), ("CONNECTION_LOST", True))
        self.assertEqual(len(self.kernel.received), 1)

    def test_a_call_dropped_under_an_idempotency_key_is_repeated(self):
        self.kernel.script.append(Play(drop=True))

        res = self.agent(signature=2).syscall("tool.invoke", {}, idempotency_key="once")

        self.assertEqual(res["status"], "ok")
        self.assertEqual(
            [received.document()["context"] for received in self.kernel.received],
            [{"idempotency_key": "once"}] * 2,
        )

    def test_half_an_answer_is_no_answer(self):
        self.kernel.script.append(Play(announce_more=10, hang_up_after=True))

        with self.assertRaises(Unreachable) as caught:
            self.agent().syscall("tool.invoke", {})

        self.assertEqual(caught.exception.code, "CONNECTION_LOST")

    def test_an_endless_answer_is_given_up(self):
        class Impatient(HttpTransport):
            ANSWER_BYTES_MAX = 1000

        self.kernel.script.append(Play(raw=b" " * 1001))

        with self.assertRaises(Unreachable) as caught:
            self.agent(transport=Impatient(self.kernel.url)).syscall("tool.invoke", {})

        self.assertIn("longer than 1000 bytes", caught.exception.message)

    def test_a_busy_kernel_is_asked_again_on_the_same_connection(self):
        problem = {"code": "KERNEL_BUSY", "number": 403, "message": "m", "retry_after_ms": 250}
        self.kernel.script.append(Play(503, {"status": "error", "error": problem}))

        res = self.agent(signature=2).syscall("tool.invoke", {})

        self.assertEqual(res["status"], "ok")
        self.assertEqual(self.waits, [0.25])
        self.assertEqual(self.kernel.connections, 1)

    def test_an_error_answer_is_raised_and_the_connection_stays_good(self):
        problem = {"code": "UNKNOWN_TOOL", "number": 114, "message": "no tool 'x'"}
        self.kernel.script.append(Play(404, {"status": "error", "error": problem}))
        agent = self.agent()

        with self.assertRaises(InvalidRequest):
            agent.syscall("tool.invoke", {"tool": "x"})
        agent.syscall("tool.invoke", {})

        self.assertEqual(self.kernel.connections, 1)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_after_a_fork_parent_and_child_do_not_share_a_connection(self):
        program = (
            "import os, sys\n"
            "from aion_sdk.agent import Agent\n"
            "a = Agent('agent://tenantA/a', sys.argv[1], 'TENANT_A_SECRET', 'tenantA')\n"
            "a.tools()\n"
            "child = os.fork()\n"
            "a.tools()\n"
            "if child:\n"
            "    sys.exit(os.waitpid(child, 0)[1])\n"
        )

        done = run_python("-c", program, self.kernel.url)

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.kernel.connections, len(self.kernel.received)), (2, 3))

    def test_proxy_variables_are_ignored(self):
        dead = f"http://127.0.0.1:{closed_port()}"
        program = (
            "import sys\n"
            "from aion_sdk.agent import Agent\n"
            "a = Agent('agent://tenantA/a', sys.argv[1], 'TENANT_A_SECRET', 'tenantA')\n"
            "print(a.syscall('tool.invoke', {})['status'])\n"
        )
        proxies = {
            name: dead
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY")
        }

        done = run_python("-c", program, self.kernel.url, env=proxies)

        self.assertEqual((done.stdout.strip(), done.stderr), ("ok", ""))


class WithoutAKernel(unittest.TestCase):
    def call(self, url, timeout=60.0, **options):
        waits = []
        agent = Agent(
            "agent://tenantA/a",
            url,
            "TENANT_A_SECRET",
            "tenantA",
            timeout=timeout,
            sleep=waits.append,
        )
        self.addCleanup(agent.close)
        with self.assertRaises(Unreachable) as caught:
            agent.syscall("tool.invoke", {}, **options)
        return caught.exception, waits

    def test_a_port_where_nothing_listens_is_tried_three_times(self):
        error, waits = self.call(f"http://127.0.0.1:{closed_port()}")

        self.assertEqual((error.code, error.sent, len(waits)), ("CONNECTION_REFUSED", False, 2))

    def test_a_host_without_an_address_is_not_tried_again(self):
        error, waits = self.call("http://" + "a" * 70 + ".invalid:8010")

        self.assertEqual((error.code, error.sent, waits), ("NO_CONNECTION", False, []))

    def test_silence_ends_with_the_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = "http://127.0.0.1:%d" % listener.getsockname()[1]

            error, waits = self.call(url, timeout=0.05, idempotency_key="once")

        self.assertEqual((error.code, error.sent, waits), ("NO_ANSWER", True, []))

    def test_a_server_that_does_not_speak_http_is_not_a_kernel(self):
        error, _ = self.answered_with(b"220 mail.test ESMTP\r\n\r\n")

        self.assertEqual(error.code, "FOREIGN_ANSWER")

    @unittest.skipUnless(sys.platform == "linux", "others drop what came before a reset")
    def test_a_refusal_before_the_whole_body_was_read_is_still_heard(self):
        problem = b'{"error":{"code":"BODY_TOO_LARGE","number":109,"message":"at most 1 MiB"}}'
        early = b"HTTP/1.1 413 X\r\nContent-Length: %d\r\n\r\n%s" % (len(problem), problem)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=answer_early, args=(listener, early), daemon=True)
            server.start()
            agent = Agent(
                "agent://tenantA/a",
                "http://127.0.0.1:%d" % listener.getsockname()[1],
                "TENANT_A_SECRET",
                "tenantA",
            )
            self.addCleanup(agent.close)

            with self.assertRaises(InvalidRequest) as caught:
                agent.syscall("memory.put", {"value": "x" * (16 * 1024 * 1024)})

            self.assertEqual(caught.exception.code, "BODY_TOO_LARGE")
            server.join(timeout=10)

    def answered_with(self, raw):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=answer_raw, args=(listener, raw), daemon=True)
            server.start()
            result = self.call("http://127.0.0.1:%d" % listener.getsockname()[1])
            server.join(timeout=10)
            return result


class Https(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("needs the openssl command to make a certificate")
        folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=kernel.test",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                key,
                "-out",
                cls.certificate,
            ],
            check=True,
            capture_output=True,
        )
        cls.server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.server_tls.load_cert_chain(cls.certificate, key)

    def test_a_kernel_with_a_trusted_certificate_is_called_on_one_connection(self):
        with FakeKernel(self.server_tls) as kernel:
            trusting = ssl.create_default_context(cafile=self.certificate)
            transport = HttpTransport(kernel.url, tls=trusting)
            agent = Agent(
                "agent://tenantA/a", kernel.url, "TENANT_A_SECRET", "tenantA", transport=transport
            )
            self.addCleanup(agent.close)

            self.assertEqual(agent.syscall("tool.invoke", {})["status"], "ok")
            self.assertEqual(agent.tools()["status"], "ok")

            # The ticket that TLS 1.3 sends after the handshake may cost the first one its reuse.
            self.assertLessEqual(kernel.connections, 2)

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        with FakeKernel(self.server_tls) as kernel:
            agent = Agent("agent://tenantA/a", kernel.url, "TENANT_A_SECRET", "tenantA")
            self.addCleanup(agent.close)

            with self.assertRaises(Unreachable) as caught:
                agent.syscall("tool.invoke", {})

            self.assertEqual(
                (caught.exception.code, caught.exception.sent), ("NO_CONNECTION", False)
            )
            self.assertIn("certificate verify failed", str(caught.exception))
            self.assertEqual(kernel.received, [])


class KernelUrls(unittest.TestCase):
    def test_host_port_and_path_are_read(self):
        self.assertEqual(parse_kernel_url("http://localhost:8010"), ("http", "localhost", 8010, ""))
        self.assertEqual(
            parse_kernel_url("https://[::1]/kernel/"), ("https", "::1", None, "/kernel")
        )


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answer_raw(listener, raw):
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(raw)


def answer_early(listener, raw):
    """Answers at the first byte and closes with the rest unread, which resets the connection."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)


def run_python(*arguments, env=None):
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env={**os.environ, "PYTHONPATH": str(SDK), "PYTHONIOENCODING": "utf-8", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=30,
    )
