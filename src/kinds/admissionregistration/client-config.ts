/** Where a webhook is: a URL or a service. The conversion of custom resources has the same rules. */
import type { Cause } from "../../core/errors.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import type { AdmissionregistrationWebhookClientConfig } from "../generated/types.ts";

type ClientConfig = Pick<AdmissionregistrationWebhookClientConfig, "service" | "url" | "caBundle">;

export function setClientConfigDefaults(config: ClientConfig | undefined): void {
	if (config?.service !== undefined) config.service.port ??= 443;
}

export function validateClientConfig(config: ClientConfig | undefined, path: string): Cause[] {
	const { url, service, caBundle } = config ?? {};
	const causes: Cause[] = [];
	if ((url === undefined) === (service === undefined))
		causes.push(required(path, "exactly one of url or service is required"));
	else if (url !== undefined) causes.push(...validateUrl(url, `${path}.url`));
	else if (service !== undefined) causes.push(...validateService(service, `${path}.service`));
	if (caBundle !== undefined && !hasCertificate(caBundle))
		causes.push(
			invalidValue(
				`${path}.caBundle`,
				caBundle,
				"unable to load root certificates: unable to parse bytes as PEM block",
			),
		);
	return causes;
}

/** Certificates are told apart from other PEM only where they are used. */
function hasCertificate(caBundle: string): boolean {
	return Buffer.from(caBundle, "base64").includes("-----BEGIN ");
}

function validateUrl(text: string, path: string): Cause[] {
	const form = "; desired format: https://host[/path]";
	if (!URL.canParse(text)) return [required(path, `url must be a valid URL: ${JSON.stringify(text)}${form}`)];
	const url = new URL(text);
	const causes: Cause[] = [];
	const wrong = (value: string, why: string) => causes.push(invalidValue(path, value, why + form));
	if (url.protocol !== "https:") wrong(url.protocol.slice(0, -1), "'https' is the only allowed URL scheme");
	if (url.host === "") wrong(url.host, "host must be specified");
	if (url.username !== "" || url.password !== "") wrong(url.username, "user information is not permitted in the URL");
	if (url.hash !== "") wrong(url.hash.slice(1), "fragments are not permitted in the URL");
	if (url.search !== "") wrong(url.search.slice(1), "query parameters are not permitted in the URL");
	return causes;
}

function validateService(
	{ name, namespace, path: urlPath, port }: NonNullable<ClientConfig["service"]>,
	path: string,
): Cause[] {
	const causes: Cause[] = [];
	if (!name) causes.push(required(`${path}.name`, "service name is required"));
	if (!namespace) causes.push(required(`${path}.namespace`, "service namespace is required"));
	if (port !== undefined && (port < 1 || port > 65_535))
		causes.push(invalidValue(`${path}.port`, port, "port is not valid: must be between 1 and 65535, inclusive"));
	if (urlPath === undefined || urlPath === "" || urlPath === "/") return causes;
	const at = `${path}.path`;
	if (!urlPath.startsWith("/")) causes.push(invalidValue(at, urlPath, "must start with a '/'"));
	// A slash at the end is allowed.
	const segments = urlPath.slice(1).replace(/\/$/, "").split("/");
	for (const [index, segment] of segments.entries()) {
		if (segment === "") {
			causes.push(invalidValue(at, urlPath, `segment[${index}] may not be empty`));
			break;
		}
		const [problem] = dnsSubdomainProblems(segment);
		if (problem !== undefined) causes.push(invalidValue(at, urlPath, `segment[${index}]: ${problem}`));
	}
	return causes;
}
