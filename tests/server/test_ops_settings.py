# SPDX-License-Identifier: MIT
"""Settings that say nothing sensible: an exact error and exit status 2, before anything is made."""
import os
import subprocess
import tempfile
import unittest

from service import Service


class Settings(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="apikeysd-")
        self.addCleanup(self.directory.cleanup)

    def refused(self, message, *flags, environment=None, file=None):
        if file is not None:
            path = os.path.join(self.directory.name, "settings")
            with open(path, "wb") as settings:
                settings.write(file)
            flags = (*flags, "--config", path)
        with self.subTest(message):
            database = os.path.join(self.directory.name, "keys.db")
            ended = subprocess.run([os.environ["APIKEYSD"], "--database", database, *flags],
                                   capture_output=True, text=True, timeout=60,
                                   env={**os.environ, **(environment or {})})
            self.assertIn(message, ended.stderr)
            self.assertEqual(ended.returncode, 2)
            self.assertFalse(os.path.exists(database))

    def test_names(self):
        self.refused("environment: lisen: no such setting; is listen meant?",
                     environment={"APIKEYSD_LISEN": "0"})
        self.refused("environment: colour: no such setting\n", environment={"APIKEYSD_COLOUR": "x"})
        self.refused("public_ur: no such setting; is public-url meant?", file=b"public_ur = x\n")
        self.refused("there is no '=' behind the name", file=b"listen 0\n")

    def test_ports(self):
        for address in ("99999", "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1:http", "-1"):
            self.refused("listen: must end in a port: a number from 0 to 65535", "--listen", address)
        self.refused("metrics-listen: must end in a port", "--listen", "0",
                     "--metrics-listen", "70000")

    def test_origins(self):
        for text in ("keys.example", "https://", "https://keys.example/", "https://keys.example/x",
                     "ftp://keys.example", "https://a b"):
            self.refused("public-url: must be http:// or https:// and a host", "--public-url", text)
        for text in ("app.example", "https://app.example/", "null", "https://*/"):
            self.refused("allow-origin: must be *, or http://", "--allow-origin", text)

    def test_files(self):
        gone = os.path.join(self.directory.name, "gone.pem")
        self.refused(f"webhook-ca-file: {gone}: No such file", "--webhook-ca-file", gone)
        self.refused("are a byte order mark", file=b"\xef\xbb\xbflisten = 0\n")
        self.refused("listen: must stand without quotes", file=b'listen = "0"\n')
        self.refused("listen: a comment needs a line of its own", file=b"listen = 0 # any\n")

    def test_plain_http_for_everybody_is_warned_of(self):
        for flags, warned in [((), False), (("--listen", "0.0.0.0:0"), True),
                              (("--listen", "0.0.0.0:0", "--public-url", "https://keys.example"),
                               False)]:
            service = Service(*flags, demo=False)
            service.stop()
            self.assertEqual(any("serving plain HTTP on" in line for line in service.log), warned)


if __name__ == "__main__":
    unittest.main(verbosity=2)
