// @ts-check
/**
 * The verify page: takes files and links, and shows what the node says of them.
 *
 * No file leaves the browser: the node is asked with the JSON that `intake.js` makes. Its answer,
 * and what is shown without asking, were laid out by the node's templates; nothing here makes
 * markup, and texts go into it as texts.
 */

import { CredentialError, locatorOfLink, parseLocator } from "./credential.js";
import { add, nextStep, NOTHING, read } from "./intake.js";

/** @typedef {import("./intake.js").Given} Given */

const ASK_SECONDS_MAX = 60;
const KNOWN = json("known");
const ADVICE = json("advice");
/** Codes for which a node would say "not valid", too; the others say that a file is unreadable. */
const REFUSED = new Set(["bundle_format", "other_ledger", "several_locators"]);
/** Codes whose message tells everyone what is meant. */
const CLEAR = new Set([
  ...REFUSED,
  "credential_too_large",
  "locator_format",
  "request_format",
  "unreadable_file",
]);

/** @type {Given} */
let given = NOTHING;
/** Whether a file that comes now belongs to those that are there. */
let isWaiting = true;
/** Number of the newest run; what an older one finds out is dropped. */
let newest = 0;

start();

function start() {
  if (!globalThis.crypto?.subtle) {
    // Not over HTTPS: the browser offers no hashing, so the form that uploads has to do.
    byId("no-script").hidden = true;
    byId("no-https").hidden = false;
    return;
  }
  byId("upload").hidden = true;
  byId("local").hidden = false;
  const input = /** @type {HTMLInputElement} */ (byId("files"));
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) {
      receive(files);
    }
  });
  listenForDrops();
  document.addEventListener("paste", onPaste);
  byId("link").addEventListener("submit", onTyped);
  byId("again").addEventListener("click", startAgain);
  byId("outcome").addEventListener("click", onAction);
  window.addEventListener("hashchange", followLink);
  followLink();
}

function listenForDrops() {
  const zone = byId("drop");
  // The whole window takes files: one dropped beside the zone would otherwise replace the page.
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  window.addEventListener("dragleave", () => zone.classList.remove("over"));
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) {
      receive(files);
    }
  });
}

/** @param {ClipboardEvent} event */
function onPaste(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) {
    event.preventDefault();
    receive(files);
  }
}

/** @param {Event} event */
function onTyped(event) {
  event.preventDefault();
  const text = /** @type {HTMLInputElement} */ (byId("link-text")).value.trim();
  takeLink(() => locatorOfLink(text) ?? parseLocator(text));
}

function followLink() {
  if (location.hash) {
    takeLink(() => locatorOfLink(location.hash));
  }
}

/**
 * @param {() => import("./locator.js").Locator | null} readIt
 */
function takeLink(readIt) {
  attempt(async (isCurrent) => {
    const link = readIt();
    if (link) {
      given = { ...(isWaiting ? given : NOTHING), link };
      await check(isCurrent);
    }
  });
}

/** @param {File[]} files */
function receive(files) {
  attempt(async (isCurrent) => {
    say("Reading the file…");
    const before = isWaiting ? given : { ...NOTHING, link: given.link };
    const after = add(before, await read(files));
    if (!isCurrent()) {
      return;
    }
    // What was checked before is over; a link may still be meant for the next file alone.
    given = !isWaiting && after.receipt ? { ...after, link: null } : after;
    await check(isCurrent);
  });
}

/**
 * Run what may meet a file that cannot be read, and show it where it does.
 *
 * @param {(isCurrent: () => boolean) => Promise<void>} work
 */
async function attempt(work) {
  newest += 1;
  const run = newest;
  const isCurrent = () => run === newest;
  try {
    await work(isCurrent);
  } catch (error) {
    if (isCurrent()) {
      showUnread(error);
    }
  }
}

/** @param {() => boolean} isCurrent */
async function check(isCurrent) {
  const step = await nextStep(given, KNOWN.ledger);
  if (!isCurrent()) {
    return;
  }
  isWaiting = step.kind !== "ask";
  showGiven();
  if (step.kind === "receipt") {
    show(fromTemplate("receipt-needed"));
    return;
  }
  clearOutcome();
  if (step.kind === "credential") {
    say(`Now choose the credential: the file that this ${given.receipt ? "receipt" : "link"} is for.`);
    return;
  }
  say("Asking the node…");
  const result = (await ask(step.body)) ?? fromTemplate("no-answer");
  if (isCurrent()) {
    show(result);
  }
}

