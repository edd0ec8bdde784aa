"""Questions to which the demo help centre has no answer, as customers of six languages ask them."""

GIFT_WRAP = {
    "en": [
        "Do you do gift wrapping? It's my mum's birthday on Sunday",
        "can u wrap it as a present + add a little card?",
    ],
    "vi": ["Shop có gói quà giúp không ạ, mình mua tặng sinh nhật bạn", "nhờ shop gói quà kèm thiệp chúc mừng được k"],
    "th": ["ห่อของขวัญให้ได้มั้ยคะ จะเอาไปให้วันเกิดเพื่อน", "มีบริการห่อของขวัญพร้อมการ์ดไหมครับ"],
    "zh-Hans": ["可以帮忙包装成礼物吗？朋友过生日用", "下单能选礼品包装吗，想放张贺卡"],
    "zh-Hant": ["請問可以幫忙包裝成禮物嗎？要送朋友當生日禮物", "有沒有禮物包裝的服務，想附一張小卡片"],
    "ru": ["А вы упаковываете в подарок? У мамы день рождения", "можно подарочную упаковку и открытку вложить?"],
}
ROAMING_AT_SEA = {
    "en": ["Does my phone plan work on a cruise ship, and what does it cost out at sea?"],
    "vi": ["Đi du thuyền ngoài biển thì sim có sóng roaming không, cước tính sao ạ"],
    "th": ["ไปล่องเรือสำราญกลางทะเล ซิมโรมมิ่งใช้ได้ไหม คิดเงินยังไงคะ"],
    "zh-Hans": ["坐邮轮在海上，手机卡能漫游上网吗，怎么收费？"],
    "zh-Hant": ["搭郵輪在海上的時候門號可以漫遊嗎？費用怎麼算？"],
    "ru": ["Плыву на круизном лайнере: в море роуминг работает и сколько стоит?"],
}
SHARED_CARD = {
    "en": ["how do i get a second bank card on my account for my wife"],
    "vi": ["Mình muốn làm thêm thẻ ngân hàng phụ cho vợ dùng chung tài khoản"],
    "th": ["อยากขอบัตรเสริมให้ภรรยาใช้บัญชีเดียวกัน ทำยังไงครับ"],
    "zh-Hans": ["想给老婆办一张副卡，用同一个账户，怎么申请？"],
    "zh-Hant": ["我想幫太太辦一張附卡，共用同一個帳戶，要怎麼申請？"],
    "ru": ["Хочу выпустить вторую карту к своему счёту для жены, как это сделать?"],
}
TOPICS = {"gift wrap": GIFT_WRAP, "roaming at sea": ROAMING_AT_SEA, "shared card": SHARED_CARD}
