# SPDX-License-Identifier: MIT
"""Requests that two readers could read differently, and clients that mean harm.

Whatever comes: one answer at most, the connection ended, and the service alive for others.
"""
import json
import re
import select
import socket
import unittest

from service import ServiceTest, read_all

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
BODY = b'{"value":"x"}'


def post(*lines, body=BODY):
    """A validation with these header lines, as bytes."""
    head = b"POST /api_keys/validations HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines)
    return head + b"\r\n" + body


def get(*lines, target=b"/healthz", version=b"HTTP/1.1"):
    return (b"GET " + target + b" " + version + b"\r\n" +
            b"".join(line + b"\r\n" for line in lines) + b"\r\n")


HOST = b"Host: a.example"
LENGTH = b"Content-Length: 13"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n"

# name: bytes, the statuses that are right
AMBIGUOUS = {
    "two lengths": (post(HOST, LENGTH, b"Content-Length: 5") + SMUGGLED, {400}),
    "the same length twice": (post(HOST, LENGTH, LENGTH) + SMUGGLED, {400}),
    "a list of lengths": (post(HOST, b"Content-Length: 13, 13") + SMUGGLED, {400}),
    "a signed length": (post(HOST, b"Content-Length: +13") + SMUGGLED, {400}),
    "a negative length": (post(HOST, b"Content-Length: -1") + SMUGGLED, {400}),
    "a hexadecimal length": (post(HOST, b"Content-Length: 0xd") + SMUGGLED, {400}),
    "an empty length": (post(HOST, b"Content-Length:") + SMUGGLED, {400}),
    "a length with blanks": (post(HOST, b"Content-Length: 1 3") + SMUGGLED, {400}),
    "a length beyond all": (post(HOST, b"Content-Length: 99999999999999999999") + SMUGGLED,
                            {400, 413}),
    "length and chunks": (post(HOST, LENGTH, b"Transfer-Encoding: chunked",
                               body=b"0\r\n\r\n") + SMUGGLED, {400, 411}),
    "chunks": (post(HOST, b"Transfer-Encoding: chunked", body=b"d\r\n" + BODY + b"\r\n0\r\n\r\n"),
               {411}),
    "chunks, in capitals": (post(HOST, b"TRANSFER-ENCODING: Chunked", body=b"0\r\n\r\n") + SMUGGLED,
                            {411}),
    "an unknown coding": (post(HOST, b"Transfer-Encoding: xchunked", body=b"") + SMUGGLED,
                          {400, 411, 501}),
    "chunks and identity": (post(HOST, b"Transfer-Encoding: identity, chunked",
                                 body=b"0\r\n\r\n") + SMUGGLED, {400, 411}),
    "two hosts": (get(HOST, b"Host: b.example"), {400}),
    "no host": (get(), {400}),
    "two authorizations": (post(HOST, LENGTH, b"Authorization: Bearer a",
                                b"Authorization: Bearer b"), {400}),
    "a NUL in a value": (get(HOST, b"Authorization: Bearer A\0B"), {400}),
    "a NUL in the last value": (get(HOST, b"X-A: b\0"), {400}),
    "a NUL in a name": (get(HOST, b"X-\0A: b"), {400}),
    "a bare CR in a value": (get(HOST, b"X-A: b\rX-B: c"), {400}),
    "a bare LF as the line's end": (b"GET /healthz HTTP/1.1\r\nHost: a.example\nX-A: b\r\n\r\n",
                                    {400}),
    "bare LFs only": (b"GET /healthz HTTP/1.1\nHost: a.example\n\n", {400}),
    "a folded header": (get(HOST, b"X-A: b\r\n c"), {400}),
    "a folded header, with a tab": (get(HOST, b"X-A: b\r\n\tc"), {400}),
    "a folded length": (post(HOST, b"Content-Length:\r\n 13") + SMUGGLED, {400}),
    "a blank before the colon": (get(HOST, b"X-A : b"), {400}),
    "a blank before the length's colon": (post(HOST, b"Content-Length : 13") + SMUGGLED, {400}),
    "a header without a colon": (get(HOST, b"nonsense"), {400}),
    "a header without a name": (get(HOST, b": b"), {400}),
    "a blank before the first header": (b"GET /healthz HTTP/1.1\r\n Host: a.example\r\n\r\n", {400}),
    "a control character in a value": (get(HOST, b"X-A: b\x01c"), {400}),
    "DEL in a value": (get(HOST, b"X-A: b\x7fc"), {400}),
    "a form feed in a name": (get(HOST, b"X-\x0cA: b"), {400}),
    "brackets in a name": (get(HOST, b"X(A): b"), {400}),
    "bytes above ASCII in a name": (get(HOST, b"X-\xc3\xa9: b"), {400}),
    "blanks behind a host": (get(b"Host: a.example "), {400}),
    "a blank after how the body is sent": (post(HOST, b"Transfer-Encoding: chunked ") + SMUGGLED,
                                           {400, 411}),
    "an absolute target": (get(HOST, target=b"http://b.example/healthz"), {400}),
    "an authority as target": (b"CONNECT b.example:80 HTTP/1.1\r\nHost: b.example\r\n\r\n",
                               {400, 405}),
    "a star as target": (b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", {400}),
    "a fragment in the target": (get(HOST, target=b"/healthz#x"), {400}),
    "a NUL escaped in the path": (get(HOST, target=b"/api_keys/a%00b"), {400, 404, 405}),
    "dot segments": (get(HOST, target=b"/x/../healthz"), {400}),
    "escaped dot segments": (get(HOST, target=b"/x/%2e%2e/healthz"), {400, 404}),
    "an escaped slash in a name": (get(HOST, target=b"/health%7a"), {404}),
    "a bad escape": (get(HOST, target=b"/healthz?a=%zz"), {400}),
    "a cut escape": (get(HOST, target=b"/healthz?a=%2"), {400}),
    "a NUL escaped in the query": (get(HOST, target=b"/healthz?a=%00"), {400}),
    "bytes above ASCII in the target": (get(HOST, target=b"/health\xc3\xa9"), {400}),
    "a tab in the target": (get(HOST, target=b"/healthz\tx"), {400, 404}),
    "an unknown method": (b"FOO /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n", {405}),
    "a method in small letters": (b"get /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n", {405}),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n", {405}),
    "version 2.0": (get(HOST, version=b"HTTP/2.0"), {400, 505}),
    "version 1.2": (get(HOST, version=b"HTTP/1.2"), {400, 505}),
    "version 0.9": (b"GET /healthz\r\n\r\n", {400, 505}),
    "a version in small letters": (get(HOST, version=b"http/1.1"), {400, 505}),
    "65 headers": (get(HOST, *(b"X-%d: b" % i for i in range(64))), {431}),
    "2,000 headers": (get(HOST, *(b"X-%d: b" % i for i in range(2000))), {431}),
    "a header of 20 KB": (get(HOST, b"X-A: " + b"b" * 20000), {431}),
    "a target of 9 KB": (get(HOST, target=b"/healthz?" + b"a" * 9000), {414}),
    "a body of 100 MB, announced": (post(HOST, b"Content-Length: 100000000"), {413}),
    "a version that is none": (get(HOST, version=b"HTTQ/1.1"), {400}),
    "version 1.10": (get(HOST, version=b"HTTP/1.10"), {400}),
    "the beginning of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}),
    "a blank in the target": (get(HOST, target=b"/heal thz"), {400}),
    "a blank after the version": (get(HOST, version=b"HTTP/1.1 "), {400}),
    "two blanks before the target": (get(HOST, target=b" /healthz"), {400}),
    "no target": (b"GET \r\n\r\n", {400}),
    "a bad length where no body is": (get(HOST, b"Content-Length: x"), {400}),
    "a length with many zeros": (post(HOST, b"Content-Length: " + b"0" * 30 + b"13"), {413}),
    "a blank after the length": (post(HOST, b"Content-Length: 13 ") + SMUGGLED, {400}),
    "900 parameters": (get(HOST, target=b"/healthz?" + b"&".join(b"a=%d" % i for i in range(900))),
                       {400}),
}

# Heads that never end, and what is said once there is no more room for them.
ENDLESS = {
    "a header": (b"GET /healthz HTTP/1.1\r\nHost: a.example\r\nX-A: ", 431),
    "a target": (b"GET /", 414),
    "a method": (b"G", 414),
}

# Of these not even the first line is HTTP's: the connection ends, and no more is said.
NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a word": b"GET\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nHost: a.example\r\n\r\n",
}


