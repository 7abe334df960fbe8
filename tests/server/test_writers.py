# SPDX-License-Identifier: MIT
"""While another process holds the store's write lock, only what changes something waits for it."""
import os
import sqlite3
import threading
import unittest

from service import Service


class Writers(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.stop)
        made = self.service.api("POST", "/organizations", {"name": "Acme"})
        self.path = f"/organizations/{made.json['id']}/api_keys"
        self.value = self.service.api("POST", self.path, {"name": "first"}).json["value"]
        self.creator = self.service
        self.answers = []
        self.answered = threading.Condition()

    def stop(self):
        service, self.service = self.service, None
        if service is not None:
            self.assertEqual(service.stop(), 0)

    def lock_the_store(self):
        other = sqlite3.connect(os.path.join(self.service.directory, "keys.db"),
                                isolation_level=None, timeout=30)
        other.execute("BEGIN IMMEDIATE")
        self.addCleanup(other.close)
        return other

    def create(self, name):
        answer = self.creator.api("POST", self.path, {"name": name})
        with self.answered:
            self.answers.append(answer)
            self.answered.notify_all()

    def start_creations(self, count):
        threads = [threading.Thread(target=self.create, args=(f"key {i}",)) for i in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def test_validations_and_health_checks_pass_waiting_creations(self):
        other = self.lock_the_store()
        threads = self.start_creations(20)  # more than there are threads of either kind
        for i in range(200):
            good = self.service.api("POST", "/api_keys/validations", {"value": self.value})
            self.assertEqual(good.status, 200)
            self.assertIsNotNone(good.json["api_key"])
            self.assertEqual(self.service.request("GET", "/healthz").status, 200)
            self.assertEqual(self.service.request("GET", "/readyz").status, 200)
            self.assertEqual(self.service.api("GET", self.path).status, 200)
        # All of that came while every creation was waiting: the lock is still held.
        self.assertEqual(self.answers, [])
        other.execute("ROLLBACK")
        for thread in threads:
            thread.join()
        self.assertEqual({answer.status for answer in self.answers}, {201})
        listed = self.service.api("GET", self.path + "?limit=100").json["data"]
        self.assertEqual(len(listed), 1 + 20)

    def test_a_creation_that_waits_too_long_is_told_so_and_has_made_nothing(self):
        other = self.lock_the_store()
        threads = self.start_creations(30)
        for thread in threads:
            thread.join()
        other.execute("ROLLBACK")
        self.assertEqual(len(self.answers), 30)
        for answer in self.answers:
            self.assertEqual(answer.status, 503, answer)
            self.assertIsNotNone(answer.headers["Retry-After"])
        self.assertEqual(len(self.service.api("GET", self.path).json["data"]), 1)
        self.assertEqual(self.service.api("POST", self.path, {"name": "after"}).status, 201)

    def test_a_stop_answers_what_waits(self):
        other = self.lock_the_store()
        threads = self.start_creations(3)
        while self.service.api("GET", "/organizations").status != 200:
            pass
        stopping = threading.Thread(target=self.stop)
        stopping.start()
        other.execute("ROLLBACK")
        for thread in threads:
            thread.join()
        stopping.join()
        self.assertEqual(len(self.answers), 3)
        self.assertTrue(all(answer.status in (201, 503) for answer in self.answers), self.answers)


if __name__ == "__main__":
    unittest.main()
