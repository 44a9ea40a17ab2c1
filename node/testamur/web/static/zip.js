// @ts-check
/**
 * A zip file (PKWARE APPNOTE 6.3) of which there is one for given entries: stored, without times.
 *
 * Its fields are told one by one in docs/formats/bundle.md.
 */

export const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
export const LOCAL_SIZE = 30;
export const CENTRAL_SIZE = 46;
export const END_SIZE = 22;
const VERSION = 20; // PKZIP 2.0: what every tool reads
const MADE_BY = (3 << 8) | VERSION; // Unix, so that the mode counts
const UTF8_FLAG = 0x800; // APPNOTE.TXT appendix D
const STORED = 0;
const [TIME, DATE] = [0, (1 << 5) | 1]; // 1980-01-01 00:00:00, where the format's calendar starts
const MODE = 0o100644 * 2 ** 16;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return rest;
});

/**
 * Give the bytes of the zip file of these entries, in parts.
 *
 * @param {[string, Uint8Array][]} entries name and content
 * @returns {Uint8Array[]}
 */
export function zipParts(entries) {
  const encoder = new TextEncoder();
  /** @type {Uint8Array[]} */
  const local = [];
  /** @type {Uint8Array[]} */
  const central = [];
  let offset = 0;
  for (const [title, content] of entries) {
    const encoded = encoder.encode(title);
    /** @type {Field[]} */
    const common = [
      [2, VERSION],
      [2, encoded.length === title.length ? 0 : UTF8_FLAG],
      [2, STORED],
      [2, TIME],
      [2, DATE],
      [4, crc32(content)],
      [4, content.length],
      [4, content.length],
      [2, encoded.length],
      [2, 0], // no extra field
    ];
    local.push(packed([[4, LOCAL_SIGNATURE], ...common]), encoded, content);
    central.push(
      packed([
        [4, CENTRAL_SIGNATURE],
        [2, MADE_BY],
        ...common,
        [6, 0], // no comment, first and only disk, no internal attributes
        [4, MODE],
        [4, offset],
      ]),
      encoded,
    );
    offset += LOCAL_SIZE + encoded.length + content.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = packed([
    [4, END_SIGNATURE],
    [4, 0], // first and only disk
    [2, entries.length],
    [2, entries.length],
    [4, size],
    [4, offset],
    [2, 0], // no comment
  ]);
  return [...local, ...central, end];
}

/**
 * Bytes of a field, and its value.
 *
 * @typedef {[number, number]} Field
 */

/**
 * Write integers, little-endian.
 *
 * @param {Field[]} fields
 */
function packed(fields) {
  const bytes = [];
  for (const [size, value] of fields) {
    for (let place = 0; place < size; place += 1) {
      bytes.push(Math.floor(value / 2 ** (8 * place)) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}

/**
 * CRC-32 as zip files have it (ISO 3309).
 *
 * @param {Uint8Array} bytes
 */
function crc32(bytes) {
  let rest = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    rest = CRC_TABLE[(rest ^ bytes[at]) & 0xff] ^ (rest >>> 8);
  }
  return ~rest >>> 0;
}
