"""The official OpenAPI document of the Open Service Broker API 2.17: fetched once, or given by hand, and the same in any case.

It stays out of the repository: it is somebody else's work, and large. What docs/CHECKERS.md explains was found with this very
version, so another one is refused. Whoever wants a newer one changes the two constants, and the explanations.
"""

import argparse
import hashlib
import http.client
import pathlib
import sys
import urllib.request

# The tag v2.17.
COMMIT = "ef303a9559f1fb3815ac9d47b27439058bf3fa7c"
SHA256 = "158021c5c3323492e361d25ee94a468a2597d50dbbcf1776e82dc2409ebc2fb1"

ADDRESS = f"https://raw.githubusercontent.com/openservicebrokerapi/servicebroker/{COMMIT}/openapi.yaml"
PLACE = pathlib.Path(__file__).resolve().parents[2] / "target" / "checkers" / "openapi.yaml"
BY_HAND = f"""\
checkers: {{wrong}}
Wherever it can be had, get openapi.yaml of the tag v2.17 of github.com/openservicebrokerapi/servicebroker
({ADDRESS}),
and say where it is: make checkers DOCUMENT=path/openapi.yaml (or make full DOCUMENT=...). Once is enough."""


def is_right(content):
    return hashlib.sha256(content).hexdigest() == SHA256


def fetch():
    print(f"checkers: fetching the official OpenAPI document into target/checkers: {ADDRESS}", file=sys.stderr)
    try:
        with urllib.request.urlopen(ADDRESS, timeout=30) as answer:
            return answer.read()
    except (OSError, http.client.HTTPException) as error:
        sys.exit(BY_HAND.format(wrong=f"the official OpenAPI document cannot be fetched from here: {error}"))


def document(given=None):
    """Where the document is. `given` is a copy that somebody has got by hand."""
    if given is None and PLACE.exists() and is_right(PLACE.read_bytes()):
        return PLACE
    try:
        content = given.read_bytes() if given else fetch()
    except OSError as error:
        sys.exit(f"checkers: the official OpenAPI document cannot be read: {error}")
    if not is_right(content):
        found = hashlib.sha256(content).hexdigest()
        sys.exit(BY_HAND.format(wrong=f"{given or ADDRESS} is another document: its SHA-256 is {found}, not {SHA256}"))
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_bytes(content)
    return PLACE


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--document", type=pathlib.Path, help="a copy, where the public address cannot be reached")
    document(arguments.parse_args().document)
