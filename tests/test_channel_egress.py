"""The wall in the way out: whatever an address says and a name answers, nothing inside the office hears a byte (SSRF)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop.kernel.labels import Label
from loop.kernel.messages import SendFailed
from notifiers import Egress
from notifiers.addresses import may_reach
from notifiers.egress import INSIDE, UNREADABLE, ask_system
from tests.channel_servers import CERTIFICATE, Moving, client_tls, egress, http_server, reply, resolver

ELSEWHERE = ip_network("198.18.77.0/24")
"""The only network that is open in most of these tests, and nobody is in it."""
LOOPBACK = ip_network("127.0.0.0/8")
PUBLIC = "8.8.8.8"

INSIDE_4 = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.0.0.2",
    "127.255.255.255", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
INSIDE_6 = (
    "::", "::1", "::7f00:1", "::ffff:7f00:1", "::ffff:a00:1", "::ffff:a9fe:a9fe", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:53aa:64c::80ff:fffe", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "1fff::1",
)  # fmt: skip
OUTSIDE = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "114.114.114.114", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.5.5.5", "223.255.255.255", "[2400:3200::1]", "[2606:4700::1111]", "[2001:200::1]",
    "[2003::1]", "[::ffff:808:808]", "[64:ff9b::808:808]",
)  # fmt: skip
SPELT = (
    "127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001", "0177.0.0.1", "0177.0.0.01", "0x7f.0.0.1",
    "0x7f.1", "127.0.0.0x1", "127.0.0.01", "127.0.0.1.", "0", "0x", "00", "256.0.0.1", "127.0.0.256", "1.2.3.4.127.0.0.1",
    "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "127.0.0.1%00.example.test", "１２７.0.0.1", "①②⑦.⓪.⓪.①", "١٢٧.0.0.1", "127。0。0。1",
    "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[127.0.0.1]", "[::1", "::1", "[::1%25lo]", "[fe80::1%25lo]", "[fe80::1%lo]", "[v1.x]",
    "ⓛocalhost", "ｌｏｃａｌｈｏｓｔ", "loc\u00adalhost", "local\u200bhost", "localhost%00", ".localhost", "local..host", "-", "a" * 64,
    "user@127.0.0.1", "user:word@127.0.0.1", f"{PUBLIC}@127.0.0.1", f"{PUBLIC}:80@127.0.0.1", f"{PUBLIC}\\@127.0.0.1",
    f"127.0.0.1\\@{PUBLIC}", f"127.0.0.1 {PUBLIC}", f"127.0.0.1\t.{PUBLIC}", f"127.0.0.1\r\nHost: {PUBLIC}", "",
    "\ud800", " 127.0.0.1", "127.0.0.1,8.8.8.8", "(127.0.0.1)", "127.0.0.1;",
)  # fmt: skip
SHAPES = (
    "", "//127.0.0.1:{port}/", "127.0.0.1:{port}", "http:127.0.0.1:{port}/", "http:/127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\", "gopher://127.0.0.1:{port}/", "file://127.0.0.1:{port}/etc/passwd", "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/", "unix:///var/run/docker.sock", "http+unix://127.0.0.1:{port}/", "http://8.8.8.8:0/",
    "http://8.8.8.8:65536/", "http://8.8.8.8:-1/", "http://8.8.8.8:{port}:80/", "http://8.8.8.8:80@127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/", "http://8.8.8.8/\r\nHost: 127.0.0.1", "javascript:alert(1)", "data:,x", "http://" + "a." * 200 + "test/",
)  # fmt: skip


@dataclass
class Ear:
    """Listens at every address of this machine, and keeps at which of them somebody came."""

    port: int = 0
    heard: list[str] = field(default_factory=list)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hang up at once."""
        self.heard.append(writer.get_extra_info("sockname")[0])
        writer.close()


@asynccontextmanager
async def ear(*hosts: str) -> AsyncIterator[Ear]:
    """One that lives as long as the block: at these addresses, or at all that this machine has."""
    found = Ear()
    async with AsyncExitStack() as open_:
        for host in hosts or ("0.0.0.0", "::1"):
            with suppress(OSError) if host == "::1" else nullcontext():
                server = await asyncio.start_server(found.connected, host, found.port)
                found.port = server.sockets[0].getsockname()[1]
                open_.push_async_callback(server.wait_closed)
                open_.callback(server.close)
        yield found


