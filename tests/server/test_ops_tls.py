# SPDX-License-Identifier: MIT
"""HTTPS: what is served, what browsers are told, and what is said about files that are wrong."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor

from service import Service, does_not_start


def make_certificate(directory, name, days="2"):
    certificate, key = (os.path.join(directory, f"{name}.{end}") for end in ("pem", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", days, "-subj", "/CN=keys.example",
                    "-addext", "subjectAltName=DNS:keys.example,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return certificate, key


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="apikeysd-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.certificate, cls.key = make_certificate(cls.directory, "own")
        cls.foreign_certificate, cls.foreign_key = make_certificate(cls.directory, "foreign")

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path


class Refused(Files):
    def says(self, *words, certificate=None, key=None):
        status, said = does_not_start(self, "--tls-certificate", certificate or self.certificate,
                                      "--tls-key", key or self.key)
        self.assertEqual(status, 1)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn("BEGIN", said)

    def test_a_key_of_another_certificate(self):
        self.says("tls-key", self.foreign_key, "do not match", key=self.foreign_key)

    def test_files_that_are_not_there(self):
        self.says("tls-certificate: /nowhere.pem: No such file", certificate="/nowhere.pem")
        self.says("tls-key: /nowhere.key: No such file", key="/nowhere.key")

    def test_files_of_something_else(self):
        nonsense = self.file("nonsense", "nonsense\n")
        self.says("tls-certificate", nonsense, certificate=nonsense)
        self.says("tls-key", nonsense, key=nonsense)
        self.says("tls-certificate", self.key, certificate=self.key)
        self.says("tls-key", self.certificate, key=self.certificate)
        self.says("tls-key", "not a regular file", key=self.directory)
        self.says("tls-certificate", certificate=self.file("empty", ""))

    def test_a_key_that_everybody_reads(self):
        with open(self.key, encoding="ascii") as file:
            exposed = self.file("exposed.key", file.read(), 0o644)
        self.says(f"tls-key: {exposed}: other users can read or change it (mode 0644)",
                  key=exposed)

    def test_one_without_the_other(self):
        for flags in (("--tls-key", self.key), ("--tls-certificate", self.certificate)):
            status, said = does_not_start(self, *flags)
            self.assertEqual(status, 2)
            self.assertIn("needs tls-key beside it", said)


class ReadAnew(Files):
    """SIGHUP, for a certificate that is renewed every few weeks."""

    def setUp(self):
        self.own = self.copies("own")
        self.service = Service("--tls-certificate", self.own[0], "--tls-key", self.own[1])
        self.addCleanup(lambda: self.assertEqual(self.service.stop(), 0))

    def copies(self, name):
        """The pair of that name, under names of this test's own."""
        directory = tempfile.mkdtemp(dir=self.directory)
        pair = []
        for end in ("pem", "key"):
            pair.append(os.path.join(directory, f"served.{end}"))
            self.put(f"{name}.{end}", pair[-1])
        return pair

    def put(self, name, path):
        shutil.copy(os.path.join(self.directory, name), path + ".new")
        os.rename(path + ".new", path)

    def hang_up(self, *words):
        self.service.process.send_signal(signal.SIGHUP)
        return self.service.wait_for_log(lambda line: all(word in line for word in words))

    def served(self):
        pem = ssl.get_server_certificate((self.service.host, self.service.port))
        for name in ("own", "foreign"):
            with open(os.path.join(self.directory, f"{name}.pem"), encoding="ascii") as file:
                if ssl.PEM_cert_to_DER_cert(file.read()) == ssl.PEM_cert_to_DER_cert(pem):
                    return name
        return None

    def test_a_new_pair_is_served_and_connections_stay(self):
        self.assertEqual(self.served(), "own")
        kept = self.service.connect()
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        socket_before = kept.sock
        self.put("foreign.pem", self.own[0])
        self.put("foreign.key", self.own[1])
        self.assertEqual(self.served(), "own")  # not before it is said
        self.hang_up("read anew")
        self.assertEqual(self.served(), "foreign")
        kept.request("GET", "/healthz")
        self.assertEqual(kept.getresponse().status, 200)
        self.assertIs(kept.sock, socket_before)
        kept.close()

    def test_what_is_not_good_leaves_those_of_before(self):
        self.put("foreign.pem", self.own[0])
        said = self.hang_up("tls-key", "do not match")
        self.assertNotIn("BEGIN", said)
        self.service.wait_for_log(lambda line: "of before stay in use" in line)
        self.assertEqual(self.served(), "own")
        os.unlink(self.own[1])
        self.hang_up("tls-key", "No such file")
        self.assertEqual(self.served(), "own")
        self.put("foreign.key", self.own[1])
        self.hang_up("read anew")
        self.assertEqual(self.served(), "foreign")

    def test_while_many_shake_hands(self):
        def ask(_):
            return self.service.request("GET", "/healthz").status
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(ask, range(60))
            for name in ("foreign", "own") * 3:
                self.put(f"{name}.pem", self.own[0])
                self.put(f"{name}.key", self.own[1])
                self.service.process.send_signal(signal.SIGHUP)
            self.assertEqual(set(answers), {200})

    def test_a_chain(self):
        with open(os.path.join(self.directory, "own.pem"), encoding="ascii") as file:
            leaf = file.read()
        with open(self.own[0], "w", encoding="ascii") as file:
            file.write(leaf * 17)
        self.hang_up("tls-certificate", self.own[0])
        self.assertEqual(self.served(), "own")


