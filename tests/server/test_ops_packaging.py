# SPDX-License-Identifier: MIT
"""How the service is run by others: the systemd unit, the Containerfile, and what it tells a
supervisor."""
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import unittest

from service import Service

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
APIKEYSD = os.environ["APIKEYSD"]
EXPOSURE = 20  # tenths: what systemd itself calls OK


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Unit(unittest.TestCase):
    def setUp(self):
        path = os.path.join(os.path.dirname(APIKEYSD), "apikeysd.service")
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.settings = re.findall(r"^(\w+)=(.*)$", self.text, re.MULTILINE)

    def test_nothing_is_left_to_fill_in(self):
        self.assertNotRegex(self.text, r"@\w+@")
        command = dict(self.settings)["ExecStart"]
        self.assertTrue(os.path.isabs(command), command)

    def test_every_variable_is_a_setting_of_the_service(self):
        known = subprocess.run([APIKEYSD, "--help"], capture_output=True, text=True, check=True)
        for name, text in self.settings:
            if name == "Environment":
                variable = text.split("=")[0]
                flag = variable.removeprefix("APIKEYSD_").lower().replace("_", "-")
                self.assertIn(f"--{flag} ", known.stdout, variable)

    def systemd_analyze(self, *arguments):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        with tempfile.TemporaryDirectory(prefix="apikeysd-") as directory:
            unit = os.path.join(directory, "apikeysd.service")
            with open(unit, "w", encoding="utf-8") as file:
                # The command must be there; the manual is where it was installed.
                text = re.sub("^ExecStart=.*$", f"ExecStart={APIKEYSD}", self.text,
                              flags=re.MULTILINE)
                file.write(re.sub("^Documentation=.*$", "", text, flags=re.MULTILINE))
            done = subprocess.run(["systemd-analyze", *arguments, unit], capture_output=True,
                                  text=True, env={**os.environ, "SYSTEMD_PAGER": ""})
        return done.returncode, done.stdout + done.stderr

    def test_systemd_understands_it(self):
        status, said = self.systemd_analyze("verify")
        self.assertEqual((status, said), (0, ""))

    def test_little_is_exposed(self):
        status, said = self.systemd_analyze("security", "--offline=true",
                                            f"--threshold={EXPOSURE}", "--no-pager")
        self.assertEqual(status, 0, said[-200:])


class Supervisor(unittest.TestCase):
    def told(self, make_path, environment_of):
        directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.bind(make_path(directory))
            supervisor.settimeout(60)
            service = Service(environment={"NOTIFY_SOCKET": environment_of(directory)})
            self.assertEqual(supervisor.recv(100), b"READY=1")
            self.assertEqual(service.stop(), 0)
            self.assertEqual(supervisor.recv(100), b"STOPPING=1")

    def test_is_told_when_it_serves_and_when_it_stops(self):
        self.told(lambda directory: f"{directory}/s", lambda directory: f"{directory}/s")

    def test_by_an_abstract_name_too(self):
        self.told(lambda directory: f"\0{directory}", lambda directory: f"@{directory}")

    def test_may_be_gone(self):
        service = Service(environment={"NOTIFY_SOCKET": "/nowhere/at/all"})
        self.assertEqual(service.stop(), 0)


