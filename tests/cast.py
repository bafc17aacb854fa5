"""The cast of the stories: a province, a city and two counties with people of every role, and the units they supervise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from loop.kernel.people import ADMIN, Actor, Post
from loop.store import offices, places, staff, supervisions
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.supervisions import Supervision

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday, 2 March 2026, nine o'clock in Shanghai."""

COUNTRY, PROVINCE, CITY, COUNTY, NEXT_DOOR, TOWN = "100000", "930000", "930100", "930106", "930108", "930106001"
REGIONS = (
    (COUNTRY, "全国", "country", None),
    (PROVINCE, "松江省", "province", COUNTRY),
    (CITY, "青禾市", "prefecture", PROVINCE),
    (COUNTY, "云溪县", "county", CITY),
    (NEXT_DOOR, "石桥县", "county", CITY),
    (TOWN, "桐峰镇", "township", COUNTY),
)
OFFICES = ((PROVINCE, "SJ", "松教督"), (CITY, "QH", "青教督"), (COUNTY, "YX", "云教督"), (NEXT_DOOR, "SQ", "石教督"))

# sign-in name -> (role, region or unit)
POSTS: dict[str, tuple[str, str]] = {
    "inspector": ("inspector", COUNTY),
    "inspector2": ("inspector", COUNTY),
    "inspector3": ("inspector", COUNTY),
    "officer": ("officer", COUNTY),
    "chief": ("chief", COUNTY),
    "director": ("director", COUNTY),
    "leader": ("leader", COUNTY),
    "auditor": ("auditor", COUNTY),
    "school": ("unit", "school"),
    "other_school": ("unit", "other_school"),
    "bureau": ("department", "bureau"),
    "government": ("unit", "government"),
    "city_chief": ("chief", CITY),
    "city_director": ("director", CITY),
    "province_chief": ("chief", PROVINCE),
    "next_officer": ("officer", NEXT_DOOR),
    "next_chief": ("chief", NEXT_DOOR),
    "next_school": ("unit", "next_school"),
    "admin": ("admin", COUNTRY),
}
UNITS = (
    ("bureau", "云溪县教育局", "department", COUNTY, None),
    ("school", "桐峰镇中心小学", "school", TOWN, "bureau"),
    ("other_school", "云溪县第二中学", "school", COUNTY, "bureau"),
    ("government", "桐峰镇人民政府", "government", TOWN, None),
    ("next_school", "石桥县第一中学", "school", NEXT_DOOR, None),
)
ROOT = By(Actor("root", "root", "安装程序", (Post("root", ADMIN, (COUNTRY,)),)), ADMIN, START, "test")


@dataclass(slots=True)
class Cast:
    """Who is who: ids by sign-in name, and the supervisions of the county office by kind."""

    ids: dict[str, str] = field(default_factory=dict)
    supervisions: dict[str, str] = field(default_factory=dict)
    office_id: str = ""


def engage(tx: Tx) -> Cast:
    """Put the whole cast on stage; units have the ids by which the stories call them."""
    cast = Cast()
    for code, name, level, parent in REGIONS:
        places.add_region(tx, ROOT, code=code, name=name, level=level, parent=parent)
    for region, code, prefix in OFFICES:
        office = offices.add_office(tx, ROOT, code=code, region=region, name=f"{code}督导办", doc_prefix=prefix)
        cast.office_id = office.id if region == COUNTY else cast.office_id
    for id_, name, kind, region, department in UNITS:
        places.add_unit(tx, ROOT, name=name, kind=kind, region=region, department_id=department, id_=id_)
    for name, (role, place) in POSTS.items():
        at = {"region": place} if place.isdigit() else {"unit_id": place}
        person, _ = staff.enrol(tx, ROOT, name=name, full_name=f"{name}·某", role=role, from_on=date(2020, 1, 1), **at)
        cast.ids[name] = person.id
    for kind in ("special", "comprehensive"):
        cast.supervisions[kind] = supervisions.add_supervision(tx, ROOT, _campaign(kind, cast.office_id)).id
    return cast


def _campaign(kind: str, office_id: str) -> Supervision:
    return Supervision(
        id="", office_id=office_id, kind=kind, title=f"{kind} 2026", from_on=date(2026, 1, 1), until_on=date(2026, 12, 31),
        lead="inspector", team=("inspector", "inspector2", "inspector3"),
    )  # fmt: skip
