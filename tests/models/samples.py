"""Messages as customers write them, several in each language, of unlike lengths."""

MESSAGES = {
    "vi": [
        "Đơn TV-118402 của mình giao trễ ba ngày rồi, shop kiểm tra giúp mình với ạ.",
        "doi size dc ko shop",
        "Mình bị trừ tiền hai lần cho cùng một đơn, mong bên bạn hoàn lại sớm giúp mình.",
    ],
    "th": [
        "สั่งไปตั้งแต่วันจันทร์ ของยังไม่ถึงเลยค่ะ ช่วยเช็กให้หน่อย",
        "ลืมรหัสผ่านครับ",
        "น้ำหอมที่ได้รับแตกมาทั้งกล่อง อยากขอเงินคืนต้องทำยังไงบ้างคะ",
    ],
    "zh-Hans": [
        "我的包裹显示已签收，可是我根本没有收到。",
        "怎么退货",
        "会员自动续费了，我没有同意过，请帮我取消并退款。",
    ],
    "zh-Hant": [
        "訂單顯示已送達，但我到現在都沒有收到包裹。",
        "可以改地址嗎",
        "剛剛刷卡一直失敗，可是銀行說已經扣款了，請幫我確認一下。",
    ],
    "ru": [
        "Заказ должен был прийти в понедельник, а его всё ещё нет.",
        "где чек?",
        "Пришли кроссовки не того размера, хочу обменять, подскажите, как это сделать.",
    ],
    "en": [
        "My order was due on Monday and still hasn't arrived.",
        "refund pls",
        "Someone signed in to my account from another country, please lock it right now.",
    ],
}

EVERY_MESSAGE = [message for messages in MESSAGES.values() for message in messages]