async def refusal(way: Egress, url: str) -> SendFailed:
    """How the way out says no."""
    with pytest.raises(SendFailed) as no:
        await way.request(url, content=b"x")
    return no.value


def walled(*answers: str, timeout: float = 5.0) -> Egress:
    """A way out for which only a network without anybody is open, and every name has these addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers

    return egress(ELSEWHERE, resolve=resolve, timeout=timeout)


# ---- what is refused -------------------------------------------------------------------------------------------------


async def unheard(way: Egress, url: str, *reasons: Label) -> None:
    """That this address is refused for good, for one of these reasons, and does not stand in the refusal."""
    no = await refusal(way, url)
    assert no.permanent
    assert any(reason.en in str(no) for reason in reasons)
    assert "s3cr3t" not in str(no)


@pytest.mark.parametrize("address", [*INSIDE_4, *(f"[{address}]" for address in INSIDE_6)])
async def test_an_address_that_leads_inside_is_refused_before_a_byte_is_sent(address: str) -> None:
    async with ear() as inside:
        url = f"http://{address}:{inside.port}/s3cr3t"
        assert walled().refuses(url) == INSIDE
        await unheard(walled(), url, INSIDE)
        assert inside.heard == []


@pytest.mark.parametrize("address", [*INSIDE_4, *INSIDE_6, "fe80::1%lo", "::1%lo"])
@pytest.mark.parametrize("beside", [(), (PUBLIC,), (PUBLIC, "1.1.1.1", "8.8.4.4", "223.5.5.5")])
async def test_a_name_is_refused_for_any_of_its_addresses_that_leads_inside(
    address: str, beside: tuple[str, ...]
) -> None:
    async with ear() as inside:
        for answers in {(address, *beside), (*beside, address)}:
            way = walled(*answers)
            url = f"http://robot.test:{inside.port}/s3cr3t"
            assert way.refuses(url) is None
            await unheard(way, url, INSIDE)
        assert inside.heard == []


@pytest.mark.parametrize("host", SPELT, ids=range(len(SPELT)))
async def test_no_odd_spelling_of_a_host_leads_inside(host: str) -> None:
    async with ear() as inside:
        for way in (walled("127.0.0.1"), egress(ELSEWHERE, resolve=ask_system)):
            for url in (
                f"http://{host}:{inside.port}/s3cr3t",
                f"http://{host}/s3cr3t",
                f"https://{host}:{inside.port}",
            ):
                assert way.refuses(url) in (UNREADABLE, INSIDE)
                await unheard(way, url, UNREADABLE, INSIDE)
        assert inside.heard == []


@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
async def test_what_is_no_address_of_the_web_is_refused(shape: str) -> None:
    async with ear() as inside:
        url = shape.format(port=inside.port)
        assert walled("127.0.0.1").refuses(url) == UNREADABLE
        await unheard(walled("127.0.0.1"), url, UNREADABLE)
        assert inside.heard == []


@pytest.mark.parametrize(
    "name", ["localhost", "LocalHost", "localhost.", "127.0.0.1.nip.test", "xn--fa-hia.test", "faß.test"]
)
async def test_a_name_of_this_machine_is_refused(name: str) -> None:
    async with ear() as inside:
        await unheard(walled("127.0.0.1", "::1"), f"http://{name}:{inside.port}/", INSIDE)
        assert inside.heard == []


async def test_the_name_that_every_machine_has_is_asked_for_and_refused() -> None:
    async with ear() as inside:
        await unheard(Egress(), f"http://localhost:{inside.port}/", INSIDE)
        assert inside.heard == []


@pytest.mark.parametrize("host", OUTSIDE)
def test_what_is_outside_may_be_reached(host: str) -> None:
    assert walled().refuses(f"https://{host}/hook") is None
    assert Egress().refuses(f"http://{host}:8080/hook") is None


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_may_be_reached_that_is_not_given_out_for_public_use(address: IPv4Address | IPv6Address) -> None:
    public = address.is_global and not address.is_multicast
    assert public or not may_reach(address, ())


# ---- names that change their mind ------------------------------------------------------------------------------------


async def test_a_name_is_asked_once_and_the_connection_goes_to_the_address_that_was_checked() -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"]]
    asked: list[tuple[str, int]] = []

    async def fickle(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return answers[len(asked) - 1]

    async with ear() as inside:
        way = egress(ip_network("127.0.0.1/32"), resolve=fickle)
        url = f"http://robot.test:{inside.port}/"
        await refusal(way, url)
        assert (inside.heard, asked) == (["127.0.0.1"], [("robot.test", inside.port)])
        for _ in range(2):
            await unheard(way, url, INSIDE)
        assert (inside.heard, len(asked)) == (["127.0.0.1"], 3)


async def test_the_next_address_of_a_host_is_tried_where_nobody_answers_and_never_more_than_three() -> None:
    async with ear("127.0.0.4") as there:
        said = []
        for before in range(4):
            way = egress(LOOPBACK, resolve=resolver(robot_test=["127.0.0.3"] * before + ["127.0.0.4"]))
            said.append(str(await refusal(way, f"http://robot.test:{there.port}/")))
        assert there.heard == ["127.0.0.4"] * 3
        assert said == ["robot.test broke off without a readable answer"] * 3 + ["robot.test can't be reached"]


async def test_a_host_that_took_the_request_is_the_last_one_that_is_asked() -> None:
    async with ear() as there:
        way = egress(LOOPBACK, resolve=resolver(robot_test=["127.0.0.5", "127.0.0.6"]))
        assert not (await refusal(way, f"http://robot.test:{there.port}/")).permanent
        assert there.heard == ["127.0.0.5"]


async def test_a_redirect_leads_nowhere() -> None:
    async with ear() as inside, http_server(reply("", 307, Location=f"http://127.0.0.2:{inside.port}/")) as server:
        answer = await egress().request(server.url())
        assert (answer.status, inside.heard) == (307, [])


async def test_the_environment_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ear() as inside, http_server(reply("here")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.2:{inside.port}")
        assert (await egress().request(server.url())).text == "here"
        assert inside.heard == []


# ---- what an office opens --------------------------------------------------------------------------------------------

OPENED = [
    ("10.1.0.0/16", "10.1.0.0", "10.2.0.0"),
    ("10.1.0.0/16", "10.1.255.255", "10.0.255.255"),
    ("10.1.0.0/16", "[::ffff:a01:1]", "[::ffff:a02:1]"),
    ("10.1.0.0/16", "[64:ff9b::a01:1]", "[64:ff9b::a02:1]"),
    ("10.1.0.0/16", "10.1.2.3", "[2002:a01:203::]"),
    ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
    ("127.0.0.1/32", "[::ffff:7f00:1]", "[::1]"),
    ("100.64.7.0/24", "100.64.7.9", "100.64.8.9"),
    ("fd00:1::/32", "[fd00:1::5]", "[fd00:2::5]"),
    ("fe80::/64", "[fe80::5%25lo]", "[fe80:0:0:1::5%25lo]"),
]


@pytest.mark.parametrize(("network", "open_", "closed"), OPENED)
async def test_a_network_that_the_office_opens_is_open_and_no_other_is(network: str, open_: str, closed: str) -> None:
    way = egress(ip_network(network))
    assert way.refuses(f"http://{open_}/") is None
    assert way.refuses(f"http://{closed}/") == INSIDE
    assert way.refuses(f"http://{PUBLIC}/") is None
    await unheard(way, f"http://{closed}/", INSIDE)


async def test_within_an_open_network_the_request_arrives() -> None:
    async with http_server(reply("here")) as server:
        for way in (egress(ip_network("127.0.0.1/32")), egress(ELSEWHERE, LOOPBACK)):
            for host in ("127.0.0.1", "[::ffff:7f00:1]", "robot.test", "ROBOT.test"):
                assert (await way.request(server.url(host=host))).text == "here"
        assert {request.headers["host"].partition(":")[0] for request in server.requests} == {
            "127.0.0.1",
            "[",
            "robot.test",
        }


# ---- what else may go wrong ------------------------------------------------------------------------------------------


async def test_a_name_that_nobody_knows_now_may_be_known_later() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    for way in (walled(), egress(ELSEWHERE, resolve=unknown)):
        no = await refusal(way, "https://robot.test/s3cr3t")
        assert (str(no), no.permanent) == ("robot.test is a name that can't be resolved now", False)
        assert no.why.zh == "暂时无法解析主机名 robot.test"


async def test_a_name_that_takes_too_long_is_given_up() -> None:
    async def slow(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    no = await refusal(egress(ELSEWHERE, resolve=slow, timeout=0.1), "https://robot.test/")
    assert (str(no), no.permanent) == ("robot.test did not answer in time", False)


def way_to(host: str, *, trusting: bool) -> Egress:
    """A way out that knows one host of this machine, and trusts the servers of these tests or whom the machine trusts."""
    where = resolver(**{host.replace(".", "_"): ["127.0.0.1"]})
    return Egress((LOOPBACK,), resolve=where, now=Moving(), tls=client_tls() if trusting else None)


async def test_a_host_must_prove_its_name() -> None:
    async with http_server(reply("here"), tls=True) as server:
        for host, trusting in (("other.test", True), ("robot.test", False)):
            url = server.url(host=host, scheme="https")
            no = await refusal(way_to(host, trusting=trusting), url)
            assert (str(no), no.permanent) == (f"{host} shows a certificate that is not trusted", False)
            assert no.why.zh == f"{host} 的证书不受信任"
        assert server.requests == []
        for host in ("robot.test", "robot.test."):
            url = server.url(host=host, scheme="https")
            assert (await way_to(host, trusting=True).request(url)).text == "here"


async def test_whom_the_machine_trusts_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text(CERTIFICATE, "ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with http_server(reply("here"), tls=True) as server:
        url = server.url(host="robot.test", scheme="https")
        assert (await way_to("robot.test", trusting=False).request(url)).text == "here"


# ---- knocking --------------------------------------------------------------------------------------------------------


async def shut(way: Egress, url: str) -> SendFailed:
    """How the way out says that there is no way to where letters would go."""
    with pytest.raises(SendFailed) as no:
        await way.knock(url)
    assert "s3cr3t" not in str(no.value)
    return no.value


async def test_where_no_request_may_go_nobody_knocks() -> None:
    async with ear() as inside:
        hosts = [*INSIDE_4, *(f"[{address}]" for address in INSIDE_6), *SPELT, "localhost", "robot.test"]
        urls = [f"http://{host}:{inside.port}/s3cr3t" for host in hosts]
        urls += [shape.format(port=inside.port) for shape in SHAPES]
        assert [url for url in urls if not (await shut(walled("127.0.0.1"), url)).permanent] == []
        assert inside.heard == []


@pytest.mark.parametrize("tls", [False, True])
async def test_who_knocks_says_nothing(tls: bool) -> None:
    scheme = "https" if tls else "http"
    async with http_server(reply("here"), tls=tls) as server:
        way = egress(ip_network("127.0.0.1/32"), resolve=resolver(robot_test=["127.0.0.3"] * 2 + ["127.0.0.1"]))
        assert (await shut(way, server.url(host="robot.test", scheme=scheme))).permanent, "one address leads inside"
        way = egress(LOOPBACK, resolve=resolver(robot_test=["127.0.0.3"] * 2 + ["127.0.0.1"]))
        assert await way.knock(server.url("/s3cr3t", host="robot.test", scheme=scheme)) == "robot.test"
    assert server.requests == []


async def test_who_does_not_open_is_told_from_who_proves_nothing() -> None:
    async with ear("127.0.0.1") as there:
        port = there.port
    said = {str(await shut(way_to("robot.test", trusting=True), f"http://robot.test:{port}/s3cr3t"))}
    async with http_server(reply("here"), tls=True) as server:
        for host, trusting in (("other.test", True), ("robot.test", False)):
            said.add(str(await shut(way_to(host, trusting=trusting), server.url("/s3cr3t", host=host, scheme="https"))))
    assert said == {
        "robot.test can't be reached",
        "other.test shows a certificate that is not trusted",
        "robot.test shows a certificate that is not trusted",
    }


async def test_a_host_that_is_not_found_in_time_does_not_open() -> None:
    async def slow(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    way = egress(ELSEWHERE, resolve=slow, timeout=0.1)
    assert str(await shut(way, "https://robot.test/")) == "robot.test did not answer in time"
    assert str(await shut(walled(), "https://robot.test/")) == "robot.test is a name that can't be resolved now"
