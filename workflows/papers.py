"""Every kind of paper the workflow makes. Issued papers carry a number of the office's series; received ones do not."""

from __future__ import annotations

from dataclasses import replace

from loop.kernel.labels import Label
from loop.kernel.workflow import Paper


def _issued(kind: str, zh: str, en: str, *cc: str) -> Paper:
    return Paper(kind, Label(zh, en), cc=cc)


def _received(kind: str, zh: str, en: str) -> Paper:
    return Paper(kind, Label(zh, en), issued=False)


def _internal(kind: str, zh: str, en: str) -> Paper:
    return Paper(kind, Label(zh, en), issued=False, internal=True)


GOVERNMENT = "本级人民政府"
COMMITTEE = "所在地党委"
SUPERIOR_OFFICE = "上一级教育督导机构"

ON_SITE_RECORD = _received("on_site_record", "现场处置记录", "record of on-site measures")
REPORT_ITEM = _internal("report_item", "督导报告条目", "entry of the supervision report")
PRELIMINARY_OPINION = _issued("preliminary_opinion", "初步督导意见", "preliminary opinion")
INSPECTOR_OPINION = _issued("inspector_opinion", "责任督学整改意见", "responsible inspector's opinion")
DEFENCE_STATEMENT = _received("defence", "申辩意见", "defence")
DEFENCE_ANSWER = _issued("defence_answer", "申辩处理意见", "answer to the defence")
WITHDRAWAL = _issued("withdrawal", "撤销通知", "notice of withdrawal")
OPINION_LETTER = replace(
    _issued("opinion_letter", "督导意见书", "supervision opinion letter", GOVERNMENT, SUPERIOR_OFFICE),
    opens=("plan_due", "opinion_window"),
)
RECTIFICATION_NOTICE = _issued("rectification_notice", "整改通知书", "rectification notice", GOVERNMENT)
RECEIPT = _received("receipt", "送达回证", "receipt of service")
PLAN = _received("plan", "整改方案", "rectification plan")
RETURN_SLIP = _issued("return_slip", "退回意见", "return with reasons")
URGE_ORDER = _issued("urge_order", "督办单", "supervisory order")
PLAN_APPROVAL = _issued("plan_approval", "方案审核意见", "approval of the plan")
MONTHLY_REPORT = _received("monthly_report", "月报", "monthly report")
EXTENSION_REQUEST = _received("extension_request", "延期申请", "request for extension")
EXTENSION_REPLY = _issued("extension_reply", "延期批复", "reply on extension")
RECTIFICATION_REPORT = _received("rectification_report", "整改报告", "rectification report")
REVIEW_NOTICE = _issued("review_notice", "复查通知", "notice of review")
REVIEW_OPINION = _issued("review_opinion", "复查意见书", "review opinion")
RENEWED_NOTICE = _issued("renewed_notice", "再整改通知书", "renewed rectification notice", GOVERNMENT)
WRITE_OFF_SLIP = _issued("write_off_slip", "销号单", "write-off slip")
PUBLIC_NOTICE = _issued("public_notice", "公示", "public notice")
PRAISE = _issued("praise", "通报表扬", "circular of commendation")
INTERVIEW_PROPOSAL = _internal("interview_proposal", "约谈建议", "proposal of an interview")
INTERVIEW_NOTICE = _issued("interview_notice", "约谈通知书", "notice of interview")
RESCHEDULE_NOTICE = _issued("reschedule_notice", "改期通知", "notice of a new time")
INTERVIEW_RECORD = _issued("interview_record", "约谈记录", "record of interview")
NO_SHOW_RECORD = _internal("no_show_record", "未到场记录", "record of absence")
FILING_LETTER = _issued("filing_letter", "备案函", "letter of filing", COMMITTEE, GOVERNMENT)
BULLETIN = _issued("bulletin", "通报", "bulletin", COMMITTEE, GOVERNMENT, SUPERIOR_OFFICE)
BULLETIN_ANSWER = _received("bulletin_answer", "通报回复", "answer to the bulletin")
NO_INTERVIEW = _issued("no_interview", "不予约谈说明", "statement why no interview is held")
NO_BULLETIN = _issued("no_bulletin", "不予通报说明", "statement why no bulletin is issued")
NO_ACCOUNTABILITY = _issued("no_accountability", "不予启动问责说明", "statement why nobody is held to account")
CLUE = _internal("clue", "问责线索登记", "register of an accountability clue")
GROUP_NOTICE = _issued("group_notice", "成立工作组通知", "notice of the group's formation")
DETERMINATION = _internal("determination", "调查认定报告", "report of investigation")
PRIOR_NOTICE = _issued("prior_notice", "问责事先告知书", "prior notice of accountability")
STATEMENT = _received("statement", "陈述申辩笔录", "statement and defence")
DECISION = _issued("decision", "问责决定书", "accountability decision", SUPERIOR_OFFICE)
EXECUTION_RECEIPT = _received("execution_receipt", "执行回执", "receipt of execution")
LOOKBACK_NOTICE = _issued("lookback_notice", "回头看通知", "notice of look-back")
LOOKBACK_RECORD = _issued("lookback_record", "回头看记录", "look-back record")
SAMPLE_RECORD = _internal("sample_record", "抽查记录", "record of the draw")
FILE_LIST = _internal("file_list", "卷内目录", "list of the file's contents")
REOPENING = _issued("reopening", "重启整改通知书", "notice of reopening")
CHANGE_NOTICE = _issued("change_notice", "变更送达通知", "notice of changed addressee")
ERRATUM = _issued("erratum", "勘误通知", "erratum")
PUBLICATION = _issued("publication", "公告", "publication")
TAKE_DOWN = _issued("take_down", "撤下说明", "statement of removal")
URGING = _issued("urging", "催办通知", "urging notice")
INSTRUCTION = _internal("instruction", "批示", "leader's instruction")
TRANSFER_LETTER = _issued("transfer_letter", "移送函", "letter of transfer")
OBJECTION = _received("objection", "异议申请书", "objection")
RECONSIDERATION = _received("reconsideration", "复核申请书", "request for reconsideration")
NOT_ADMITTED = _issued("not_admitted", "不予受理通知书", "notice of inadmissibility")
OBJECTION_DECISION = _issued("objection_decision", "异议处理决定书", "decision on the objection")
RECONSIDERATION_DECISION = _issued("reconsideration_decision", "复核决定书", "decision on reconsideration")
APPEAL_DECISION = _issued("appeal_decision", "申诉处理决定书", "decision on the appeal")
APPEAL = _received("appeal", "申诉书", "appeal")
RETRACTION = _received("retraction", "撤回申请", "retraction")
CORRECTION = _internal("correction", "纠正情况报告", "report of correction")
