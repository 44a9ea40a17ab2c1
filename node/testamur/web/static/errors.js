// @ts-check

/**
 * A file, a text or a number from outside that cannot be used.
 *
 * There is one class, and `code` tells the cases apart: the same codes as those of the Python
 * errors (docs/formats/errors.md), for programs. The message is for people.
 */
export class CredentialError extends Error {
  /**
   * @param {string} code stable code, such as `duplicate_key`
   * @param {string} message what is wrong, as a plain sentence without a full stop
   */
  constructor(code, message) {
    super(message);
    this.name = "CredentialError";
    this.code = code;
  }
}

/**
 * The error for bytes that do not parse under their profile.
 *
 * @param {string} message
 * @returns {CredentialError}
 */
export function unparsable(message) {
  return new CredentialError("unparsable_credential", message);
}

/**
 * The error for what exceeds a limit of its profile.
 *
 * @param {string} message
 * @returns {CredentialError}
 */
export function tooLarge(message) {
  return new CredentialError("credential_too_large", message);
}

/**
 * Quote a text from anyone in a message: cut, and in ASCII, so that it cannot pose as our words.
 *
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
  const shown = JSON.stringify(text.slice(0, 60));
  return shown.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