def answers(data):
    """The answers in what came back: status, headers, body."""
    found = []
    while data:
        match = STATUS_LINE.match(data)
        head, _, rest = data.partition(b"\r\n\r\n")
        if not match or b"\r\n\r\n" not in data:
            raise AssertionError(f"no answer: {data[:200]!r}")
        headers = {name.strip().lower(): value.strip() for name, _, value in
                   (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        length = int(headers.get(b"content-length", b"0"))
        found.append((int(match.group(1)), headers, rest[:length]))
        data = rest[length:]
    return found


class Ambiguous(ServiceTest):
    def check(self, data, expected):
        self.judge(self.service.raw(data), expected)

    def judge(self, got, expected):
        found = answers(got)
        self.assertEqual(len(found), 1, "one answer, to one request")
        status, headers, body = found[0]
        self.assertIn(status, expected)
        self.assertEqual(headers[b"connection"].lower(), b"close")
        self.assertRegex(headers[b"x-request-id"], rb"^req_[0-9a-f]{32}$")
        self.assertEqual(headers[b"content-type"], b"application/json; charset=utf-8")
        self.assertEqual(sorted(json.loads(body)), ["code", "message"])
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)

    def test_each_is_refused_and_ends_the_connection(self):
        for name, (data, expected) in AMBIGUOUS.items():
            with self.subTest(name):
                if expected == {404}:
                    self.assertEqual(answers(self.service.raw(data))[0][0], 404)
                else:
                    self.check(data, expected)

    def test_blanks_around_a_value_are_none_of_it(self):
        key = self.service.management_key.encode()
        close = b"Connection: close"
        for name, line, expected in [
                ("a tab before", b"Authorization:\tBearer " + key, 200),
                ("none before", b"Authorization:Bearer " + key, 200),
                ("blanks behind", b"Authorization: Bearer " + key + b" \t ", 200),
                ("blanks in the middle", b"Authorization: Bearer   " + key, 200),
                ("no value", b"Authorization: Bearer", 401),
                ("no value but blanks", b"Authorization: Bearer  ", 401),
                ("a tab in the middle", b"Authorization: Bearer\t" + key, 401)]:
            with self.subTest(name):
                data = get(HOST, close, line, target=b"/organizations")
                self.assertEqual(answers(self.service.raw(data))[0][0], expected)

    def test_what_is_no_http_ends_the_connection(self):
        for name, data in NO_HTTP.items():
            with self.subTest(name):
                self.assertEqual(self.service.raw(data + SMUGGLED), b"")
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)

    def test_a_head_without_end(self):
        for name, (data, expected) in ENDLESS.items():
            with self.subTest(name):
                self.judge(self.until_answered(data), {expected})

    def until_answered(self, data):
        """A little at a time: a client that goes on sending may lose the answer to a reset."""
        with socket.create_connection((self.service.host, self.service.port)) as connection:
            while not select.select([connection], [], [], 0.01)[0]:
                connection.sendall(data)
                data = b"a" * 4096
            return read_all(connection)

    def test_a_request_after_a_good_one_is_looked_at_as_closely(self):
        for name in ("a hexadecimal length", "no host", "2,000 headers", "version 2.0"):
            with self.subTest(name):
                data, expected = AMBIGUOUS[name]
                first, second = answers(self.service.raw(get(HOST) + data))
                self.assertEqual(first[0], 200)
                self.assertIn(second[0], expected)
                self.assertIn("message", json.loads(second[2]))

    def test_a_nul_in_every_place_of_a_request(self):
        whole = post(HOST, LENGTH, b"Authorization: Bearer abc", body=b"")
        for i in range(len(whole) - 2):
            with self.subTest(i):
                data = whole[:i] + b"\0" + whole[i:]
                got = self.service.raw(data + SMUGGLED)
                self.assertNotIn(b'"status":"ok"', got)
                for status, _, body in answers(got):
                    self.assertGreaterEqual(status, 400)
                    self.assertIn("message", json.loads(body))
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)

    def test_two_requests_in_a_row_are_two(self):
        found = answers(self.service.raw(SMUGGLED + SMUGGLED))
        self.assertEqual([status for status, _, _ in found], [200, 200])

    def test_the_longest_that_is_allowed_passes(self):
        headers = [b"X-%d: b" % i for i in range(62)]
        found = answers(self.service.raw(get(HOST, b"X-A: " + b"b" * 8000, *headers)))
        self.assertEqual([status for status, _, _ in found], [200])


