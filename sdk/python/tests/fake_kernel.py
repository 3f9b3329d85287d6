"""A kernel on 127.0.0.1 that checks signatures by its own reading of the contract."""

import collections
import hashlib
import hmac
import http.server
import json
import re
import ssl
import threading
import time
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Set

KEYS = {
    ("tenantA", "tenant-secret"): "TENANT_A_SECRET",
    ("tenantA", "key-7"): "secret of key 7",
}

REPLAY_WINDOW_MS = 300_000


class Received(NamedTuple):
    method: str
    target: str
    headers: Dict[str, str]
    body: bytes
    connection: int

    def document(self) -> Dict[str, Any]:
        return json.loads(self.body)


class Play(NamedTuple):
    """How to treat the next request, once its signature is found good."""

    status: int = 200
    document: Optional[Dict[str, Any]] = None
    raw: Optional[bytes] = None
    drop: bool = False
    hang_up_after: bool = False
    announce_more: int = 0
    chunked: bool = False
    content_type: str = "application/json"


class FakeKernel:
    """Answers 200 with what it was asked, unless ``script`` says otherwise. Use with ``with``."""

    def __init__(self, tls: Optional[ssl.SSLContext] = None):
        self.script: Deque[Play] = collections.deque()
        self.received: List[Received] = []
        self.nonces: Set[str] = set()
        self.at_a_door = False
        """Whoever comes is known by the way in, and has nothing to sign with."""
        self.hung_up = threading.Semaphore(0)
        self._connections = 0
        self._lock = threading.Lock()
        kernel = self

        class Handler(_Handler):
            pass

        Handler.kernel = self

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def shutdown_request(self, request):
                super().shutdown_request(request)
                kernel.hung_up.release()

            def handle_error(self, request, client_address):
                """A client that hangs up is part of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> "FakeKernel":
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def connection_number(self) -> int:
        with self._lock:
            self._connections += 1
            return self._connections

    @property
    def connections(self) -> int:
        return self._connections

    def why_refused(self, received: Received) -> Optional[str]:
        """None if the request proves who sent it; otherwise the code of the refusal."""
        headers = received.headers
        if self.at_a_door:
            return "BAD_SIGNATURE" if "x-sig-hmac" in headers else None
        version = headers.get("x-sig-version", "1")
        key_id = headers.get("x-sig-key", "tenant-secret")
        secret = KEYS.get((headers.get("x-tenant-id", ""), key_id))
        if secret is None:
            return "UNKNOWN_KEY"
        if version == "1":
            if received.method != "POST" or key_id != "tenant-secret":
                return "SIGNATURE_VERSION_REFUSED"
            signed = received.body
        elif version == "2":
            timestamp, nonce = headers["x-sig-timestamp"], headers["x-sig-nonce"]
            if not re.fullmatch(r"[A-Za-z0-9_-]{16,64}", nonce):
                return "BAD_SIGNATURE"
            if abs(int(timestamp) - time.time_ns() // 1_000_000) > REPLAY_WINDOW_MS:
                return "STALE_TIMESTAMP"
            with self._lock:
                if nonce in self.nonces:
                    return "REPLAYED"
                self.nonces.add(nonce)
            signed = (
                "AION-HMAC-SHA256-V2\n"
                + received.method
                + "\n"
                + received.target
                + "\n"
                + headers["x-tenant-id"]
                + "\n"
                + key_id
                + "\n"
                + timestamp
                + "\n"
                + nonce
                + "\n"
                + hashlib.sha256(received.body).hexdigest()
            ).encode()
        else:
            return "SIGNATURE_VERSION_REFUSED"
        expected = hmac.new(secret.encode(), signed, "sha256").hexdigest()
        return None if headers.get("x-sig-hmac") == expected else "BAD_SIGNATURE"


class _Handler(http.server.BaseHTTPRequestHandler):
    kernel: FakeKernel
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.number = self.kernel.connection_number()

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body, self.number)
        self.kernel.received.append(received)

        code = self.kernel.why_refused(received)
        if code is not None:
            problem = {"code": code, "number": 202, "message": "signature refused"}
            self.reply(Play(401, {"status": "error", "error": problem, "audit_id": "sc-0"}))
            return
        play = self.kernel.script.popleft() if self.kernel.script else Play()
        if play.drop:
            self.close_connection = True
            return
        self.reply(play)
        if play.hang_up_after:
            self.close_connection = True

    def reply(self, play: Play):
        document = play.document
        if document is None:
            document = {"status": "ok", "result": self.echo(), "audit_id": "sc-1"}
        raw = play.raw
        if raw is None:
            raw = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(play.status)
        self.send_header("Content-Type", play.content_type)
        if play.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(raw), 7):
                piece = raw[start : start + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(raw) + play.announce_more))
        self.end_headers()
        self.wfile.write(raw)

    def echo(self):
        body = self.kernel.received[-1].body
        return json.loads(body).get("params", {}) if body else {}

    def log_message(self, *_: object):
        pass
