/** What is wrong with the way in which a definition converts objects between its versions. */
import { X509Certificate } from "node:crypto";
import type { Cause } from "../../core/errors.ts";
import { requiredOneOf, requiredText } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from "../../core/validation/names.ts";
import type {
	ApiextensionsServiceReference,
	ApiextensionsWebhookClientConfig,
	CustomResourceConversion,
} from "../generated/types.ts";

/** Versions of ConversionReview, the newest first. */
export const reviewVersions: readonly string[] = ["v1", "v1beta1"];

/** The fields are named as the first version of the API had them, without `webhook` around them, as upstream. */
export function conversionProblems(conversion: CustomResourceConversion | undefined, path: string): Cause[] {
	if (conversion === undefined) return [];
	const { strategy, webhook } = conversion;
	const causes = requiredOneOf(strategy, ["None", "Webhook"], `${path}.strategy`);
	const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {};
	const at = `${path}.webhookClientConfig`;
	if (strategy !== "Webhook") {
		const why = "should not be set when strategy is not set to Webhook";
		if (clientConfig !== undefined) causes.push(forbidden(at, why));
		if (versions.length > 0) causes.push(forbidden(`${path}.conversionReviewVersions`, why));
		return causes;
	}
	if (clientConfig === undefined) causes.push(required(at, "required when strategy is set to Webhook"));
	else causes.push(...clientProblems(clientConfig, at));
	return causes.concat(reviewVersionsProblems(versions, `${path}.conversionReviewVersions`));
}

function clientProblems({ url, service }: ApiextensionsWebhookClientConfig, path: string): Cause[] {
	if ((url === undefined) === (service === undefined))
		return [required(path, "exactly one of url or service is required")];
	if (url !== undefined) return urlProblems(url, `${path}.url`);
	return service === undefined ? [] : serviceProblems(service, `${path}.service`);
}

/** What is wrong with certificates (base64 of PEM) as the ones to be trusted. */
export function caBundleProblem(caBundle: string | undefined): string | undefined {
	const text = Buffer.from(caBundle ?? "", "base64").toString();
	if (text.trim() === "") return undefined;
	const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
	if (certificates.length === 0) return "unable to load root certificates: unable to parse bytes as PEM block";
	try {
		for (const certificate of certificates) new X509Certificate(certificate);
		return undefined;
	} catch (error) {
		return `unable to load root certificates: ${String(error)}`;
	}
}

function urlProblems(text: string, path: string): Cause[] {
	const form = "; desired format: https://host[/path]";
	if (!URL.canParse(text)) return [required(path, `url must be a valid URL: parse ${JSON.stringify(text)}${form}`)];
	const url = new URL(text);
	const causes: Cause[] = [];
	const scheme = url.protocol.slice(0, -1);
	if (scheme !== "https") causes.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`));
	if (url.host === "") causes.push(invalidValue(path, "", `host must be specified${form}`));
	if (url.username !== "" || url.password !== "")
		causes.push(invalidValue(path, url.username, "user information is not permitted in the URL"));
	if (url.hash !== "") causes.push(invalidValue(path, url.hash.slice(1), "fragments are not permitted in the URL"));
	if (url.search !== "")
		causes.push(invalidValue(path, url.search.slice(1), "query parameters are not permitted in the URL"));
	return causes;
}

function serviceProblems({ name, namespace, port, path: urlPath }: ApiextensionsServiceReference, at: string): Cause[] {
	const causes = requiredText(name, `${at}.name`).concat(requiredText(namespace, `${at}.namespace`));
	const portProblems = portNumberProblems(port ?? 443);
	if (portProblems.length > 0)
		causes.push(invalidValue(`${at}.port`, port, `port is not valid: ${portProblems.join(", ")}`));
	return causes.concat(urlPathProblems(urlPath, `${at}.path`));
}

function urlPathProblems(text: string | undefined, at: string): Cause[] {
	if (text === undefined || text === "" || text === "/") return [];
	if (text === "//") return [invalidValue(at, text, "segment[0] may not be empty")];
	const causes = text.startsWith("/") ? [] : [invalidValue(at, text, "must start with a '/'")];
	const segments = text.slice(1).replace(/\/$/, "").split("/");
	for (const [index, segment] of segments.entries()) {
		if (segment === "") causes.push(invalidValue(at, text, `segment[${index}] may not be empty`));
		else
			for (const problem of dnsSubdomainProblems(segment))
				causes.push(invalidValue(at, text, `segment[${index}]: ${problem}`));
	}
	return causes;
}

function reviewVersionsProblems(versions: readonly string[], path: string): Cause[] {
	if (versions.length === 0) return [required(path)];
	const causes = versions.flatMap((version, index) => {
		if (versions.indexOf(version) < index) return [invalidValue(`${path}[${index}]`, version, "duplicate version")];
		return invalidEach(`${path}[${index}]`, version, dns1035LabelProblems(version));
	});
	if (!versions.some((version) => reviewVersions.includes(version)))
		causes.push(invalidValue(path, versions, `must include at least one of ${reviewVersions.join(", ")}`));
	return causes;
}
