"""From text to triage on the light encoder: what the parts make of a message together."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle
from models.features import BUCKETS
from models.heads import Head
from models.light import LightEncoder
from serving.desk import open_pipeline
from serving.settings import Settings
from triage.normalize import normalize
from triage.pipeline import Message, Pipeline
from triage.types import UNDETERMINED, EntityType, Triage

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MESSAGES = {
    "vi": "shop ơi đơn TV-118402 của mình sao chưa giao vậy ạ",
    "th": "สั่งของ TV-104233 ไปอาทิตย์ก่อน ยังไม่ได้รับเลยค่ะ",
    "zh-Hans": "订单TV-104233三天了还没发货，请帮我查一下",
    "zh-Hant": "訂單TV-104233三天了還沒出貨，請幫我查一下",
    "ru": "Заказ TV-104233 так и не пришёл, где он?",
    "en": "my order TV-104233 still hasn't arrived, where is it?",
}


@pytest.fixture(scope="module")
def pipeline(
    light_encoder: LightEncoder, light_bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Pipeline:
    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"), bundle=str(light_bundle_folder))
    return open_pipeline(settings, encoder=light_encoder)


def run(pipeline: Pipeline, *messages: Message | str) -> list[Triage]:
    asked = [message if isinstance(message, Message) else Message(message) for message in messages]
    return pipeline.run(asked, at=NOON).triages


def always(bundle: Bundle, task: str, label: str) -> Bundle:
    """The bundle with a head for `task` that is sure of `label` whatever it reads."""
    dimension = next(iter(bundle.heads.values())).dense.shape[0]
    nothing = np.zeros((dimension, 2), np.float32), np.zeros((BUCKETS, 2), np.float32)
    head = Head((label, "order.status"), *nothing, np.array([9, 0], np.float32), 1.0, np.full(2, 0.5))
    return replace(bundle, heads={**bundle.heads, task: head})


@pytest.mark.parametrize("language", MESSAGES)
def test_a_message_is_triaged_whole(pipeline: Pipeline, language: str) -> None:
    (found,) = run(pipeline, MESSAGES[language])
    assert found.language.code == language
    assert found.intent.label in {intent.id for intent in pipeline.taxonomy.intents}
    assert len(found.intent.ranking) == len(pipeline.bundle.heads["intent"].labels)
    assert {score.label for score in found.urgency.prediction.ranking} == {"low", "normal", "high", "critical"}
    assert {ranked.channel for ranked in found.channel.ranking} == set(pipeline.policy.ids)
    assert found.labels == {}
    assert [(entity.type, entity.text[:3]) for entity in found.entities] == [(EntityType.ORDER_NUMBER, "TV-")]


@pytest.mark.parametrize("language", MESSAGES)
@pytest.mark.parametrize(
    "sent",
    [
        lambda text: f"\u200b  {text}\n\n\n> {text}\nSent from my iPhone",
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("TV-", "\u00ad\u200eTV-").replace(" ", "  \t"),
        lambda text: text.replace("?", "？？？？？？").replace("!", "！！！！"),
    ],
    ids=["mail", "decomposed", "invisible", "wide"],
)
def test_spans_are_of_the_text_as_it_was_sent(pipeline: Pipeline, language: str, sent: object) -> None:
    assert callable(sent)
    text = str(sent(MESSAGES[language]))
    (found,) = run(pipeline, text)
    assert EntityType.ORDER_NUMBER in {entity.type for entity in found.entities}
    assert all(text[entity.start : entity.end] == entity.text for entity in found.entities)


def test_texts_and_vectors_are_of_what_the_model_read(pipeline: Pipeline) -> None:
    triaged = pipeline.run([Message("  請問(qǐng wèn)訂單呢？  "), Message("где заказ")], at=NOON)
    assert triaged.texts == ["請問訂單呢？", "где заказ"]
    assert np.array_equal(triaged.vectors, pipeline.encoder.encode(triaged.texts))


def test_the_language_that_the_helpdesk_gives_wins(pipeline: Pipeline) -> None:
    found, other = run(pipeline, Message(MESSAGES["vi"], language="en"), Message("ok", language="zh-Hant"))
    assert (found.language.code, found.language.confidence) == ("en", 1.0)
    assert other.language.code == "zh-Hant"


@pytest.mark.parametrize(
    "text", ["", " \n\t", "👍👍🙏", "?!…", "\u200b\u200b", "12345", "\ud800", "https://torvela.example/"]
)
def test_a_text_in_no_language_gets_no_confident_tag(pipeline: Pipeline, text: str) -> None:
    sure = replace(pipeline, bundle=always(always(pipeline.bundle, "intent", "return.request"), "queue", "money"))
    (found,) = run(sure, text)
    assert found.language.code == UNDETERMINED
    assert found.intent.abstained
    assert found.urgency.prediction.abstained
    assert found.labels["queue"].abstained
    assert len(found.channel.ranking) == len(pipeline.policy.ids)


def test_emoji_alone_stay_unreadable_whatever_the_helpdesk_says(pipeline: Pipeline) -> None:
    sure = replace(pipeline, bundle=always(pipeline.bundle, "intent", "return.request"))
    (found,) = run(sure, Message("👍👍", language="th"))
    assert found.language.code == "th"
    assert found.intent.abstained


@pytest.mark.parametrize("language", MESSAGES)
def test_a_message_for_somebody_elses_desk_gets_no_confident_tag(pipeline: Pipeline, language: str) -> None:
    foreign = replace(pipeline, bundle=always(pipeline.bundle, "intent", "other.out_of_scope"))
    (found,) = run(foreign, MESSAGES[language])
    assert (found.intent.label, found.intent.abstained) == ("other.out_of_scope", True)
    assert found.intent.confidence > 0.9


def test_a_rule_does_not_follow_an_intent_that_the_model_is_unsure_of(pipeline: Pipeline) -> None:
    sure = always(pipeline.bundle, "intent", "billing.invoice")
    intent = sure.heads["intent"]
    never = np.full(len(intent.labels), 1.01)
    unsure = replace(sure, heads={**sure.heads, "intent": replace(intent, thresholds=never)})
    for bundle, followed in ((sure, True), (unsure, False)):
        (found,) = run(replace(pipeline, bundle=bundle), "ขอใบกำกับภาษีด้วยค่ะ")
        why = [reason for ranked in found.channel.ranking for reason in ranked.reasons]
        assert any("a written trail" in reason for reason in why) is followed


URGENT = {
    "vi": ("Cần gấp! Xử lý trước thứ sáu giúp mình!!", "gấp", "thứ sáu"),
    "th": ("ด่วนมากค่ะ ต้องใช้พรุ่งนี้!!", "ด่วน", "พรุ่งนี้"),
    "zh-Hans": ("请马上处理，明天就要用！！", "马上", "明天"),
    "zh-Hant": ("請馬上處理，明天就要用！！", "馬上", "明天"),
    "ru": ("Срочно! Нужно к завтра, то есть 12 ноября!!", "срочно", "завтра"),
    "en": ("URGENT: I need it by Friday!!", "urgent", "Friday"),
}


@pytest.mark.parametrize("language", URGENT)
def test_urgency_comes_with_the_words_that_speak_for_it(pipeline: Pipeline, language: str) -> None:
    text, cue, date = URGENT[language]
    (found,) = run(pipeline, text)
    assert found.urgency.reasons == (
        f"asks for it at once: “{cue}”",
        f"names a date: “{date}”",
        "several exclamation marks",
    )


def test_a_calm_message_has_no_reasons_for_urgency(pipeline: Pipeline) -> None:
    texts = list(MESSAGES.values())
    assert [found.urgency.reasons for found in run(pipeline, *texts)] == [()] * len(texts)


def test_the_channel_and_the_hour_reach_the_policy(pipeline: Pipeline) -> None:
    (found,) = run(pipeline, Message(MESSAGES["ru"], channel="fax"))
    why = next(ranked.reasons for ranked in found.channel.ranking if ranked.channel == "fax")
    assert any("already here" in reason for reason in why)


def test_a_bundle_of_other_tasks_still_gives_a_whole_triage(pipeline: Pipeline) -> None:
    queue = always(replace(pipeline.bundle, heads={"urgency": pipeline.bundle.heads["urgency"]}), "queue", "vé máy bay")
    (found,) = run(replace(pipeline, bundle=queue), MESSAGES["vi"])
    assert found.labels["queue"].label == "vé máy bay"
    assert (found.intent.label, found.intent.abstained, found.intent.ranking) == ("", True, ())
    assert found.channel.recommended is not None


def test_a_list_gives_what_each_message_alone_gives(pipeline: Pipeline) -> None:
    texts = [*MESSAGES.values(), "", "👍", *(text for text, _, _ in URGENT.values())]
    together = run(pipeline, *texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = run(pipeline, text)
        assert (alone.language, alone.intent.label, alone.entities) == (
            found.language,
            found.intent.label,
            found.entities,
        )
        assert alone.urgency.reasons == found.urgency.reasons
    assert run(pipeline) == []


@pytest.mark.parametrize("language", MESSAGES)
def test_a_language_that_the_bundle_lacks_is_read_from_where_it_lies(pipeline: Pipeline, language: str) -> None:
    message = MESSAGES[language]
    (vector,) = pipeline.encoder.encode([normalize(message)])
    # As far as from here to the opposite side: the same words then speak against everything that they spoke for.
    bundle = replace(pipeline.bundle, language_shifts={language: 2 * (vector - pipeline.bundle.scale.center)})
    triaged = replace(pipeline, bundle=bundle).run([Message(message), Message(MESSAGES["en"], language="it")], at=NOON)
    plain = pipeline.run([Message(message), Message(MESSAGES["en"], language="it")], at=NOON)
    shares = [score.score for score in plain.triages[0].intent.ranking]
    assert [score.score for score in triaged.triages[0].intent.ranking] != shares
    assert triaged.triages[1] == plain.triages[1]
    # Search reads what the encoder says.
    assert np.array_equal(triaged.vectors, plain.vectors)
