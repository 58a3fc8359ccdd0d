// Two pictures, one upon the other, with a divider and a zoom that shows pixels as they are.

const find = (id) => document.getElementById(id);
const dialog = find("compare");
const [stage, pair, before, after] = ["stage", "pair", "before", "after"].map(find);
const [divider, split, zoomText, pixels] = ["divider", "split", "zoom", "pixels"].map(find);

// Screen pixels for each pixel of the result.
const ZOOMS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16];
// Browsers draw no element that is wider than that.
const MAX_CSS_PIXELS = 2 ** 24;

let size = { width: 1, height: 1 };
// null: as large as the window allows.
let zoom = null;

/** Open the comparison: addresses of both pictures and the size of the result. */
export function compare({ name, beforeUrl, afterUrl, width, height }) {
  size = { width, height };
  find("compare-title").textContent = `${name}, ${width} × ${height}`;
  before.src = beforeUrl;
  after.src = afterUrl;
  split.value = 50;
  dialog.showModal();
  setZoom(null);
  split.focus();
}

export function closeComparison() {
  if (dialog.open) dialog.close();
}

function fitting() {
  const { width, height } = stage.getBoundingClientRect();
  const room = Math.min((width - 4) / size.width, (height - 4) / size.height);
  return Math.min(room * devicePixelRatio, 1);
}

function setZoom(wanted) {
  // What is in the middle stays there.
  const middle = [
    (stage.scrollLeft + stage.clientWidth / 2) / Math.max(stage.scrollWidth, 1),
    (stage.scrollTop + stage.clientHeight / 2) / Math.max(stage.scrollHeight, 1),
  ];
  zoom = wanted;
  const factor = (zoom ?? fitting()) / devicePixelRatio;
  pair.style.width = `${size.width * factor}px`;
  pair.style.height = `${size.height * factor}px`;
  zoomText.textContent = zoom === null ? "fit" : `${zoom * 100} %`;
  stage.scrollLeft = middle[0] * stage.scrollWidth - stage.clientWidth / 2;
  stage.scrollTop = middle[1] * stage.scrollHeight - stage.clientHeight / 2;
  showPixels();
  divide();
}

function showPixels() {
  // Pixels can only be shown where each has at least one of the screen.
  stage.classList.toggle("pixelated", pixels.checked && (zoom ?? fitting()) >= 1);
}

function stepZoom(step) {
  const now = zoom ?? fitting();
  const larger = ZOOMS.filter((z) => (step > 0 ? z > now * 1.01 : z < now * 0.99));
  const next = step > 0 ? larger[0] : larger.at(-1);
  const widest = Math.max(size.width, size.height) * (next ?? 0);
  if (next !== undefined && widest / devicePixelRatio <= MAX_CSS_PIXELS) setZoom(next);
}

/** Cut the upper picture off at the divider, which stands still while the pictures move. */
function divide() {
  const view = stage.getBoundingClientRect();
  const at = view.left + stage.clientLeft + (split.value / 100) * stage.clientWidth;
  const box = pair.getBoundingClientRect();
  const share = Math.min(Math.max((at - box.left) / Math.max(box.width, 1), 0), 1);
  after.style.clipPath = `inset(0 0 0 ${share * 100}%)`;
  divider.style.left = `${at - view.left}px`;
  split.setAttribute("aria-valuetext", `${Math.round(split.value)} percent before`);
}

function dragDivider(event) {
  const view = stage.getBoundingClientRect();
  split.value = (100 * (event.clientX - view.left - stage.clientLeft)) / stage.clientWidth;
  divide();
}

function dragPictures(event) {
  stage.scrollLeft -= event.movementX;
  stage.scrollTop -= event.movementY;
}

function whileDragged(element, move, accepts) {
  element.addEventListener("pointerdown", (event) => {
    if (!accepts(event)) return;
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", move);
    const end = () => element.removeEventListener("pointermove", move);
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
  });
}

whileDragged(divider, dragDivider, () => true);
// A finger moves the pictures by scrolling; on the scroll bars a mouse does too.
whileDragged(stage, dragPictures, (event) => event.pointerType === "mouse"
  && event.offsetX < stage.scrollLeft + stage.clientWidth
  && event.target !== stage);

split.addEventListener("input", divide);
stage.addEventListener("scroll", divide);
pixels.addEventListener("change", showPixels);
find("zoom-in").addEventListener("click", () => stepZoom(1));
find("zoom-out").addEventListener("click", () => stepZoom(-1));
find("zoom-fit").addEventListener("click", () => setZoom(null));
find("compare-close").addEventListener("click", closeComparison);
window.addEventListener("resize", () => dialog.open && setZoom(zoom));
stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  stepZoom(event.deltaY < 0 ? 1 : -1);
}, { passive: false });
dialog.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { "+": 1, "=": 1, "-": -1 }[event.key];
  if (step) stepZoom(step);
  else if (event.key === "0") setZoom(null);
});