class Bodies(ServiceTest):
    def validate(self, body):
        return self.service.api("POST", "/api_keys/validations", body)

    def test_what_is_no_json_object_is_said(self):
        for body in (b"{", b"[]", b"1", b'"x"', b"null", b"nul", b"\xff\xfe", b'{"value":"\xff"}',
                     b'{"value":"a","value":"b"}', b"{'value':1}", b'{"value":NaN}',
                     b"[" * 5000, b'{"a":' * 5000, b"{} {}", b'{"value":"\\ud800"}'):
            with self.subTest(body[:20]):
                answer = self.validate(body)
                self.assertEqual(answer.status, 400)
                self.assertEqual(answer.json["code"], "invalid_json")
                self.assertNotIn(b"value", answer.body)

    def test_wrong_types_name_their_field(self):
        for value in (1, None, True, [], {}, ["x"]):
            with self.subTest(value):
                answer = self.validate({"value": value})
                self.assertEqual(answer.status, 422)
                self.assertEqual(answer.json["errors"][0]["field"], "value")

    def test_values_of_all_kinds_are_no_keys(self):
        for value in ("", "0", "sk_", "x" * 60000, "\u202esk_", "sk_" + "\u0660" * 54):
            with self.subTest(value[:10]):
                answer = self.validate({"value": value})
                self.assertEqual((answer.status, answer.json), (200, {"api_key": None}))

    def test_a_body_over_the_limit(self):
        self.assertEqual(self.validate(b"x" * 70000).status, 413)

    def test_a_client_that_goes_away_in_the_middle(self):
        for _ in range(20):
            self.service.raw(post(HOST, b"Content-Length: 1000"))
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)


