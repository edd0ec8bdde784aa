"""Channel advice: every channel stays open to the customer, the best one that can be reached is recommended."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.channels import ChannelPolicy, load_policy
from triage.errors import BadConfiguration
from triage.types import ChannelAdvice

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
EVEN = {"phone": 0.2, "live_chat": 0.2, "email": 0.2, "web_form": 0.2, "messenger": 0.2}


@pytest.fixture(scope="module")
def starter() -> ChannelPolicy:
    return load_policy()


def load(folder: Path, content: str) -> ChannelPolicy:
    path = folder / "channels.yaml"
    path.write_text(content, encoding="utf-8")
    return load_policy(path)


def advise(policy: ChannelPolicy, text: str = "", **about: Any) -> ChannelAdvice:
    known: dict[str, Any] = {"shares": EVEN, "intent": "", "urgency": "", "came_from": None, "at": NOON}
    return policy.advise(text, **(known | about))


def score(advice: ChannelAdvice, channel: str) -> float:
    return next(ranked.score for ranked in advice.ranking if ranked.channel == channel)


def reasons(advice: ChannelAdvice, channel: str) -> str:
    return " | ".join(next(ranked.reasons for ranked in advice.ranking if ranked.channel == channel))


@pytest.mark.parametrize("shares", [{}, EVEN, {"phone": 1.0}, {"pigeon": 1.0}])
@pytest.mark.parametrize("urgency", ["", "low", "critical"])
def test_every_channel_is_ranked_with_reasons(starter: ChannelPolicy, shares: dict[str, float], urgency: str) -> None:
    advice = advise(starter, shares=shares, urgency=urgency)
    assert sorted(ranked.channel for ranked in advice.ranking) == sorted(starter.ids)
    assert len(starter.ids) == 12
    assert all(ranked.reasons and 0 < ranked.score < 1 for ranked in advice.ranking)
    assert sum(ranked.score for ranked in advice.ranking) == pytest.approx(1, abs=0.001)
    scores = [ranked.score for ranked in advice.ranking]
    assert scores == sorted(scores, reverse=True)
    assert advice.recommended == next(ranked.channel for ranked in advice.ranking if ranked.available)


def test_ways_to_a_person_leave_out_what_the_policy_says_is_none(starter: ChannelPolicy, tmp_path: Path) -> None:
    advice = advise(starter, shares={"forum": 0.9})
    assert advice.recommended == "forum"
    ways = starter.reaching_people(advice)
    assert ways == tuple(ranked for ranked in advice.ranking if ranked.channel != "forum")
    assert [way.channel for way in ways if not way.available] == ["video"]
    own = load(tmp_path, "channels: [{id: phone}, {id: bot, person: false}, {id: mail, person: true}]")
    assert {way.channel for way in own.reaching_people(advise(own))} == {"phone", "mail"}
    with pytest.raises(BadConfiguration, match="person"):
        load(tmp_path, "channels: [{id: phone, person: robot}]")


@pytest.mark.parametrize("channel", ["phone", "email", "store", "messenger", "web_form"])
def test_the_model_is_heard(starter: ChannelPolicy, channel: str) -> None:
    advice = advise(starter, shares={channel: 0.9})
    assert advice.recommended == channel
    assert "model: 0.90" in reasons(advice, channel)


def test_urgency_and_intent_move_channels(starter: ChannelPolicy) -> None:
    plain = advise(starter)
    critical = advise(starter, urgency="critical")
    assert critical.recommended == "phone"
    assert score(critical, "phone") > score(plain, "phone")
    assert "critical matters go to a person at once (+0.45)" in reasons(critical, "phone")
    assert "(-0.10)" in reasons(critical, "email")
    invoice = advise(starter, intent="billing.invoice")
    assert invoice.recommended == "email"
    assert reasons(invoice, "phone") == reasons(plain, "phone")


PHONE_IS_DEAD = {
    "vi": "Mình gọi mãi không ai nghe máy, thẻ bị trừ tiền liên tục!",
    "th": "โทรไม่ติดเลยค่ะ เงินโดนตัดซ้ำตลอด",
    "zh-Hans": "客服电话打不通，钱一直在被扣！",
    "zh-Hant": "客服電話打不通，錢一直被扣！",
    "ru": "НЕ ДОЗВОНИТЬСЯ до вас, деньги списывают прямо сейчас",
    "en": "I can't get through to you and money is leaving my account",
    "en, from an iPhone": "I can’t get through to you and money is leaving my account",
}


@pytest.mark.parametrize("language", PHONE_IS_DEAD)
def test_a_customer_whom_the_phone_failed_is_not_sent_back_to_it(starter: ChannelPolicy, language: str) -> None:
    advice = advise(starter, PHONE_IS_DEAD[language], urgency="critical")
    assert advice.recommended != "phone"
    assert "the phone is not answered (-0.60)" in reasons(advice, "phone")
    assert "not answered" not in reasons(advise(starter, "đơn của mình đâu", urgency="critical"), "phone")


def test_the_channel_that_a_customer_is_on_counts_a_little_more(starter: ChannelPolicy) -> None:
    for channel in starter.ids:
        here = advise(starter, came_from=channel)
        assert score(here, channel) > score(advise(starter), channel)
        assert "the customer is already here (+0.08)" in reasons(here, channel)
    assert advise(starter, came_from="pigeon") == advise(starter)


OWN = """
name: own
time_zone: Asia/Bangkok
channels:
  - {id: phone, base: 0.5, open: "08:00-21:00"}
  - {id: hotline, base: 0.3, open: "22:00 - 06:00"}
  - {id: video, base: 0.9, available: false, open: "00:00-12:00"}
  - {id: email, base: 0.1}
