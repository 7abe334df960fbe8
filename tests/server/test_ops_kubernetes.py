# SPDX-License-Identifier: MIT
"""The manifest kubernetes.yaml, tried by imitation: files as kubelet lays them out, and its user."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from service import Service

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
SECRET, DATA = "/secrets", "/data"


def manifest():
    with open(os.path.join(ROOT, "examples/apikeysd/kubernetes.yaml"), encoding="utf-8") as file:
        return re.sub(r"^#.*", "", file.read(), flags=re.MULTILINE)


class MountedSecret:
    """A directory of links to ..data, which leads to the newest version, and is swapped."""

    def __init__(self, path, mode, group):
        self.path, self.mode, self.group, self.version = path, mode, group, 0
        os.mkdir(path, 0o755)

    def publish(self, entries):
        before = os.path.realpath(os.path.join(self.path, "..data"))
        self.version += 1
        directory = os.path.join(self.path, f"..v{self.version}")
        os.mkdir(directory, 0o755)
        for name, data in entries.items():
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(data)
            os.chown(path, 0, self.group)
            os.chmod(path, self.mode)
            if not os.path.lexists(os.path.join(self.path, name)):
                os.symlink(f"..data/{name}", os.path.join(self.path, name))
        os.symlink(f"..v{self.version}", os.path.join(self.path, "..data_tmp"))
        os.rename(os.path.join(self.path, "..data_tmp"), os.path.join(self.path, "..data"))
        if self.version > 1:
            shutil.rmtree(before)


@unittest.skipUnless(os.geteuid() == 0, "only root lays files out as kubelet does")
class Kubernetes(unittest.TestCase):
    def setUp(self):
        self.text = manifest()
        self.user = self.number("runAsUser")
        self.group = self.number("fsGroup")
        # kubelet adds the group's right to read where there is an fsGroup
        self.mode = int(self.value("defaultMode"), 8) | 0o440
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        self.secret = os.path.join(self.directory, "secret")
        self.data = os.path.join(self.directory, "data")
        os.mkdir(self.data)
        os.chown(self.data, 0, self.group)
        os.chmod(self.data, 0o2770)

    def value(self, name):
        return re.search(rf"\b{name}: (\w+)", self.text)[1]

    def number(self, name):
        return int(self.value(name))

    def environment(self):
        found = dict(re.findall(r"name: (APIKEYSD_\w+), value: (/\S+)}", self.text))
        found["CREDENTIALS_DIRECTORY"] = os.path.join(self.directory, "none")  # as in the image
        return {name: re.sub(f"^{SECRET}", self.secret, re.sub(f"^{DATA}", self.data, value))
                for name, value in found.items()}

    def reachable(self):
        program = os.environ["APIKEYSD"]
        done = subprocess.run([program, "--help"], user=self.user, group=self.group,
                              extra_groups=[], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False) if os.access(
                                  program, os.X_OK) else None
        return done is not None and done.returncode == 0

    def service(self):
        environment = self.environment()
        return Service("--database", environment["APIKEYSD_DATABASE"], directory=self.data,
                       environment=environment, user=self.user, group=self.user,
                       extra_groups=[self.group])

    def serves(self):
        service = self.service()
        try:
            self.assertEqual(service.request("GET", "/readyz").status, 200)
        finally:
            self.assertEqual(service.stop(), 0)

    def test_the_mounts_are_directories_and_the_paths_are_in_them(self):
        self.assertNotIn("subPath", self.text)
        mounts = re.findall(r"mountPath: ([\w/]+)", self.text)
        self.assertEqual(sorted(mounts), sorted([SECRET, DATA]))
        paths = self.environment()
        self.assertTrue(paths["APIKEYSD_ROOT_KEY_FILE"].startswith(self.secret + "/"))
        self.assertTrue(paths["APIKEYSD_DATABASE"].startswith(self.data + "/"))
        self.assertTrue(paths["APIKEYSD_MANAGEMENT_KEY_FILE"].startswith(self.data + "/"))

    def test_it_serves_with_a_secret_as_kubelet_mounts_it(self):
        if not self.reachable():
            self.skipTest("another user cannot run the service from here")
        secret = MountedSecret(self.secret, self.mode, self.group)
        secret.publish({"root-key": FIRST})
        self.serves()
        secret.publish({"root-key": FIRST})  # swapped, and the same
        self.serves()
        with open(os.path.join(self.secret, "root-key"), "rb") as file:
            self.assertEqual(file.read(), FIRST)
        secret.publish({"root-key": SECOND})
        with self.assertRaisesRegex(AssertionError, "ERROR_ROOT_KEY_WRONG"):
            self.service()

    def test_a_wider_mode_and_another_group_are_refused(self):
        if not self.reachable():
            self.skipTest("another user cannot run the service from here")
        secret = MountedSecret(self.secret, 0o444, self.group)
        secret.publish({"root-key": FIRST})
        with self.assertRaisesRegex(AssertionError, "ERROR_ROOT_KEY_EXPOSED"):
            self.service()
        secret.mode, secret.group = self.mode, self.group + 1
        secret.publish({"root-key": FIRST})
        with self.assertRaisesRegex(AssertionError, "ERROR_ROOT_KEY_(MISSING|EXPOSED)"):
            self.service()


if __name__ == "__main__":
    unittest.main()
