// @ts-check
/** base64url without padding (RFC 7515 section 2), in its one canonical spelling. */

import { unparsable } from "./errors.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NOT_IN_ALPHABET = 64;
const VALUES = new Uint8Array(128).fill(NOT_IN_ALPHABET);
for (let value = 0; value < ALPHABET.length; value += 1) {
  VALUES[ALPHABET.charCodeAt(value)] = value;
}

/**
 * Decode `text`, from anyone; `what` names it in the message.
 *
 * @param {string} text
 * @param {string} what
 * @returns {Uint8Array}
 * @throws {CredentialError} `unparsable_credential`: a character outside the alphabet, padding,
 *   an impossible length, or unused bits that are not zero: each would be a second spelling of
 *   the same bytes
 */
export function decode(text, what) {
  const decoded = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const value = valueOf(text.charCodeAt(at));
    if (value === NOT_IN_ALPHABET) {
      throw unparsable(`${what} is not base64url without padding`);
    }
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      decoded[length] = bits >> held;
      length += 1;
    }
  }
  if (held === 6) {
    throw unparsable(`${what} is not base64url without padding`);
  }
  if (bits & ((1 << held) - 1)) {
    throw unparsable(`${what} is not canonical base64url: unused bits are set`);
  }
  return decoded;
}

/**
 * Value of one character, 0 to 63; 64 where it is none of the alphabet.
 *
 * @param {number} unit a UTF-16 code unit
 * @returns {number}
 */
export function valueOf(unit) {
  return unit < VALUES.length ? VALUES[unit] : NOT_IN_ALPHABET;
}

/**
 * Encode canonically, without padding.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function encode(bytes) {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += ALPHABET[(bits >> held) & 63];
    }
  }
  return held ? text + ALPHABET[(bits << (6 - held)) & 63] : text;
}
