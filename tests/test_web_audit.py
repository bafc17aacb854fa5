"""The audit as pages: who changed what, whether the chains hold, the chain of one finding; read-only, each in their reach."""

from __future__ import annotations

import pytest

from loop.store import settings_kept, staff
from loop.store.session import Tx
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from tests.cast import COUNTRY, COUNTY, NEXT_DOOR, ROOT
from tests.web import HASHED

__all__ = ["pages", "sqlite_url"]

HOSTILE = "<script>alert(1)</script>"
ROLES = ("inspector", "officer", "chief", "director", "leader", "auditor", "school", "bureau", "admin")


def enrol(pages: Pages, name: str, role: str, region: str, full_name: str = "新来的") -> None:
    """Somebody new, who can sign in."""

    def work(tx: Tx) -> str:
        person, _ = staff.enrol(
            tx,
            ROOT,
            name=name,
            full_name=full_name,
            role=role,
            region=region,
            from_on=pages.world.today,
            password=HASHED,
        )
        return person.id

    pages.world.cast.ids[name] = pages.world.parts.store.write(work)


async def verified(pages: Pages, browser: Browser) -> Seen:
    """Press the button, wait until it is done, and look again."""
    page = await browser.get("/audit")
    await browser.send(page.form("/audit/verify"))
    await pages.app.state.audit_runs.settled()
    return await browser.get("/audit")


def tamper(pages: Pages, statement: str) -> None:
    """Change a row behind everybody's back."""
    pages.world.parts.store.write(lambda tx: tx._execute(statement, []))


async def test_the_entry_is_there_for_who_may_audit_and_for_nobody_else(pages: Pages) -> None:
    number = pages.world.opened()
    for name in ROLES:
        browser = await pages.browser(name)
        may = name in {"auditor", "director", "admin"}
        assert ("审计" in (await browser.get("/")).links()) is may, name
        assert (await browser.get("/audit")).status == (200 if may else 403), name
        expected = 200 if name in {"auditor", "director"} else 404 if name == "admin" else 403
        assert (await browser.get(f"/audit/findings/{number}")).status == expected, name
    assert (await (await pages.browser()).get("/audit")).path.startswith("/sign-in")


async def test_a_director_reads_chains_and_neither_verifies_nor_reads_the_registry(pages: Pages) -> None:
    number = pages.world.opened()
    browser = await pages.browser("director")
    seen = await browser.get("/audit")
    assert "开始核验" not in seen.text
    assert seen.root.all("h2", id="changes") == []
    chain = await browser.send(seen.form("/audit/findings"), number=number)
    assert "留痕" in chain.heading
    assert "留痕链完整" not in chain.text
    auditor = await pages.browser("auditor")
    form = (await auditor.get("/audit")).form("/audit/verify")
    own = dict((await browser.get("/profile")).form("/profile/language").fields)["csrf"]
    assert (await browser.send(form, csrf=own)).status == 403
    assert (await auditor.send(form, csrf=None)).status == 403
    assert (await auditor.send(form, csrf="forged")).status == 403
    assert not hasattr(pages.app.state, "audit_runs") or pages.app.state.audit_runs.of("whole") is None


# ---- the chain of a finding ----------------------------------------------------------------------------------------


async def test_the_chain_of_a_finding_shows_every_step_with_its_hash_and_that_it_holds(pages: Pages) -> None:
    number = pages.world.received()
    browser = await pages.browser("auditor")
    seen = await browser.send((await browser.get("/audit")).form("/audit/findings"), number=f" {number} ")
    assert seen.path == f"/audit/findings/{number}"
    assert "留痕链完整，数据与留痕相符。" in seen.text
    shown = [node.text().strip() for node in seen.root.all("code", class_="hash")]
    assert shown == [entry.hash for entry in pages.world.trail(number)]
    assert seen.links()["查看问题"] == f"/findings/{number}"


async def test_a_row_that_was_altered_is_named(pages: Pages) -> None:
    number = pages.world.received()
    tamper(pages, f"UPDATE finding SET title = '改过的' WHERE number = '{number}'")
    browser = await pages.browser("auditor")
    seen = await browser.get(f"/audit/findings/{number}")
    assert "此问题的数据与留痕不符" in seen.text
    assert number in seen.text
    assert "第一处不符" in seen.text
    assert "title" in seen.text


async def test_a_chain_out_of_reach_is_not_found(pages: Pages) -> None:
    number = pages.world.opened()
    enrol(pages, "neighbour", "auditor", NEXT_DOOR)
    browser = await pages.browser("neighbour")
    assert (await browser.get(f"/audit/findings/{number}")).status == 404
    for strange in ("%00", "nothing", "%3Cscript%3E"):
        assert (await browser.get(f"/audit/findings/{strange}")).status == 404
    assert (await browser.get("/audit/findings?number=")).path == "/audit"


