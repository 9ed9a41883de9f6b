"""Which proxy an address goes through."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError
from toapis_async.policy.network.proxies import Proxy, ProxyRules, parsed_proxy, proxy_rules


def chosen(url, given="environment", **environment):
    proxy = proxy_rules(given, environment).proxy_for(url)
    return None if proxy is None else proxy.url


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"ALL_PROXY": "socks://p"}, "socks5://p:1080"),
        ({"ALL_PROXY": "socks5h://p", "HTTPS_PROXY": "https://q"}, "https://q:443"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": " "}, None),
        ({"HTTPS_PROXY": "http://p:1", "TOAPIS_PROXY": "none"}, None),
        ({"HTTPS_PROXY": "http://p:1", "TOAPIS_PROXY": "http://q:2"}, "http://q:2"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "a.example, .toapis.com"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "toapis.com"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.toapis.com"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "apis.com"}, "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "toapis.com:443"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "toapis.com:8443"}, "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8,::1"}, "http://p:1"),
    ],
)
def test_the_environment_is_read_as_others_read_it(environment, expected):
    """Lower case first, the more special first, and exceptions by name, port and network."""
    assert expected == chosen("https://files.toapis.com/a.png", **environment)


@pytest.mark.parametrize(
    ("url", "exception"),
    [
        ("https://10.1.2.3/a", "10.0.0.0/8"),
        ("https://[2001:db8::5]:8443/a", "[2001:db8::5]:8443"),
        ("https://[2001:db8::5]/a", "2001:db8::/32"),
        ("https://TOAPIS.com./a", "toapis.COM"),
    ],
)
def test_exceptions_for_addresses(url, exception):
    """Addresses, networks of both versions, and names whatever their case."""
    assert chosen(url, HTTPS_PROXY="http://p:1", NO_PROXY=exception) is None


@pytest.mark.parametrize("host", ["localhost", "gateway.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_reached_without_unless_it_was_said(host):
    """The environment's proxy is for other machines; one that is named here is for everything."""
    assert chosen(f"https://{host}/", HTTPS_PROXY="http://p:1") is None
    assert chosen(f"https://{host}/", "http://p:1") == "http://p:1"
    assert chosen(f"https://{host}/", None, HTTPS_PROXY="http://p:1") is None


def test_a_header_named_proxy_is_no_setting():
    """In a CGI program HTTP_PROXY comes from whoever calls it."""
    assert chosen("http://a.example/", HTTP_PROXY="http://evil:1", REQUEST_METHOD="GET") is None
    assert chosen("http://a.example/", http_proxy="http://p:1", REQUEST_METHOD="GET") == "http://p:1"


def test_credentials_are_read_and_never_shown():
    """They are unquoted, and stand in no text."""
    proxy = parsed_proxy("http://ann%40x:p%3Aw@[::1]:3128/", name="proxy")

    assert (proxy.user, proxy.password, proxy.host, proxy.url) == ("ann@x", "p:w", "::1", "http://[::1]:3128")
    assert "p:w" not in repr(ProxyRules(http=proxy))
    assert "ann" not in repr(proxy)


@pytest.mark.parametrize(
    "text", ["ftp://u:secret@h", "http://", "http://u:secret@h:99999", "http://u:secret@h h", 7, "://"]
)
def test_what_is_no_proxy_is_named_without_its_secrets(text):
    """The setting is named, and its password is not shown."""
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        parsed_proxy(text, name="HTTPS_PROXY")

    assert "secret" not in str(caught.value)
    assert caught.value.hint


@given(st.text(max_size=60))
def test_any_text_is_a_proxy_or_an_error(text):
    """Nothing else comes of it."""
    with suppress(ConfigurationError):
        assert isinstance(parsed_proxy(text, name="proxy"), Proxy)


@given(st.text(max_size=60), st.sampled_from(["https://a.example/x", "https://[::1]/", "https://10.0.0.1:8/"]))
def test_any_exceptions_are_survived(text, url):
    """Nonsense in NO_PROXY excepts something or nothing."""
    proxy_rules("environment", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": text}).proxy_for(url)
