"""Where rulesets may ask: every way to write a private address is one."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from pico_engine.errors import BadRequest
from pico_node.outside.policy import EgressPolicy, address_of, is_public

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "::127.0.0.1",
    "fec0::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses(text: str) -> None:
    assert not is_public(ip_address(text))
    assert not EgressPolicy().admits_address(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    assert is_public(ip_address(text))


def test_the_owner_opens_addresses_networks_and_names() -> None:
    policy = EgressPolicy(["127.0.0.1", "192.168.1.0/24", "fd00::/8", "Printer.local", "[::1]"])
    for text in ("127.0.0.1", "::ffff:127.0.0.1", "192.168.1.77", "fd12::1", "::1"):
        assert policy.admits_address(ip_address(text)), text
    for text in ("127.0.0.2", "192.168.2.1", "fe80::1"):
        assert not policy.admits_address(ip_address(text)), text
    assert policy.admits_name("printer.LOCAL.")
    assert not policy.admits_name("other.local")


@pytest.mark.parametrize("text", ["", "a/b", "host:80", "http://x"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(BadRequest):
        EgressPolicy([text])


def test_hosts_that_are_addresses() -> None:
    assert address_of("[fe80::1%eth0]") == ip_address("fe80::1")
    assert address_of("example.org") is None


def test_files_in_folders_of_the_owner(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "x.krl").write_text("x")
    (inside / "link.krl").symlink_to(outside / "x.krl")
    policy = EgressPolicy(folders=[inside])
    assert policy.admits_file(inside / "a.krl")
    assert not policy.admits_file(outside / "x.krl")
    assert not policy.admits_file(inside / "link.krl")
    assert not policy.admits_file(inside / ".." / "out" / "x.krl")
    assert EgressPolicy(folders=[Path("/")]).admits_file(outside / "x.krl")
    assert not EgressPolicy().admits_file(inside / "a.krl")
