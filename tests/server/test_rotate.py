# SPDX-License-Identifier: MIT
"""rotate-root-key: beside a running service, and what ends when the old key was stolen."""
import os
import shutil
import subprocess
import tempfile
import unittest

from service import Service
from test_dashboard import Browser


def rotate(directory, *flags):
    command = [os.environ["APIKEYSD"], "rotate-root-key", "--database",
               os.path.join(directory, "keys.db"), *flags]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


class Rotation(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.services = []
        self.addCleanup(self.stop_all)

    def start(self, *flags):
        service = Service(*flags, directory=self.directory)
        self.services.append(service)
        return service

    def stop_all(self):
        while self.services:
            self.assertEqual(self.services.pop().stop(), 0)

    def root_key(self):
        with open(os.path.join(self.directory, "keys.db.root"), "rb") as file:
            return file.read()

    def use_token(self, service, token):
        return service.request("GET", "/_widgets/ApiKeys/permissions", token=token).status

    def validate(self, service, value):
        answer = service.api("POST", "/api_keys/validations", {"value": value})
        self.assertEqual(answer.status, 200)
        return answer.json["api_key"] is not None

    def test_beside_two_services_that_go_on(self):
        services = [self.start(), self.start()]
        organization = services[0].about["organization_id"]
        value = services[0].api("POST", f"/organizations/{organization}/api_keys",
                                {"name": "k", "permissions": []}).json["value"]
        browsers = [Browser(service) for service in services]
        for browser in browsers:
            self.assertEqual(browser.sign_in().status, 201)
        token = services[0].widget_token()
        self.assertEqual(self.use_token(services[1], token), 200)
        before = self.root_key()
        done = rotate(self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.root_key(), before)
        self.assertEqual(len(self.root_key()), 32)
        for service, browser in zip(services, browsers):
            self.assertTrue(self.validate(service, value))
            self.assertEqual(browser.list().status, 200)
            self.assertEqual(self.use_token(service, token), 200)
        event = services[0].api("GET", "/events?include=operator_events&order=desc&limit=1"
                                       "&events=environment.root_key_rotated").json["data"][0]
        self.assertEqual((event["data"]["root_version"], event["context"]["actor"]["source"]),
                         (2, "system"))

        done = rotate(self.directory, "--compromised")
        self.assertEqual(done.returncode, 0, done.stderr)
        for service, browser in zip(services, browsers):
            self.assertTrue(self.validate(service, value))
            ended = browser.list()
            self.assertEqual((ended.status, ended.json["code"]), (401, "signed_out"))
            self.assertEqual(self.use_token(service, token), 403)
            self.assertEqual(self.use_token(service, service.widget_token()), 200)
            self.assertEqual(browser.sign_in().status, 201)
            self.assertEqual(browser.list().status, 200)
        # A session that began after the theft became known outlives rotations without the flag.
        self.assertEqual(rotate(self.directory).returncode, 0)
        self.assertEqual([browser.list().status for browser in browsers], [200, 200])
        self.stop_all()
        self.assertTrue(self.validate(self.start(), value))

    def test_a_root_key_that_is_given(self):
        path, new = (os.path.join(self.directory, name) for name in ("root-key", "new"))
        for name, first in ((path, 0), (new, 7)):
            with open(name, "wb") as file:
                file.write(bytes((first + i) % 256 for i in range(32)))
            os.chmod(name, 0o600)
        credentials = os.path.join(self.directory, "credentials")
        os.mkdir(credentials, 0o700)
        shutil.copy(path, credentials)
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": credentials}

        def run(*flags):
            command = [os.environ["APIKEYSD"], "rotate-root-key", "--database",
                       os.path.join(self.directory, "keys.db"), *flags]
            return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False,
                                  env=environment)

        service = Service(directory=self.directory, environment=environment)
        self.assertEqual(service.stop(), 0)
        refused = run()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("must be 32 bytes", refused.stderr)
        self.assertEqual(run("--new-root-key-file", path + "s").returncode, 1)
        done = run("--new-root-key-file", new)
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.copy(new, os.path.join(credentials, "root-key"))
        service = Service(directory=self.directory, environment=environment)
        self.services.append(service)
        self.assertEqual(service.api("GET", "/organizations").status, 200)

    def test_what_belongs_to_the_command_alone(self):
        for flags in (["--compromised"], ["recover", "--compromised"],
                      ["rotate-root-key", "extra"], ["rotate-root-keys"]):
            done = subprocess.run([os.environ["APIKEYSD"], *flags, "--listen", "nonsense"],
                                  stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 2, flags)
        with tempfile.TemporaryDirectory() as directory:
            for command in ("rotate-root-key", "recover"):
                missing = os.path.join(directory, "keys.db")
                done = subprocess.run([os.environ["APIKEYSD"], command, "--database", missing],
                                      stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("No such file", done.stderr)
                self.assertEqual(os.listdir(directory), [])


if __name__ == "__main__":
    unittest.main()
