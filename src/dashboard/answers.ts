/** Answers of the dashboard's own, with the headers that keep pages from doing anything else than they should. */
import type { ApiResponse } from "../core/exchange.ts";

/** For all answers. */
const always = {
	"x-content-type-options": "nosniff",
	"referrer-policy": "no-referrer",
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-resource-policy": "same-origin",
	"x-frame-options": "DENY",
};

/** Nothing is loaded from elsewhere, and no script runs that is not a file of the dashboard. */
const pagePolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join("; ");

/** For the page of a terminal: xterm.js makes styles. */
export const terminalPolicy = pagePolicy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

/** What clients of the API wrote is never a page, even if it is opened as one. */
const dataPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'";

export function bytesAnswer(
	status: number,
	type: string,
	bytes: Uint8Array,
	headers: Record<string, string> = {},
): ApiResponse {
	return {
		type: "object",
		status,
		headers: {
			...always,
			"content-type": type,
			"content-security-policy": type.startsWith("text/html") ? pagePolicy : dataPolicy,
			"cache-control": "no-store",
			...headers,
		},
		object: undefined,
		bytes: () => bytes,
	};
}

export function jsonAnswer(status: number, value: unknown): ApiResponse {
	return bytesAnswer(status, "application/json", Buffer.from(JSON.stringify(value)));
}

/** A page of one sentence, for people who come without a session. */
export function messagePage(status: number, sentence: string, head = ""): ApiResponse {
	const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Coxswain</title>${head}<p>${sentence}</p></html>`;
	return bytesAnswer(status, "text/html; charset=utf-8", Buffer.from(text));
}

/** An answer of the API server, which must not become a page of the dashboard's origin. */
export function guarded(answer: ApiResponse): ApiResponse {
	return { ...answer, headers: { ...answer.headers, ...always, "content-security-policy": dataPolicy } };
}
