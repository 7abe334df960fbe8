# SPDX-License-Identifier: MIT
"""Secrets come from files: which, in what order, and which are refused."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from service import Service, does_not_start
from test_ops_tls import make_certificate

ROOT_KEY = bytes(range(32))


class MisplacedSecrets(unittest.TestCase):
    def test_a_value_in_the_wrong_place_reaches_no_log_and_no_answer(self):
        service = Service("--access-log")
        self.addCleanup(service.stop)
        organization = json.loads(service.api("POST", "/organizations", {"name": "Acme"}).body)["id"]
        made = json.loads(service.api("POST", f"/organizations/{organization}/api_keys",
                                      {"name": "k", "permissions": []}).body)
        token = json.loads(service.api("POST", "/widgets/token", {
            "organization_id": organization, "scopes": ["widgets:api-keys:manage"]}).body)["token"]
        for secret in (made["value"], token, service.management_key):
            escaped = "".join(f"%{ord(c):02X}" if i % 7 == 0 else c for i, c in enumerate(secret))
            with self.subTest(secret=secret[:8]):
                for method, path, body, headers in [
                        ("GET", f"/organizations/{secret}/api_keys", None, {}),
                        ("GET", f"/organizations/{escaped}/api_keys", None, {}),
                        ("GET", f"/organizations/{secret}", None, {}),
                        ("GET", f"/{secret}", None, {}),
                        ("DELETE", f"/api_keys/{secret}", None, {}),
                        ("POST", f"/api_keys/{secret}/expire", {}, {}),
                        ("GET", f"/organizations?after={secret}", None, {}),
                        ("GET", f"/organizations?limit={secret}", None, {}),
                        ("GET", f"/organizations?{secret}=1", None, {}),
                        ("GET", f"/events?events={secret}", None, {}),
                        ("POST", "/organizations", {secret: "x"}, {}),
                        ("POST", "/organizations", {"name": [secret]}, {}),
                        ("POST", f"/organizations/{organization}/api_keys",
                         {"name": "k", "permissions": [secret]}, {}),
                        ("POST", "/authorization/permissions", {"slug": secret, "name": "x"}, {}),
                        ("POST", "/webhook_endpoints",
                         {"endpoint_url": "https://a.example", "events": [secret]}, {}),
                        ("POST", "/organizations", {"name": "Agent"}, {"User-Agent": f"cli {secret}"}),
                        ("GET", "/organizations", None, {"X-Request-ID": secret}),
                        ("GET", "/organizations", None, {"X-Forwarded-For": secret})]:
                    answer = service.api(method, path, body, headers=headers)
                    self.assertNotIn(secret[-20:], str(answer.body), path)
                service.request("GET", f"/organizations/{secret}", token=secret + "x")
                events = service.api("GET", "/events?limit=100")
                self.assertNotIn(secret[-20:], str(events.body))
        service.stop()
        log = "".join(service.log)
        self.assertIn("[masked]", log)
        for secret in (made["value"], token, service.management_key):
            self.assertNotIn(secret[-20:], log)


class Secrets(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.credentials = os.path.join(self.directory, "credentials")
        os.mkdir(self.credentials, 0o700)
        self.environment = {"CREDENTIALS_DIRECTORY": self.credentials}
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def file(self, name, data=ROOT_KEY, mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    def serves(self, *flags, environment=None):
        """Starts, makes a key or finds the one made before, and stops."""
        service = Service(*flags, directory=self.directory, environment=environment)
        try:
            self.assertEqual(service.api("GET", "/organizations").status, 200)
        finally:
            self.assertEqual(service.stop(), 0)
        return "".join(service.log)

    def refused(self, *flags, environment=None):
        status, said = does_not_start(self, *flags, environment=environment)
        self.assertEqual(status, 1)
        return said

    def test_the_root_key_of_a_file(self):
        root = self.file("root")
        log = self.serves("--root-key-file", root)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "keys.db.root")))
        self.assertNotIn(ROOT_KEY.hex(), log)
        database = os.path.join(self.directory, "keys.db")
        self.assertIn("ERROR_ROOT_KEY_WRONG", self.refused(
            "--database", database, "--root-key-file", self.file("other", ROOT_KEY[::-1])))
        self.assertIn("ERROR_ROOT_KEY_MISSING", self.refused(
            "--database", database, "--root-key-file", os.path.join(self.directory, "none")))
        self.serves("--root-key-file", root)

    def test_a_root_key_file_that_others_read(self):
        for mode in (0o640, 0o604, 0o660):
            root = self.file("root", mode=mode)
            said = self.refused("--root-key-file", root)
            self.assertIn(f"{root} is accessible to other users (mode {mode:03o}); make it 600",
                          said)

    def test_a_secret_that_kubernetes_mounts(self):
        # A folder that is swapped as a whole: links to "..data", which is one to the current one.
        current = os.path.join(self.directory, "..2026_12_01")
        os.mkdir(current)
        self.file(os.path.join(current, "root-key"), mode=0o440)
        os.symlink("..2026_12_01", os.path.join(self.directory, "..data"))
        path = os.path.join(self.directory, "root-key")
        os.symlink("..data/root-key", path)
        environment = {"APIKEYSD_SERVICE_HOST": "10.0.0.1", "APIKEYSD_PORT": "tcp://10.0.0.1:8787",
                       "APIKEYSD_PORT_8787_TCP_ADDR": "10.0.0.1"}  # of a service called apikeysd
        before = os.stat(path)
        if before.st_uid != 0:
            self.skipTest("needs files of root's")
        self.serves("--root-key-file", path, environment=environment)
        self.assertTrue(os.path.islink(path))
        self.assertEqual(os.stat(path).st_mtime_ns, before.st_mtime_ns)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "keys.db.root")))
        self.serves("--root-key-file", os.path.join(current, "root-key"))  # no link, the same file
        for mode, owner, group in [(0o644, 0, 0), (0o440, 0, 65534), (0o440, 65534, 0),
                                   (0o640, 0, 0), (0o460, 0, 0)]:
            os.chmod(path, mode)
            os.chown(path, owner, group)
            said = self.refused("--root-key-file", path)
            self.assertIn(f"{path} is accessible to other users (mode {mode:03o})", said)
        os.chown(path, 0, 0)
        os.chmod(path, 0o400)
        self.serves("--root-key-file", path)
        os.unlink(path)
        os.symlink("..gone/root-key", path)
        self.assertIn(f"{path}, which is not there", self.refused("--root-key-file", path))

    def test_a_root_key_that_is_none(self):
        said = self.refused("--root-key-file", self.file("short", b"short"))
        self.assertIn("holds 5 bytes instead of 32", said)
        self.assertNotIn("short\\n", said)

    def test_the_root_key_as_a_credential(self):
        # systemd grants its access by a list, which shows as a group's right to read.
        self.file("credentials/root-key", mode=0o440)
        self.serves(environment=self.environment)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "keys.db.root")))
        database = os.path.join(self.directory, "keys.db")
        self.assertIn("ERROR_ROOT_KEY_MISSING", self.refused("--database", database))
        self.serves("--root-key-file", self.file("same"))  # a file that is named comes first

    def test_a_root_key_file_that_is_a_credential_must_be_there(self):
        path = os.path.join(self.credentials, "root-key")
        said = self.refused("--root-key-file", path, environment=self.environment)
        self.assertIn(f"root-key: {path}: No such file", said)
        self.assertFalse(os.path.exists(path))  # it is nothing that the service makes
        self.file("credentials/root-key", mode=0o440)
        self.serves("--root-key-file", path, environment=self.environment)

    def test_credentials_that_are_wrong(self):
        path = self.file("credentials/root-key", mode=0o444)
        said = self.refused(environment=self.environment)
        self.assertIn(f"root-key: {path}: other users can read or change it (mode 0444)", said)
        self.file("credentials/root-key", b"short")
        said = self.refused(environment=self.environment)
        self.assertIn(f"root-key: {path}: 5 bytes instead of 32", said)
        self.file("credentials/root-key", ROOT_KEY * 2)
        said = self.refused(environment=self.environment)
        self.assertIn(f"root-key: {path}: larger than 32 bytes", said)

    def test_a_certificate_as_a_credential(self):
        certificate, key = make_certificate(self.directory, "own")
        shutil.move(certificate, os.path.join(self.credentials, "tls-certificate"))
        shutil.move(key, os.path.join(self.credentials, "tls-key"))
        service = Service(environment=self.environment)
        try:
            self.assertEqual(service.scheme, "https")
            self.assertEqual(service.request("GET", "/healthz").status, 200)
        finally:
            self.assertEqual(service.stop(), 0)

    def test_the_first_management_key_goes_to_a_file_of_ours_alone(self):
        self.serves()
        path = os.path.join(self.directory, "keys.db.management-key")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_a_management_key_file_that_is_there_is_not_written_over(self):
        path = self.file("taken", b"somebody's")
        service = Service("--management-key-file", path, demo=False)
        try:
            self.assertEqual(service.request("GET", "/healthz").status, 200)
            said = "".join(service.log)
        finally:
            self.assertEqual(service.stop(), 0)
        self.assertIn(f"{path}: a management key cannot be put there: File exists", said)
        self.assertIn("apikeysd recover", said)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"somebody's")

    def test_a_start_says_that_no_key_can_make_others(self):
        said = "no management key can make others"
        service = Service(directory=self.directory)
        try:
            self.assertNotIn(said, "".join(service.log))
            key = service.api("GET", "/management_keys").json["data"][0]
            service.api("POST", "/management_keys",
                        {"name": "reader", "permissions": ["apikeys:keys:read"]})
            forced = f"/management_keys/{key['id']}?force=true"
            self.assertEqual(service.api("DELETE", forced).status, 204)
        finally:
            self.assertEqual(service.stop(), 0)
        service = Service(directory=self.directory, demo=False)
        self.assertEqual(service.stop(), 0)
        self.assertIn(said, "".join(service.log))
        self.assertIn("apikeysd recover", "".join(service.log))

    def test_whoever_owns_the_files_gets_in_again(self):
        service = Service()
        try:
            database = os.path.join(service.directory, "keys.db")
            path = os.path.join(self.directory, "recovered")
            key = [found for found in service.api("GET", "/management_keys").json["data"]][0]
            forced = f"/management_keys/{key['id']}?force=true"
            self.assertEqual(service.api("DELETE", forced).status, 204)
            self.assertEqual(service.api("GET", "/management_keys").status, 401)
            command = [os.environ["APIKEYSD"], "recover", "--database", database,
                       "--management-key-file", path]
            self.assertEqual(subprocess.run(command, stderr=subprocess.PIPE, check=False).returncode, 0)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            again = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(again.returncode, 1)  # the file is there
            self.assertIn("File exists", again.stderr)
            with open(path, encoding="ascii") as file:
                value = file.read().strip()
            events = service.request("GET", "/events?include=operator_events&order=desc"
                                            "&events=management_key.created",
                                     token=value).json["data"]
            self.assertEqual(events[0]["data"]["name"], "Recovered management key")
        finally:
            self.assertEqual(service.stop(), 0)


if __name__ == "__main__":
    unittest.main()
