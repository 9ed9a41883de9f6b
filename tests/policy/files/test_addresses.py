"""What the gateway names must not lead inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.files.addresses import (
    absolute,
    address_allowed,
    host_of,
    is_loopback,
    quoted,
    refusal,
)

PUBLIC = "https://toapis.com/v1"
LOOPBACK = "http://127.0.0.1:8080/v1"
PRIVATE = "https://10.1.2.3/v1"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.toapis.com/images/tsk/1.png?sig=%2Fa%3D#x",
        "HTTPS://Files.ToAPIs.com:8443/a b.png",
        "https://files.toapis.com./a.png",
        "https://8.8.8.8/a.png",
        "https://[2606:4700::1111]/a.png",
        "https://xn--bcher-kva.example/a_b~c/é.png",
        "https://under_score.example/",
    ],
)
def test_public_https_addresses_may_be_fetched(url):
    """Ordinary links pass, whatever their path."""
    assert refusal(url, base_url=PUBLIC) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.png",
        "//files.toapis.com/a.png",
        "https:///a.png",
        "https:a.png",
        "http://files.toapis.com/a.png",
        "ftp://files.toapis.com/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://user:secret@files.toapis.com/a.png",
        "https://@files.toapis.com/a.png",
        "https://files.toapis.com\\@10.0.0.1/a.png",
        "https://files.toapis.com/a\r\nX: y",
        " https://files.toapis.com/a.png",
        "https://files.toapis.com:99999/",
        "https://files.toapis.com:x/",
        "https://bad..example/",
        "https://-bad.example/",
        f"https://{'a' * 64}.example/",
        "https://127。0。0。1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://files.localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.5.4/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.100.100.200/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[ff02::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:a00:1::]/",
    ],
)
def test_addresses_that_lead_elsewhere_are_refused(url):
    """Other schemes, hidden users, odd spellings and inner addresses are refused, each with a reason."""
    assert isinstance(refusal(url, base_url=PUBLIC), str)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a", "http://localhost/a", "http://[::1]:80/a", "https://127.0.0.1/a", "https://x.com/"]
)
def test_a_gateway_on_this_machine_may_name_this_machine(url):
    """The simulator's links pass when the base URL is loopback."""
    assert refusal(url, base_url=LOOPBACK) is None


@pytest.mark.parametrize("url", ["http://x.com/a", "https://10.0.0.1/a", "http://10.0.0.1/a", "https://169.254.1.1/"])
def test_a_gateway_on_this_machine_may_name_nothing_else_inside(url):
    """Loopback is no licence for the rest of the network, nor for plain http to the world."""
    assert isinstance(refusal(url, base_url=LOOPBACK), str)


def test_a_private_gateway_may_name_itself_only():
    """A base URL inside allows exactly its own host."""
    assert refusal("https://10.1.2.3/f.png", base_url=PRIVATE) is None
    assert "10.1.2.4" in (refusal("https://10.1.2.4/f.png", base_url=PRIVATE) or "")
    assert "https" in (refusal("http://10.1.2.3/f.png", base_url=PRIVATE) or "")


@pytest.mark.parametrize(
    ("ip", "host", "base_url", "allowed"),
    [
        ("8.8.8.8", "files.toapis.com", PUBLIC, True),
        ("2606:4700::1111", "files.toapis.com", PUBLIC, True),
        ("198.18.0.7", "files.toapis.com", PUBLIC, True),
        ("10.0.0.1", "files.toapis.com", PUBLIC, False),
        ("127.0.0.1", "files.toapis.com", PUBLIC, False),
        ("fe80::1%eth0", "files.toapis.com", PUBLIC, False),
        ("::ffff:192.168.0.1", "files.toapis.com", PUBLIC, False),
        ("garbage", "files.toapis.com", PUBLIC, False),
        ("127.0.0.1", "files.toapis.com", LOOPBACK, True),
        ("::1", "localhost", LOOPBACK, True),
        ("10.0.0.1", "files.toapis.com", LOOPBACK, False),
        ("10.1.2.3", "files.inside", PRIVATE, True),
        ("10.1.2.4", "files.inside", PRIVATE, False),
        ("10.9.9.9", "gateway.inside", "https://gateway.inside/v1", True),
        ("10.9.9.9", "Gateway.Inside.", "https://gateway.inside/v1", True),
        ("10.9.9.9", "files.inside", "https://gateway.inside/v1", False),
        ("10.9.9.9", "files.inside", "https://[broken/v1", False),
    ],
)
def test_resolved_addresses_are_judged_too(ip, host, base_url, allowed):
    """What a name resolves to is held to the same rule."""
    assert allowed is address_allowed(ip, host=host, base_url=base_url)


@given(st.ip_addresses(v=4))
def test_whatever_the_text_allows_the_connection_allows(ip):
    """The two judgements never differ on a literal address, but for the range of local proxies."""
    by_text = refusal(f"https://{ip}/", base_url=PUBLIC) is None

    assert by_text is address_allowed(str(ip), host="x.com", base_url=PUBLIC) or str(ip).startswith("198.1")


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text):
    """Nothing that a server may say raises."""
    refusal(text, base_url=PUBLIC)
    refusal("https://" + text, base_url=text)
    is_loopback(text)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("/f/a.png?sig=%2F", "https://toapis.com/f/a.png?sig=%2F"),
        ("//files.toapis.com/a.png", "https://files.toapis.com/a.png"),
        (" https://h.example/a.png ", "https://h.example/a.png"),
        ("https://bücher.example/é.png", "https://xn--bcher-kva.example/é.png"),
        ("https://１２７.0.0.1/a.png", "https://127.0.0.1/a.png"),
        ("files.toapis.com/a.png", "files.toapis.com/a.png"),
    ],
)
def test_what_has_one_reading_becomes_a_whole_address(url, whole):
    """Relative ones begin at the gateway; what could be a host or a folder stays as it came."""
    assert whole == absolute(url, base_url=PUBLIC)


@pytest.mark.parametrize("url", ["https://" + "ü" * 70 + ".example/", "https://ü..example/"])
def test_a_host_that_cannot_be_written_is_no_address(url):
    """Names that the network has no form for are refused."""
    with pytest.raises(ValueError):
        absolute(url, base_url=PUBLIC)
    assert host_of(url, base_url=PUBLIC) == ""


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (
            "https://h/a.png?sig=x%2Fy%2Bz%3D&k=~!*'()[]{}|^`\"<>",
            "https://h/a.png?sig=x%2Fy%2Bz%3D&k=~!*'()[]{}|^`\"<>",
        ),
        ("https://h/红.png?sig=x%2Fy%2Bz%3D", "https://h/%E7%BA%A2.png?sig=x%2Fy%2Bz%3D"),
        ("https://h/a b.png?p=100%", "https://h/a%20b.png?p=100%"),
        ("https://h/\udce7.png", "https://h/%E7.png"),
    ],
)
def test_only_what_must_be_is_quoted(url, sent):
    """A signature covers the address letter for letter."""
    assert sent == quoted(url)


@given(st.text())
def test_quoting_twice_changes_nothing(text):
    """Whatever is quoted can be sent, and is not quoted again."""
    try:
        once = quoted(text)
    except ValueError:
        return
    assert once.isascii()
    assert once == quoted(once)
