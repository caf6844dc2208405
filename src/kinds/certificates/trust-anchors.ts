/** Bundles of trust anchors: certificates of authorities in PEM (RFC 7468). */
import { X509Certificate } from "node:crypto";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, tooLongValue } from "../../core/validation/field-errors.ts";

interface Block {
	/** `CERTIFICATE`. */
	type: string;
	hasHeaders: boolean;
	bytes: Buffer;
}

const longestBundle = 1024 * 1024;
const begin = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;

/** The blocks of a text; what is around them is a comment. */
function blocksOf(text: string): Block[] {
	const blocks: Block[] = [];
	let type: string | undefined;
	let lines: string[] = [];
	for (const line of text.split("\n")) {
		const [, begun] = begin.exec(line) ?? [];
		if (begun !== undefined) [type, lines] = [begun, []];
		else if (type !== undefined && line.trimEnd() === `-----END ${type}-----`) {
			const body = lines.filter((each) => !each.includes(":")).join("");
			blocks.push({ type, hasHeaders: lines.some((each) => each.includes(":")), bytes: Buffer.from(body, "base64") });
			type = undefined;
		} else lines.push(line);
	}
	return blocks;
}

export function trustBundleProblems(text: string, path: string): Cause[] {
	if (Buffer.byteLength(text) > longestBundle) return [tooLongValue(path, longestBundle)];
	const causes: Cause[] = [];
	const wrong = (problem: string) => causes.push(invalidValue(path, "<value omitted>", problem));
	const indexes = new Map<string, number[]>();
	for (const [index, { type, hasHeaders, bytes }] of blocksOf(text).entries()) {
		if (type !== "CERTIFICATE") {
			wrong(`entry ${index} has bad block type: ${type}`);
			continue;
		}
		if (hasHeaders) {
			wrong(`entry ${index} has PEM block headers`);
			continue;
		}
		const key = bytes.toString("base64");
		indexes.set(key, [...(indexes.get(key) ?? []), index]);
		const problem = anchorProblem(bytes);
		if (problem !== undefined) wrong(`entry ${index} ${problem}`);
	}
	if (indexes.size === 0) wrong("at least one trust anchor must be provided");
	for (const same of indexes.values())
		if (same.length > 1) wrong(`duplicate trust anchor (indices [${same.join(" ")}])`);
	return causes;
}

function anchorProblem(bytes: Buffer): string | undefined {
	try {
		return new X509Certificate(bytes).ca ? undefined : "does not have the CA bit set";
	} catch {
		return "does not parse as X.509";
	}
}

/** All anchors of several bundles, each once, in one text with a stable order. */
export function unitedAnchors(bundles: readonly string[]): string {
	const anchors = new Set(bundles.flatMap(blocksOf).map(({ bytes }) => bytes.toString("base64")));
	return [...anchors].sort().map(pemOf).join("");
}

function pemOf(base64: string): string {
	return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, "$&\n").trimEnd()}\n-----END CERTIFICATE-----\n`;
}
