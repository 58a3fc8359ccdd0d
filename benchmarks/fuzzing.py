"""Damaged pictures against a running service: no 500, nothing that stays, no growth.

Usage: python benchmarks/fuzzing.py [pictures, by default 4000]
"""

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from damage import damaged_pictures, whole_pictures
from local_service import LocalService, local_service
from stamp import save

ROUNDS = 8
MAX_PICTURES = 20_000


def send(service: LocalService, data: bytes) -> int:
    """Send a picture, again where the service is too busy; the status of the answer."""
    while True:
        answer = service.upscale(data, {"scale": "2"})
        if answer.status != 429:
            return answer.status
        time.sleep(0.1)


def main() -> None:
    """Send all and write results/fuzzing.json."""
    count = min(int(sys.argv[1]) if len(sys.argv) > 1 else 4000, MAX_PICTURES)
    statuses: Counter[int] = Counter()
    memory = []
    with local_service() as service:
        for data in whole_pictures():
            if (status := send(service, data)) != 200:
                raise SystemExit(f"a whole picture got {status}")
        memory.append(service.memory_mib())
        with ThreadPoolExecutor(4) as crowd:
            for n in range(ROUNDS):
                files = damaged_pictures(count // ROUNDS, seed=n)
                statuses.update(crowd.map(lambda data: send(service, data), files))
                memory.append(service.memory_mib())
                print(f"{sum(statuses.values())}: {dict(statuses)}, {memory[-1]} MiB", flush=True)
        numbers = service.metrics()
        left = {
            name: numbers[f"pixelift_{name}"]
            for name in ("queue_bytes", "queue_pictures", "results_bytes", "workers_busy")
        }
    if any(status >= 500 for status in statuses):
        raise SystemExit(f"mistakes of the service: {dict(statuses)}")
    save(
        "fuzzing",
        {
            "pictures": sum(statuses.values()),
            "statuses": {str(status): n for status, n in sorted(statuses.items())},
            "workers_lost": int(numbers["pixelift_workers_lost"]),
            "left_behind": left,
            "memory_mib": memory,
        },
    )


if __name__ == "__main__":
    main()
