// The page: photos come in, each goes to the service, and results are looked at and downloaded.

import { closeComparison, compare } from "./compare.js";
import { Refusal, enlarge, keepToken, listModels, takeToken } from "./service.js";
import { distinctNames, zip } from "./zip.js";

const AT_ONCE = 2;
const LOSSY = ["jpeg", "webp", "avif"];
const ENDINGS = { jpeg: "jpg", tiff: "tif" };
const TOLD = {
  here: "Waiting for its turn",
  uploading: "Uploading",
  queueing: "The service is busy, waiting",
  waiting: "Waiting for a worker",
  running: "Enlarging",
  fetching: "Fetching the result",
};

const find = (id) => document.getElementById(id);
// What looks at each photo; it has the scales of the model for clean ones.
const AUTO = "auto";
const CLEAN = "balanced";
const photos = [];
let models = [];

// ---- settings

function chosenScale() {
  return document.querySelector("#scales input:checked")?.value;
}

function showScales() {
  const name = find("model").value === AUTO ? CLEAN : find("model").value;
  const offered = models.filter((m) => m.name === name).map((m) => m.scale);
  const all = [...new Set(models.map((m) => m.scale))].sort((a, b) => a - b);
  const wanted = Number(chosenScale()) || 4;
  const chosen = offered.includes(wanted) ? wanted : offered.at(-1);
  find("scales").replaceChildren(...all.map((scale) => {
    const [label, input, text] = ["label", "input", "span"].map((t) => document.createElement(t));
    Object.assign(input, { type: "radio", name: "scale", value: scale });
    input.checked = scale === chosen;
    input.disabled = !offered.includes(scale);
    text.textContent = `${scale}×`;
    label.append(input, text);
    return label;
  }));
}

async function start() {
  try {
    models = await listModels();
  } catch (error) {
    const wantsToken = error instanceof Refusal && error.status === 401;
    find("token-form").hidden = !wantsToken;
    announce(wantsToken ? "This service wants a token." : error.message);
    if (!wantsToken) setTimeout(start, 3000);
    return false;
  }
  find("token-form").hidden = true;
  const names = [...new Set(models.map((m) => m.name))];
  const auto = names.includes(CLEAN) ? [new Option("auto: what suits the photo", AUTO)] : [];
  find("model").replaceChildren(...auto, ...names.map((name) => new Option(name, name)));
  showScales();
  work();
  return true;
}

// ---- photos

function add(files) {
  for (const file of files) {
    const node = find("photo").content.firstElementChild.cloneNode(true);
    const photo = { file, node, state: "here", url: URL.createObjectURL(file) };
    part(photo, "h3").textContent = file.name;
    part(photo, ".thumb").addEventListener("error", (e) => e.target.classList.add("broken"));
    part(photo, ".thumb").src = photo.url;
    for (const [name, act] of Object.entries({ cancel, again, remove, compare: look })) {
      part(photo, `.${name}`).addEventListener("click", () => act(photo));
      part(photo, `.${name}`).setAttribute("aria-label", `${part(photo, `.${name}`).textContent} ${file.name}`);
    }
    part(photo, ".download").setAttribute("aria-label", `Download ${file.name}, enlarged`);
    photos.push(photo);
    find("photos").append(node);
    show(photo, { state: "here", progress: 0 });
  }
  if (files.length) announce(`${count(files.length)} added`);
  work();
}

function work() {
  const busy = photos.filter((photo) => photo.abort).length;
  const waiting = photos.filter((photo) => photo.state === "here");
  if (!models.length) return;
  waiting.slice(0, AT_ONCE - busy).forEach(run);
}

async function run(photo) {
  photo.abort = new AbortController();
  const fields = {
    scale: chosenScale(),
    model: find("model").value,
    consistent: find("consistent").value,
    format: find("format").value,
    quality: find("quality-field").hidden ? "" : find("quality").value,
  };
  try {
    const tell = (job) => show(photo, job);
    const result = await enlarge(photo.file, fields, { tell, signal: photo.abort.signal });
    await keep(photo, result, fields);
  } catch (error) {
    const isCancelled = photo.abort.signal.aborted;
    show(photo, { state: isCancelled ? "cancelled" : "failed", told: error.message });
    if (!isCancelled) announce(`${photo.file.name}: ${error.message}`);
    if (error instanceof Refusal && error.status === 401) start();
  }
  photo.abort = null;
  work();
}

