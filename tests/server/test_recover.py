# SPDX-License-Identifier: MIT
"""recover --accept-restore: a backup that was restored with the service stopped."""
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from service import Service


class Restore(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="apikeysd-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.database = os.path.join(self.directory, "keys.db")
        self.journal = self.database + "-revocations"
        self.service = None
        self.addCleanup(self.stop)

    def start(self, *flags):
        self.service = Service(*flags, directory=self.directory)
        return self.service

    def stop(self):
        if self.service is not None:
            self.assertEqual(self.service.stop(), 0)
            self.service = None

    def run_command(self, *words):
        return subprocess.run([os.environ["APIKEYSD"], *words, "--database", self.database,
                               "--listen", "127.0.0.1:0"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)

    def is_good(self, value):
        answer = self.service.api("POST", "/api_keys/validations", {"value": value})
        self.assertEqual(answer.status, 200)
        return answer.json["api_key"] is not None

    def make_keys(self):
        organization = self.service.about["organization_id"]
        return [self.service.api("POST", f"/organizations/{organization}/api_keys",
                                 {"name": name, "permissions": []}).json for name in ("a", "b")]

    def back_up(self):
        source, target = sqlite3.connect(self.database), sqlite3.connect(self.database + ".copy")
        source.backup(target)
        source.close()
        target.close()

    def restore(self):
        for ending in ("-wal", "-shm"):
            if os.path.exists(self.database + ending):
                os.unlink(self.database + ending)
        shutil.copyfile(self.database + ".copy", self.database)

    def test_a_restored_backup_is_refused_until_it_is_accepted(self):
        self.start()
        gone, kept = self.make_keys()
        self.stop()
        self.back_up()
        self.start()
        self.assertEqual(self.service.api("DELETE", "/api_keys/" + gone["id"]).status, 204)
        self.stop()
        self.restore()
        refused = self.run_command()
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("ERROR_STORE_WENT_BACK", refused.stdout)
        accepted = self.run_command("recover", "--accept-restore")
        self.assertEqual(accepted.returncode, 0, accepted.stdout)
        self.start()
        self.assertFalse(self.is_good(gone["value"]))
        self.assertTrue(self.is_good(kept["value"]))
        events = self.service.api("GET", "/events?include=operator_events"
                                         "&events=environment.restored").json["data"]
        self.assertEqual(len(events), 1)

    def test_a_missing_journal_is_refused_unless_allowed(self):
        self.start()
        self.stop()
        os.unlink(self.journal)
        refused = self.run_command()
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn(self.journal, refused.stdout)
        self.assertFalse(os.path.exists(self.journal))
        self.start("--allow-missing-journal")
        self.stop()
        os.unlink(self.journal)
        accepted = self.run_command("recover", "--accept-restore")
        self.assertEqual(accepted.returncode, 0, accepted.stdout)
        self.start()

    def test_readiness_says_that_the_journal_is_behind(self):
        self.start()
        gone, other = self.make_keys()
        self.assertEqual(self.service.request("GET", "/readyz").json, {"status": "ok"})
        os.rename(self.journal, self.journal + ".aside")
        os.mkdir(self.journal)
        self.assertEqual(self.service.api("DELETE", "/api_keys/" + gone["id"]).status, 204)
        ready = self.service.request("GET", "/readyz")
        self.assertEqual((ready.status, ready.json["revocation_journal"]), (200, "behind"))
        os.rmdir(self.journal)
        os.rename(self.journal + ".aside", self.journal)
        self.assertEqual(self.service.api("DELETE", "/api_keys/" + other["id"]).status, 204)
        self.assertEqual(self.service.request("GET", "/readyz").json, {"status": "ok"})


if __name__ == "__main__":
    unittest.main()
