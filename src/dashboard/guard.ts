/** What browsers can be made to send by other sites is refused before anything else is looked at. */
import type { ApiRequest } from "../core/exchange.ts";
import type { Session } from "./sessions.ts";

type Headers = ApiRequest["headers"];

export const csrfHeader = "x-cox-csrf";

/** Reviews of one's own rights change nothing. */
const selfReview = /^\/k8s\/apis\/authorization\.k8s\.io\/v1\/selfsubject(access|rules)reviews$/;

/**
 * The reason to refuse a request by where it comes from; undefined: none. A name other than the loopback's may be one
 * that another site lets point here (DNS rebinding).
 */
export function originProblem(
	{ host = "", origin, "sec-fetch-site": site }: Headers,
	port: number,
): string | undefined {
	const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
	if (!hosts.includes(host)) return `the dashboard is at http://127.0.0.1:${port}, not at ${JSON.stringify(host)}`;
	if (origin !== undefined && origin !== `http://${host}`) return `requests of ${JSON.stringify(origin)} are refused`;
	if (site !== undefined && site !== "same-origin" && site !== "none") return "requests of other sites are refused";
	return undefined;
}

/** The reason to refuse what a session asks for; undefined: none. */
export function sessionProblem(
	{ method, path, headers, upgrade }: Pick<ApiRequest, "method" | "path" | "headers" | "upgrade">,
	session: Session,
): string | undefined {
	const changes = method !== "GET" && method !== "HEAD";
	if (changes && headers[csrfHeader] !== session.csrf) return `the header ${csrfHeader} is missing or wrong`;
	if (session.readOnly && (changes || upgrade === true) && !selfReview.test(path)) return "this session may only read";
	return undefined;
}

/** Headers of the API that the page may set. All others, such as those of credentials, stay here. */
export function passedHeaders(headers: Headers): Record<string, string | undefined> {
	const { accept, "content-type": type, "content-length": length, "transfer-encoding": coding } = headers;
	return {
		"user-agent": "cox-dashboard",
		...(accept !== undefined && { accept }),
		...(type !== undefined && { "content-type": type }),
		...(length !== undefined && { "content-length": length }),
		...(coding !== undefined && { "transfer-encoding": coding }),
	};
}
