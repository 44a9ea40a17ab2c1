// @ts-check
/**
 * JSON read in one way only: I-JSON (RFC 7493) with limits, everything else refused.
 *
 * `JSON.parse` keeps the last of two equal keys, rounds big integers, makes 1e400 infinite, lets
 * half surrogate pairs pass, and puts keys that look like numbers first. Python refuses or keeps
 * each of these, so this parser does, too; node/testamur/credentials/strict_json.py is its twin.
 */

import { CredentialError, tooLarge, unparsable } from "./errors.js";
import { readDocument } from "./json-text.js";

/** @typedef {import("./json-text.js").JsonValue} JsonValue */
/** @typedef {import("./json-text.js").JsonObject} JsonObject */

/** Size limit of a document, in bytes. */
export const BYTES_MAX = 4 * 1024 * 1024;

/** Arrays and objects inside one another; a document that is one flat object has depth 1. */
export const DEPTH_MAX = 128;

const BYTE_ORDER_MARKS = [
  [0xef, 0xbb, 0xbf],
  [0xff, 0xfe],
  [0xfe, 0xff],
];
const BEFORE_BRACKET = new Set([0x20, 0x09, 0x0d, 0x0a, 0x00]);
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Tell whether a person would call `bytes` a JSON object or array, well-formed or not.
 *
 * Byte order marks, the zero bytes of UTF-16 and white space before the first bracket are looked
 * past, so that a JSON file in a wrong encoding is refused as JSON and not taken for an opaque
 * file.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
export function looksLikeJson(bytes) {
  let at = 0;
  for (const mark of BYTE_ORDER_MARKS) {
    if (startsWith(bytes, mark, at)) {
      at += mark.length;
    }
  }
  while (BEFORE_BRACKET.has(bytes[at])) {
    at += 1;
  }
  return bytes[at] === OPEN_BRACE || bytes[at] === OPEN_BRACKET;
}

/**
 * Parse a whole document from anyone.
 *
 * An integer may be spelled without fraction and exponent from -(2^53-1) to 2^53-1. A number with
 * a fraction or an exponent is read as the nearest IEEE 754 double, as RFC 8785 demands; `1e400`
 * (infinite) and `1e-400` (no longer distinct from 0) are refused. `-0` equals 0.
 *
 * @param {Uint8Array} bytes
 * @param {number} [bytesMax]
 * @returns {JsonValue}
 * @throws {CredentialError} `credential_too_large`: more than `bytesMax` bytes;
 *   `nesting_too_deep`: deeper than {@link DEPTH_MAX}; `duplicate_key`: a key stands twice in one
 *   object, after resolving escapes; `number_out_of_range`: NaN, Infinity, or a number beyond the
 *   limits above; `lone_surrogate`: a key or a value holds half a surrogate pair;
 *   `unparsable_credential`: a byte order mark, invalid UTF-8, or not JSON (RFC 8259)
 */
export function parse(bytes, bytesMax = BYTES_MAX) {
  if (bytes.length > bytesMax) {
    throw tooLarge(`${bytes.length} bytes of JSON, the limit is ${bytesMax}`);
  }
  if (BYTE_ORDER_MARKS.some((mark) => startsWith(bytes, mark, 0))) {
    throw unparsable("the JSON starts with a byte order mark");
  }
  const text = utf8(bytes);
  checkDepth(bytes);
  return readDocument(text);
}

/**
 * As {@link parse}, for a document whose top level must be an object.
 *
 * @param {Uint8Array} bytes
 * @param {number} [bytesMax]
 * @returns {JsonObject}
 * @throws {CredentialError} as {@link parse}; `unparsable_credential` also where the top level is
 *   something else
 */
export function parseObject(bytes, bytesMax = BYTES_MAX) {
  const value = parse(bytes, bytesMax);
  if (!(value instanceof Map)) {
    throw unparsable("the top level of the JSON is not an object");
  }
  return value;
}

/**
 * @param {Uint8Array} bytes
 * @param {number[]} mark
 * @param {number} at
 */
function startsWith(bytes, mark, at) {
  return mark.every((byte, offset) => bytes[at + offset] === byte);
}

/** @param {Uint8Array} bytes */
function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unparsable("not UTF-8");
  }
}

/**
 * Refuse deep nesting by one scan, because the parser below would meet it with a full call stack.
 *
 * Brackets in strings do not count. In bytes that are not JSON the count may be off, which the
 * parser then refuses for its own reason.
 *
 * @param {Uint8Array} bytes
 */
function checkDepth(bytes) {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) {
        at += 1;
      } else if (byte === QUOTE) {
        inString = false;
      }
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      if (depth > DEPTH_MAX) {
        throw new CredentialError("nesting_too_deep", `nested deeper than ${DEPTH_MAX} levels`);
      }
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      depth -= 1;
    }
  }
}
