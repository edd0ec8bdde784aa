"""New labels in an old bundle, and the old ones as they were."""

from collections.abc import Sequence

import pytest

from models.bundle import Bundle
from models.light import LightEncoder
from training.data import Ticket, Tickets
from training.errors import BadTrainingData
from training.extend import extend
from training.train import TrainingConfig, train

NEW = {
    "warranty.claim": [
        "bảo hành máy hút bụi thế nào",
        "เครื่องดูดฝุ่นเสีย อยากเคลมประกัน",
        "吸尘器坏了怎么保修",
        "吸塵器壞了怎麼保固",
        "пылесос сломался, где гарантия",
        "vacuum cleaner broke, warranty please",
    ]
}


def _tickets(texts: dict[str, list[str]], *, times: int = 4) -> Tickets:
    rows = [
        Ticket(f"{text} {at}", {"intent": (intent,)}, None, f"{text} {at}")
        for intent, some in texts.items()
        for text in some
        for at in range(times)
    ]
    return Tickets(tuple(rows), (), "beef")


OLD = {
    "delivery.late": [
        "đơn hàng chưa tới",
        "พัสดุยังไม่ถึง",
        "快递还没到",
        "包裹還沒到",
        "где моя посылка",
        "my parcel is late",
    ],
    "refund.status": [
        "bao giờ hoàn tiền",
        "ได้เงินคืนเมื่อไหร่",
        "退款什么时候到",
        "退款什麼時候到",
        "когда вернут деньги",
        "when is my refund",
    ],
    "account.password": [
        "em quên mật khẩu",
        "ลืมรหัสผ่าน",
        "忘记密码了",
        "忘記密碼了",
        "забыла пароль",
        "forgot my password",
    ],
    "order.cancel": ["hủy đơn giúp mình", "ขอยกเลิกออเดอร์", "取消订单", "取消訂單", "отмените заказ", "cancel my order"],
    "promo.code": [
        "mã giảm giá không dùng được",
        "โค้ดส่วนลดใช้ไม่ได้",
        "优惠码用不了",
        "優惠碼不能用",
        "промокод не работает",
        "promo code fails",
    ],
    "shop.hours": [
        "shop mở cửa mấy giờ",
        "ร้านเปิดกี่โมง",
        "几点开门",
        "幾點營業",
        "во сколько открываетесь",
        "what are your opening hours",
    ],
}


@pytest.fixture(scope="module")
def old(light_encoder: LightEncoder) -> Bundle:
    return train(_tickets(OLD), ["intent"], light_encoder, TrainingConfig())


def _labels(bundle: Bundle, texts: Sequence[str], encoder: LightEncoder) -> list[str]:
    return [p["intent"].label for p in bundle.predict(texts, bundle.vectors(texts, encoder))]


@pytest.mark.parametrize("times", [1, 4])
def test_a_new_label_is_found_and_no_old_one_is_forgotten(old: Bundle, light_encoder: LightEncoder, times: int) -> None:
    found = extend(old, _tickets(NEW, times=times), ["intent"], light_encoder)
    texts = [text for some in OLD.values() for text in some]
    assert _labels(found.bundle, texts, light_encoder) == _labels(old, texts, light_encoder)
    fresh = [text for some in NEW.values() for text in some]
    assert set(_labels(found.bundle, fresh, light_encoder)) == {"warranty.claim"}
    (added,) = found.added
    assert (added.task, added.label, added.rows) == ("intent", "warranty.claim", 6 * times)
    assert added.nearest[0] in OLD
    assert found.bundle.notes["extended"][0]["label"] == "warranty.claim"


def test_one_row_is_enough_and_is_given_only_when_the_bundle_is_as_sure_as_ever(
    old: Bundle, light_encoder: LightEncoder
) -> None:
    found = extend(
        old, _tickets({"warranty.claim": ["пылесос сломался, где гарантия"]}, times=1), ["intent"], light_encoder
    )
    head = found.bundle.heads["intent"]
    assert head.labels[-1] == "warranty.claim"
    assert head.thresholds[-1] == max(old.heads["intent"].thresholds)
    assert found.added[0].recall is None


def test_what_cannot_be_added_is_refused(old: Bundle, light_encoder: LightEncoder) -> None:
    with pytest.raises(BadTrainingData, match="No label is new"):
        extend(old, _tickets({"refund.status": OLD["refund.status"]}), ["intent"], light_encoder)
    with pytest.raises(BadTrainingData, match="'queue' cannot be extended; intent can"):
        extend(old, _tickets(NEW), ["queue"], light_encoder)
