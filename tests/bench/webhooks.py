#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many webhook deliveries a second one apikeysd makes, to a receiver of its own.

    APIKEYSD=.build/…/apikeysd python3 tests/bench/webhooks.py [--answer-ms 0] [--count 600]

The receiver holds its answers until all events are planned; counted is from then on, so that
what is measured is claiming, sending and concluding, not the making of keys.
"""
import argparse
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "server"))
from receiver import Receiver  # noqa: E402
from service import Service  # noqa: E402

FLAGS = ("--webhook-allow-http", "--webhook-allow-private")


def measure(count, answer_ms):
    go = threading.Event()

    def answer(_):
        go.wait(60)
        time.sleep(answer_ms / 1000)
        return 200

    receiver = Receiver(answer, protocol="HTTP/1.1")
    service = Service(*FLAGS)
    try:
        organization = service.api("POST", "/organizations", {"name": "Acme"}).json["id"]
        service.api("POST", "/webhook_endpoints",
                    {"endpoint_url": receiver.url(), "events": ["api_key.created"]})
        path = f"/organizations/{organization}/api_keys"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: service.api("POST", path, {"name": str(i), "permissions": []}),
                          range(count)))
        time.sleep(1)
        before = len(receiver.deliveries)
        began = time.monotonic()
        go.set()
        receiver.received(count)
        took = time.monotonic() - began
        return (count - before) / took
    finally:
        go.set()
        service.stop()
        receiver.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--answer-ms", type=int, default=0)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.runs):
        rate = measure(options.count, options.answer_ms)
        print(f"{rate:.1f} deliveries/s, receiver of {options.answer_ms} ms, {options.count} events")


if __name__ == "__main__":
    main()
