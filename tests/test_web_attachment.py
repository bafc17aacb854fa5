"""A file of a finding as a page: looked at in place, proved by its digest, and hidden from whom it is not for."""

from __future__ import annotations

import hashlib

from tests.browsing import Pages, pages, sqlite_url
from tests.test_web_finding import PDF, multipart

__all__ = ["pages", "sqlite_url"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360f8cf000000030101 00c9fe92ef"
    "0000000049454e44ae426082".replace(" ", "")
)


async def test_a_photo_is_looked_at_in_its_page_with_what_proves_it_and_its_neighbours(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/attach"
    school = await pages.browser("school")
    files = [("_files:", ("现场.png", PNG, "image/png")), ("_files:", PDF)]
    seen = await multipart(school, await school.get(path), path, files)
    links = seen.links()
    photo = await school.get(links["现场.png"])
    (picture,) = photo.root.all("img", class_="exhibit")
    answer = await school.http.get(picture.attrs["src"])
    assert answer.content == PNG
    assert hashlib.sha256(PNG).hexdigest() in photo.text
    assert "school" in photo.text
    assert photo.heading == "现场.png"
    paper = await school.get(photo.links()["下一份"])
    assert paper.heading == "材料.pdf"
    assert "此类文件请下载后查看。" in paper.text
    assert paper.links()["上一份"] == links["现场.png"]
    assert (await school.get(photo.links()["返回问题"])).status == 200
    assert (await (await pages.browser("other_school")).get(links["现场.png"])).status == 404


async def test_a_unit_leafs_through_the_files_that_are_open_to_it_alone(pages: Pages) -> None:
    number = pages.world.executing()
    inner = pages.world.attach("officer", number)
    mine = pages.world.attach("school", number)
    school, officer = await pages.browser("school"), await pages.browser("officer")
    assert (await school.get(f"/attachments/{inner}")).status == 404
    assert "上一份" not in (await school.get(f"/attachments/{mine}")).links()
    assert (await officer.get(f"/attachments/{mine}")).links()["上一份"] == f"/attachments/{inner}"
