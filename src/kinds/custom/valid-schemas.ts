/**
 * Remembers schemas in which nothing is wrong. Programs that test start clusters with the same definitions again and
 * again, and checking a schema with its expressions costs most of what a definition costs.
 */
import { createHash } from "node:crypto";
import type { Cause } from "../../core/errors.ts";
import type { SchemaProps } from "./schema/schema-props.ts";

/** Digests, the latest last. */
const valid = new Set<string>();
const mostValid = 2000;

/**
 * @param circumstances that `check` depends on besides the schema, as far as it finds anything
 * @param check finds what is wrong with the schema; not called when it found nothing before
 */
export function causesUnlessValid(schema: SchemaProps, circumstances: string, check: () => Cause[]): readonly Cause[] {
	const digest = createHash("sha256")
		.update(`${circumstances} ${JSON.stringify(schema)}`)
		.digest("base64");
	const isKnown = valid.delete(digest);
	const causes = isKnown ? [] : check();
	if (causes.length > 0) return causes;
	valid.add(digest);
	const [oldest] = valid;
	if (valid.size > mostValid && oldest !== undefined) valid.delete(oldest);
	return causes;
}
