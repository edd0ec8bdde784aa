"""Conversations as helpdesks export them, and heads of replies that name a customer, in the six first languages.

In each language: a matter that two agents answered alike in two conversations, a second one, chat fragments with a
greeting and a holding reply, a voice transcript, a signature, thanks, and one conversation that nobody resolved.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ru", "th", "vi", "zh-Hans", "zh-Hant")


def conversation(identity: str, *turns: str, resolved: bool = True, channel: str = "chat", **names: str) -> dict[str, Any]:
    """Turns begin with `C: ` or `A: `; `customer` and `agent` in `names` are who wrote them."""
    roles = {"C": "customer", "A": "agent"}
    messages = [
        {"from": roles[turn[0]], "text": turn[3:]}
        | ({"name": names[roles[turn[0]]]} if roles[turn[0]] in names else {})
        for turn in turns
    ]
    return {"id": identity, "resolved": resolved, "channel": channel, "messages": messages}


VIETNAMESE = [
    conversation(
        "vi-1",
        "C: shop ơi",
        "C: mình trả hàng đơn TV-118402 từ tuần trước rồi mà chưa thấy hoàn tiền",
        "A: Dạ em chào chị ạ",
        "A: Chị chờ em một chút em kiểm tra giúp mình nha",
        "A: Dạ chị Hà ơi, sau khi kho nhận được hàng trả, tiền sẽ được hoàn về thẻ trong 5 đến 7 ngày làm việc. Nếu quá thời gian này mà chưa thấy tiền về, chị gửi giúp em ảnh chụp sao kê để bên em tra soát với ngân hàng nhé.",
        "C: ok cảm ơn em",
        "A: Dạ không có gì ạ, chúc chị một ngày vui vẻ!",
    ),
    conversation(
        "vi-2",
        "C: Cho em hỏi tiền hoàn đơn TV-120977 khi nào về vậy ạ? em gửi trả hôm thứ 2 rồi",
        "A: Anh Minh thân mến,\n\nSau khi kho nhận được hàng trả, tiền sẽ được hoàn về thẻ của mình trong 5 đến 7 ngày làm việc. Quá thời gian này chưa thấy tiền về, anh vui lòng gửi em ảnh sao kê để bên em tra soát với ngân hàng ạ.\n\nTrân trọng,\nNguyễn Thu Trang\nCSKH Torvela – 0912 345 678",
        channel="email",
    ),
    conversation(
        "vi-3",
        "C: alo mình đặt váy size M mà shop giao size L, giờ đổi làm sao",
        "A: Dạ shop xin lỗi chị Lan về sự nhầm lẫn này ạ. Chị giữ nguyên tem mác, vào mục Đơn hàng chọn Báo sự cố rồi Giao sai sản phẩm, bên em sẽ gửi lại đúng size và cho người qua lấy chiếc váy kia, chị không tốn phí gì ạ.",
        "C: oke để mình làm thử",
    ),
    conversation(
        "vi-4",
        "C: (ghi âm) alo shop à tôi là Phạm Quốc Bảo đây tôi đặt đôi giày bốn mốt mà ờ giao tới bốn hai đơn số TV một một chín không không bảy giờ muốn đổi",
        "A: Dạ vâng",
        "A: Dạ bên em xin lỗi anh Bảo vì giao nhầm ạ. Anh giữ nguyên tem mác, vào mục Đơn hàng chọn Báo sự cố, chọn tiếp Giao sai sản phẩm, bên em gửi lại đúng size và qua lấy đôi kia, anh không phải trả phí gì đâu ạ. Có gì anh gọi em qua số 0987 654 321 hoặc mail bao.pham@example.com em xác nhận nhé.",
        channel="voice",
    ),
    conversation(
        "vi-5",
        "C: app báo lỗi thanh toán hoài, trừ tiền 350.000đ rồi mà đơn không lên",
        "A: Dạ để em chuyển bộ phận kỹ thuật kiểm tra rồi báo lại mình sau ạ",
        resolved=False,
    ),
]

THAI = [
    conversation(
        "th-1",
        "C: สวัสดีค่ะ",
        "C: ส่งของคืนไปตั้งแต่อาทิตย์ก่อน ออเดอร์ TV-208417 ยังไม่ได้เงินคืนเลยค่ะ",
        "A: สวัสดีค่ะ",
        "A: รบกวนรอสักครู่นะคะ ขออนุญาตตรวจสอบให้ค่ะ",
        "A: คุณสมหญิงคะ หลังจากคลังได้รับสินค้าคืนแล้ว เงินจะเข้าบัตรภายใน 5-7 วันทำการค่ะ ถ้าเกินกำหนดแล้วยังไม่ได้รับ รบกวนส่งภาพรายการเดินบัญชีมาให้เรา เราจะตรวจสอบกับธนาคารให้ค่ะ",
        "C: ขอบคุณค่ะ",
        "A: ยินดีค่ะ ขอบคุณที่ใช้บริการนะคะ",
    ),
    conversation(
        "th-2",
        "C: เงินคืนออเดอร์ TV-209903 จะเข้าเมื่อไหร่ครับ คืนของไปวันจันทร์แล้ว",
        "A: เรียนคุณสมชาย\n\nหลังจากคลังสินค้าได้รับของคืน เงินจะคืนเข้าบัตรภายใน 5-7 วันทำการครับ หากเกินกำหนดแล้วยังไม่เข้า รบกวนส่งภาพรายการเดินบัญชีมา ทางเราจะตรวจสอบกับธนาคารให้ครับ\n\nขอแสดงความนับถือ\nกิตติศักดิ์ วงศ์ดี\nฝ่ายลูกค้าสัมพันธ์ โทร 081-234-5678",
        channel="email",
    ),
    conversation(
        "th-3",
        "C: สั่งเสื้อไซซ์ M ได้ไซซ์ L มา เปลี่ยนยังไงคะ",
        "A: ขออภัยคุณปรียาด้วยนะคะที่ส่งผิดไซซ์ รบกวนเก็บป้ายสินค้าไว้ แล้วเข้าเมนูคำสั่งซื้อ กดแจ้งปัญหา เลือกได้รับสินค้าผิด เราจะส่งไซซ์ที่ถูกต้องไปให้และนัดรับชิ้นเดิมคืน ไม่มีค่าใช้จ่ายค่ะ",
        "C: โอเคค่ะ",
    ),
    conversation(
        "th-4",
        "C: (ข้อความเสียง) ฮัลโหล ผมชื่อวิชัยนะครับ เอ่อ สั่งรองเท้าเบอร์สี่สิบเอ็ดแต่ได้สี่สิบสองมา อยากเปลี่ยนครับ ออเดอร์ ทีวี สองหนึ่งศูนย์",
        "A: ครับผม",
        "A: ต้องขออภัยคุณวิชัยด้วยครับที่ส่งไซซ์ผิด รบกวนเก็บป้ายสินค้าไว้ เข้าเมนูคำสั่งซื้อ กดแจ้งปัญหาแล้วเลือกได้รับสินค้าผิด ทางเราจะส่งไซซ์ที่ถูกต้องให้และนัดรับคู่เดิมคืน ไม่มีค่าใช้จ่ายครับ ติดต่อผมได้ที่ 089-765-4321 หรือ wichai.s@example.com",
        channel="voice",
    ),
    conversation(
        "th-5",
        "C: โดนหักเงิน 1,290 บาท สองรอบค่ะ",
        "A: เดี๋ยวแอดมินส่งเรื่องให้ฝ่ายบัญชีตรวจสอบแล้วจะแจ้งกลับนะคะ",
        resolved=False,
    ),
]

CHINESE_SIMPLIFIED = [
    conversation(
        "hans-1",
        "C: 在吗",
        "C: 我上周就把东西退回去了，订单TV-305118，怎么还没退款",
        "A: 您好，很高兴为您服务",
        "A: 请稍等，我帮您查一下",
        "A: 王女士您好，仓库签收退货后，退款会在5到7个工作日内原路退回您的银行卡。如果超过这个时间还没到账，请把银行流水截图发给我们，我们会联系银行核实。",
        "C: 好的谢谢",
        "A: 不客气，祝您生活愉快",
    ),
    conversation(
        "hans-2",
        "C: 退款什么时候到？订单TV-306620，周一寄回去的",
        "A: 尊敬的张先生：\n\n退货由仓库签收以后，退款将在5到7个工作日内原路退回到您的银行卡。若超过时间仍未到账，请您把银行流水截图发给我们，我们来联系银行核实。\n\n此致\n客服 李静\n电话 13812345678",
        channel="email",
    ),
    conversation(
        "hans-3",
        "C: 买的M码发成L码了，怎么换啊",
        "A: 非常抱歉给陈小姐添麻烦了，吊牌请保留好，在“我的订单”里点“报告问题”，选择“收到错误商品”，我们会补发正确的尺码，并安排上门取回发错的那件，您不用付任何费用。",
        "C: 行吧",
    ),
    conversation(
        "hans-4",
        "C: （语音转文字）喂你好我叫刘志强啊那个我买的鞋子要四十一码的结果你们发了四十二码的我要换一下",
        "A: 您好",
        "A: 刘先生，实在抱歉发错了尺码，请保留好吊牌，在“我的订单”里点“报告问题”，再选“收到错误商品”，我们会给您补发正确的尺码，并上门取回发错的鞋，您不需要付任何费用。有问题加我微信或打13998765432，邮箱 liu.zq@example.com 也可以。",
        channel="voice",
    ),
    conversation(
        "hans-5", "C: 扣了我两次钱，一共598元！", "A: 这边已经帮您反馈给财务了，有结果会第一时间回复您", resolved=False
    ),
]

CHINESE_TRADITIONAL = [
    conversation(
        "hant-1",
        "C: 請問一下",
        "C: 我上禮拜退貨的訂單TV-401127到現在都還沒收到退款耶",
        "A: 您好，很高興為您服務～",
        "A: 麻煩您稍候一下，我幫您查詢喔",
        "A: 林小姐您好，倉庫收到退貨之後，款項會在5到7個工作天內退回您的信用卡。如果超過時間還沒入帳，再麻煩您提供銀行明細的截圖，我們會跟銀行確認。",
        "C: 了解 謝謝",
        "A: 不會喔，祝您有美好的一天",
    ),
    conversation(
        "hant-2",
        "C: 退款什麼時候會下來？訂單TV-402256，星期一寄回去的",
        "A: 親愛的陳先生：\n\n倉庫收到退貨後，款項會在5到7個工作天內退回您的信用卡。若超過時間仍未入帳，請您提供銀行明細截圖，我們會向銀行確認。\n\n敬祝 順心\n客服專員 黃雅婷\n02-2345-6789",
        channel="email",
    ),
    conversation(
        "hant-3",
        "C: 我訂M號結果寄來L號，要怎麼換？",
        "A: 張小姐真的很抱歉寄錯了，吊牌請先保留，到「我的訂單」點「回報問題」，選「收到錯誤商品」，我們會補寄正確的尺寸，並安排物流收回寄錯的那件，您不需要負擔任何費用。",
        "C: 好喔",
    ),
    conversation(
        "hant-4",
        "C: （語音留言）喂你好我是吳建宏啦我訂的鞋子是四十一號可是你們寄四十二號來欸我想要換",
        "A: 好的",
        "A: 吳先生您好，很抱歉尺寸寄錯了，請保留吊牌，到「我的訂單」點選「回報問題」，再選「收到錯誤商品」，我們會補寄正確的尺寸，也會請物流收回寄錯的鞋子，您不用負擔任何費用。有問題可以打0912-345-678或寫信到 jh.wu@example.com 給我。",
        channel="voice",
    ),
    conversation("hant-5", "C: 重複扣款NT$1,290！", "A: 這部分我先幫您轉給財務部門，有消息再通知您喔", resolved=False),
]

RUSSIAN = [
    conversation(
        "ru-1",
        "C: здравствуйте",
        "C: на той неделе вернула товар по заказу TV-511203, деньги до сих пор не пришли",
        "A: Здравствуйте! Чем могу помочь?",
        "A: Одну минуту, сейчас посмотрю",
        "A: Ирина Сергеевна, после того как склад примет возврат, деньги придут на карту в течение 5–7 рабочих дней. Если за это время они не поступят, пришлите нам, пожалуйста, выписку из банка, и мы проверим платёж вместе с банком.",
        "C: спасибо!",
        "A: Пожалуйста, хорошего вам дня!",
    ),
    conversation(
        "ru-2",
        "C: Когда вернут деньги за заказ TV-512980? Отправил посылку обратно в понедельник.",
        "A: Уважаемый Алексей!\n\nКак только склад примет возврат, деньги придут на вашу карту в течение 5–7 рабочих дней. Если они не поступят в этот срок, пришлите, пожалуйста, выписку из банка, и мы проверим платёж вместе с банком.\n\nС уважением,\nМарина Ковалёва\nслужба поддержки, +7 916 123-45-67",
        channel="email",
    ),
    conversation(
        "ru-3",
        "C: заказывала размер М а пришёл L, как поменять?",
        "A: Ольга, нам очень жаль, что прислали не тот размер. Не срезайте бирку, откройте «Мои заказы», нажмите «Сообщить о проблеме» и выберите «Не тот товар»: мы отправим правильный размер, а курьер бесплатно заберёт прежнюю вещь.",
        "C: ок",
    ),
    conversation(
        "ru-4",
        "C: (голосовое) алло это Дмитрий я заказывал кроссовки сорок первый размер а привезли сорок второй вот хочу поменять как это сделать",
        "A: Да, конечно",
        "A: Дмитрий, нам жаль, что приехал не тот размер. Не срезайте бирку, зайдите в «Мои заказы», нажмите «Сообщить о проблеме» и выберите «Не тот товар»: правильный размер мы отправим, а прежнюю пару курьер заберёт бесплатно. Если что, звоните мне: 8 926 765-43-21 или пишите на d.orlov@example.com.",
        channel="voice",
    ),
    conversation(
        "ru-5",
        "C: Списали 2 490 руб. два раза",
        "A: Передал ваш вопрос в бухгалтерию, как только будет ответ, сразу напишу",
        resolved=False,
    ),
]

ENGLISH = [
    conversation(
        "en-1",
        "C: hi there",
        "C: sent my stuff back over a week ago, order TV-104233, still no refund??",
        "A: Hi, thanks for getting in touch!",
        "A: Bear with me a moment while I look into this for you",
        "A: Hi Sarah, once the warehouse has booked in your return, the money goes back to your card within 5 to 7 working days. If it hasn't shown up by then, please send us a screenshot of your bank statement and we'll trace it with the bank.",
        "C: great thank you",
        "A: You're welcome, have a lovely day!",
    ),
    conversation(
        "en-2",
        "C: When will I get my money back for order TV-105871? I posted the parcel on Monday.",
        "A: Dear Mr Thompson,\n\nOnce our warehouse has booked in your return, the money will go back to your card within 5 to 7 working days. If it hasn't arrived by then, please send us a screenshot of your bank statement so that we can trace it with the bank.\n\nKind regards,\nEmily Carter\nCustomer Care, +44 20 7946 0958",
        channel="email",
    ),
    conversation(
        "en-3",
        "C: ordered a medium, got a large. how do i swap it",
        "A: Really sorry about the mix-up, Priya. Leave the tag on, open My orders, tap Report a problem and choose Wrong item: we'll send the right size and collect the other one, and it won't cost you anything.",
        "C: cool will do",
    ),
    conversation(
        "en-4",
        "C: (voicemail) hello um this is Daniel Okafor I ordered the trainers in a forty one and you've sent me a forty two so I'd like to exchange them please",
        "A: Sure thing",
        "A: Daniel, so sorry we sent the wrong size. Leave the tag on, open My orders, tap Report a problem and pick Wrong item: we'll send the right size and collect the other pair at no cost to you. You can reach me on 07700 900123 or at d.okafor@example.com if anything's unclear.",
        channel="voice",
    ),
    conversation(
        "en-5",
        "C: you've charged me £59.98 twice",
        "A: I've passed this on to our accounts team and will come back to you as soon as I hear from them",
        resolved=False,
    ),
]

CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "en": ENGLISH,
    "ru": RUSSIAN,
    "th": THAI,
    "vi": VIETNAMESE,
    "zh-Hans": CHINESE_SIMPLIFIED,
    "zh-Hant": CHINESE_TRADITIONAL,
}
EVERY = [one for language in LANGUAGES for one in CONVERSATIONS[language]]

PERSONAL = {
    "en": ("Sarah", "Thompson", "Emily", "Carter", "Priya", "Daniel", "7946", "07700", "okafor"),
    "ru": ("Ирина", "Сергеевна", "Алексей", "Марина", "Ковал", "Ольга", "Дмитрий", "926", "orlov"),
    "th": ("สมหญิง", "สมชาย", "กิตติศักดิ์", "ปรียา", "วิชัย", "081", "089", "wichai"),
    "vi": ("Hà", "Minh", "Trang", "Lan", "Bảo", "0912", "0987", "pham"),
    "zh-Hans": ("王", "张", "李静", "陈", "刘", "138", "139", "liu"),
    "zh-Hant": ("林", "陳", "黃", "張", "吳", "2345", "0912", "wu@"),
}
"""What stands in the replies above and may stand in no candidate."""

ADDRESSED: dict[str, list[tuple[str, str]]] = {
    "en": [
        ("Hi Sarah, your refund is on its way.", "Sarah"),
        ("Hello Mr. Patel, the courier comes tomorrow.", "Patel"),
        ("Dear Mrs O'Connor,\nyour invoice is attached.", "Connor"),
        ("Good morning Tom! The size guide is under each product.", "Tom"),
        ("Thanks for waiting, Aisha. The code works again.", "Aisha"),
        ("Thank you Ms Nguyen, we have updated the address.", "Nguyen"),
        ("Hey @jenny_k, try logging out and in again.", "jenny"),
        ("Priya - the parcel is at the depot.", "Priya"),
        ("hi marcus, you can change it under settings", "marcus"),
        ("Hi there Chloe, gift cards never expire.", "Chloe"),
        ("No problem Ben, returns are free within 30 days.", "Ben"),
        ("Sorry to hear that Olivia! Please send us a photo.", "Olivia"),
        ("Dear Maria Garcia Lopez, your card is blocked now.", "Garcia"),
        ("I understand, Mr Kowalski, and I am sorry about the delay.", "Kowalski"),
        ("As discussed with your wife Karen, the contract ends in May.", "Karen"),
    ],
    "ru": [
        ("Ирина Сергеевна, деньги вернутся на карту за неделю.", "Ирина"),
        ("Здравствуйте, Алексей! Курьер приедет завтра.", "Алексей"),
        ("Добрый день, Мария Павловна.\nСчёт во вложении.", "Мария"),
        ("Уважаемая Екатерина! Адрес изменён.", "Екатерина"),
        ("Анна, добрый вечер! Промокод снова действует.", "Анна"),
        ("Спасибо за ожидание, Тимур, посылка на складе.", "Тимур"),
        ("Уважаемый господин Кузнецов, договор заканчивается в мае.", "Кузнецов"),
        ("Приветствую, Денис. Попробуйте выйти и войти снова.", "Денис"),
        ("олег, поменять размер можно в личном кабинете", "олег"),
        ("Светлана Юрьевна здравствуйте, карта уже заблокирована.", "Светлана"),
        ("Понимаю вас, Наталья, и приношу извинения.", "Наталья"),
        ("Здравствуйте Руслан, подарочные карты бессрочные.", "Руслан"),
        ("Да, Виктор, вернуть можно в течение 30 дней.", "Виктор"),
        ("Г-н Соколов, пришлите, пожалуйста, фото.", "Соколов"),
        ("Как мы договорились с вашей женой Галиной, замена будет бесплатной.", "Галиной"),
    ],
    "th": [
        ("คุณสมหญิงคะ เงินจะคืนเข้าบัตรภายในหนึ่งสัปดาห์ค่ะ", "สมหญิง"),
        ("สวัสดีค่ะคุณสมชาย พนักงานจะเข้าไปพรุ่งนี้ค่ะ", "สมชาย"),
        ("เรียน คุณวราภรณ์\nใบแจ้งหนี้อยู่ในไฟล์แนบค่ะ", "วราภรณ์"),
        ("เรียนคุณธนพล ศรีสุข เราแก้ที่อยู่ให้แล้วครับ", "ธนพล"),
        ("ขอบคุณที่รอนะคะคุณแอน โค้ดใช้ได้แล้วค่ะ", "แอน"),
        ("สวัสดีครับ คุณ นพดล พัสดุอยู่ที่ศูนย์กระจายสินค้าครับ", "นพดล"),
        ("พี่เอกครับ ลองออกจากระบบแล้วเข้าใหม่ครับ", "เอก"),
        ("น้องมิ้นท์คะ เปลี่ยนไซซ์ได้ในเมนูบัญชีค่ะ", "มิ้นท์"),
        ("สวัสดีค่ะ คุณJenny บัตรของขวัญไม่มีวันหมดอายุค่ะ", "Jenny"),
        ("ต้องขออภัยคุณกมลด้วยนะคะ รบกวนส่งรูปสินค้ามาค่ะ", "กมล"),
        ("ได้ค่ะคุณอรทัย คืนสินค้าได้ภายใน 30 วันค่ะ", "อรทัย"),
        ("รับทราบครับคุณพิชิต บัตรถูกระงับแล้วครับ", "พิชิต"),
        ("เรียนคุณลูกค้า คุณสุดารัตน์ สัญญาจะสิ้นสุดเดือนหน้าค่ะ", "สุดารัตน์"),
        ("คุณหมอประเสริฐครับ ระบบกลับมาใช้ได้แล้วครับ", "ประเสริฐ"),
        ("ตามที่แจ้งกับภรรยาชื่อสมใจไว้ จะเปลี่ยนให้ฟรีค่ะ", "สมใจ"),
    ],
    "vi": [
        ("Dạ chị Hà ơi, tiền sẽ về thẻ trong một tuần ạ.", "Hà"),
        ("Chào anh Minh, mai shipper qua lấy hàng ạ.", "Minh"),
        ("Kính gửi anh Trần Quốc Tuấn,\nhóa đơn em gửi trong tệp đính kèm.", "Tuấn"),
        ("Dạ em chào chị Nguyễn Thị Mai ạ, địa chỉ đã đổi xong rồi ạ.", "Mai"),
        ("Cảm ơn chị Ngọc đã chờ, mã đã dùng lại được rồi ạ.", "Ngọc"),
        ("Anh Tú ơi đơn đang ở kho Bình Dương ạ", "Tú"),
        ("dạ chị hương ơi mình đăng xuất rồi đăng nhập lại giúp em nha", "hương"),
        ("Dạ vâng anh Phong, đổi size trong mục tài khoản ạ.", "Phong"),
        ("Xin chào bạn Thảo Vy! Thẻ quà tặng không hết hạn đâu ạ.", "Thảo"),
        ("Bên em xin lỗi cô Liên vì sự cố này, cô gửi ảnh giúp em ạ.", "Liên"),
        ("Thưa chú Hùng, hàng đổi trả trong 30 ngày ạ.", "Hùng"),
        ("Quý khách Lê Văn Đức thân mến, thẻ đã được khóa.", "Đức"),
        ("Chào Linh, hợp đồng hết hạn vào tháng sau nhé.", "Linh"),
        ("Dạ e chào c Thuỷ ạ, hệ thống chạy lại rồi ạ", "Thuỷ"),
        ("Như đã trao đổi với vợ anh là Kim Oanh, bên em đổi miễn phí ạ.", "Oanh"),
    ],
    "zh-Hans": [
        ("王先生您好，退款一周内到账。", "王"),
        ("您好李女士，快递员明天上门。", "李"),
        ("尊敬的张伟先生：\n发票见附件。", "张伟"),
        ("亲爱的陈小姐，地址已经改好了。", "陈"),
        ("刘老师，优惠码又能用了。", "刘"),
        ("赵总您好！包裹在分拨中心。", "赵"),
        ("感谢您的耐心等待，周女士，请重新登录试试。", "周"),
        ("小明你好，尺码可以在账户里改。", "小明"),
        ("杨阿姨，礼品卡不会过期的。", "杨"),
        ("亲爱的欣怡，麻烦发一张照片过来。", "欣怡"),
        ("非常抱歉给吴先生带来不便，30天内都可以退。", "吴"),
        ("欧阳先生，卡已经冻结了。", "欧阳"),
        ("Jason您好，合同下个月到期。", "Jason"),
        ("好的，徐姐，系统已经恢复了。", "徐"),
        ("之前跟您太太郑丽说过，可以免费换。", "郑丽"),
    ],
    "zh-Hant": [
        ("林小姐您好，退款一週內會入帳。", "林"),
        ("您好，陳先生，物流明天會過去收。", "陳"),
        ("親愛的黃雅婷小姐：\n發票請見附件。", "黃雅婷"),
        ("張太太，地址已經改好了喔。", "張"),
        ("感謝吳先生耐心等候，優惠碼可以用了。", "吳"),
        ("劉老師好，包裹在轉運中心。", "劉"),
        ("蔡姐您好～請重新登入試試看。", "蔡"),
        ("哈囉怡君，尺寸可以在帳戶裡改。", "怡君"),
        ("親愛的Amy，禮物卡不會過期喔。", "Amy"),
        ("真的很抱歉讓許小姐久等了，再請您傳一張照片。", "許"),
        ("好的鄭先生，30天內都可以退。", "鄭"),
        ("歐陽小姐，卡片已經停用了。", "歐陽"),
        ("Kevin 您好，合約下個月到期。", "Kevin"),
        ("沒問題，謝大哥，系統已經恢復了。", "謝"),
        ("之前跟您先生志明說過，可以免費更換。", "志明"),
    ],
}
"""Replies with the name that they address; the last of each language names somebody in passing."""


def write_jsonl(path: Path, conversations: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in conversations), encoding="utf-8")
    return path
