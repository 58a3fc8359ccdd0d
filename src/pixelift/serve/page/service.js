// Talks to the service this page came from. No other address is ever asked.

const TOKEN_KEY = "pixelift-token";
const TRIES = 60;

/** What the service refused, in its own words. */
export class Refusal extends Error {
  constructor(problem, response) {
    super(problem.detail || problem.title || "The service does not answer as it should.");
    this.status = response.status;
    this.wait = Number(response.headers.get("retry-after")) || 1;
  }
}

/** Take the token out of the address, where it would stay in the history. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keepToken(given);
    history.replaceState(null, "", location.pathname);
  }
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

/** Ask for a path; anything but success becomes a Refusal. */
export async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { ...options, headers, credentials: "omit" });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(problem, response);
}

export async function listModels() {
  return (await (await ask("v1/models")).json()).models;
}

/** Enlarge a file. `tell` hears of each change; `signal` gives it up. */
export async function enlarge(file, fields, { tell, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.set(name, value);
  form.set("file", file, file.name);
  tell({ state: "uploading", progress: 0 });
  let job = await submit(form, { tell, signal });
  const path = `v1/jobs/${job.id}`;
  try {
    for (let pause = 150; !job.result; pause = Math.min(pause * 1.3, 1000)) {
      if (job.problem) throw new Error(job.problem.detail);
      tell(job);
      await sleep(pause, signal);
      job = await (await ask(path, { signal })).json();
    }
    tell({ state: "fetching", progress: 1 });
    const blob = await (await ask(`${path}/result`, { signal })).blob();
    return { blob, ...job.result, seconds: job.seconds };
  } finally {
    // Done or given up: the service need not keep it. It goes on also while the page is closed.
    ask(path, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}

async function submit(form, { tell, signal }) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await ask("v1/jobs", { method: "POST", body: form, signal })).json();
    } catch (error) {
      const isFull = error instanceof Refusal && (error.status === 429 || error.status === 503);
      if (!isFull || attempt === TRIES) throw error;
      tell({ state: "queueing", progress: 0 });
      await sleep(error.wait * 1000, signal);
    }
  }
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
