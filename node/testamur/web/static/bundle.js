// @ts-check
/**
 * The bundle: one file with a credential, its receipt and a note. docs/formats/bundle.md.
 *
 * A zip file of which there is exactly one for a given content. A reader makes it anew from what
 * it read and compares, so that two zip readers which would disagree have nothing left to
 * disagree on. Twin of node/testamur/ledger/bundle.py.
 */

import { CredentialError, quoted } from "./errors.js";
import { toHex } from "./hashing.js";
import { BYTES_MAX as CREDENTIAL_BYTES_MAX } from "./profiles.js";
import { BYTES_MAX as RECEIPT_BYTES_MAX } from "./receipt.js";
import { CENTRAL_SIZE, END_SIZE, LOCAL_SIGNATURE, LOCAL_SIZE, zipParts } from "./zip.js";

/** End of a bundle's file name, after the name of its credential. */
const SUFFIX = ".testamur.zip";

const RECEIPT_NAME = "receipt.json";
const README_NAME = "READ-ME.txt";
const NAME_BYTES_MAX = 200;

/** The note; its bytes are part of the format. */
const README = `\
This is a bundle of Testamur. It holds three files:

  1. a credential, such as a diploma, exactly as it was issued
  2. receipt.json, the proof that it was registered
  3. READ-ME.txt, this note

If the credential is yours
  Keep this bundle, and send it whole to whoever is to check the credential. Do not edit the
  credential, convert it, or save it again from a viewer: a copy that differs in one byte cannot
  be verified. Show the receipt only to those to whom you would show the credential.

If you were sent this bundle
  Open the verify page of a member of the consortium, by an address that you know yourself and
  that is not taken from this file or from its sender, and drop the bundle there. Or run:

      testamur verify BUNDLE

  with the name of the bundle in place of BUNDLE. You are told whether exactly this credential was
  registered, by whom, when, and whether it was revoked since. That these files exist proves
  nothing: only a verification does.
`;

const MEMBERS = 3;

/** No bundle is larger, in bytes. */
export const BYTES_MAX =
  CREDENTIAL_BYTES_MAX +
  RECEIPT_BYTES_MAX +
  README.length +
  MEMBERS * (LOCAL_SIZE + CENTRAL_SIZE) +
  2 * (NAME_BYTES_MAX + RECEIPT_NAME.length + README_NAME.length) +
  END_SIZE;

// What Windows, and so some zip tool, would refuse, rename, or take for a path or a device.
const FORBIDDEN = /[/\\:*?"<>|]/;
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]) *(?:\..*)?$/iu;
// Controls, halves of pairs, line ends, and signs that turn the direction of writing around.
const UNSHOWN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
// With the flag u, the case folding of Unicode: the long s is one of the ways to write an s.
const TAKEN_NAME = /^(?:receipt\.json|read-me\.txt)$/iu;
// Signature, version 2.0, flags of a name in ASCII or UTF-8, stored, midnight, 1 January 1980.
const BEGINNING = /^504b03041400(?:0000|0008)000000002100$/;
const AT_ITS_EDGES = /^ |[ .]$/;

/**
 * A parsed bundle; that its files belong together is for verification to find out. `credential`
 * and `receipt` are views of the bytes that were parsed, and `name` is bound by nothing.
 *
 * @typedef {{name: string, credential: Uint8Array, receipt: Uint8Array}} Bundle
 */

/**
 * Tell whether a file claims to be a bundle: a zip file whose name ends as theirs do.
 *
 * @param {string} fileName
 * @returns {boolean}
 */
export function isBundleName(fileName) {
  return fileName.toLowerCase().endsWith(SUFFIX);
}

/**
 * Tell whether a file begins as a bundle does, whatever it is called: a browser that downloads one
 * twice puts a number into the name. What follows may still make it none.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
export function looksLikeBundle(bytes) {
  return bytes.length >= LOCAL_SIZE && BEGINNING.test(toHex(bytes.subarray(0, 14)));
}

/**
 * Read a bundle from anyone; only the one spelling of its content is one.
 *
 * @param {Uint8Array} bytes
 * @returns {Bundle}
 * @throws {CredentialError} `bundle_format`: larger than {@link BYTES_MAX}, or one byte different
 *   from the bundle that Testamur makes of the same name, credential and receipt
 */
export function parseBundle(bytes) {
  if (bytes.length > BYTES_MAX) {
    throw fault(`${bytes.length} bytes, the limit for a bundle is ${BYTES_MAX}`);
  }
  const first = locate(bytes, 0);
  const second = locate(bytes, first.end);
  const [name, receiptName] = [nameOf(first.name), nameOf(second.name)];
  if (receiptName !== RECEIPT_NAME) {
    throw fault("the second file in the bundle is not receipt.json");
  }
  checkName(name);
  if (first.content.length > CREDENTIAL_BYTES_MAX) {
    throw fault(`the credential has more than ${CREDENTIAL_BYTES_MAX} bytes`);
  }
  if (second.content.length > RECEIPT_BYTES_MAX) {
    throw fault(`the receipt has more than ${RECEIPT_BYTES_MAX} bytes`);
  }
  const found = { name, credential: first.content, receipt: second.content };
  const anew = zipParts([
    [name, found.credential],
    [RECEIPT_NAME, found.receipt],
    [README_NAME, new TextEncoder().encode(README)],
  ]);
  if (!isMadeOf(bytes, anew)) {
    throw fault("the zip file was not made as bundles are, or was changed");
  }
  return found;
}

/**
 * Where name and content of the entry at `start` stand, inside `bytes`.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function locate(bytes, start) {
  if (bytes.length - start < LOCAL_SIZE) {
    throw fault("the bundle ends too early");
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset + start, LOCAL_SIZE);
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE) {
    throw fault("this is not a zip file that holds a credential and a receipt");
  }
  const afterName = start + LOCAL_SIZE + header.getUint16(26, true);
  const end = afterName + header.getUint32(22, true);
  if (end > bytes.length) {
    throw fault("the bundle ends too early");
  }
  return {
    name: bytes.subarray(start + LOCAL_SIZE, afterName),
    content: bytes.subarray(afterName, end),
    end,
  };
}

/** @param {Uint8Array} bytes */
function nameOf(bytes) {
  if (bytes.length > NAME_BYTES_MAX) {
    throw fault("a name in the bundle is too long");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fault("the credential's name in the bundle is not UTF-8");
  }
}

/** @param {string} name */
function checkName(name) {
  let problem = null;
  if (!name || AT_ITS_EDGES.test(name)) {
    problem = "is empty, starts with a space, or ends with a space or a full stop";
  } else if (FORBIDDEN.test(name) || DEVICE.test(name)) {
    problem = "is a path, a device, or holds a character that not every system takes";
  } else if (TURNING.test(name) || UNSHOWN.test(name)) {
    problem = "holds characters that are not shown";
  } else if (TAKEN_NAME.test(name)) {
    problem = "is that of another file in the bundle";
  }
  if (problem) {
    throw fault(`the credential's name ${quoted(name)} ${problem}`);
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array[]} parts
 */
function isMadeOf(bytes, parts) {
  let at = 0;
  for (const part of parts) {
    for (let offset = 0; offset < part.length; offset += 1) {
      if (bytes[at + offset] !== part[offset]) {
        return false;
      }
    }
    at += part.length;
  }
  return at === bytes.length;
}

/** @param {string} message */
function fault(message) {
  return new CredentialError("bundle_format", message);
}
