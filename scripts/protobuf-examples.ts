/**
 * `npx tsx scripts/protobuf-examples.ts DIRECTORY`: reads upstream's examples of every kind (`testdata/HEAD` of the
 * repository kubernetes/api at a version), and says whose protobuf form this project writes byte for byte as there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { asContent, enveloped } from "../src/api/wire/protobuf/envelope.ts";
import { encodeObject } from "../src/api/wire/protobuf/message-encoder.ts";
import { typeOf } from "../src/api/wire/protobuf/types.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: protobuf-examples.ts DIRECTORY");

const counts = { equal: 0, different: 0, "not served": 0 };
for (const file of readdirSync(directory).filter((name) => name.endsWith(".json"))) {
	const example = JSON.parse(readFileSync(join(directory, file), "utf8"));
	const { apiVersion = "", kind = "" } = example;
	const type = typeOf(apiVersion, kind);
	if (type === undefined) {
		counts["not served"]++;
		continue;
	}
	const written = enveloped({ apiVersion, kind }, asContent(encodeObject(example, type)));
	const wanted = readFileSync(join(directory, file.replace(/json$/, "pb")));
	const isEqual = wanted.equals(written);
	counts[isEqual ? "equal" : "different"]++;
	if (!isEqual) console.log(`different: ${file}, from byte ${wanted.findIndex((byte, at) => byte !== written[at])}`);
}
console.log(
	Object.entries(counts)
		.map(([what, count]) => `${count} ${what}`)
		.join(", "),
);
