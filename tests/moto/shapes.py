"""The shape of an answer: its status, the headers that clients read, the elements of its document and their types."""

import re
import xml.etree.ElementTree as ElementTree

# Headers that an SDK or a client of these services reads.
HEADERS = ("etag", "location", "content-type", "cache-control", "last-modified", "x-amz-checksum-crc32")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


def shape(status, headers, body):
    """Path to type, of everything in an answer."""
    found = {"status": str(status)}
    for name in HEADERS:
        value = headers.get(name)
        if value is not None:
            found[f"header {name}"] = media_type(value) if name == "content-type" else "text"
    if body.lstrip().startswith(b"<"):
        document(ElementTree.fromstring(body), "", found)
    return found


def media_type(value):
    return value.split(";")[0].strip() or "empty"


def document(element, path, found):
    """Adds an element and what is in it. Elements of one name are one: how many there are is no shape."""
    namespace, _, name = element.tag.rpartition("}")
    path = f"{path}/{name}"
    if path.count("/") == 1:
        found[f"{path} xmlns"] = namespace.lstrip("{") or "none"
    if len(element) == 0:
        merge(found, path, leaf(element.text or ""))
    for child in element:
        document(child, path, found)


def merge(found, path, kind):
    """Where elements of one name differ, what says most about them stands: a text may look like a number."""
    known = found.get(path)
    if known is None or known == "empty":
        found[path] = kind
    elif kind not in (known, "empty"):
        found[path] = "text"


def leaf(text):
    text = text.strip()
    if text == "":
        return "empty"
    if text in ("true", "false"):
        return "boolean"
    if re.fullmatch(r"-?\d+", text):
        return "integer"
    return "timestamp" if TIMESTAMP.fullmatch(text) else "text"


def differences(ours, theirs):
    """What two answers do not have in common: path, ours, theirs."""
    for path in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(path, "absent"), theirs.get(path, "absent")
        if one != other:
            yield path, one, other
