# SPDX-License-Identifier: MIT
"""A webhook's target: keeps what comes, answers as it is told."""
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import ssl
import threading

WAIT_SECONDS = 60


class Receiver:
    """`answer(n)` gives the n-th delivery's status, or (status, headers); it may also block."""

    def __init__(self, answer=lambda n: 200, tls=None, protocol="HTTP/1.0"):
        self.answer = answer
        self.deliveries = []  # (headers, body), in the order they came
        self.clients = set()  # the connections' other ends
        self.came = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = protocol  # "HTTP/1.1" keeps connections

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.came:
                    receiver.clients.add(self.client_address)
                    receiver.deliveries.append((self.headers, body))
                    number = len(receiver.deliveries)
                    receiver.came.notify_all()
                status = receiver.answer(number)
                status, headers = status if isinstance(status, tuple) else (status, {})
                self.send_response(status)
                for name, text in {"Content-Length": "9", **headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(b"nothing.\n")

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def url(self, path="/hook", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}{path}"

    def received(self, count):
        """Waits until there are that many; the events' JSON."""
        with self.came:
            if not self.came.wait_for(lambda: len(self.deliveries) >= count, WAIT_SECONDS):
                raise AssertionError(f"{len(self.deliveries)} deliveries of {count}")
            return [json.loads(body) for _, body in self.deliveries]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def signature_is_good(headers, body, secret):
    time, mac = (part.split("=", 1)[1] for part in headers["WorkOS-Signature"].split(", "))
    expected = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac, expected)


def make_certificate(directory, name):
    """A certificate for `name` that is its own authority: (its file, its key's file)."""
    certificate, key = os.path.join(directory, "tls.pem"), os.path.join(directory, "tls.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key
