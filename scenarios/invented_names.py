"""Names of people and companies that do not exist."""

from __future__ import annotations

from itertools import product

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘蒋蔡余"
GIVEN_NAMES = (
    *("伟", "芳", "敏", "静", "磊", "洋", "勇", "艳", "杰", "娟"),
    *("涛", "明", "超", "霞", "平", "刚", "晨", "宇", "欣", "悦"),
    *("志强", "建国", "晓燕", "海波", "文静", "嘉怡", "俊杰", "思琪", "子轩", "雨桐"),
    *("浩然", "梦洁", "国栋", "丽华", "振宇", "佳琪", "天宇", "雅婷", "永强", "春梅"),
)
_FIRST = "恒华瑞鼎盛远宏嘉博天金东德新海润"
_SECOND = "达丰诚科源锐维昌和凯宁泽泓轩基铭启腾"
BRANDS = tuple(first + second for second, first in product(_SECOND, _FIRST))
"""Short company names, each made of two signs."""

INDUSTRIES = (
    ("汽车零部件", "汽车部件"),
    ("电子制造", "电子"),
    ("机械装备", "机械"),
    ("化工", "化工"),
    ("食品饮料", "食品"),
    ("医药", "制药"),
    ("新能源", "新能源"),
    ("纺织服装", "纺织"),
    ("钢铁冶金", "金属材料"),
    ("物流仓储", "物流设备"),
)
"""Industry and the word that stands for it in a company's name."""

LEGAL_FORMS = {"A": "集团股份有限公司", "B": "股份有限公司", "C": "有限公司"}
"""Legal form by tier: the larger the customer, the grander."""
