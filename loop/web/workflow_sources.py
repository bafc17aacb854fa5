"""The shipped sources of the deadlines in Chinese, by the words of the configuration. What an office writes itself is shown
as it wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from loop.kernel.labels import Label
from loop.kernel.rules import Rule

NATURES: Mapping[str, Label] = {
    "V": Label("已核实", "verified"),
    "A": Label("类推适用", "by analogy"),
    "P": Label("产品默认", "product default"),
    "O": Label("本机构设定", "the office's own"),
}
"""On what a rule rests, in a word."""
NATURES_SAID: Mapping[str, Label] = {
    "V": Label("教育督导法规或实践中查到的期限。", "Found in the law or practice of education supervision."),
    "A": Label(
        "教育督导未见规定，参照其他领域的规定。", "Nothing found in education supervision; taken from another field."
    ),
    "P": Label("未见规定，由本产品设定，不是法定期限。", "No rule found; set by this product, not by law."),
    "O": Label("由本机构在配置中设定。", "Set by this office in its configuration."),
}
_OURS = re.compile(r"^(product default|by analogy)(; |, |: )")
"""What the nature says already."""
IN_CHINESE: Mapping[str, str] = {
    "no rule found": "未见规定",
    "no rule found in education texts": "教育督导文本中未见规定",
    "as an ordinary rectification; no rule found": "比照一般整改；未见规定",
    "as review_due; no rule found": "比照复查期限；未见规定",
    "the education rules leave it to the letter": "教育督导规定交由文书确定",
    "the education rules leave it to the letter (上海市教育督导条例 Art 23, 浙江省教育督导条例 Art 11(8))": (
        "教育督导规定交由文书确定（上海市教育督导条例第二十三条、浙江省教育督导条例第十一条第八项）"
    ),
    "one provincial notice of 2025 ran that long, no rule found": "2025 年有一省公示为此期限；未见规定",
    "the duty to file, without a number: 无锡市教育督导条例 Art 25": "无锡市教育督导条例第二十五条规定备案，未定期限",
    "the right to be heard, without a number: 教育督导问责办法 as explained in 学习问答(三) Q15": (
        "教育督导问责办法（学习问答三第 15 问）规定听取陈述申辩，未定期限"
    ),
    "that look-backs are made in steps is practice (Zhejiang 2020, Jiangsu 2023), no number found": (
        "分次回头看为实践做法（浙江 2020 年、江苏 2023 年），未见期限"
    ),
    "浙江省教育督导条例 Art 23": "浙江省教育督导条例第二十三条",
    "浙江省教育督导条例 Art 11(5), from receipt (elsewhere: 上海市教育督导条例 Art 21, 10 wd from the end of the inspection; "
    "重庆市教育督导条例 Art 26, 5 d)": (
        "浙江省教育督导条例第十一条第五项，自收到之日起（另：上海市教育督导条例第二十一条，督导结束后 10 个工作日；"
        "重庆市教育督导条例第二十六条，5 日）"
    ),
    "重庆市教育督导条例 Art 27, from preliminary feedback (浙江省教育督导条例 Art 11(6) and 上海市教育督导条例 Art 21: 30 d from "
    "the end of the inspection)": (
        "重庆市教育督导条例第二十七条，自初步反馈起（浙江省教育督导条例第十一条第六项、"
        "上海市教育督导条例第二十一条：督导结束后 30 日）"
    ),
    "政府信息公开条例 Art 26 (that the letter is published: 上海市教育督导条例 Art 22)": (
        "政府信息公开条例第二十六条（意见书应当公开：上海市教育督导条例第二十二条）"
    ),
    "市场监督管理行政处罚信息公示规定 Art 11; 行政处罚法 Art 48 and 85": (
        "市场监督管理行政处罚信息公示规定第十一条；行政处罚法第四十八条、第八十五条"
    ),
    "practice: 2013年市政府教育督导团办公室工作意见 (districts and responsible inspectors report monthly)": (
        "实践做法：2013 年市政府教育督导团办公室工作意见（各区、责任督学按月报告）"
    ),
    "信访工作条例 Art 34": "信访工作条例第三十四条",
    "特种设备安全监督检查办法 Art 29": "特种设备安全监督检查办法第二十九条",
    "教育督导问责办法 as explained in 学习问答(三) Q14 (counted there from the end of the inspection)": (
        "教育督导问责办法（学习问答三第 14 问，该处自督导结束起算）"
    ),
    '教育督导问责办法 as explained in 学习问答(三) Q13(4) ("one year"; counted here from effective date to effective date)': (
        "教育督导问责办法（学习问答三第 13 问第四项，“一年”；此处按生效日计算）"
    ),
    "浙江省教育督导条例 Art 11(7) (elsewhere 15 d: 山东省教育督导条例 Art 18, 郑州市教育督导条例 Art 23)": (
        "浙江省教育督导条例第十一条第七项（另有 15 日：山东省教育督导条例第十八条、郑州市教育督导条例第二十三条）"
    ),
    "浙江省教育督导条例 Art 11(7); 郑州市教育督导条例 Art 23": "浙江省教育督导条例第十一条第七项；郑州市教育督导条例第二十三条",
    "教育督导问责办法 as explained in 学习问答(四) Q19": "教育督导问责办法（学习问答四第 19 问）",
    "河南省预防职务犯罪工作条例 Art 18 (the duty to report back, without a number: 无锡市教育督导条例 Art 26)": (
        "河南省预防职务犯罪工作条例第十八条（无锡市教育督导条例第二十六条规定反馈，未定期限）"
    ),
    "practice: 鲁教基函(2010)15号 section 2, the longest term there (by analogy also 信访工作条例 Art 22 and 23)": (
        "实践做法：鲁教基函〔2010〕15 号第二部分中最长的期限（并参照信访工作条例第二十二条、第二十三条）"
    ),
}


def source(rule: Rule) -> Label:
    """On what a rule rests, beyond its nature."""
    text = _OURS.sub("", rule.source, count=1)
    return Label(IN_CHINESE.get(text, text), text)
