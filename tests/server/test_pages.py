# SPDX-License-Identifier: MIT
"""Pages: every address that a person is told or guesses, the widget's file, and run.sh serve."""
import os
import re
import select
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from service import Service, ServiceTest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
WIDGET = "/widget/v1/api-keys-widget.js"


class Pages(ServiceTest):
    def test_addresses_that_people_type(self):
        for path, types in (("/", "text/html"), ("/demo", "text/html"), ("/dashboard/", "text/html"),
                            ("/openapi.json", "application/json"), ("/favicon.ico", "image/svg+xml")):
            answer = self.service.request("GET", path)
            self.assertEqual(answer.status, 200, path)
            self.assertTrue(answer.headers["Content-Type"].startswith(types), path)
        for path, to in (("/demo/", "/demo"), ("/dashboard", "/dashboard/")):
            answer = self.service.request("GET", path)
            self.assertEqual((answer.status, answer.headers["Location"]), (302, to))

    def test_what_pages_name_is_there(self):
        for page in ("/", "/demo", "/dashboard/"):
            text = self.service.request("GET", page).body.decode()
            named = re.findall(r'(?:href|src)="(/[^"]*)"', text)
            self.assertTrue(named, page)
            for path in named:
                self.assertEqual(self.service.request("GET", path).status, 200, f"{page}: {path}")

    def test_the_widget_is_small_and_without_comments(self):
        text = self.service.request("GET", WIDGET).body.decode()
        self.assertLess(len(text.encode()), 73 * 1024)
        first, *lines = text.splitlines()
        self.assertEqual(first, "// SPDX-License-Identifier: MIT")
        self.assertEqual([line for line in lines if re.match(r"\s|//|/\*|import |$", line)], [])
        self.assertIn("customElements.define", text)

    def test_without_a_demo(self):
        service = Service(demo=False)
        self.addCleanup(service.stop)
        self.assertEqual(service.request("GET", "/").headers["Location"], "/dashboard/")
        for path in ("/demo", "/demo/", "/demo/assets/demo.css", "/demo/widget-token"):
            self.assertEqual(service.request("GET", path).status, 404, path)
        self.assertEqual(service.request("GET", "/favicon.ico").status, 200)


class Serve(unittest.TestCase):
    """sh examples/run.sh serve"""

    def test_what_it_says_is_for_people_and_true(self):
        with tempfile.TemporaryDirectory(prefix="serve-") as directory:
            process = subprocess.Popen(
                ["sh", os.path.join(ROOT, "examples", "run.sh"), "serve"], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "TMPDIR": directory})
            said = []
            try:
                for line in process.stdout:
                    said.append(line)
                    if "Ctrl-C ends the service" in line:
                        break
                named = dict(re.findall(r"(http://127\.0\.0\.1:\d+(/\S*))  ", "".join(said)))
                self.assertEqual(set(named.values()), {"/", "/demo", "/dashboard/", "/openapi.json"})
                for url in named:
                    with urllib.request.urlopen(url) as answer:
                        self.assertEqual(answer.status, 200, url)
                log = re.search(r"The log is (\S+)\. ", "".join(said)).group(1)
                with open(log, encoding="utf-8") as file:
                    self.assertIn('"serving on', file.read())
            finally:
                process.send_signal(signal.SIGTERM)  # as Ctrl-C, which reaches the shell alone
                if select.select([process.stdout], [], [], 30)[0]:
                    said.append(process.stdout.read())
                status = process.wait(30)
                process.stdout.close()
            self.assertEqual(status, 0)
            self.assertNotRegex("".join(said), r'(?m)^\{"')


if __name__ == "__main__":
    unittest.main()
