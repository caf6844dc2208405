/**
 * The operator's settings of Pod Security from an AdmissionConfiguration, upstream's `--admission-control-config-file`.
 */

import type { Cause } from "../../core/errors.ts";
import { ConfigField, causesText } from "../../core/validation/config-field.ts";
import { duplicate, forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import type { PodSecurityConfiguration } from "./configuration.ts";
import { type LevelVersion, levels, parseLevel, parseVersion } from "./level.ts";
import type { Mode } from "./policy.ts";

const modes: readonly Mode[] = ["enforce", "audit", "warn"];
const versions = ["v1", "v1beta1", "v1alpha1"].map((version) => `pod-security.admission.config.k8s.io/${version}`);

/**
 * @param document an AdmissionConfiguration of apiserver.config.k8s.io/v1 with the plugin PodSecurity and no others
 * @throws Error that names every field that is wrong
 */
export function podSecurityConfiguration(document: unknown): PodSecurityConfiguration {
	const causes: Cause[] = [];
	const root = new ConfigField(document, causes);
	root.knows(["apiVersion", "kind", "plugins"]);
	root.expectType(["apiserver.config.k8s.io/v1"], "AdmissionConfiguration");
	let configuration: PodSecurityConfiguration = {};
	for (const plugin of root.field("plugins").list()) {
		plugin.knows(["name", "path", "configuration"]);
		const name = plugin.field("name");
		if (name.text() !== "PodSecurity") name.wrong(notSupported(name.path, name.value, ["PodSecurity"]));
		const path = plugin.field("path");
		if (path.text() !== "") path.wrong(forbidden(path.path, "the configuration must be in this file"));
		if (plugin.field("configuration").isAbsent) plugin.wrong(required(plugin.field("configuration").path));
		else configuration = settings(plugin.field("configuration"));
	}
	if (causes.length > 0) throw new Error(causesText(causes));
	return configuration;
}

function settings(field: ConfigField): PodSecurityConfiguration {
	field.knows(["apiVersion", "kind", "defaults", "exemptions"]);
	field.expectType(versions, "PodSecurityConfiguration");
	const defaults = field.field("defaults");
	defaults.knows(modes.flatMap((mode) => [mode, `${mode}-version`]));
	const exemptions = field.field("exemptions");
	exemptions.knows(["usernames", "runtimeClasses", "namespaces"]);
	return {
		defaults: {
			enforce: levelOf(defaults, "enforce"),
			audit: levelOf(defaults, "audit"),
			warn: levelOf(defaults, "warn"),
		},
		exemptions: {
			usernames: namesOf(exemptions.field("usernames"), (name) => (name === "" ? ["username must not be empty"] : [])),
			runtimeClasses: namesOf(exemptions.field("runtimeClasses"), dnsSubdomainProblems),
			namespaces: namesOf(exemptions.field("namespaces"), dnsLabelProblems),
		},
	};
}

/** What is left out is `privileged` and `latest`. */
function levelOf(defaults: ConfigField, mode: Mode): LevelVersion {
	const [level, version] = [defaults.field(mode), defaults.field(`${mode}-version`)];
	const parsedLevel = level.isAbsent ? "privileged" : parseLevel(level.text());
	const parsedVersion = version.isAbsent ? "latest" : parseVersion(version.text());
	if (parsedLevel === undefined)
		level.wrong(invalidValue(level.path, level.value, `must be one of ${levels.join(", ")}`));
	if (parsedVersion === undefined)
		version.wrong(invalidValue(version.path, version.value, 'must be "latest" or "v1.x"'));
	return { level: parsedLevel ?? "restricted", version: parsedVersion ?? "latest" };
}

function namesOf(field: ConfigField, problems: (name: string) => readonly string[]): string[] {
	const names: string[] = [];
	for (const item of field.list()) {
		const name = item.text();
		for (const problem of problems(name)) item.wrong(invalidValue(item.path, name, problem));
		if (names.includes(name)) item.wrong(duplicate(item.path, name));
		names.push(name);
	}
	return names;
}
