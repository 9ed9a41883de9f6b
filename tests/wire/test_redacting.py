"""Secrets are struck out in every spelling, and nothing else is touched."""

import base64
import html
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toapis_async.wire.redacting import Redactor

SECRET = 'kLm/4+"Zq\\x9&<tv=aB3-_.~1'
redact = Redactor([SECRET])
KEYS = [
    SECRET,
    "sk-0123456789abcdef0123456789abcdef",
    "9f2b7c01-44e2-4d0a-93aa-0c5b1f7e8d62",
    "n\\u0041\\tbfr/%41&amp;==",
]


def unicode_escaped(text):
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


SPELLINGS = {
    "plain": SECRET,
    "quoted": quote(SECRET, safe=""),
    "quoted twice": quote(quote(SECRET, safe=""), safe=""),
    "every letter quoted": "".join(f"%{ord(letter):02X}" for letter in SECRET),
    "page": html.escape(SECRET).replace("&quot;", "&#34;").replace("&amp;", "&#38;").replace("&lt;", "&#x3c;"),
    "json": json.dumps(SECRET)[1:-1],
    "json in json": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "unicode": unicode_escaped(SECRET),
    "unicode in json": json.dumps(unicode_escaped(SECRET))[1:-1],
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Authorization: Bearer {SECRET}\r\n".encode()).decode(),
    "base64 of a pair": base64.urlsafe_b64encode(f"u:{SECRET}".encode()).decode(),
    "base64 shifted": base64.b64encode(f"ab{SECRET}cd".encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("place", ["value", "key", "nested", "raw"])
def test_every_spelling_is_struck_out(spelling, place, request):
    """Wherever it stands, what is left is what stood around it, and JSON stays JSON."""
    bodies = {
        "value": {"message": f"before {spelling} after"},
        "key": {f"before {spelling} after": 1},
        "nested": {"message": json.dumps({"error": [f"before {spelling} after"]})},
    }
    body = f"before {spelling} after" if place == "raw" else json.dumps(bodies[place])
    left = redact(body.encode())

    assert left.count(b"*** after") == 1
    assert "base64" in request.node.callspec.id or left.count(b"before *** after") == 1
    runs = re.findall(rb"[A-Za-z0-9+/_-]{8,}", left)
    readable = [base64.urlsafe_b64decode(run[: len(run) // 4 * 4]) for run in runs]
    assert not any(SECRET[at : at + 3].encode() in one for one in readable for at in range(len(SECRET) - 3))
    if place != "raw":
        assert json.loads(left)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16"])
def test_wide_letters(encoding):
    """JSON may come in wide letters; it stays readable."""
    left = redact(json.dumps({"a": f"<{SECRET.replace(chr(92), '').replace(chr(34), '')}>"}).encode(encoding))
    plain = Redactor([SECRET.replace("\\", "").replace('"', "")])

    assert json.loads(plain(left)) == {"a": "<>"}


@given(st.binary(max_size=300))
def test_nothing_else_is_touched(data):
    """Bytes without the secret come back as the same object, or at least as they were."""
    assert redact(data) == data


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(KEYS))
@settings(max_examples=30)
def test_any_secret_in_any_json(before, after, secret):
    """Whatever stands around it and however its letters are escaped, JSON comes out, without the secret."""
    strike_out = Redactor([secret])
    for ensure_ascii in (True, False):
        body = json.dumps({"a": before + secret + after}, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
        parsed = json.loads(strike_out(body).decode("utf-8", "surrogatepass"))

        assert list(parsed) == ["a"]
        assert "***" in parsed["a"]
        assert secret not in parsed["a"]


def test_no_secret_and_short_ones():
    """Without a secret, or with one too short to be one, nothing happens."""
    assert Redactor([])(b"anything %") == b"anything %"
    assert Redactor(["key"])(b'{"key": 1}') == b'{"key": 1}'
    assert repr(Redactor([SECRET])) == "Redactor()"
