"""The stage of the demonstration: real provinces and prefectures, invented counties, offices with people of every role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from loop.demo.samples import RegionRow, Sample, regions
from loop.kernel.people import (
    ADMIN,
    AUDITOR,
    CHIEF,
    DEPARTMENT,
    DIRECTOR,
    INSPECTOR,
    LEADER,
    OFFICER,
    UNIT,
    Actor,
    Post,
)
from loop.store import offices, places, staff, supervisions
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.supervisions import Supervision

COUNTRY = "100000"
HOME = "990116"
"""The county whose people carry the short sign-in names."""
SEATS = ((INSPECTOR, 3), (OFFICER, 1), (CHIEF, 1), (DIRECTOR, 1), (LEADER, 1))
PROVINCE_SEATS = (*SEATS, (AUDITOR, 1))
TITLES = {
    INSPECTOR: "督学", OFFICER: "经办", CHIEF: "主任", DIRECTOR: "督导委主任", LEADER: "分管领导", AUDITOR: "审计",
    UNIT: "负责人", DEPARTMENT: "分管局长", ADMIN: "管理员",
}  # fmt: skip
SURNAMES = tuple("赵钱孙李周吴郑冯陈褚卫蒋沈韩杨朱秦许何吕施孔曹严华魏陶姜")


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who can sign in."""

    id: str
    name: str
    role: str
    region: str | None
    unit: str | None


@dataclass(slots=True)
class Bureau:
    """One office with its people by role, its education department and its running supervisions by kind."""

    region: str
    seats: dict[str, list[Player]] = field(default_factory=dict)
    department: str = ""
    department_player: Player | None = None
    supervisions: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Country:
    """Everything the story plays on."""

    bureaus: dict[str, Bureau] = field(default_factory=dict)
    units: dict[tuple[str, str], str] = field(default_factory=dict)
    unit_players: dict[str, Player] = field(default_factory=dict)
    players: list[Player] = field(default_factory=list)

    def bureau_of(self, region: str) -> Bureau:
        """The office that supervises in `region`."""
        return self.bureaus[seat_of(region)]


def seat_of(region: str) -> str:
    """The region whose office is responsible: a township's is its county's."""
    row = _rows()[region]
    return row.parent_code or region if row.level == "township" else region


def _rows() -> dict[str, RegionRow]:
    return {row.code: row for row in regions()}


def _province(code: str) -> str:
    row = _rows()[code]
    while row.level not in ("province", "country"):
        row = _rows()[row.parent_code or COUNTRY]
    return row.code


