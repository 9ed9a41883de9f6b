"""Where else a file lies."""

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.mirrors import addresses_of, best_first, checked_file_hosts, host_names

OFFICIAL = checked_file_hosts(None)


@pytest.mark.parametrize("end", ["com", "cn", "xyz"])
def test_the_gateways_own_mirrors_are_known(end):
    """The same path and query, letter for letter, on each of three hosts."""
    rest = "/images/tsk/1.png?sig=a%2Fb+c&e=#x"
    found = addresses_of(f"https://files.toapis.{end}{rest}", OFFICIAL)

    assert found[0] == f"https://files.toapis.{end}{rest}"
    assert set(found) == {f"https://files.toapis.{other}{rest}" for other in ("com", "cn", "xyz")}


def test_a_host_among_its_own_has_its_place_there():
    """A nearer mirror goes first."""
    hosts = checked_file_hosts({"Files.toapis.com": ("files.toapis.cn", "files.toapis.com")})

    assert addresses_of("https://files.toapis.com/a?", hosts) == (
        "https://files.toapis.cn/a?",
        "https://files.toapis.com/a?",
    )


def test_ports_follow_hosts():
    """A mirror keeps the port of the link unless it has one of its own; a host may be named with its port."""
    hosts = checked_file_hosts({"a.example": ("b.example", "c.example:9", "[::1]")})

    assert addresses_of("https://a.example:8/x", hosts)[1:] == (
        "https://b.example:8/x",
        "https://c.example:9/x",
        "https://[::1]:8/x",
    )
    assert addresses_of("https://a.example:8/x", {"a.example:8": ("b.example",)})[1:] == ("https://b.example:8/x",)
    assert host_names(hosts) == {"b.example", "c.example", "::1"}


def test_hosts_that_were_down_go_last_for_a_minute():
    """And then have another chance."""
    addresses = ("https://a/x", "https://b/x", "https://c/x")

    assert best_first(addresses, {"a": 100.0}, 159.0) == ("https://b/x", "https://c/x", "https://a/x")
    assert best_first(addresses, {"a": 100.0}, 160.0) == addresses


@pytest.mark.parametrize(
    "given",
    [{"a": "b"}, {"a/b": ("c",)}, {"a": ("https://b",)}, {"a": ("u@b",)}, {"a": ("b:x",)}, {"": ("b",)}, {"a": (7,)}],
)
def test_what_is_no_host_is_refused(given):
    """With the form that is wanted."""
    with pytest.raises(ConfigurationError) as caught:
        checked_file_hosts(given)

    assert "mirror.example.com" in caught.value.hint
