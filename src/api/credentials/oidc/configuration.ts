/**
 * Other accepted issuers of tokens: reads and checks an `AuthenticationConfiguration` of apiserver.config.k8s.io
 * (KEP-3331).
 */
import { X509Certificate } from "node:crypto";
import type { Cause } from "../../../core/errors.ts";
import { ConfigField, causesText } from "../../../core/validation/config-field.ts";
import { duplicate, forbidden, invalidValue, required, tooMany } from "../../../core/validation/field-errors.ts";
import { defaultIssuer } from "../tokens.ts";

/** One issuer, and how its claims map to a user. */
export interface JwtAuthenticator {
	readonly issuer: {
		/** As in the claim `iss`. */
		readonly url: string;
		/** The URL of its configuration, if it is not the standard one below `url`. */
		readonly discoveryUrl?: string;
		/** A token must have one of these audiences. */
		readonly audiences: readonly string[];
		/** PEM. Default: the authorities that Node.js knows. */
		readonly certificateAuthority?: string;
	};
	/** Claims that a token must have, with these values. */
	readonly requiredClaims: readonly { readonly claim: string; readonly value: string }[];
	readonly username: PrefixedClaim;
	readonly groups?: PrefixedClaim;
	readonly uidClaim?: string;
}

export interface PrefixedClaim {
	readonly claim: string;
	readonly prefix: string;
}

const apiVersions = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];
const authenticatorLimit = 64;
const noExpressions = "CEL expressions are not supported";

/**
 * @param document what a configuration file says
 * @param ownIssuer of service account tokens, which no other issuer may use
 * @throws Error that names every field that is wrong, in upstream's words where it has some
 */
export function jwtAuthenticators(document: unknown, ownIssuer = defaultIssuer): readonly JwtAuthenticator[] {
	const causes: Cause[] = [];
	const root = new ConfigField(document, causes);
	root.knows(["apiVersion", "kind", "jwt", "anonymous"]);
	root.expectType(apiVersions, "AuthenticationConfiguration");
	if (!root.field("anonymous").isAbsent)
		causes.push(forbidden("anonymous", "who is anonymous may ask for health and version, and that cannot be changed"));
	const list = root.field("jwt").list();
	if (list.length > authenticatorLimit) causes.push(tooMany("jwt", list.length, authenticatorLimit));
	const found = list.slice(0, authenticatorLimit).map(authenticatorOf);
	refuseTwice(
		found,
		(index) => `jwt[${index}].issuer.url`,
		({ issuer }) => issuer.url,
		causes,
	);
	refuseTwice(
		found,
		(index) => `jwt[${index}].issuer.discoveryURL`,
		({ issuer }) => issuer.discoveryUrl,
		causes,
	);
	for (const [index, { issuer }] of found.entries())
		if (issuer.url === ownIssuer)
			causes.push(
				invalidValue(
					`jwt[${index}].issuer.url`,
					issuer.url,
					`URL must not overlap with disallowed issuers: [${ownIssuer}]`,
				),
			);
	if (causes.length > 0) throw new Error(causesText(causes));
	return found;
}

function refuseTwice(
	list: readonly JwtAuthenticator[],
	path: (index: number) => string,
	urlOf: (authenticator: JwtAuthenticator) => string | undefined,
	causes: Cause[],
): void {
	const seen = new Set<string>();
	for (const [index, authenticator] of list.entries()) {
		const value = urlOf(authenticator);
		if (value === undefined || value === "") continue;
		if (seen.has(value)) causes.push(duplicate(path(index), value));
		seen.add(value);
	}
}

function authenticatorOf(field: ConfigField): JwtAuthenticator {
	field.knows(["issuer", "claimValidationRules", "claimMappings", "userValidationRules"]);
	const mappings = field.field("claimMappings");
	mappings.knows(["username", "groups", "uid", "extra"]);
	refuseExpressions(field.field("userValidationRules"), ["expression", "message"]);
	refuseExpressions(mappings.field("extra"), ["key", "valueExpression"]);
	const groups = prefixedClaim(mappings.field("groups"));
	const uidClaim = claimOf(mappings.field("uid"), ["claim", "expression"]);
	const username = prefixedClaim(mappings.field("username"));
	if (username === undefined) field.wrong(required(mappings.field("username").path, "claim or expression is required"));
	return {
		issuer: issuerOf(field.field("issuer")),
		requiredClaims: field.field("claimValidationRules").list().map(requiredClaim),
		username: username ?? { claim: "", prefix: "" },
		...(groups !== undefined && { groups }),
		...(uidClaim !== "" && { uidClaim }),
	};
}

