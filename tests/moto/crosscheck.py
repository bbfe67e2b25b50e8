"""Sends the same plain calls to the sandbox's cloud and to moto, and compares the shapes of the answers.

Every difference must stand in docs/MOTO.md, with who is right; a line there that no difference needs is an error too.
"""

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.config import Config

import calls
import shapes

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "MOTO.md"


@dataclasses.dataclass
class Zone:
    name: str
    id: str


class Side:
    """One of the two clouds, and what it has answered."""

    def __init__(self, name, url):
        self.name, self.answers, self.recording = name, [], True
        self.sts, self.iam, self.s3, self.route53, self.cloudfront = (
            self.client(service, url) for service in ("sts", "iam", "s3", "route53", "cloudfront")
        )

    def client(self, service, url):
        client = boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="AKIACROSSCHECK",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        client.meta.events.register("after-call", self.record)
        return client

    def record(self, http_response, model, **_):
        if self.recording:
            body = b"" if model.has_streaming_output else http_response.content
            call = f"{model.service_model.service_name} {model.name}"
            self.answers.append((call, shapes.shape(http_response.status_code, http_response.headers, body)))

    @contextlib.contextmanager
    def unrecorded(self):
        self.recording = False
        yield
        self.recording = True


@contextlib.contextmanager
def sandbox(binary):
    """The sandbox's cloud, as `cdn-sandbox serve` starts it, and the hosted zone that is in it."""
    command = [binary, "serve", "--emulators-only", "--deploy-seconds", "0", "--iam-propagation-seconds", "0"]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline() or sys.exit("cdn-sandbox did not start"))
        side = Side("sandbox", ready["aws"])
        name, _, zone = ready["managed_zone"].partition(":")
        side.zone = Zone(name.rstrip("."), zone)
        yield side


@contextlib.contextmanager
def moto():
    """moto's server, with a hosted zone like the sandbox's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = pathlib.Path(sys.executable).with_name("moto_server")
    with running([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        url = f"http://127.0.0.1:{port}"
        until_up(f"{url}/moto-api/")
        side = Side("moto", url)
        with side.unrecorded():
            made = side.route53.create_hosted_zone(Name="managed.example.net", CallerReference="crosscheck")
        side.zone = Zone("managed.example.net", made["HostedZone"]["Id"].rpartition("/")[2])
        yield side


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def until_up(url, bound=60):
    for _ in range(bound * 10):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} never answered")


def compare(ours, theirs):
    """All differences: call, path, the sandbox's, moto's."""
    made = [[call for call, _ in side.answers] for side in (ours, theirs)]
    assert made[0] == made[1], "the two sides were asked different things"
    found = []
    for (call, one), (_, other) in zip(ours.answers, theirs.answers):
        found += [(call, *difference) for difference in shapes.differences(one, other)]
    return len(made[0]), sorted(set(found))


def explained(text):
    """The lines of the table: call, path, the sandbox's, moto's. A `*` in the first two stands for anything."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`"):
            if cells[4] not in ("sandbox", "moto", "both", "unknown") or not cells[5]:
                sys.exit(f"docs/MOTO.md: who is right, and why? {line}")
            yield tuple(re.sub("^`|`$", "", cell) for cell in cells[:4])


def matches(line, difference):
    wild = all(fnmatch.fnmatchcase(value, pattern) for value, pattern in zip(difference[:2], line[:2]))
    return wild and tuple(line[2:]) == tuple(difference[2:])


def check(found, lines):
    """What is wrong with the table, a sentence each."""
    for difference in found:
        if not any(matches(line, difference) for line in lines):
            yield "not in docs/MOTO.md: | " + " | ".join(f"`{cell}`" for cell in difference) + " |"
    for line in lines:
        if not any(matches(line, difference) for difference in found):
            yield "in docs/MOTO.md, but there is no such difference any more: " + " | ".join(line)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sandbox", default=ROOT / "target" / "debug" / "cdn-sandbox", help="the program cdn-sandbox")
    options = arguments.parse_args()
    with sandbox(options.sandbox) as ours, moto() as theirs:
        for side in (ours, theirs):
            calls.all_calls(side)
        count, found = compare(ours, theirs)
    wrong = list(check(found, list(explained(TABLE.read_text()))))
    print(f"moto: {count} calls, {len(found)} differences, {len(wrong)} of them unexplained or outdated")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
