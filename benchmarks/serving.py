"""The service under load, beside the library's own throughput on the same pictures.

A few hundred requests, from more and more clients at once, all on this machine; then a burst that
is larger than the queue. Usage: python benchmarks/serving.py [requests, by default 300]
"""

import os
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_service import LocalService, local_service
from pixelift import Picture, Upscaler, read_picture
from pixelift.image.write import encode_picture
from stamp import ROOT, save

SCALE = 2
SIDE = 320
CLIENTS = (1, 2, 4, 8)
CASES = {"by default": (), "cores divided": ("--threads", str(max(1, (os.cpu_count() or 1) // 2)))}
BURST = 100
MAX_REQUESTS = 1000


def pictures(count: int) -> list[bytes]:
    """Cut pieces out of the bundled photo, as JPEG files."""
    photo = read_picture(ROOT / "examples" / "great_hall.jpg").pixels
    rows, columns = photo.shape[0] - SIDE, photo.shape[1] - SIDE
    cuts = [((n * 137) % rows, (n * 241) % columns) for n in range(count)]
    pieces = [photo[top : top + SIDE, left : left + SIDE] for top, left in cuts]
    return [encode_picture(Picture(piece), "jpeg") for piece in pieces]


def library(files: list[bytes]) -> float:
    """Enlarge them one after the other with all cores; pictures a second."""
    upscaler = Upscaler("balanced", scale=SCALE)
    upscaler.upscale(files[0])
    started = time.perf_counter()
    for data in files:
        upscaler.upscale(data)
    return len(files) / (time.perf_counter() - started)


def load(service: LocalService, files: list[bytes], clients: int) -> dict[str, Any]:
    """Send them from so many clients at once; throughput and latencies in seconds."""

    def one(data: bytes) -> float:
        started = time.perf_counter()
        answer = service.upscale(data, {"scale": str(SCALE), "model": "balanced"})
        if answer.status != 200:
            raise SystemExit(f"status {answer.status}: {answer.body[:200]!r}")
        return time.perf_counter() - started

    with ThreadPoolExecutor(clients) as crowd:
        started = time.perf_counter()
        seconds = list(crowd.map(one, files))
        elapsed = time.perf_counter() - started
    ranks = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "clients": clients,
        "per_second": round(len(files) / elapsed, 2),
        **{f"p{n}_ms": round(1000 * ranks[n - 1], 1) for n in (50, 90, 99)},
        "max_ms": round(1000 * max(seconds), 1),
        "memory_mib": service.memory_mib(),
    }


def burst(service: LocalService, files: list[bytes]) -> dict[str, Any]:
    """Send more at once than the queue holds: what is done, what is told to come again."""
    with ThreadPoolExecutor(BURST) as crowd:
        started = time.perf_counter()
        answers = list(
            crowd.map(
                lambda n: service.upscale(
                    files[n % len(files)], {"scale": "2", "model": "balanced"}
                ),
                range(BURST),
            )
        )
    statuses = Counter(str(answer.status) for answer in answers)
    return {
        "requests": BURST,
        "statuses": dict(statuses),
        "seconds": round(time.perf_counter() - started, 2),
        "longest_retry_after": max(answer.retry_after for answer in answers),
        "memory_mib": service.memory_mib(),
    }


def main() -> None:
    """Measure all and write results/serving.json."""
    requests = min(int(sys.argv[1]) if len(sys.argv) > 1 else 300, MAX_REQUESTS)
    files = pictures(requests)
    # Before and after, and the better one: other programs only ever make it slower.
    own = library(files)
    rows: list[dict[str, Any]] = []
    crowd: dict[str, Any] = {}
    workers = 0.0
    for case, options in CASES.items():
        with local_service(*options) as service:
            load(service, files[:20], 2)
            rows += [{"case": case} | load(service, files, clients) for clients in CLIENTS]
            crowd = burst(service, files)
            workers = service.metrics()["pixelift_workers"]
    own = max(own, library(files))
    for row in rows:
        row["share_of_library"] = round(row["per_second"] / own, 3)
        print(row)
    print(crowd)
    save(
        "serving",
        {
            "requests": requests,
            "picture": f"{SIDE}x{SIDE} JPEG",
            "scale": SCALE,
            "workers": int(workers),
            "library_per_second": round(own, 2),
            "results": rows,
            "burst": crowd,
        },
    )


if __name__ == "__main__":
    main()