class Builder:
    """Builds the country in one transaction."""

    def __init__(self, tx: Tx, at: datetime, today: date, password: str) -> None:
        self._tx, self._today, self._password = tx, today, password
        root = Actor("setup", "setup", "安装程序", (Post("setup", ADMIN, (COUNTRY,)),))
        self._by = By(root, ADMIN, at, "1")
        self._country = Country()
        self._order = 0

    def build(self, wanted: Sequence[Sample]) -> Country:
        """Regions, offices, units and people for these samples."""
        for row in regions():
            places.add_region(self._tx, self._by, code=row.code, name=row.name, level=row.level, parent=row.parent_code)
        seats = sorted({seat_of(s.region) for s in wanted})
        provinces = sorted({_province(code) for code in seats})
        for code in provinces:
            self._bureau(code, PROVINCE_SEATS)
        for code in sorted(set(seats) - set(provinces), key=lambda c: (c != HOME, c)):
            self._bureau(code, SEATS)
        for sample in sorted(wanted, key=lambda s: (seat_of(s.region) != HOME, s.seq)):
            self._unit(sample)
        self._player("admin", ADMIN, region=COUNTRY)
        self._player("auditor", AUDITOR, region=COUNTRY)
        return self._country

    def _bureau(self, code: str, seats: Sequence[tuple[str, int]]) -> None:
        row = _rows()[code]
        name = f"{row.name}教育督导办公室"
        offices.add_office(
            self._tx, self._by, code=f"R{code}", region=code, name=name, doc_prefix=f"{row.name[:2]}教督"
        )
        bureau = Bureau(code)
        for role, number in seats:
            bureau.seats[role] = [self._player(self._name(role, k, code), role, region=code) for k in range(number)]
        unit = places.add_unit(
            self._tx, self._by, name=f"{row.name}教育主管部门", kind="department", region=code, id_=f"d{code}"
        )
        bureau.department = unit.id
        bureau.department_player = self._player(self._name(DEPARTMENT, 0, code), DEPARTMENT, unit=unit.id)
        self._country.unit_players[unit.id] = self._player(self._name("bureau", 0, code), UNIT, unit=unit.id)
        self._country.bureaus[code] = bureau
        team = tuple(p.name for p in bureau.seats[INSPECTOR])
        for kind, title in (("special", "专项督导"), ("comprehensive", "综合督导")):
            made = supervisions.add_supervision(self._tx, self._by, Supervision(
                id="", office_id=offices_id(self._tx, code), kind=kind, title=f"{row.name}{title}",
                from_on=self._today.replace(month=1, day=1), until_on=self._today.replace(month=12, day=31),
                lead=team[0], team=team,
            ))  # fmt: skip
            bureau.supervisions[kind] = made.id

    def _unit(self, sample: Sample) -> None:
        key = (sample.region, sample.unit_name)
        if key in self._country.units:
            return
        bureau = self._country.bureau_of(sample.region)
        if sample.unit_kind == "department":
            self._country.units[key] = bureau.department
            return
        number = len(self._country.units) + 1
        governed = bureau.department if sample.unit_kind == "school" else None
        unit = places.add_unit(
            self._tx, self._by, name=sample.unit_name, kind=sample.unit_kind, region=sample.region,
            department_id=governed, id_=f"u{number:03d}",
        )  # fmt: skip
        self._country.units[key] = unit.id
        home = seat_of(sample.region) == HOME
        schools = sum(p.name.startswith("school") for p in self._country.unit_players.values())
        name = ("school" if not schools else f"school{schools + 1}") if home else f"unit-{unit.id}"
        self._country.unit_players[unit.id] = self._player(name, UNIT, unit=unit.id)

    def _name(self, role: str, k: int, code: str) -> str:
        plain = role if k == 0 else f"{role}{k + 1}"
        return plain if code == HOME else f"{plain}-{code}"

    def _player(self, name: str, role: str, *, region: str | None = None, unit: str | None = None) -> Player:
        self._order += 1
        full_name = f"{SURNAMES[self._order % len(SURNAMES)]}{TITLES[role]}"
        person, _ = staff.enrol(
            self._tx, self._by, name=name, full_name=full_name, role=role, from_on=date(2020, 1, 1), region=region,
            unit_id=unit, password=self._password,
        )  # fmt: skip
        player = Player(person.id, name, role, region, unit)
        self._country.players.append(player)
        return player


def offices_id(tx: Tx, region: str) -> str:
    """The id of the office of a region that is known to have one."""
    office = offices.office_at(tx, region)
    if office is None:
        raise LookupError(region)
    return office.id


def cast(country: Country) -> Iterator[Player]:
    """Those whose sign-ins are shown: the home county first, then its province, the county next door, the country."""
    home = _province(HOME)
    neighbour = next(code for code in sorted(country.bureaus) if code not in (HOME, home))
    shown = (HOME, home, neighbour)
    units = {unit for (region, _), unit in country.units.items() if seat_of(region) in shown}
    departments = {country.bureaus[code].department for code in shown}
    for region in (HOME, home, neighbour, COUNTRY):
        for player in sorted(country.players, key=lambda p: p.name.startswith("bureau")):
            at = player.region or _region_of(country, player)
            if at == region and (player.region or player.unit in units | departments):
                yield player


def _region_of(country: Country, player: Player) -> str | None:
    for (region, _), unit in country.units.items():
        if unit == player.unit:
            return seat_of(region)
    return next((code for code, bureau in country.bureaus.items() if bureau.department == player.unit), None)