function refuseExpressions(list: ConfigField, known: readonly string[]): void {
	for (const item of list.list()) {
		item.knows(known);
		item.wrong(forbidden(item.path, noExpressions));
	}
}

function claimOf(field: ConfigField, known: readonly string[]): string {
	field.knows(known);
	const expression = field.field("expression");
	if (!expression.isAbsent) field.wrong(forbidden(expression.path, noExpressions));
	return field.field("claim").text();
}

function prefixedClaim(field: ConfigField): PrefixedClaim | undefined {
	const claim = claimOf(field, ["claim", "prefix", "expression"]);
	const prefix = field.field("prefix");
	if (claim === "") {
		if (!prefix.isAbsent && prefix.text() !== "")
			field.wrong(invalidValue(field.path, prefix.value, "prefix can only be set when claim is"));
		return field.field("expression").isAbsent ? undefined : { claim, prefix: "" };
	}
	if (prefix.isAbsent)
		field.wrong(
			required(
				prefix.path,
				"prefix is required when claim is set. It can be set to an empty string to disable prefixing",
			),
		);
	return { claim, prefix: prefix.text() };
}

function requiredClaim(rule: ConfigField): JwtAuthenticator["requiredClaims"][number] {
	const claim = claimOf(rule, ["claim", "requiredValue", "expression", "message"]);
	if (claim === "" && rule.field("expression").isAbsent)
		rule.wrong(required(rule.path, "claim or expression is required"));
	const message = rule.field("message");
	if (claim !== "" && !message.isAbsent)
		rule.wrong(invalidValue(message.path, message.value, "may not be specified when claim is set"));
	return { claim, value: rule.field("requiredValue").text() };
}

function issuerOf(field: ConfigField): JwtAuthenticator["issuer"] {
	field.knows([
		"url",
		"discoveryURL",
		"audiences",
		"audienceMatchPolicy",
		"certificateAuthority",
		"egressSelectorType",
	]);
	const egress = field.field("egressSelectorType");
	if (!egress.isAbsent) field.wrong(forbidden(egress.path, "egress selectors are not supported"));
	const url = field.field("url");
	if (url.text() === "") field.wrong(required(url.path));
	else checkUrl(url);
	const discovery = field.field("discoveryURL");
	if (!discovery.isAbsent) checkUrl(discovery);
	if (discovery.text() !== "" && withoutSlash(discovery.text()) === withoutSlash(url.text()))
		field.wrong(invalidValue(discovery.path, discovery.value, "discoveryURL must be different from URL"));
	const authority = field.field("certificateAuthority");
	checkAuthority(authority);
	return {
		url: url.text(),
		audiences: audiencesOf(field),
		...(discovery.text() !== "" && { discoveryUrl: discovery.text() }),
		...(authority.text() !== "" && { certificateAuthority: authority.text() }),
	};
}

function audiencesOf(field: ConfigField): string[] {
	const audiences = field.field("audiences");
	const texts = audiences.texts();
	if (texts.length === 0) field.wrong(required(audiences.path, `at least one ${audiences.path} is required`));
	for (const [index, text] of texts.entries()) {
		if (text === "") field.wrong(required(`${audiences.path}[${index}]`));
		if (texts.indexOf(text) < index) field.wrong(duplicate(`${audiences.path}[${index}]`, text));
	}
	const policy = field.field("audienceMatchPolicy");
	if (texts.length > 1 && policy.text() !== "MatchAny")
		field.wrong(
			invalidValue(policy.path, policy.text(), "audienceMatchPolicy must be MatchAny for multiple audiences"),
		);
	if (texts.length === 1 && !["", "MatchAny"].includes(policy.text()))
		field.wrong(
			invalidValue(policy.path, policy.text(), "audienceMatchPolicy must be empty or MatchAny for single audience"),
		);
	return texts;
}

function checkUrl(field: ConfigField): void {
	const text = field.text();
	const wrong = (why: string) => field.wrong(invalidValue(field.path, text, why));
	if (!URL.canParse(text)) {
		wrong("URL cannot be parsed");
		return;
	}
	const url = new URL(text);
	if (url.protocol !== "https:") wrong("URL scheme must be https");
	if (url.username !== "" || url.password !== "") wrong("URL must not contain a username or password");
	if (url.search !== "") wrong("URL must not contain a query");
	if (url.hash !== "") wrong("URL must not contain a fragment");
}

function checkAuthority(field: ConfigField): void {
	const text = field.text();
	if (text === "") return;
	try {
		new X509Certificate(text);
	} catch {
		field.wrong(invalidValue(field.path, "<omitted>", "data does not contain any valid RSA or ECDSA certificates"));
	}
}

function withoutSlash(url: string): string {
	return url.replace(/\/+$/, "");
}
