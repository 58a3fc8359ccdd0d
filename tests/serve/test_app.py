import io
import json
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from pixelift import Picture, Upscaler, read_picture
from pixelift.image.write import encode_picture
from pixelift.serve.app import PAGE, disposition
from pixelift.serve.gate import Access
from pixelift.serve.limits import Limits
from pixelift.serve.service import Settings
from tests.patience import PATIENCE
from tests.serving import FORM_TYPE, form, picture, running


@pytest.fixture(scope="module")
def client(service_url):
    with httpx.Client(base_url=service_url, timeout=PATIENCE) as opened:
        yield opened


def post(client, data, *, path="/v1/upscale", name="photo.png", headers=None, **fields):
    return client.post(path, files={"file": (name, data)}, data=fields, headers=headers)


def wait(client, job):
    deadline = time.monotonic() + PATIENCE
    while job["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = client.get(f"/v1/jobs/{job['id']}").json()
    return job


def test_a_picture_comes_back_as_the_library_makes_it(client):
    data = picture()
    answer = post(client, data, scale=2)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == Upscaler(scale=2, threads=1).upscale(data)


@pytest.mark.parametrize("path", ["/v1/upscale", "/v1/jobs"])
def test_what_nobody_would_read_is_refused_and_told_where_it_belongs(client, path):
    answer = client.post(path, files={"image": ("a.png", bytes(50_000))})
    assert (answer.status_code, answer.json()["field"]) == (422, "image")
    assert "allowed are file, scale" in answer.json()["detail"]
    answer = client.post(f"{path}?scale=2", files={"file": picture()})
    assert (answer.status_code, answer.json()["field"]) == (422, "scale")
    assert "fields are sent in the form" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "size", "name"),
    [
        ({"scale": "2.5", "format": "jpg"}, "40x30", "photo_x2.5.jpg"),
        ({"scale": "x2", "model": "auto", "format": "tif"}, "32x24", "photo_x2.tif"),
        ({"width": "64", "model": "balanced_x2"}, "64x48", "photo_64w.png"),
    ],
)
def test_it_takes_what_the_command_line_takes(client, fields, size, name):
    answer = client.post("/v1/upscale", files={"file": ("photo.png", picture())}, data=fields)
    assert answer.status_code == 200, answer.text
    assert str(read_picture(answer.content).size) == size
    assert f'filename="{name}"' in answer.headers["content-disposition"]


def test_fields_choose_scale_format_and_quality(client):
    answer = post(client, picture(), scale=3, format="jpeg", quality=50, model="balanced")
    assert answer.headers["content-type"] == "image/jpeg"
    assert str(read_picture(answer.content).size) == "48x36"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("photo.jpg", 'attachment; filename="photo_x4.png"'),
        ("../../etc/passwd", 'attachment; filename="passwd_x4.png"'),
        ("ä.png", "attachment; filename=\"__x4.png\"; filename*=UTF-8''%C3%A4_x4.png"),
    ],
)
def test_the_result_is_named_after_the_picture(client, name, told):
    assert post(client, picture(), name=name).headers["content-disposition"] == told


def test_a_name_of_other_letters_is_coded():
    assert disposition("日本.png").endswith("UTF-8''%E6%97%A5%E6%9C%AC.png")


def test_a_job_is_submitted_asked_about_fetched_and_forgotten(client):
    data = picture()
    answer = post(client, data, path="/v1/jobs", scale=2)
    assert answer.status_code == 202
    place = answer.headers["location"]
    assert place == f"/v1/jobs/{answer.json()['id']}"
    job = wait(client, answer.json())
    assert (job["state"], job["progress"], job["scale"]) == ("done", 1.0, 2)
    assert (job["result"]["width"], job["result"]["height"]) == (32, 24)
    for _ in range(2):
        result = client.get(job["result"]["href"])
        assert len(result.content) == job["result"]["bytes"]
        assert result.content == Upscaler(scale=2, threads=1).upscale(data)
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == client.delete(place).status_code == 404
    assert client.get(job["result"]["href"]).json()["type"].endswith(":no-job")


