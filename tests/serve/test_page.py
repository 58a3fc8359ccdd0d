"""The page in a real browser: headless Chromium does what a person does."""

import base64
import io
import os
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from pixelift import Upscaler
from pixelift.serve.gate import Access
from pixelift.serve.service import Settings
from tests.patience import PATIENCE
from tests.serving import picture, running

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright to drive a browser")

pytestmark = pytest.mark.slow

MILLISECONDS = 1000 * PATIENCE

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("drop", options));
}"""

PASTE = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], name, { type }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def browser():
    """Start a Chromium, or skip the test where there is none."""
    path = os.environ.get("PIXELIFT_CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    if path is None:
        pytest.skip("no Chromium; install one, or name it in PIXELIFT_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        # No sandbox: tests may run as root in a container, where Chromium has none.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, service_url):
    """Open the page; no message of the console and no foreign address is forgiven."""
    contexts, troubles = [], []

    def opened(*, path="/", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else 0)
        page.on(
            "request",
            lambda request: (
                troubles.append(request.url)
                if not request.url.startswith((service_url, "blob:"))
                else 0
            ),
        )
        page.goto(service_url + path)
        page.wait_for_selector("#scales input:checked", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def give(page, data, *, name="photo.png", script=DROP, type="image/png"):
    page.evaluate(script, [name, type, base64.b64encode(data).decode()])


def wait_done(page, count=1):
    page.locator(".download:visible").nth(count - 1).wait_for()


def downloaded(page, selector):
    with page.expect_download() as waiting:
        page.click(selector)
    return waiting.value


def shown(page, selector="#stage"):
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"))


def test_a_photo_is_dropped_enlarged_and_downloaded(visit):
    page = visit()
    data = picture(height=30, width=40)
    page.check("#scales input[value='2']", force=True)
    give(page, data)
    wait_done(page)
    assert "80 × 60" in page.inner_text(".state")
    file = downloaded(page, ".download")
    assert file.suggested_filename == "photo_x2.png"
    with open(file.path(), "rb") as result:  # noqa: PTH123 - a path of playwright's own
        assert result.read() == Upscaler(scale=2, threads=1).upscale(data)


def test_a_photo_is_pasted(visit):
    page = visit()
    give(page, picture(), name="pasted.png", script=PASTE)
    wait_done(page)
    assert page.inner_text("h3") == "pasted.png"


def test_photos_are_chosen_with_the_keyboard_and_downloaded_together(visit):
    page = visit()
    choosers = []
    # From the start: a dialog that opens before Chromium knows that somebody listens is lost.
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.id") != "files":
        page.keyboard.press("Tab")
    for _ in range(20):
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        if choosers:
            break
    photos = [picture(width=8 + n) for n in range(3)]
    names = ["a.png", "b.png", "a.png"]
    choosers[0].set_files(
        [
            {"name": name, "mimeType": "image/png", "buffer": data}
            for name, data in zip(names, photos, strict=True)
        ]
    )
    wait_done(page, 3)
    file = downloaded(page, "#download-all")
    assert file.suggested_filename == "pixelift.zip"
    upscaler = Upscaler(scale=4, threads=1)
    with zipfile.ZipFile(file.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a_x4.png", "b_x4.png", "a_x4 (2).png"]
        for name, data in zip(archive.namelist(), photos, strict=True):
            assert archive.read(name) == upscaler.upscale(data)


def test_the_slider_shows_more_of_the_one_or_of_the_other(visit):
    page = visit()
    data = picture(height=40, width=60)
    give(page, data)
    wait_done(page)
    page.click(".compare:visible")
    assert page.evaluate("document.activeElement.id") == "split"
    page.keyboard.press("End")
    only_before = shown(page)
    page.keyboard.press("Home")
    only_after = shown(page)
    assert (only_before != only_after).any()
    page.fill("#split", "50")
    half = shown(page)
    middle = half.shape[1] // 2
    assert (half[:, : middle - 25] == only_before[:, : middle - 25]).all()
    assert (half[:, middle + 25 :] == only_after[:, middle + 25 :]).all()
    box = page.locator("#divider").bounding_box()
    grip = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*grip)
    page.mouse.down()
    page.mouse.move(grip[0] + 200, grip[1], steps=4)
    page.mouse.up()
    assert float(page.input_value("#split")) > 60
    page.keyboard.press("Escape")
    assert not page.locator("#compare").is_visible()


def test_the_zoom_shows_each_pixel_as_a_sharp_square(visit):
    page = visit()
    data = picture(height=30, width=40)
    page.check("#scales input[value='2']", force=True)
    give(page, data)
    wait_done(page)
    page.click(".compare:visible")
    page.keyboard.press("Home")
    while page.inner_text("#zoom") != "800 %":
        page.keyboard.press("+")
    sr = np.asarray(Image.open(io.BytesIO(Upscaler(scale=2).upscale(data))))
    squares = shown(page, "#pair").astype(int)
    assert squares.shape == (60 * 8, 80 * 8, 3)
    # The middle of each square, and a pixel beside each of its edges; tags and divider aside.
    for row, column in ((4, 4), (1, 1), (6, 6)):
        seen = squares[row::8, column::8][10:, 15:65]
        assert (abs(seen - sr[10:, 15:65]) <= 2).all()
    page.uncheck("#pixels")
    smooth = shown(page, "#pair").astype(int)
    assert (abs(smooth[1::8, 1::8] - sr) > 2).any()


def test_a_photo_that_cannot_be_done_says_why_and_can_be_removed(visit):
    page = visit()
    give(page, picture()[:-30], name="broken.png")
    page.wait_for_selector(".failed")
    assert "damaged" in page.inner_text(".state")
    assert "broken.png" in page.inner_text("#news")
    colour = "node => getComputedStyle(node).color"
    trouble = page.locator(".failed .state").evaluate(colour)
    give(page, picture(), name="good.png")
    wait_done(page)
    assert page.locator(".photo:not(.failed) .state").evaluate(colour) != trouble
    page.click(".failed .remove")
    page.click(".remove:visible")
    assert page.locator(".photo").count() == 0
    assert not page.locator("#photos-section").is_visible()


def test_a_photo_is_cancelled_and_done_again(visit):
    page = visit()
    give(page, picture(height=450, width=450))
    page.click(".cancel:visible")
    page.wait_for_selector(".state:text('Cancelled')")
    page.check("#scales input[value='2']", force=True)
    page.click(".again:visible")
    wait_done(page)
    assert "900 × 900" in page.inner_text(".state")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_its_colours(visit, scheme):
    page = visit(
        viewport={"width": 360, "height": 740},
        is_mobile=True,
        has_touch=True,
        color_scheme=scheme,
    )
    give(page, picture(), name="a-very-long-name-of-a-photo-that-someone-took-on-a-holiday.png")
    wait_done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    ground = shown(page, "body")[-1, 0].mean()
    assert ground > 200 if scheme == "light" else ground < 60
    for button in page.locator("button:visible, .button:visible").all():
        assert button.bounding_box()["height"] >= 40
    tops = {button.bounding_box()["y"] for button in page.locator(".actions > :visible").all()}
    assert len(tops) == 1
    page.click(".compare:visible")
    box = page.locator("#compare-close").bounding_box()
    assert box["x"] + box["width"] <= 360
    assert page.locator("#stage").bounding_box()["height"] > 400


def test_every_control_has_a_name_for_who_cannot_see_it(visit):
    page = visit()
    give(page, picture())
    wait_done(page)
    page.click(".compare:visible")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select, progress, dialog, img")]
          .filter((node) => node.checkVisibility() && !(node.ariaLabel || node.alt
            || node.textContent.trim() || node.labels?.length || node.alt === ""
            || node.getAttribute("aria-labelledby"))).map((node) => node.outerHTML)"""
    )
    assert nameless == []
    tree = page.locator("body").aria_snapshot()
    assert "slider" in tree
    assert 'button "Larger"' in tree
    page.keyboard.press("Escape")
    assert "photo.png is done" in page.inner_text("#news")
    assert 'link "Download photo.png, enlarged"' in page.locator("body").aria_snapshot()


def test_a_token_is_asked_for_and_taken_out_of_the_address(browser):
    settings = Settings(access=Access(token="s3cret"), workers=1, threads=1)
    with running(settings) as (url, _):
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(url)
        page.fill("#token", "wrong")
        page.click("#token-form button")
        page.wait_for_selector("#token-wrong:visible")
        page.fill("#token", "s3cret")
        page.click("#token-form button")
        page.wait_for_selector("#scales input:checked", state="attached")
        give(page, picture())
        wait_done(page)
        other = browser.new_context().new_page()
        other.goto(f"{url}/#token=s3cret")
        other.wait_for_selector("#scales input:checked", state="attached")
        assert other.url == f"{url}/"
        page.close()
        other.close()
