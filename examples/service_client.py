"""Send a photo to a running `pixelift serve`, watch its progress, and fetch the result.

    python examples/service_client.py PHOTO OUTPUT [http://127.0.0.1:8000]

Needs httpx (or any program that speaks HTTP: docs/serving.md has the same with curl).
"""

import sys
import time
from pathlib import Path

import httpx


def checked(answer: httpx.Response) -> httpx.Response:
    """Stop with what the service says where it refuses."""
    if answer.is_error:
        raise SystemExit(answer.json()["detail"])
    return answer


def main(photo: Path, output: Path, url: str = "http://127.0.0.1:8000") -> str:
    """Write the larger photo; returns which network was taken and why."""
    with httpx.Client(base_url=url, timeout=60) as service:
        files = {"file": (photo.name, photo.read_bytes())}
        job = checked(service.post("/v1/jobs", files=files, data={"scale": 2})).json()
        while job["state"] in ("waiting", "running"):
            print(f"{job['state']}, {job['progress']:.0%}")
            time.sleep(0.2)
            job = checked(service.get(f"/v1/jobs/{job['id']}")).json()
        result = checked(
            service.get(f"/v1/jobs/{job['id']}/result")
        )  # of a failed job: what failed
        output.write_bytes(result.content)
        service.delete(f"/v1/jobs/{job['id']}")
    return f"{job['result']['model']}: {job['result']['why']}"


if __name__ == "__main__":
    print(main(*(Path(word) for word in sys.argv[1:3]), *sys.argv[3:4]))
