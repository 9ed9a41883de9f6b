"""Settings: where they come from and what is refused."""

import pytest

from toapis_async.client.settings import DEFAULT_BASE_URL, Settings, checked_base_url, checked_key, is_loopback
from toapis_async.errors import ConfigurationError

KEY = "sk-0123456789"


def gathered(environment=None, **arguments):
    asked = {"api_key": None, "base_url": None, "timeout": 60.0, "max_retries": 3, **arguments}
    return Settings.gather(environment=environment or {}, **asked)


def test_arguments_go_before_the_environment():
    """An argument wins over the environment, and the environment over the default."""
    environment = {"TOAPIS_API_KEY": "sk-environment", "TOAPIS_BASE_URL": "https://environment.example"}
    from_both = gathered(environment, api_key=KEY, base_url="https://argument.example")
    assert (from_both.api_key, from_both.base_url) == (KEY, "https://argument.example/v1")
    from_environment = gathered(environment)
    assert (
        from_environment.api_key,
        from_environment.base_url,
    ) == ("sk-environment", "https://environment.example/v1")
    assert f"{DEFAULT_BASE_URL}/v1" == gathered(api_key=KEY).base_url


@pytest.mark.parametrize("key", ["", " ", "sk 1", "sk-1\n", "\tsk-1", "sk-ключ", "sk-\x00", b"sk-1"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key):
    """A key with blanks, line breaks or foreign characters is refused without showing it."""
    with pytest.raises(ConfigurationError) as caught:
        checked_key(key)
    assert "TOAPIS_API_KEY" in caught.value.hint
    assert not str(key).strip() or str(key) not in str(caught.value)


def test_no_key_is_refused():
    """Without a key anywhere the error names the variable."""
    with pytest.raises(ConfigurationError, match="There is no API key"):
        gathered()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://toapis.com", "https://toapis.com/v1"),
        ("https://toapis.com/", "https://toapis.com/v1"),
        ("https://toapis.com/v1", "https://toapis.com/v1"),
        ("https://toapis.com/v1/", "https://toapis.com/v1"),
        ("https://toapis.com/v1/v1/", "https://toapis.com/v1"),
        (" https://toapis.com ", "https://toapis.com/v1"),
        ("https://proxy.example:8443/toapis/", "https://proxy.example:8443/toapis/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://localhost", "http://localhost/v1"),
        ("http://[::1]:9/v1", "http://[::1]:9/v1"),
        ("HTTPS://TOAPIS.com", "https://toapis.com/v1"),
    ],
)
def test_a_base_url_ends_in_one_version(given, expected):
    """With or without a slash or the version, the base ends in exactly one ``/v1``."""
    assert expected == checked_base_url(given)


@pytest.mark.parametrize(
    "url",
    [
        "toapis.com",
        "ftp://toapis.com",
        "file:///etc/passwd",
        "https://",
        "http://toapis.com",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "https://user:secret@toapis.com",
        "https://toapis.com/?x=1",
        "https://toapis.com/#x",
        "https://toa pis.com",
        "https://toapis.com:99999",
        "https://[::1",
        17,
    ],
)
def test_a_base_url_that_would_leak_the_key_is_refused(url):
    """No address, another scheme, clear text over a network, credentials or a query are refused."""
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(url)
    assert caught.value.hint or "unencrypted" in caught.value.message


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "60", None, True])
def test_a_time_limit_is_a_number_of_seconds(timeout):
    """Only a finite number above zero is a time limit."""
    with pytest.raises(ConfigurationError, match="timeout"):
        gathered(api_key=KEY, timeout=timeout)


@pytest.mark.parametrize("retries", [-1, 1.5, "3", None, True])
def test_retries_are_a_whole_number(retries):
    """Only a whole number from zero counts retries."""
    with pytest.raises(ConfigurationError, match="max_retries"):
        gathered(api_key=KEY, max_retries=retries)


def test_the_key_is_not_in_the_settings_text():
    """The settings' own text leaves the key out."""
    assert KEY not in repr(gathered(api_key=KEY))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("a.localhost", True), ("127.8.9.1", True), ("::1", True), ("0.0.0.0", False), ("x", False)],
)
def test_loopback_hosts(host, expected):
    """Loopback is this machine's own names and addresses, nothing else."""
    assert expected is is_loopback(host)
