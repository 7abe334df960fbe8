# SPDX-License-Identifier: MIT
"""A full disk: changes fail with a cause in the log, /readyz knows it, validations go on; and back."""
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from service import Service


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-full-")
        self.addCleanup(os.rmdir, self.directory)
        mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", self.directory]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", self.directory], check=True)
        self.service = Service(directory=self.directory)
        self.addCleanup(lambda: self.assertEqual(self.service.stop(), 0))

    def fill(self):
        path = os.path.join(self.directory, "filler")
        with open(path, "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return path

    def test_writes_fail_and_come_back(self):
        made = self.service.api("POST", "/organizations", {"name": "Acme"})
        path = f"/organizations/{made.json['id']}/api_keys"
        value = self.service.api("POST", path, {"name": "first"}).json["value"]
        self.assertEqual(self.service.request("GET", "/readyz").status, 200)
        filler = self.fill()
        statuses = []
        while not statuses or statuses[-1] == 201:  # the log's file has some room left
            statuses.append(self.service.api("POST", path, {"name": "more"}).status)
            self.assertLess(len(statuses), 5000)
        self.assertEqual(statuses[-1], 503)
        self.service.wait_for_log(lambda line: '"ERROR_STORAGE_FULL"' in line and "cause" in line)
        self.assertEqual(self.service.request("GET", "/readyz").status, 503)
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        answer = self.service.api("POST", "/api_keys/validations", {"value": value})
        self.assertEqual((answer.status, answer.json["api_key"]["name"]), (200, "first"))
        listed = 1 + statuses.count(201)
        os.unlink(filler)
        self.service.wait_for_log(lambda line: "takes changes again" in line)
        self.assertEqual(self.service.request("GET", "/readyz").status, 200)
        self.assertEqual(self.service.api("POST", path, {"name": "after"}).status, 201)
        got, after = 0, ""
        while after is not None:
            page = self.service.api("GET", f"{path}?limit=100" + (f"&after={after}" if after else ""))
            got += len(page.json["data"])
            after = page.json["list_metadata"]["after"]
        self.assertEqual(got, listed + 1)


class NoRoomForTheFirstKey(unittest.TestCase):
    """The first management key's value cannot be written: the key is revoked again."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-no-room-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.small = os.path.join(self.directory, "small")
        os.mkdir(self.small)
        mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", self.small]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", self.small], check=True)
        with open(os.path.join(self.small, "filler"), "wb") as file:
            file.write(b"x" * 4096)

    def management_keys(self):
        with sqlite3.connect(os.path.join(self.directory, "keys.db")) as database:
            return [(state == 1, reason) for state, reason in database.execute(
                "SELECT state, revoked_reason FROM api_keys ORDER BY number")]

    def test_a_key_without_its_value_does_not_stay(self):
        path = os.path.join(self.small, "key")
        service = Service("--management-key-file", path, demo=False, directory=self.directory)
        self.addCleanup(service.stop)
        service.wait_for_log(lambda line: "cannot be written" in line and path in line)
        self.assertEqual(self.management_keys(), [(False, "its value could not be written")])
        self.assertFalse(os.path.exists(path))
        other = os.path.join(self.directory, "other-key")
        command = [os.environ["APIKEYSD"], "recover", "--database",
                   os.path.join(self.directory, "keys.db"), "--management-key-file"]
        refused = subprocess.run(command + [path], capture_output=True, text=True, check=False)
        self.assertNotEqual(refused.returncode, 0)
        subprocess.run(command + [other], capture_output=True, check=True)
        self.assertEqual([active for active, _ in self.management_keys()], [False, False, True])
        with open(other, encoding="ascii") as file:
            answer = service.request("GET", "/management_keys", token=file.read().strip())
        self.assertEqual(answer.status, 200)


if __name__ == "__main__":
    unittest.main()