class Slow(ServiceTest):
    """Total deadlines: a client that goes on sending is ended all the same."""
    flags = ("--request-timeout", "1")

    def trickle(self, head):
        """Sends a byte whenever the service lets it, until the service ends the connection."""
        with socket.create_connection((self.service.host, self.service.port)) as connection:
            connection.sendall(head)
            connection.settimeout(0.1)  # between two bytes
            while True:
                try:
                    if connection.recv(4096) == b"":
                        return
                except TimeoutError:
                    pass
                except ConnectionResetError:
                    return
                try:
                    connection.sendall(b"a")
                except (BrokenPipeError, ConnectionResetError):
                    return

    def test_a_slow_head(self):
        self.trickle(b"GET /healthz HTTP/1.1\r\nX-A: ")

    def test_a_slow_body(self):
        self.trickle(post(HOST, b"Content-Length: 60000"))

    def test_nothing_at_all(self):
        with socket.create_connection((self.service.host, self.service.port)) as connection:
            connection.settimeout(30)
            self.assertEqual(read_all(connection), b"")

    def test_others_are_served_meanwhile(self):
        slow = [socket.create_connection((self.service.host, self.service.port))
                for _ in range(100)]
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\n")
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        for connection in slow:
            connection.close()


class Crowds(ServiceTest):
    flags = ("--max-connections-per-address", "8")

    def test_one_address_has_no_more_connections_than_it_may(self):
        crowd = [socket.create_connection((self.service.host, self.service.port))
                 for _ in range(8)]
        with socket.create_connection((self.service.host, self.service.port)) as one_more:
            one_more.settimeout(30)
            self.assertEqual(read_all(one_more), b"")
        crowd.pop().close()
        for connection in crowd:
            connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
