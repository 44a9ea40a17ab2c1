/** Reads requests as JSON from standard input and writes the answers; argument: the module. */

import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

import { answers } from "./answers.mjs";

const reader = await import(pathToFileURL(process.argv[2]));
process.stdout.write(JSON.stringify(await answers(reader, JSON.parse(await text(process.stdin)))));
