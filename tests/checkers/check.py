"""Lets schemathesis loose on the broker, and compares what it finds fault with with docs/CHECKERS.md.

It goes by two documents, one after the other: our own, and the official one. Every finding must be explained there; a line
there that nothing needs any more is an error too.
"""

import argparse
import base64
import collections
import contextlib
import dataclasses
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import document
import official

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
TABLE = ROOT / "docs" / "CHECKERS.md"
CREDENTIAL = "sandbox:sandbox"
DOCUMENTS = ["own", "official"]


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    operation: str
    check: str
    answer: str
    words: str


@contextlib.contextmanager
def broker(binary):
    """The URL of a broker in a sandbox whose domain owner does by himself what he reads."""
    command = [binary, "serve", "--auto-prove", "--deploy-seconds", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline() or sys.exit("cdn-sandbox did not start"))["broker"]
    finally:
        process.terminate()
        process.wait(timeout=60)


def catalog(url):
    token = base64.b64encode(CREDENTIAL.encode()).decode()
    headers = {"Authorization": f"Basic {token}", "X-Broker-API-Version": "2.17"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v2/catalog", headers=headers), timeout=30) as answer:
        return json.load(answer)


def description(which, url, folder):
    """The document to go by, as a file."""
    if which == "official":
        return official.document()
    own = folder / "openapi.json"
    own.write_text(json.dumps(document.openapi(catalog(url)), indent=1))
    return own


def run(which, url, out, options):
    """Everything that schemathesis has asked, and what it says: cases by operation, and findings with their number."""
    events = out / "events.ndjson"
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"),
        *("--config-file", HERE / "schemathesis.toml"),
        *("run", description(which, url, out), "--url", url, "--auth", CREDENTIAL),
        *("--header", "X-Broker-API-Version: 2.17") * (which == "official"),
        *("--continue-on-failure", "--no-color", "--seed", str(options.seed), "--max-examples", str(options.examples)),
        *("--report", "ndjson", "--report-ndjson-path", events, "--output-sanitize", "false"),
    ]
    # In a folder of its own: it keeps what it has found where it runs, and would begin with that the next time.
    with tempfile.TemporaryDirectory() as folder, open(out / "log", "w") as log:
        command = [str(part) for part in command]
        code = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT).returncode
    if code not in (0, 1):
        sys.exit(f"schemathesis ended with {code}: see {out / 'log'}")
    asked, found = collections.Counter(), collections.Counter()
    for line in events.read_text().splitlines():
        for kind, event in json.loads(line).items():
            if kind == "ScenarioFinished":
                read(event["recorder"], asked, found)
            elif kind in ("NonFatalError", "FatalError"):
                sys.exit(f"schemathesis met an error: {line[:2000]}")
    return asked, found


def read(recorder, asked, found):
    for id, checks in (recorder.get("checks") or {}).items():
        case = recorder["cases"][id]["value"]
        response = recorder["interactions"][id]["response"]
        operation = f"{case['method']} {case['path']}"
        asked[operation] += 1
        for check in checks:
            if check["status"] != "success":
                words = said(check["failure_info"]["failure"]["message"], response)
                found[Finding(operation, check["name"], str(response["status_code"]), words)] += 1


def said(message, response):
    """What was wrong with the request, if schemathesis had something wrong in mind; otherwise what the broker says."""
    component = re.search(r"Invalid component: (.*)", message)
    if component:
        return component[1]
    body = response.get("content") or {}
    try:
        text = base64.b64decode(body["$base64"] if isinstance(body, dict) else body)
        return json.loads(text).get("description", "")
    except (KeyError, ValueError):
        return ""


def explained(text, which):
    """The lines of the table for this document: a pattern, and whether it is met in every run."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) == 7 and cells[0] in ("own", "official"):
            if cells[5] not in ("always", "sometimes") or not cells[6]:
                sys.exit(f"docs/CHECKERS.md: how often, and why? {line}")
            if cells[0] == which:
                yield Finding(*(re.sub("^`|`$", "", cell) for cell in cells[1:5])), cells[5] == "always"


def matches(line, finding):
    pairs = zip(dataclasses.astuple(line), dataclasses.astuple(finding))
    return all(fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")) for pattern, value in pairs)


def compare(found, lines):
    """What is wrong with the table, a sentence each."""
    for finding, count in sorted(found.items()):
        if not any(matches(line, finding) for line, _ in lines):
            cells = " | ".join(f"`{cell}`" for cell in dataclasses.astuple(finding))
            yield f"not in docs/CHECKERS.md ({count} times): | {cells} |"
    for line, always in lines:
        if always and not any(matches(line, finding) for finding in found):
            yield f"in docs/CHECKERS.md, but not found any more: {' | '.join(dataclasses.astuple(line))}"


def check(which, options):
    """Goes by one document, prints a summary, and says what is wrong with the table."""
    out = options.out / which
    out.mkdir(parents=True, exist_ok=True)
    with broker(options.sandbox) as url:
        asked, found = run(which, url, out, options)
    wrong = list(compare(found, list(explained(TABLE.read_text(), which))))
    for operation, count in sorted(asked.items()):
        print(f"schemathesis: {count:5} {operation}")
    kinds, requests = len(found), sum(asked.values())
    print(f"schemathesis: {requests} requests by the {which} document, {kinds} kinds of findings, {len(wrong)} problems")
    sys.stdout.flush()
    return [f"{which}: {sentence}" for sentence in wrong]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sandbox", default=ROOT / "target" / "debug" / "cdn-sandbox", help="the program cdn-sandbox")
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "checkers", help="for what is left behind")
    arguments.add_argument("--document", type=pathlib.Path, help="a copy of the official document, fetched by hand")
    arguments.add_argument("--only", choices=DOCUMENTS, help="one of the two documents")
    arguments.add_argument("--examples", type=int, default=60, help="per operation and phase")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    options.out = options.out.resolve()
    which = [options.only] if options.only else DOCUMENTS
    if "official" in which:
        # Before anything else, so that nobody waits for what cannot end.
        official.document(options.document)
    wrong = [sentence for one in which for sentence in check(one, options)]
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