async function keep(photo, result, fields) {
  const stem = photo.file.name.replace(/\.[^.]*$/, "") || "picture";
  photo.result = result;
  photo.name = `${stem}_x${fields.scale}.${ENDINGS[result.format] ?? result.format}`;
  photo.resultUrl = URL.createObjectURL(result.blob);
  const link = part(photo, ".download");
  Object.assign(link, { href: photo.resultUrl, download: photo.name });
  const told = `${result.width} × ${result.height}, ${megabytes(result.blob.size)}, `
    + `${result.seconds.toFixed(1)} s${result.why ? `, by ${result.model}: ${result.why}` : ""}`;
  // Browsers do not show all formats; what cannot be shown can still be downloaded.
  photo.canShow = await canShow(photo.url) && await canShow(photo.resultUrl);
  show(photo, { state: "done", told: photo.canShow ? told : `${told}; no preview in this browser` });
  announce(`${photo.file.name} is done: ${result.width} by ${result.height}`);
}

function show(photo, { state, progress = 0, place = 0, told = "" }) {
  photo.state = state;
  const isOver = ["done", "failed", "cancelled"].includes(state);
  const bar = part(photo, "progress");
  bar.hidden = isOver;
  bar.value = progress;
  bar.setAttribute("aria-label", `Progress of ${photo.file.name}`);
  const share = state === "running" ? `, ${Math.round(progress * 100)} %` : "";
  const queue = place ? `, ${place} before it` : "";
  part(photo, ".state").textContent = told && state !== "cancelled" ? told
    : state === "cancelled" ? "Cancelled" : `${TOLD[state] ?? state}${share}${queue}`;
  photo.node.classList.toggle("failed", state === "failed");
  part(photo, ".compare").hidden = state !== "done" || !photo.canShow;
  part(photo, ".download").hidden = state !== "done";
  part(photo, ".cancel").hidden = isOver;
  part(photo, ".again").hidden = part(photo, ".remove").hidden = !isOver;
  find("photos-section").hidden = !photos.length;
  find("download-all").disabled = !photos.some((p) => p.state === "done");
}

function cancel(photo) {
  if (photo.abort) photo.abort.abort(new Error("Cancelled"));
  else show(photo, { state: "cancelled" });
  part(photo, ".again").focus();
}

function again(photo) {
  if (photo.resultUrl) URL.revokeObjectURL(photo.resultUrl);
  photo.result = photo.resultUrl = null;
  show(photo, { state: "here" });
  part(photo, ".cancel").focus();
  work();
}

function remove(photo) {
  photo.abort?.abort(new Error("Removed"));
  for (const url of [photo.url, photo.resultUrl]) if (url) URL.revokeObjectURL(url);
  photos.splice(photos.indexOf(photo), 1);
  photo.node.remove();
  find("photos-section").hidden = !photos.length;
  find("download-all").disabled = !photos.some((p) => p.state === "done");
  find("files").focus();
}

function look(photo) {
  const { width, height } = photo.result;
  const [beforeUrl, afterUrl] = [photo.url, photo.resultUrl];
  compare({ name: photo.file.name, beforeUrl, afterUrl, width, height });
}

async function downloadAll() {
  const done = photos.filter((photo) => photo.state === "done");
  const names = distinctNames(done.map((photo) => photo.name));
  const files = done.map((photo, n) => ({ name: names[n], blob: photo.result.blob }));
  const url = URL.createObjectURL(await zip(files));
  Object.assign(document.createElement("a"), { href: url, download: "pixelift.zip" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  announce(`${count(files.length)} in pixelift.zip`);
}

// ---- small things

function part(photo, selector) {
  return photo.node.querySelector(selector);
}

function announce(text) {
  find("news").textContent = text;
}

function count(n) {
  return n === 1 ? "1 photo" : `${n} photos`;
}

function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

async function canShow(url) {
  const picture = new Image();
  picture.src = url;
  return picture.decode().then(() => true, () => false);
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  find("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

// ---- what people do

find("files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = "";
});
find("model").addEventListener("change", showScales);
find("format").addEventListener("change", (event) => {
  find("quality-field").hidden = !LOSSY.includes(event.target.value);
});
find("settings").addEventListener("submit", (event) => event.preventDefault());
find("download-all").addEventListener("click", downloadAll);
find("clear").addEventListener("click", () => [...photos].forEach(remove));
find("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  keepToken(find("token").value);
  find("token-wrong").hidden = await start();
});
find("theme").addEventListener("click", () => {
  const theme = find("theme").textContent === "Dark" ? "dark" : "light";
  localStorage.setItem("pixelift-theme", theme);
  setTheme(theme);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) add([...event.clipboardData.files]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragged");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dragged");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragged");
  closeComparison();
  add([...event.dataTransfer.files]);
});
window.addEventListener("pagehide", () => photos.forEach((photo) => photo.abort?.abort()));

const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
setTheme(localStorage.getItem("pixelift-theme") ?? (isDark ? "dark" : "light"));
takeToken();
start();