class Container(unittest.TestCase):
    """Ours, since Debian has no linter for these."""

    def setUp(self):
        text = re.sub(r"^#.*\n", "", read("examples", "apikeysd", "Containerfile"), flags=re.MULTILINE)
        text = text.replace("\\\n", " ")
        self.steps = [line.split(None, 1) for line in text.splitlines() if line.strip()]
        last = max(i for i, (name, _) in enumerate(self.steps) if name == "FROM")
        self.build, self.final = self.steps[:last], self.steps[last:]

    def of(self, steps, name):
        return [text for step, text in steps if step == name]

    def packages(self, steps):
        installed = " ".join(self.of(steps, "RUN")).split("--no-install-recommends", 1)[1]
        return set(installed.split("&&")[0].split())

    def test_bases_are_named_with_their_version(self):
        for base in self.of(self.steps, "FROM"):
            self.assertRegex(base, r"^debian:bookworm-slim( AS \w+)?$")

    def test_packages_are_installed_lean(self):
        for run in self.of(self.steps, "RUN"):
            if "apt-get install" in run:
                self.assertIn("apt-get update", run)
                self.assertIn("rm -rf /var/lib/apt/lists", run)
        self.assertFalse([name for name in self.packages(self.final) if name.endswith("-dev")])

    def test_what_is_built_with_is_what_the_build_needs(self):
        needed = re.search(r"need_server_packages\(\).*?\n}", read(".ci", "install.sh"), re.DOTALL)
        base = re.search(r"need_build_packages\(\).*?\n}", read(".ci", "install.sh"), re.DOTALL)
        names = set(re.findall(r"^  need (\S+)", needed[0] + "\n" + base[0], re.MULTILINE))
        self.assertEqual(self.packages(self.build), names)

    def test_what_it_is_linked_with_is_installed(self):
        dynamic = subprocess.run(["readelf", "-d", APIKEYSD], capture_output=True, text=True,
                                 check=True).stdout
        for library in re.findall(r"NEEDED.*\[lib([a-z0-9-]+?)(?:-gnutls)?\.so", dynamic):
            if library not in ("c", "m", "pthread", "apikeys", "asan", "ubsan", "tsan"):
                self.assertTrue([name for name in self.packages(self.final)
                                 if name.startswith(f"lib{library}")], library)

    def test_does_not_run_as_root(self):
        user, = self.of(self.final, "USER")
        self.assertRegex(user, r"^[1-9]\d*:[1-9]\d*$")  # a number: Kubernetes checks runAsNonRoot
        names = [name for name, _ in self.final]
        self.assertGreater(names.index("ENTRYPOINT"), names.index("USER"))

    def test_no_secret_is_a_part_of_the_image(self):
        for name in ("ENV", "ARG"):
            for text in self.of(self.steps, name):
                for variable in shlex.split(text):
                    key, _, value = variable.partition("=")
                    if re.search("KEY|SECRET|TOKEN|PASSWORD", key.removeprefix("APIKEYSD_")):
                        self.assertRegex(value, "^/(run/credentials|var/lib/apikeysd)/", key)
        for text in self.of(self.final, "COPY"):
            self.assertTrue(text.startswith("--from=build /build/"), text)
        self.assertFalse(self.of(self.steps, "ADD"))

    def test_ends_well_and_can_be_asked(self):
        self.assertEqual(self.of(self.final, "STOPSIGNAL"), ["SIGTERM"])
        self.assertEqual(self.of(self.final, "ENTRYPOINT"), ['["/usr/bin/apikeysd"]'])
        self.assertEqual(len(self.of(self.final, "HEALTHCHECK")), 1)

    def test_the_health_check_tells(self):
        check, = self.of(self.final, "HEALTHCHECK")
        command = json.loads(check.split("CMD ")[1])
        service = Service()
        try:
            command[-1] = command[-1].replace("127.0.0.1/8787", f"127.0.0.1/{service.port}")
            self.assertEqual(subprocess.run(command, stderr=subprocess.DEVNULL).returncode, 0)
        finally:
            self.assertEqual(service.stop(), 0)
        self.assertNotEqual(subprocess.run(command, stderr=subprocess.DEVNULL).returncode, 0)

    def test_what_is_copied_is_enough_to_configure_the_build(self):
        with tempfile.TemporaryDirectory(prefix="apikeysd-") as directory:
            for text in self.of(self.build, "COPY"):
                *sources, target = text.split()
                self.assertTrue(target.startswith("/src/"), target)
                for source in sources:
                    self.copy(source, directory + target)
            command = self.of(self.build, "RUN")[-1].split("&&")[0]
            command = command.replace("/src", f"{directory}/src")
            command = command.replace("/build", f"{directory}/build")
            done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def copy(self, source, target):
        source = os.path.join(ROOT, source)
        if os.path.isdir(source):
            shutil.copytree(source, target)
        else:
            os.makedirs(target, exist_ok=True)
            shutil.copy(source, target)


if __name__ == "__main__":
    unittest.main()