def test_a_job_that_is_not_done_is_cancelled(client):
    size = {"height": 400, "width": 400}
    jobs = [post(client, picture(**size), path="/v1/jobs").json() for _ in range(3)]
    last = f"/v1/jobs/{jobs[-1]['id']}"
    early = client.get(f"{last}/result")
    assert early.status_code == 409
    assert early.headers["retry-after"] == "1"
    for job in jobs:
        assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert post(client, picture(), scale=2).status_code == 200


def test_a_job_that_failed_says_why(client):
    job = wait(client, post(client, picture()[:-15], path="/v1/jobs").json())
    assert job["state"] == "failed"
    assert job["problem"]["status"] == 422
    answer = client.get(f"/v1/jobs/{job['id']}/result")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_models_health_and_metrics(client):
    models = client.get("/v1/models").json()["models"]
    assert [m["scale"] for m in models if m["name"] == "balanced"] == [2, 3, 4]
    health = client.get("/health").json()
    assert (health["status"], health["workers"]) == ("ok", 1)
    text = client.get("/metrics").text
    assert 'pixelift_http_requests_total{endpoint="health",status="200"}' in text
    assert "pixelift_workers 1.0" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize("path", [*PAGE, "/health", "/v1/models", "/nothing", "/metrics"])
def test_every_answer_forbids_a_browser_to_do_more_than_it_must(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "server" not in headers


def test_the_page_asks_no_other_host(client):
    for path in PAGE:
        text = client.get(path).text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "//cdn" not in text


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/../../etc/passwd", 404, "not-found"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "not-found"),
        ("GET", "/page.css/..%2f..%2fapp.py", 404, "not-found"),
        ("GET", "/v1/jobs/..%2f..%2fetc%2fpasswd", 404, "not-found"),
        ("GET", "/v1/jobs/nothing", 404, "no-job"),
        ("GET", "/v1/upscale", 405, "wrong-method"),
        ("TRACE", "/health", 405, "wrong-method"),
        ("POST", "/v1/upscale", 415, "no-form"),
    ],
)
def test_what_is_not_there_is_told_as_a_problem(client, method, path, status, kind):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, kind)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (status == 405) == ("allow" in answer.headers)


def test_both_methods_of_a_job_are_named_as_allowed(client):
    assert client.put("/v1/jobs/x").headers["allow"] == "DELETE, GET, HEAD"


def test_another_site_and_another_name_are_refused(client):
    answer = post(client, picture(), headers={"origin": "https://evil.example"})
    assert answer.json()["type"].endswith("cross-origin")
    answer = client.get("/v1/models", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["status"]) == (421, 421)


def bomb_png(side=40_000):
    """Draw a PNG of a few kilobytes that is 1600 megapixels large."""

    def chunk(kind, data):
        return (
            len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        )

    head = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animation(format):
    frames = [Image.new("RGB", (8, 8), (n, n, n)) for n in range(0, 250, 50)]
    file = io.BytesIO()
    frames[0].save(file, format, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (bomb_png(), 413),
        (animation("gif"), 422),
        (animation("webp"), 422),
        (animation("png"), 422),
        (animation("tiff"), 422),
        (b"GIF89a" + b"<script>alert(1)</script>", 422),
        (b"\xff\xd8\xff" + b"PK\x03\x04" * 99, 422),
        (b"MZ" + picture(), 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>", 415),
        (b"%PDF-1.4", 415),
        (b"", 422),
        (b"push graphic-context\nimage over 0,0 0,0 '|id'", 415),
    ],
    ids=[
        "bomb",
        "gif",
        "webp",
        "apng",
        "pages",
        "gif-html",
        "jpeg-zip",
        "exe",
        "svg",
        "pdf",
        "empty",
        "mvg",
    ],
)
def test_what_could_do_harm_is_refused(client, data, status):
    answer = post(client, data)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_what_hides_behind_a_picture_does_not_come_out_again(client):
    hidden = b"PK\x03\x04<script>alert(1)</script>"
    answer = post(client, picture() + hidden, scale=2)
    assert answer.status_code in (200, 422)
    assert hidden not in answer.content


