// @ts-check
/**
 * The text of a JSON document (RFC 8259), read once from front to back; I-JSON (RFC 7493) only.
 *
 * For `strict-json.js`, which has checked size, encoding and depth by then.
 */

import { CredentialError, quoted, unparsable } from "./errors.js";

/**
 * What is read. Objects are maps in the order of the document, so that `__proto__` is a key as
 * any other, and `10` does not move before `b`.
 *
 * @typedef {null | boolean | number | string | JsonValue[] | Map<string, JsonValue>} JsonValue
 */
/** @typedef {Map<string, JsonValue>} JsonObject */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const INTEGER_DIGITS_MAX = String(Number.MAX_SAFE_INTEGER).length;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const HEX_4 = /[0-9a-fA-F]{4}/y;
const HALF_PAIR = /\p{Surrogate}/u;
const ESCAPES = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);
/** @type {ReadonlyMap<string, null | boolean>} */
const LITERALS = new Map([
  ["null", null],
  ["true", true],
  ["false", false],
]);
const NO_NUMBERS = ["NaN", "Infinity", "-Infinity"];

/**
 * Read a whole document; its nesting is no deeper than the call stack allows.
 *
 * @param {string} text from anyone
 * @returns {JsonValue}
 * @throws {CredentialError} `duplicate_key`, `number_out_of_range`, `lone_surrogate` or
 *   `unparsable_credential`, as `parse` in `strict-json.js` says
 */
export function readDocument(text) {
  return new Reader(text).document();
}

/** Reads one text from front to back; what is wrong first is what is reported. */
class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.hasHalfPair = false;
  }

  /** @returns {JsonValue} */
  document() {
    this.skipSpace();
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) {
      throw this.fault("something follows the document");
    }
    if (this.hasHalfPair) {
      throw new CredentialError("lone_surrogate", "a key or a string holds half a surrogate pair");
    }
    return value;
  }

  /** @returns {JsonValue} */
  value() {
    const first = this.text[this.at];
    if (first === '"') {
      return this.string();
    }
    if (first === "{") {
      return this.object();
    }
    if (first === "[") {
      return this.array();
    }
    for (const [literal, value] of LITERALS) {
      if (this.takes(literal)) {
        return value;
      }
    }
    for (const name of NO_NUMBERS) {
      if (this.takes(name)) {
        throw outOfRange(`${name} is not a JSON number`);
      }
    }
    return this.number();
  }

  /** @returns {JsonObject} */
  object() {
    this.at += 1;
    /** @type {JsonObject} */
    const found = new Map();
    /** @type {string | null} */
    let repeated = null;
    this.skipSpace();
    if (this.takes("}")) {
      return found;
    }
    do {
      this.skipSpace();
      if (this.text[this.at] !== '"') {
        throw this.fault("expecting a key");
      }
      const key = this.string();
      this.skipSpace();
      if (!this.takes(":")) {
        throw this.fault("expecting a colon");
      }
      this.skipSpace();
      const value = this.value();
      repeated ??= found.has(key) ? key : null;
      found.set(key, value);
      this.skipSpace();
    } while (this.takes(","));
    if (!this.takes("}")) {
      throw this.fault("expecting a comma or the end of the object");
    }
    if (repeated !== null) {
      throw new CredentialError("duplicate_key", `the key ${quoted(repeated)} stands twice`);
    }
    return found;
  }

  /** @returns {JsonValue[]} */
  array() {
    this.at += 1;
    /** @type {JsonValue[]} */
    const found = [];
    this.skipSpace();
    if (this.takes("]")) {
      return found;
    }
    do {
      this.skipSpace();
      found.push(this.value());
      this.skipSpace();
    } while (this.takes(","));
    if (!this.takes("]")) {
      throw this.fault("expecting a comma or the end of the array");
    }
    return found;
  }

  /** @returns {string} */
  string() {
    this.at += 1;
    let read = "";
    let start = this.at;
    for (;;) {
      const unit = this.text.charCodeAt(this.at); // NaN at the end, and so in no comparison true
      if (unit === QUOTE) {
        break;
      } else if (unit === BACKSLASH) {
        read += this.text.slice(start, this.at) + this.escape();
        start = this.at;
      } else if (unit >= 0x20) {
        this.at += 1;
      } else {
        throw this.fault("a control character in a string, or a string without end");
      }
    }
    read += this.text.slice(start, this.at);
    this.at += 1;
    this.hasHalfPair ||= HALF_PAIR.test(read);
    return read;
  }

  /** @returns {string} one UTF-16 code unit; both halves of a pair come one after the other */
  escape() {
    const letter = this.text[this.at + 1];
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    HEX_4.lastIndex = this.at + 2;
    const digits = letter === "u" ? HEX_4.exec(this.text) : null;
    if (!digits) {
      throw this.fault("an unknown escape");
    }
    this.at += 6;
    return String.fromCharCode(parseInt(digits[0], 16));
  }

  /** @returns {number} */
  number() {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (!match) {
      throw this.fault("expecting a value");
    }
    const [spelled, fraction, exponent] = match;
    this.at += spelled.length;
    return fraction || exponent ? double(spelled) : integer(spelled);
  }

  /** @param {string} expected */
  takes(expected) {
    if (!this.text.startsWith(expected, this.at)) {
      return false;
    }
    this.at += expected.length;
    return true;
  }

  skipSpace() {
    for (; this.at < this.text.length; this.at += 1) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) {
        return;
      }
    }
  }

  /** @param {string} problem */
  fault(problem) {
    return unparsable(`not JSON: ${problem} (character ${this.at + 1})`);
  }
}

/** @param {string} spelled */
function integer(spelled) {
  const digits = spelled.replace("-", "");
  if (digits.length > INTEGER_DIGITS_MAX || Number(digits) > Number.MAX_SAFE_INTEGER) {
    throw outOfRange("an integer is beyond 2^53-1");
  }
  return Number(spelled);
}

/** @param {string} spelled */
function double(spelled) {
  const number = Number(spelled);
  if (!Number.isFinite(number)) {
    throw outOfRange("a number is too large for an IEEE 754 double");
  }
  if (number === 0 && /[1-9]/.test(spelled.split(/e/i)[0])) {
    throw outOfRange("a number is too small for an IEEE 754 double");
  }
  return number;
}

/** @param {string} message */
function outOfRange(message) {
  return new CredentialError("number_out_of_range", message);
}