"""


@pytest.mark.parametrize(
    ("bangkok", "is_open"),
    [
        ("07:59", {"email"}),
        ("08:00", {"email", "phone"}),
        ("20:59", {"email", "phone"}),
        ("21:00", {"email"}),
        ("22:00", {"email", "hotline"}),
        ("00:00", {"email", "hotline"}),
        ("05:59", {"email", "hotline"}),
        ("06:00", {"email"}),
    ],
)
@pytest.mark.parametrize("zone", ["+07:00", "+00:00", "-05:00"])
def test_opening_hours_count_in_the_desks_own_zone(tmp_path: Path, bangkok: str, is_open: set[str], zone: str) -> None:
    there = datetime.fromisoformat(f"2026-11-02T{bangkok}+07:00")
    at = there.astimezone(datetime.fromisoformat(f"2026-11-02T00:00{zone}").tzinfo)
    advice = advise(load(tmp_path, OWN), at=at)
    assert {ranked.channel for ranked in advice.ranking if ranked.available} == is_open
    assert len(advice.ranking) == 4
    assert advice.recommended == max(is_open, key=lambda channel: score(advice, channel))


def test_summer_time_moves_opening_hours(tmp_path: Path) -> None:
    policy = load(tmp_path, "time_zone: Europe/London\nchannels: [{id: phone, open: '09:00-17:00'}]")
    for month, recommended in ((1, None), (7, "phone")):
        assert advise(policy, at=datetime(2026, month, 5, 8, 30, tzinfo=UTC)).recommended == recommended


def test_what_is_closed_or_not_offered_says_so_and_stays_in_the_ranking(tmp_path: Path) -> None:
    advice = advise(load(tmp_path, OWN), at=datetime.fromisoformat("2026-11-02T07:00+07:00"))
    assert advice.ranking[0].channel == "video"
    assert reasons(advice, "video").endswith("not offered now")
    assert reasons(advice, "phone").endswith("open 08:00–21:00")
    assert reasons(advice, "email") == "model: 0.20"
    assert advice.recommended == "email"


def test_where_nothing_is_open_nothing_is_recommended(tmp_path: Path) -> None:
    advice = advise(load(tmp_path, "channels: [{id: phone, available: false}, {id: fax, available: false}]"))
    assert advice.recommended is None
    assert len(advice.ranking) == 2


def test_a_rule_needs_all_its_conditions(tmp_path: Path) -> None:
    rules = """
