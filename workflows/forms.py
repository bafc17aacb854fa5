"""Codes of law and practice: why somebody is interviewed or held to account, in which forms, and what aggravates.

Published groups and forms are named in domain.md section 5; codes without a published list are marked there.
"""

from __future__ import annotations

from loop.kernel.labels import Label

CIRCUMSTANCES = {
    "AC_POLICY_WEAK": Label("贯彻党的教育方针和决策部署不坚决不彻底", "policy carried out weakly"),
    "AC_DUTY_UNMET": Label("履行教育职责不到位", "education duty not fulfilled"),
    "AC_TASK_BEHIND": Label("教育攻坚任务严重滞后", "key tasks badly behind"),
    "AC_IRREGULAR_RUN": Label("办学行为不规范", "irregular running of schools"),
    "AC_QUALITY_DOWN": Label("教育教学质量下降", "falling quality"),
    "AC_SAFETY_OR_REFUSAL": Label("安全问题较多或拒不接受督导", "many safety problems, or supervision refused"),
    "AC_G_LAW_BREACH": Label("政府：违反教育法律法规", "government: breach of education law"),
    "AC_G_TASK": Label("政府：未按时按标准完成任务", "government: targets not met"),
    "AC_G_MASS": Label("政府：群体性事件处置不当", "government: mass incidents badly handled"),
    "AC_G_ACCIDENT": Label("政府：失职导致重大事故或案事件", "government: dereliction led to a major accident"),
    "AC_G_PARTY": Label("政府：党的领导和意识形态责任落实不力", "government: weak party leadership duty"),
    "NC_REFUSE": Label("拒绝、阻挠督导", "refusal or obstruction"),
    "NC_DECEIVE": Label("隐瞒实情、弄虚作假", "concealment or deceit"),
    "NC_NO_RECTIFY": Label("未整改且未报告", "neither rectified nor reported"),
    "NC_RETALIATE": Label("打击报复", "retaliation"),
    "NC_OTHER": Label("其他不配合情形", "other non-cooperation"),
    "AC_POOR_RECTIFY": Label("整改不力", "poor rectification"),
    "AC_RELAPSE": Label("整改后反弹", "relapse after rectification"),
    "AC_JOINT": Label("主管部门连带责任", "joint liability of the department"),
    "IN_NEGLECT": Label("督学玩忽职守", "inspector: neglect of duty"),
    "IN_FRAUD": Label("督学弄虚作假、徇私", "inspector: fraud"),
    "IN_ABUSE": Label("督学滥用职权", "inspector: abuse of power"),
    "IN_NO_RECUSAL": Label("督学应回避未回避", "inspector: failed to stay out"),
    "IN_NO_URGENT_ACTION": Label("督学发现危险未督促处理", "inspector: failed to act on danger"),
    "IN_LEAK": Label("督学泄密", "inspector: leak"),
}
REASON_CODES = {
    **CIRCUMSTANCES,
    "LADDER": Label("逾期未完成", "deadline lapsed"),
    "FAILED_REVIEW": Label("复查多次未通过", "reviews failed"),
    "INSTRUCTION": Label("领导批示", "leader's instruction"),
}

UNIT_SUBJECTS, PERSON_SUBJECTS = frozenset({"unit", "department"}), frozenset({"person"})
FORMS: dict[str, tuple[Label, frozenset[str]]] = {
    "F_PUBLIC_CRITICISM": (Label("公开批评", "public criticism"), UNIT_SUBJECTS),
    "F_INTERVIEW": (Label("约谈", "interview"), UNIT_SUBJECTS | PERSON_SUBJECTS),
    "F_BULLETIN": (Label("督导通报", "bulletin"), UNIT_SUBJECTS),
    "F_RESOURCE": (Label("资源调整", "resource adjustment"), UNIT_SUBJECTS),
    "F_ADMIN_PENALTY": (Label("行政处罚", "administrative penalty"), UNIT_SUBJECTS),
    "F_SELF_CRITICISM": (Label("责令检查", "ordered self-criticism"), PERSON_SUBJECTS),
    "F_CIRC_CRITICISM": (Label("通报批评", "circulated criticism"), PERSON_SUBJECTS),
    "F_ORG_HANDLING": (Label("组织处理", "organisational handling"), PERSON_SUBJECTS),
    "F_SANCTION": (Label("处分", "disciplinary sanction"), PERSON_SUBJECTS),
    "F_TRANSFER_SUPERVISION": (Label("移交监察机关", "transfer to the supervision organ"), PERSON_SUBJECTS),
    "F_TRANSFER_JUDICIAL": (Label("移交司法机关", "transfer to the judiciary"), PERSON_SUBJECTS),
    "F_CONFISCATE_FINE": (Label("罚没违法所得", "confiscation and fine"), PERSON_SUBJECTS),
    "F_PRACTICE_BAN": (Label("从业禁止", "practice ban"), PERSON_SUBJECTS),
    "F_CREDIT": (Label("纳入诚信记录", "credit record"), PERSON_SUBJECTS),
    "F_INSPECTOR_CRITICISM": (Label("批评教育", "criticism of an inspector"), PERSON_SUBJECTS),
    "F_INSPECTOR_REMOVE": (Label("取消任命或聘任", "removal of an inspector"), PERSON_SUBJECTS),
}
AGGRAVATING = {
    "AG_CONCEAL_OBSTRUCT": Label("隐瞒事实或阻挠调查", "concealment or obstruction"),
    "AG_RETALIATE": Label("打击报复", "retaliation"),
    "AG_NOT_CORRECTED": Label("问责后仍不整改", "not corrected after accountability"),
    "AG_TWICE_IN_YEAR": Label("一年内两次被问责", "twice within a year"),
    "AG_OTHER": Label("其他从重情形", "other aggravation"),
}
MITIGATING = {
    "MI_SELF_REPORT": Label("主动说明", "own admission"),
    "MI_COOPERATE": Label("配合调查", "cooperation"),
    "MI_REPAIR": Label("主动挽回损失", "active repair"),
    "MI_REPORT_OTHERS": Label("检举他人属实", "verified report of others"),
    "MI_MINOR_ROLE": Label("作用轻微", "minor role"),
    "MI_RETURN_GAIN": Label("退缴所得", "return of gains"),
}
