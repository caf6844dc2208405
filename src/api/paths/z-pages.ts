/** `/statusz` and `/flagz`: what this server is, and how it was started (Kubernetes documentation, "z-pages"). */
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { Server } from "../server/server.ts";
import { encodedAs } from "../wire/encode-answer.ts";
import { pageFormat, pageGroup } from "../wire/negotiate.ts";
import { jsonResponse, textResponse } from "../wire/respond.ts";

const component = "kube-apiserver";
const warning =
	"Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.";
/** Where else there is something to see for those who look for a fault. */
const paths = ["/debug", "/flagz", "/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version"];

/**
 * Answers for the server that is created now. Undefined for other paths.
 * @param gitVersion `v1.36.0`
 */
export function zPages(
	server: Server,
	gitVersion: string,
): (path: string, request: Pick<ApiRequest, "headers">) => ApiResponse | undefined {
	const { clock } = server;
	const [startedMs, begunMs] = [clock.now(), clock.monotonicMs()];
	return (path, { headers: { accept } }) => {
		if (path === "/statusz") {
			const uptimeSeconds = Math.floor((clock.monotonicMs() - begunMs) / 1000);
			return page("Statusz", accept, status(gitVersion, startedMs, uptimeSeconds), () => [
				"",
				`Started: ${unixDate(startedMs)}`,
				`Up: ${duration(uptimeSeconds)}`,
				`Go version: ${runtime}`,
				`Binary version: ${binaryVersion(gitVersion)}`,
				`Emulation version: ${emulationVersion(gitVersion)}`,
				`Paths: ${paths.join(" ")}`,
			]);
		}
		if (path !== "/flagz") return undefined;
		const flags = flagsOf(server);
		return page("Flagz", accept, { flags }, () => Object.entries(flags).map(([name, value]) => `${name}=${value}`));
	};
}

/** @param lines of the form for people @throws ApiError NotAcceptable */
function page(kind: string, accept: string | undefined, content: object, lines: () => readonly string[]): ApiResponse {
	const format = pageFormat(accept, kind);
	const name = kind.toLowerCase();
	if (format === undefined) return textResponse(`\n${component} ${name}\n${warning}\n${lines().join("\n")}\n`);
	const { encoding, version } = format;
	const object = { kind, apiVersion: `${pageGroup}/${version}`, metadata: { name: component }, ...content };
	const response = encodedAs(encoding, jsonResponse(object));
	if (version === "v1alpha1")
		response.headers["warning"] =
			`299 - "This version of the ${name} endpoint is deprecated. Please use a newer version."`;
	return response;
}

function status(gitVersion: string, startedMs: number, uptimeSeconds: number): object {
	return {
		startTime: timestamp(startedMs),
		uptimeSeconds,
		goVersion: runtime,
		binaryVersion: binaryVersion(gitVersion),
		emulationVersion: emulationVersion(gitVersion),
		paths,
	};
}

/** What runs the program, as `/version` tells it. */
export const runtime = `node${process.versions.node}`;

const binaryVersion = (gitVersion: string) => gitVersion.replace(/^v/, "");
const emulationVersion = (gitVersion: string) => binaryVersion(gitVersion).split(".").slice(0, 2).join(".");

/** What the server was started with, under upstream's names of flags; sorted. */
function flagsOf({ options, tokens }: Server): Readonly<Record<string, string>> {
	const { nodePorts = [30000, 32767] } = options;
	const list = (values: readonly string[] = []) => `[${values.join(",")}]`;
	return {
		"api-audiences": list(options.apiAudiences),
		"authorization-mode": options.allowsEverything ? "[AlwaysAllow]" : "[Node,RBAC]",
		"disable-admission-plugins": list(options.disabledAdmissionPlugins),
		"enable-admission-plugins": list(options.admissionPlugins),
		"enable-priority-and-fairness": "true",
		"service-account-issuer": list([tokens.issuer]),
		"service-cluster-ip-range": options.serviceCidr,
		"service-node-port-range": nodePorts.join("-"),
	};
}

/** `Wed Oct 16 21:03:43 UTC 2024` */
function unixDate(epochMs: number): string {
	const [day, date, month, year, time] = new Date(epochMs).toUTCString().replace(",", "").split(" ");
	return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} UTC ${year}`;
}

function duration(seconds: number): string {
	const two = (number: number) => String(number % 60).padStart(2, "0");
	return `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60))} min ${two(seconds)} sec`;
}