rules:
  - reason: ลูกค้าขอวิดีโอ
    when: {intent: [product.faulty], urgency: [high, critical], mentions: [Видео, 视频]}
    boost: {email: 0.5}
"""
    policy = load(tmp_path, OWN + rules)
    full = {"text": "пришлю ВИДЕО", "intent": "product.faulty", "urgency": "high"}
    assert "ลูกค้าขอวิดีโอ (+0.50)" in reasons(advise(policy, **full), "email")
    for missing in ({"text": "пришлю фото"}, {"intent": ""}, {"urgency": "low"}):
        assert "ลูกค้าขอวิดีโอ" not in reasons(advise(policy, **(full | missing)), "email")
    assert "ลูกค้าขอวิดีโอ" in reasons(advise(policy, **(full | {"text": "我有视频"})), "email")


def test_a_rule_without_conditions_always_holds(tmp_path: Path) -> None:
    policy = load(tmp_path, OWN + "rules: [{reason: quiet week, boost: {phone: 0.2}}]")
    assert "quiet week (+0.20)" in reasons(advise(policy), "phone")


WRONG = """
time_zone: Asia/Bankok
model_wait: 0.5
model_weight: 60
came_from_boost: yes
channels:
  - {id: phone, base: high}
  - {id: phone, open: 8-21}
  - {base: 0.1}
  - {id: chat, available: sometimes, opens: "08:00"}
  - {id: fax, open: "08:00-08:00"}
  - {id: sms, open: "08:00Z-21:00Z"}
  - {id: email, open: "08:00-25:00"}
rules:
  - {reason: r1, when: {intents: [a], on: [b]}, boost: {pigeon: 0.1}}
  - {reason: r2, when: {intent: account.password, urgency: high, mentions: gọi}, boost: {phone: a lot}}
  - {reason: r3, when: [critical], boost: {phone: 0.1}}
  - {reason: r4, if: {}, boost: {}}
"""


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    expected = [
        "has unknown model_wait; known are name, time_zone",
        "time_zone 'Asia/Bankok' is unknown; name one like Asia/Bangkok",
        "model_weight is 60; it should be a number from -1 to 1",
        "came_from_boost is True; it should be a number",
        "base of phone is 'high'",
        "channels has the id 'phone' twice",
        "phone: open is '8-21'; write it like 08:00-21:00",
        "channels entry 3 has no id",
        "chat: available is 'sometimes'; it can be True, False",
        "channels entry 4 has unknown opens",
        "fax: open is '08:00-08:00'; write it like 08:00-21:00, or leave it out for day and night",
        "sms: open is '08:00Z-21:00Z'",
        "email: open is '08:00-25:00'",
        "rule 'r1' has unknown conditions True, intents",
        "rule 'r1' boosts pigeon, which is no channel",
        "rule 'r2': intent is 'account.password'; it should be a list of words",
        "rule 'r2': urgency is 'high'; it should be a list of words",
        "rule 'r2': mentions is 'gọi'; it should be a list of words",
        "boost of phone is 'a lot'",
        "rule 'r3': when and boost should be mappings",
        "rules entry 4 has unknown if",
    ]
    with pytest.raises(BadConfiguration) as caught:
        load(tmp_path, WRONG)
    problems = caught.value.problems
    assert all(str(tmp_path / "channels.yaml") in problem for problem in problems)
    for said in expected:
        assert sum(said in problem for problem in problems) == 1, said
    assert len(problems) == len(expected)


def test_a_policy_needs_channels(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="has no channels"):
        load(tmp_path, "name: empty")
