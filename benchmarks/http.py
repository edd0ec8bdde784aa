"""How long does one `POST /v1/triage` take, beside one bare encode of the same text?

A real server process on a free port with the demo help centre, one keep-alive client, one message at a time, in six
languages; the bare encoder runs in this process. For each text the two take turns; medians of rounds.

    python -m benchmarks.http [--rounds 15] [--threads 2] [--json]
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import httpx2

from benchmarks.machine import about
from models.encoder import EncoderConfig, load_encoder
from serving.settings import read_settings
from triage.normalize import normalize

TEXTS = {
    "en": "My parcel was due on Monday, the tracking has not moved since and nobody answers the chat.",
    "vi": "Shop ơi mình đặt áo khoác từ tuần trước mà tới giờ vẫn chưa thấy giao, kiểm tra giúp mình với",
    "th": "สั่งหูฟังไปอาทิตย์ที่แล้วยังไม่ได้ของเลยค่ะ รบกวนเช็คให้หน่อยได้ไหมคะ",
    "zh-Hans": "我上周买的电水壶今天突然不加热了，还在保修期内，怎么处理？",
    "zh-Hant": "包裹顯示已送達，可是我跟管理員都沒有收到，請幫我查一下",
    "ru": "Оформила возврат две недели назад, а деньги на карту так и не пришли. Когда ждать?",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    settings = read_settings()
    encoder = load_encoder(EncoderConfig(settings.encoder, settings.cache_dir, threads=options.threads))
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            "FRONTDESK_DATA_DIR": scratch,
            "FRONTDESK_CACHE_DIR": str(settings.cache_dir),
            "FRONTDESK_THREADS": str(options.threads),
            "FRONTDESK_LOG_LEVEL": "WARNING",
        }
        # The search encodes the articles, as a first start does: what is timed is the second.
        for command in (["import", "kb/demo/articles", "kb/demo/macros"], ["search", "refund"]):
            subprocess.run(
                [sys.executable, "-m", "serving.cli", "kb", *command], env=environment, check=True, capture_output=True
            )
        port = _free_port()
        started = time.perf_counter()
        command = [sys.executable, "-m", "serving.cli", "serve", "--port", str(port)]
        with subprocess.Popen(command, env=environment) as server:
            try:
                with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                    _wait(client)
                    client.post("/v1/triage", json={"text": TEXTS["th"]}).raise_for_status()
                    first_answer = time.perf_counter() - started
                    figures = _measure(client, encoder, options.rounds)
            finally:
                server.terminate()
    figures = {"machine": about(), "rounds": options.rounds, "first_answer_seconds": round(first_answer, 1), **figures}
    print(json.dumps(figures) if options.json else _table(figures))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(client: httpx2.Client) -> None:
    for _ in range(600):
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not become ready within a minute")


def _measure(client: httpx2.Client, encoder: Any, rounds: int) -> dict[str, Any]:
    ratios: dict[str, float] = {}
    request_ms: dict[str, float] = {}
    encode_ms: dict[str, float] = {}
    # The plainest client there is: a richer one takes a millisecond or two of its own for each request.
    plain = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    for language, text in TEXTS.items():
        bare, whole = [], []
        body = json.dumps({"text": text}).encode()
        read = normalize(text)
        for number in range(rounds + 2):
            started = time.perf_counter()
            encoder.encode([read])
            middle = time.perf_counter()
            _post(plain, body)
            ended = time.perf_counter()
            if number >= 2:
                bare.append(middle - started)
                whole.append(ended - middle)
        request_ms[language] = round(1000 * statistics.median(whole), 2)
        encode_ms[language] = round(1000 * statistics.median(bare), 2)
        ratios[language] = round(request_ms[language] / encode_ms[language], 3)
    return {
        "request_ms": request_ms,
        "encode_ms": encode_ms,
        "ratio": ratios,
        "median_ratio": round(statistics.median(ratios.values()), 3),
    }


def _post(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/v1/triage", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise SystemExit(f"the server answered {response.status}")


def _table(figures: dict[str, Any]) -> str:
    lines = [figures["machine"], "", "| | POST /v1/triage, ms | bare encode, ms | ratio |", "|---|--:|--:|--:|"]
    lines += [
        f"| {language} | {figures['request_ms'][language]:.1f} | {figures['encode_ms'][language]:.1f} | {ratio:.2f} |"
        for language, ratio in figures["ratio"].items()
    ]
    first = figures["first_answer_seconds"]
    return "\n".join(
        [*lines, "", f"median ratio {figures['median_ratio']:.2f}; second start to first answer {first} s"]
    )


if __name__ == "__main__":
    main()