def test_more_bytes_than_allowed_are_refused_with_an_answer_that_arrives(client):
    answer = post(client, b"\xff\xd8\xff" + bytes(4_000_000))
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("too-many-bytes")


def test_an_upload_without_a_length_is_taken_and_cut_off_where_it_is_too_long(client):
    def pieces(count):
        body = form({"scale": "2", "file": picture() if count == 1 else bytes(100_000 * count)})
        yield from (body[at : at + 50_000] for at in range(0, len(body), 50_000))

    headers = {"content-type": FORM_TYPE}
    assert client.post("/v1/upscale", content=pieces(1), headers=headers).status_code == 200
    assert client.post("/v1/upscale", content=pieces(40), headers=headers).status_code == 413


def test_many_at_once_are_done_or_told_to_come_again(client):
    def one(_):
        answer = post(client, picture(height=60, width=60), scale=2)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status_code

    with ThreadPoolExecutor(24) as crowd:
        statuses = list(crowd.map(one, range(24)))
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 9


def test_a_client_that_vanishes_costs_nothing(client, service_url):
    address = urlsplit(service_url)
    body = form({"scale": "4", "file": picture(height=450, width=450)})
    head = (
        f"POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    for part in (head + body, head + body[:200]):
        for _ in range(6):
            with socket.create_connection((address.hostname, address.port)) as gone:
                gone.sendall(part)
    deadline = time.monotonic() + PATIENCE
    idle = ("pixelift_queue_bytes 0.0", "pixelift_queue_pictures 0.0", "pixelift_workers_busy 0.0")
    while not all(word in (text := client.get("/metrics").text) for word in idle):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    assert 'pixelift_jobs_total{outcome="cancelled"}' in text
    assert "pixelift_workers_lost 0.0" in text


@pytest.mark.slow
def test_a_token_is_asked_for_where_there_is_one_and_limits_are_kept():
    access = Access(token="s3cret")
    limits = Limits(upload_seconds=1, keep_seconds=1, lease_seconds=1, queue_length=1)
    settings = Settings(access=access, limits=limits, workers=1, threads=1)
    shown = {"authorization": "Bearer s3cret"}
    with running(settings) as (url, _), httpx.Client(base_url=url, timeout=PATIENCE) as client:
        for path in ("/v1/models", "/metrics", "/v1/jobs/x", "/nothing"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path in (*PAGE, "/health", "/openapi.json"):
            assert client.get(path).status_code == 200
        assert post(client, picture()).status_code == 401
        client.headers.update(shown)
        assert client.get("/v1/models").status_code == 200
        # An upload that stops in the middle.
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), PATIENCE) as slow:
            slow.sendall(
                b"POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
                b"Authorization: Bearer s3cret\r\n"
                b"Content-Type: " + FORM_TYPE.encode() + b"\r\n\r\n--aB1"
            )
            told = b"".join(iter(lambda: slow.recv(65536), b""))
        assert told.startswith(b"HTTP/1.1 408 ")
        assert json.loads(told.partition(b"\r\n\r\n")[2])["type"].endswith("slow-upload")
        # A job that nobody asks about any more.
        job = post(client, picture(), path="/v1/jobs", scale=2).json()
        deadline = time.monotonic() + PATIENCE
        while "pixelift_jobs_remembered 0.0" not in client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert client.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_alpha_and_sixteen_bits_are_kept(client):
    pixels = np.full((6, 8, 4), 40_000, np.uint16)
    pixels[2:4, 2:6, 3] = 10_000
    floats = (pixels / 65535).astype(np.float32)
    data = encode_picture(Picture(floats[..., :3], floats[..., 3], depth=16), "png")
    result = read_picture(post(client, data, scale=2).content)
    assert result.depth == 16
    assert result.alpha is not None
