// @ts-check
/**
 * What was given so far, and what can be done with it. Knows neither the page nor the network.
 *
 * A credential comes in a bundle, beside its receipt, or with a locator: in the file, or in the
 * link that led here. Whatever cannot be read raises `CredentialError`, and nothing is asked.
 */

import {
  BYTES_MAX,
  CredentialError,
  detect,
  digest,
  findLocator,
  isBundleName,
  issuers,
  looksLikeBundle,
  parseBundle,
  parseReceiptCommitment,
} from "./credential.js";
import * as strictJson from "./strict-json.js";

/** @typedef {import("./locator.js").Locator} Locator */

/**
 * A file that was read.
 *
 * @typedef {{name: string, bytes: Uint8Array}} Named
 */

/**
 * At most one of each; `link` is the locator of a link or of what was typed in.
 *
 * @typedef {{credential: Named | null, receipt: Named | null, link: Locator | null}} Given
 */

/**
 * What can be done: wait for the credential, say that a receipt is needed, or ask the node with
 * `body`, the JSON of `POST /v1/verify`.
 *
 * @typedef {{kind: "credential"} | {kind: "receipt"} | {kind: "ask", body: string}} Step
 */

/** @type {Given} */
export const NOTHING = Object.freeze({ credential: null, receipt: null, link: null });

/** Room for the largest credential in a bundle, in bytes; more is not even read. */
const FILE_BYTES_MAX = BYTES_MAX + 8 * 1024 * 1024;
const RECEIPT_TYPE = "testamur/receipt/";
const RECEIPT_NAME = "receipt.json";

/**
 * Read what a person chose, dropped or pasted.
 *
 * @param {Iterable<File>} files
 * @returns {Promise<Named[]>}
 * @throws {CredentialError} `credential_too_large`: more than any bundle has; `unreadable_file`:
 *   the browser could not read it, or it is a folder
 */
export async function read(files) {
  const found = [];
  for (const file of files) {
    if (file.size > FILE_BYTES_MAX) {
      const limit = BYTES_MAX / (1024 * 1024);
      throw new CredentialError("credential_too_large", `the file is larger than ${limit} MiB`);
    }
    try {
      found.push({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    } catch {
      throw new CredentialError("unreadable_file", "the browser could not read the file");
    }
  }
  return found;
}

/**
 * Add files to what was given before: a new credential takes the place of the old one, and so
 * does a receipt.
 *
 * @param {Given} given
 * @param {Named[]} files
 * @returns {Given}
 * @throws {CredentialError} `bundle_format`: a bundle is damaged; `request_format`: more than one
 *   credential or receipt at once, of which it is not clear what belongs together
 */
export function add(given, files) {
  /** @type {Named[]} */
  const credentials = [];
  /** @type {Named[]} */
  const receipts = [];
  for (const file of files) {
    if (isBundleName(file.name) || looksLikeBundle(file.bytes)) {
      const bundle = parseBundle(file.bytes);
      credentials.push({ name: bundle.name, bytes: bundle.credential });
      receipts.push({ name: `${RECEIPT_NAME} in ${file.name}`, bytes: bundle.receipt });
    } else {
      (isReceipt(file) ? receipts : credentials).push(file);
    }
  }
  if (credentials.length > 1 || receipts.length > 1) {
    throw new CredentialError("request_format", "these are the files of more than one credential");
  }
  return {
    credential: credentials[0] ?? given.credential,
    receipt: receipts[0] ?? given.receipt,
    link: given.link,
  };
}

/**
 * Decide what can be done, and compute what the node is asked with.
 *
 * @param {Given} given
 * @param {string} ledgerId the ledger of the node that would be asked
 * @returns {Promise<Step>}
 * @throws {CredentialError} `receipt_format`: the receipt is none; `other_ledger`: the locator is
 *   for a ledger that this node does not speak for; `several_locators`: two that differ, in the
 *   file or in file and link; any other code: the credential breaks a rule of its profile
 */
export async function nextStep(given, ledgerId) {
  if (!given.credential) {
    return { kind: "credential" };
  }
  const { bytes } = given.credential;
  const profile = profileOf(given.receipt) ?? (await detect(bytes));
  const locator = only(given.link, await findLocator(bytes, profile));
  const sent = {
    profile,
    digest: await digest(bytes, profile),
    issuers: (await issuers(bytes, profile)) ?? undefined,
  };
  if (given.receipt) {
    const fields = JSON.stringify({ ...sent, locator: locator ? written(locator) : undefined });
    // As it was spelled, which is strict JSON: the node judges every byte of it.
    const receipt = new TextDecoder().decode(given.receipt.bytes);
    return { kind: "ask", body: `${fields.slice(0, -1)},"receipt":${receipt}}` };
  }
  if (!locator) {
    return { kind: "receipt" };
  }
  if (locator.ledgerId !== ledgerId) {
    throw new CredentialError(
      "other_ledger",
      "the code in the file or link is for another consortium's ledger than this node's",
    );
  }
  const { member, salt } = locator;
  return { kind: "ask", body: JSON.stringify({ ...sent, member, salt }) };
}

/** @param {Named} file */
function isReceipt({ name, bytes }) {
  if (name.toLowerCase().endsWith(RECEIPT_NAME)) {
    return true;
  }
  if (!strictJson.looksLikeJson(bytes)) {
    return false;
  }
  try {
    const type = strictJson.parseObject(bytes).get("type");
    return typeof type === "string" && type.startsWith(RECEIPT_TYPE);
  } catch {
    return false; // whatever is wrong with it is found when it is read as a credential
  }
}

/**
 * The profile that a receipt names; null without a receipt, or where it names none, which is for
 * the node to say.
 *
 * @param {Named | null} receipt
 */
function profileOf(receipt) {
  try {
    return receipt && parseReceiptCommitment(receipt.bytes).profile;
  } catch (error) {
    if (error instanceof CredentialError && error.code === "unknown_profile") {
      return null;
    }
    throw error;
  }
}

/**
 * The one locator of a file and of the link that came with it.
 *
 * @param {Locator | null} one
 * @param {Locator | null} other
 */
function only(one, other) {
  if (one && other && written(one) !== written(other)) {
    throw new CredentialError("several_locators", "the file holds another code than the link");
  }
  return one ?? other;
}

/** @param {Locator} locator */
function written({ ledgerId, member, salt }) {
  return `testamur:1:${ledgerId}:${member}:${salt}`;
}