async def test_a_long_chain_comes_in_pages(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop.web.audit.STEPS_AT_A_TIME", 2)
    number = pages.world.received()
    browser = await pages.browser("auditor")
    shown: list[str] = []
    path = f"/audit/findings/{number}"
    while path:
        seen = await browser.get(path)
        shown += [node.text().strip() for node in seen.root.all("code", class_="hash")]
        path = seen.links().get("下一页", "")
    assert shown == [entry.hash for entry in pages.world.trail(number)]


# ---- everything ----------------------------------------------------------------------------------------------------


async def test_everything_is_verified_and_the_last_result_stays_for_the_next_reader(pages: Pages) -> None:
    pages.world.received()
    browser = await pages.browser("admin")
    assert "还没有核验过。" in (await browser.get("/audit")).text
    seen = await verified(pages, browser)
    assert "全部相符，没有改动痕迹。" in seen.text
    assert "admin·某" in seen.text
    assert pages.world.parts.store.read(lambda tx: settings_kept.get(tx, "verified:whole"))
    enrol(pages, "overseer", "auditor", COUNTRY)
    del pages.app.state.audit_runs
    later = await (await pages.browser("overseer")).get("/audit")
    assert "全部相符，没有改动痕迹。" in later.text


async def test_a_verification_that_finds_a_fault_names_it(pages: Pages) -> None:
    number = pages.world.received()
    tamper(pages, f"UPDATE finding SET level = 5 WHERE number = '{number}'")
    seen = await verified(pages, await pages.browser("admin"))
    assert "有数据与留痕不符" in seen.text
    assert number in seen.text
    assert "level" in seen.text


async def test_an_auditor_of_a_county_verifies_the_findings_in_reach_and_hears_nothing_of_others(pages: Pages) -> None:
    number = pages.world.received()
    tamper(pages, f"UPDATE finding SET level = 5 WHERE number = '{number}'")
    enrol(pages, "neighbour", "auditor", NEXT_DOOR)
    there = await verified(pages, await pages.browser("neighbour"))
    assert "全部相符" in there.text
    assert number not in there.text
    here = await pages.browser("auditor")
    assert "还没有核验过。" in (await here.get("/audit")).text
    assert number in (await verified(pages, here)).text


# ---- the registry --------------------------------------------------------------------------------------------------


async def test_who_changed_what_in_the_registry_is_told_with_its_hash_and_as_text(pages: Pages) -> None:
    admin = await pages.browser("admin")
    enrol(pages, "late.comer", "officer", COUNTY, HOSTILE)
    await pages.call("admin", "PATCH", f"/users/{pages.world.cast.ids['late.comer']}", {"active": False})
    seen = await admin.get("/audit")
    assert f"修改人员 · {HOSTILE} late.comer" in seen.text
    assert "在用：否" in seen.text
    assert "admin·某 admin（系统管理）" in seen.text
    assert f"给予岗位 · {HOSTILE} late.comer · 督导办经办人 · 云溪县" in seen.text
    assert "<script>alert" not in seen.answer.text
    last = pages.world.trail("people")[-1]
    assert last.hash[:12] in seen.text


async def test_an_auditor_sees_the_changes_of_their_own_region(pages: Pages) -> None:
    enrol(pages, "ours", "officer", COUNTY, "本县的人")
    enrol(pages, "theirs", "officer", NEXT_DOOR, "邻县的人")
    seen = await (await pages.browser("auditor")).get("/audit")
    assert "本县的人" in seen.text
    assert "邻县的人" not in seen.text
    everything = await (await pages.browser("admin")).get("/audit")
    assert "邻县的人" in everything.text


async def test_the_registry_comes_in_pages_by_the_same_few_questions(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loop.web.audit.AT_A_TIME", 10)
    browser = await pages.browser("auditor")
    counts, path, steps = [], "/audit", 0
    while path:
        asked, seen = await counting(pages, browser, path)
        counts.append(asked)
        path, steps = seen.links().get("下一页", ""), steps + 1
    assert steps == -(-len(pages.world.trail("people")) // 10)
    assert max(counts) <= min(counts) + 7


async def counting(pages: Pages, browser: Browser, path: str) -> tuple[int, Seen]:
    said: list[str] = []
    pages.world.parts.store.trace = lambda text, values: said.append(text)
    seen = await browser.get(path)
    pages.world.parts.store.trace = None
    return len(said), seen
