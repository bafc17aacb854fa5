"""What administrators hand in: regions, offices, units, people with their posts, recusals, tokens; by HTTP and by form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from loop.kernel.labels import Label
from loop.kernel.payloads import Code, Day, Flag, Line, Name, Payload, Text, field

UnitKind = Literal["school", "department", "government"]
Level = Literal["country", "province", "prefecture", "county", "township"]
Role = Literal[
    "inspector", "officer", "chief", "director", "unit", "department", "leader", "auditor", "admin"
]  # fmt: skip
Language = Literal["zh", "en"]
Secret = Annotated[str, Field(min_length=8, max_length=256)]
Prefix = Annotated[str, Field(min_length=1, max_length=20)]

LEVELS: Mapping[str, Label] = {
    "country": Label("国家级", "country"),
    "province": Label("省级", "province"),
    "prefecture": Label("地市级", "prefecture"),
    "county": Label("县级", "county"),
    "township": Label("乡镇（街道）", "township"),
}
UNIT_KINDS: Mapping[str, Label] = {
    "school": Label("学校", "school"),
    "department": Label("主管部门", "department"),
    "government": Label("人民政府", "government"),
}


# ---- regions, offices, units -----------------------------------------------------------------------------------------


class NewRegion(Payload):
    """A region to be added below another."""

    code: Code = field("代码", "code")
    name: Line = field("名称", "name")
    level: Level = field("级别", "level")
    parent: Code = field("上级地区", "parent")


class ChangedRegion(Payload):
    """What changes about a region."""

    name: Line | None = field("名称", "name", None)
    active: Flag | None = field("在用", "active", None)


class NewOffice(Payload):
    """The office of a region, to be added."""

    code: Code = field("代码", "code")
    region: Code = field("地区", "region")
    name: Line = field("名称", "name")
    doc_prefix: Prefix = field("发文字", "word before the year in the numbers of papers")


class ChangedOffice(Payload):
    """What changes about an office."""

    code: Code | None = field("代码", "code", None)
    name: Line | None = field("名称", "name", None)
    doc_prefix: Prefix | None = field("发文字", "word before the year in the numbers of papers", None)
    active: Flag | None = field("在用", "active", None)


class NewUnit(Payload):
    """A unit to be added."""

    name: Line = field("名称", "name")
    kind: UnitKind = field("性质", "kind")
    region: Code = field("地区", "region")
    department: Code | None = field("主管部门", "department", None)


class ChangedUnit(Payload):
    """What changes about a unit."""

    name: Line | None = field("名称", "name", None)
    kind: UnitKind | None = field("性质", "kind", None)
    region: Code | None = field("地区", "region", None)
    department: Code | None = field("主管部门", "department", None)
    active: Flag | None = field("在用", "active", None)


# ---- people ----------------------------------------------------------------------------------------------------------


class NewUser(Payload):
    """A person with a first post, or one more post for a known name."""

    name: Name = field("登录名", "sign-in name")
    full_name: Line | None = field("姓名", "full name", None)
    role: Role = field("角色", "role")
    region: Code | None = field("地区", "region", None)
    unit: Code | None = field("单位", "unit", None)
    from_on: Day | None = field("任职自", "in post from", None)
    until_on: Day | None = field("任职至", "in post until", None)
    language: Language | None = field("语言", "language", None)
    password: Secret | None = field("初始密码", "first password", None)


class EndedPost(Payload):
    """A post that ends with a day."""

    post: Code = field("岗位编号", "post")
    until_on: Day = field("任职至", "last day in post")


class ChangedUser(Payload):
    """What changes about a person."""

    full_name: Line | None = field("姓名", "full name", None)
    language: Language | None = field("语言", "language", None)
    active: Flag | None = field("在用", "active", None)
    password: Secret | None = field("新密码", "new password", None)
    end_posts: Annotated[list[EndedPost], Field(max_length=50)] = field("结束任职", "posts that end", [])


class NewRecusal(Payload):
    """A unit from which a person stays away, and why."""

    unit: Code = field("单位", "unit", choose="unit")
    ground: Line = field("回避理由", "ground")
    until_on: Day | None = field("截止日期", "last day", None)


class NewToken(Payload):
    """A token to be made for the caller. `calendar` stands alone: it opens the calendar feed and nothing else."""

    name: Annotated[Text, Field(max_length=80)] = field("名称", "name")
    scopes: Annotated[list[Literal["read", "write", "calendar"]], Field(min_length=1, max_length=2)] = field(
        "权限", "scopes", ["read"]
    )
    expires_on: Day | None = field("有效期至", "last day", None)