class WithoutTls(unittest.TestCase):
    def test_a_service_without_a_terminal_stays(self):
        service = Service()
        self.addCleanup(lambda: self.assertEqual(service.stop(), 0))
        service.process.send_signal(signal.SIGHUP)
        self.assertEqual(service.request("GET", "/healthz").status, 200)


class Served(Files):
    def start(self, *flags, tls=True):
        files = ("--tls-certificate", self.certificate, "--tls-key", self.key) if tls else ()
        service = Service(*files, *flags)
        self.addCleanup(lambda: self.assertEqual(service.stop(), 0))
        return service

    def test_https_and_nothing_else(self):
        service = self.start()
        self.assertTrue(service.about["url"].startswith("https://127.0.0.1:"))
        trusting = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection(service.host, service.port, timeout=30,
                                                 context=trusting)
        for _ in range(2):  # one connection, kept
            connection.request("POST", "/api_keys/validations", b'{"value":"sk_x"}',
                               {"Authorization": f"Bearer {service.management_key}"})
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b'{"api_key":null}'))
        connection.close()
        plain = http.client.HTTPConnection(service.host, service.port, timeout=30)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            plain.request("GET", "/healthz")
            plain.getresponse()
        plain.close()

    def agree(self, service, highest):
        context = ssl._create_unverified_context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = highest
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with socket.create_connection((service.host, service.port), timeout=30) as connection:
            with context.wrap_socket(connection) as secured:
                return secured.version()

    def test_nothing_older_than_tls_1_2(self):
        service = self.start()
        self.assertEqual(self.agree(service, ssl.TLSVersion.TLSv1_3), "TLSv1.3")
        self.assertEqual(self.agree(service, ssl.TLSVersion.TLSv1_2), "TLSv1.2")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.agree(service, ssl.TLSVersion.TLSv1_1)

    def sign_in(self, service, origin):
        return service.request("POST", "/dashboard/session", {"key": service.management_key},
                               {"Origin": origin, "Sec-Fetch-Site": "same-origin"})

    def test_the_session_is_bound_to_the_host_and_to_tls(self):
        service = self.start()
        answer = self.sign_in(service, service.about["url"])
        self.assertIn(answer.status, (200, 201), answer)
        cookie = answer.headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("__Host-apikeysd="), cookie.split("=")[0])
        for attribute in ("; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"):
            self.assertIn(attribute, cookie)
        self.assertNotIn("Domain", cookie)
        plain = service.about["url"].replace("https:", "http:")
        self.assertEqual(self.sign_in(service, plain).status, 403)

    def hsts(self, *flags, **others):
        return self.start(*flags, **others).request("GET", "/healthz").headers[
            "Strict-Transport-Security"]

    def test_browsers_are_told_only_for_a_name_that_is_said_to_be_ours(self):
        self.assertIsNone(self.hsts())
        named = ("--public-url", "https://keys.example")
        self.assertEqual(self.hsts(*named), "max-age=31536000")
        self.assertEqual(self.hsts(*named, "--hsts-seconds", "60"), "max-age=60")
        self.assertIsNone(self.hsts(*named, "--hsts-seconds", "0"))
        self.assertEqual(self.hsts(*named, tls=False), "max-age=31536000")
        self.assertIsNone(self.hsts("--public-url", "http://keys.example", tls=False))

    def test_a_client_that_does_not_shake_hands_is_ended(self):
        service = self.start("--request-timeout", "1")
        with socket.create_connection((service.host, service.port), timeout=60) as connection:
            connection.sendall(b"\x16\x03\x01")
            self.assertEqual(connection.recv(4096), b"")
        self.assertEqual(service.request("GET", "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()