/**
 * Ask the node; null where it gave no answer that can be shown.
 *
 * @param {string} body
 * @returns {Promise<Element | null>}
 */
async function ask(body) {
  try {
    const answer = await fetch("/v1/verify", {
      method: "POST",
      headers: { Accept: "text/html", "Content-Type": "application/json" },
      body,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(ASK_SECONDS_MAX * 1000),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector(".result");
  } catch {
    return null;
  }
}

/** @param {Element} result */
function show(result) {
  for (const time of result.querySelectorAll("[data-seconds]")) {
    addLocalTime(/** @type {HTMLElement} */ (time));
  }
  for (const button of result.querySelectorAll(".scripted")) {
    /** @type {HTMLElement} */ (button).hidden = false;
  }
  byId("outcome").replaceChildren(result);
  say("");
  const heading = byId("verdict");
  document.title = `${heading.textContent} · Testamur`;
  heading.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

/** @param {unknown} error */
function showUnread(error) {
  const known = error instanceof CredentialError;
  const code = known ? error.code : "internal_error";
  const result = fromTemplate(given.receipt || REFUSED.has(code) ? "not-valid" : "could-not-read");
  isWaiting = true;
  given = { ...NOTHING, link: given.link };
  showGiven();
  slot(result, "summary", known ? sentence(error) : "The page met an error of its own.");
  slot(result, "step", ADVICE[code] ?? ADVICE.credential_error);
  slot(result, "code", code);
  show(result);
}

/**
 * Say what is wrong; what is said of a file's inside alone would be a riddle to most.
 *
 * @param {CredentialError} error
 */
function sentence({ code, message }) {
  if (code === "receipt_format") {
    return `This is not a receipt: ${message}.`;
  }
  const whole = CLEAR.has(code) ? message : `the file is not readable as a credential: ${message}`;
  return `${whole[0].toUpperCase()}${whole.slice(1)}.`;
}

/** Show what was given; once the node was asked, nothing more is wanted. */
function showGiven() {
  byId("local").classList.toggle("done", !isWaiting);
  const rows = [];
  if (given.credential) {
    rows.push(row("Credential:", given.credential.name));
  }
  if (given.receipt) {
    rows.push(row("Receipt:", given.receipt.name));
  }
  if (given.link) {
    const member = KNOWN.members[given.link.member] ?? `member ${given.link.member}`;
    rows.push(row("Link:", `a code of ${member}`));
  }
  byId("given").hidden = !rows.length;
  byId("given").querySelector("ul")?.replaceChildren(...rows);
}

/**
 * @param {string} role
 * @param {string} name
 */
function row(role, name) {
  const made = fromTemplate("one-given");
  slot(made, "role", role);
  slot(made, "name", name);
  return made;
}

function startAgain() {
  newest += 1;
  given = NOTHING;
  isWaiting = true;
  if (location.hash) {
    history.replaceState(null, "", location.pathname);
  }
  showGiven();
  clearOutcome();
  say("");
  byId("files").focus();
}

/** @param {Event} event */
function onAction(event) {
  const button = event.target instanceof Element && event.target.closest("button");
  if (button && "choose" in button.dataset) {
    byId("files").click();
  } else if (button && "retry" in button.dataset) {
    attempt(check);
  }
}

function clearOutcome() {
  byId("outcome").replaceChildren();
  document.title = "Check a credential · Testamur";
}

/** @param {HTMLElement} time */
function addLocalTime(time) {
  const moment = new Date(Number(time.dataset.seconds) * 1000);
  if (moment.getTimezoneOffset() && !Number.isNaN(moment.getTime())) {
    const written = moment.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    time.textContent += ` (${written} where you are)`;
  }
}

/** @param {string} text */
function say(text) {
  byId("progress").textContent = text;
}

/**
 * @param {Element} inside
 * @param {string} name
 * @param {string} text
 */
function slot(inside, name, text) {
  const found = inside.querySelector(`[data-slot="${name}"]`);
  if (found) {
    found.textContent = text;
  }
}

/**
 * @param {string} id
 * @returns {Element}
 */
function fromTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (byId(id));
  const copy = template.content.cloneNode(true);
  return /** @type {Element} */ (/** @type {DocumentFragment} */ (copy).firstElementChild);
}

/** @param {string} id */
function json(id) {
  return JSON.parse(byId(id).textContent ?? "");
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no ${id}`);
  }
  return found;
}
