"""The words for what a finding is: kinds, severities, categories. The workflow, the ledger and the figures all read them."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.labels import Label

KINDS: Mapping[str, Label] = {
    "comprehensive": Label("综合督导", "comprehensive"),
    "special": Label("专项督导", "special"),
    "routine": Label("经常性督导", "routine"),
    "monitoring": Label("评估监测", "monitoring"),
    "tip_off": Label("举报", "tip-off"),
}
SEVERITIES: Mapping[str, Label] = {
    "normal": Label("一般", "normal"),
    "major": Label("较重", "major"),
    "grave": Label("严重", "grave"),
}
CATEGORIES: Mapping[str, Label] = {
    "funding": Label("经费投入", "funding"),
    "staffing": Label("教师队伍", "staffing"),
    "pay": Label("教师待遇", "pay"),
    "facilities": Label("办学条件", "facilities"),
    "campus_safety": Label("校园安全", "campus safety"),
    "health_canteen": Label("卫生食堂", "health and canteen"),
    "double_reduction": Label("双减", "double reduction"),
    "five_managements": Label("五项管理", "five managements"),
    "off_campus_training": Label("校外培训", "off-campus training"),
    "irregular_running": Label("规范办学", "irregular running"),
    "enrolment": Label("招生入学", "enrolment"),
    "curriculum": Label("课程教学", "curriculum"),
    "preschool": Label("学前教育", "preschool"),
    "ethics": Label("师德师风", "teachers' ethics"),
    "dropout_aid": Label("控辍资助", "drop-out control and aid"),
    "special_education": Label("特殊教育", "special education"),
    "party_moral": Label("党建德育", "party building and moral education"),
    "governance": Label("组织管理", "governance"),
}
"""In the order of the list of the eighteen."""

LIGHTS: Mapping[str, Label] = {
    "green": Label("绿", "green"),
    "yellow": Label("黄", "yellow"),
    "red": Label("红", "red"),
    "grey": Label("灰", "grey"),
}

ACTS: Mapping[str, Label] = {
    "opinion": Label("督导意见书", "opinion letter"),
    "decision": Label("问责决定", "accountability decision"),
}
"""What a unit can dispute."""
