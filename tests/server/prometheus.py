# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus's text format 0.0.4: whatever is not exactly right is an error."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{([^}}]*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Family:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.samples = {}  # (sample's name, its labels as a sorted tuple) -> value

    def value(self, suffix="", **labels):
        return self.samples[(self.name + suffix, tuple(sorted(labels.items())))]

    def labels(self):
        """Every label set, without "le"."""
        return {tuple(pair for pair in labels if pair[0] != "le") for _, labels in self.samples}


def read_labels(text):
    pairs, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels: {text}"
        pairs.append(match.groups())
        at = match.end()
    assert not text.endswith(","), text
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), text
    return tuple(sorted(pairs))


def check_histogram(family):
    for labels in family.labels():
        buckets = [(float(dict(key[1])["le"]), value) for key, value in family.samples.items()
                   if key[0].endswith("_bucket") and
                   tuple(pair for pair in key[1] if pair[0] != "le") == labels]
        bounds, counts = zip(*buckets)
        assert list(bounds) == sorted(set(bounds)), f"{family.name}: bounds {bounds}"
        assert list(counts) == sorted(counts), f"{family.name}: not cumulative {counts}"
        assert bounds[-1] == float("inf"), family.name
        assert counts[-1] == family.value("_count", **dict(labels)), family.name
        assert family.value("_sum", **dict(labels)) >= 0, family.name


def read(text):
    """{name: Family}. Each family in one piece: HELP, TYPE, then its samples, at least one."""
    assert text.endswith("\n")
    families, helped, current = {}, None, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped, help_text = line[7:].split(" ", 1)
            assert help_text and helped not in families, line
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == helped and name not in families and kind in SUFFIXES, line
            assert (kind == "counter") == name.endswith("_total"), line
            current = families[name] = Family(name, kind)
        else:
            match = SAMPLE.fullmatch(line)
            assert match and current, f"no sample: {line!r}"
            name, labels, value = match.groups()
            assert name in [current.name + end for end in SUFFIXES[current.kind]], line
            key = (name, read_labels(labels or ""))
            assert key not in current.samples, f"twice: {line}"
            current.samples[key] = float(value)
            assert current.kind == "gauge" or current.samples[key] >= 0, line
    for family in families.values():
        assert family.samples or family.name == "apikeysd_http_requests_total", family.name
        if family.kind == "histogram":
            check_histogram(family)
    return families
