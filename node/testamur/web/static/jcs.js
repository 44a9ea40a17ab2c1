// @ts-check
/** The canonical form of JSON (RFC 8785). */

/** @typedef {import("./strict-json.js").JsonValue} JsonValue */

/**
 * Canonical form of a value that `strict-json.js` returned.
 *
 * RFC 8785 defines strings and numbers by what ECMAScript writes for them (sections 3.2.2.2 and
 * 3.2.2.3), and the order of keys by their UTF-16 code units, which is how it sorts. So what
 * remains to be done here is to leave white space out.
 *
 * @param {JsonValue} value
 * @returns {Uint8Array} UTF-8
 */
export function canonical(value) {
  return new TextEncoder().encode(written(value));
}

/**
 * @param {JsonValue} value
 * @returns {string}
 */
function written(value) {
  if (Array.isArray(value)) {
    return `[${value.map(written).join(",")}]`;
  }
  if (value instanceof Map) {
    const keys = [...value.keys()].sort();
    const members = keys.map(
      (key) => `${JSON.stringify(key)}:${written(/** @type {JsonValue} */ (value.get(key)))}`,
    );
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}
