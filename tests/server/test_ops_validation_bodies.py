# SPDX-License-Identifier: MIT
"""POST /api_keys/validations has a short way for the plain body: it and the parser must agree."""
import json
import unittest

from rest import RestTest


class Bodies(RestTest):
    def setUp(self):
        self.value = self.key(self.organization())["value"]

    def send(self, body):
        return self.service.api("POST", "/api_keys/validations", body.encode())

    def test_the_same_however_it_is_written(self):
        escaped = "".join(f"\\u{ord(c):04x}" for c in self.value)
        for body in ('{"value":"%s"}', '{"value": "%s"}', ' {\r\n\t"value" : "%s" } \n',
                     '{"value":"%s","other":1}', '{"other":{},"value":"%s"}'):
            for text in (self.value, escaped):
                answer = self.send(body % text)
                self.assertEqual(answer.status, 200, answer)
                self.assertIsNotNone(answer.json["api_key"], body)

    def test_what_is_no_key(self):
        for value in ("", " ", self.value + " ", self.value[:-1], self.value + "\0", "\0",
                      "\u00e9", "a\\b", 'a"b', "\x7f"):
            for ascii_only in (True, False):
                answer = self.send(json.dumps({"value": value}, ensure_ascii=ascii_only))
                self.assertEqual((answer.status, answer.json), (200, {"api_key": None}), value)

    def test_what_is_no_json(self):
        for body in ('{"value":"%s"', '{"value":"%s"}x', '{"value":"%s"}}', '{"value":"%s}',
                     '{"value":"%s",}', '{"value":"%s","value":"%s"}', '{value:"%s"}',
                     '{"value":"%s"}\0', '{"value":"a\0%s"}', '{"value":"a\n%s"}', '"%s"'):
            answer = self.send(body.replace("%s", self.value))
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_json"), body)
            self.assertNotIn(self.value, answer.body.decode())


if __name__ == "__main__":
    unittest.main()
