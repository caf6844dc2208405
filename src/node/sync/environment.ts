/** The environment of a container (API reference, "EnvVar", "EnvFromSource"). */
import { messageOf } from "../../core/errors.ts";
import type { Container as ContainerSpec, EnvVar, FileKeySelector, Pod, Service } from "../../kinds/generated/types.ts";
import { ConfigError, type References } from "../context/node-context.ts";
import { envFileValue } from "../pod/environment/env-file.ts";
import { expand } from "../pod/environment/expansion.ts";
import { type FieldContext, fieldValue, resourceValue } from "../pod/environment/field-ref.ts";
import { serviceEnvironment, type Variable } from "../pod/environment/service-environment.ts";

export interface EnvironmentSources {
	references: Pick<References, "configMap" | "secret">;
	services: Iterable<Service>;
	kubernetes: Service | undefined;
	fields: FieldContext;
	/** As `PodFiles.text`; absent where there are no files. */
	text?: ((volume: string, path: string) => Promise<string | undefined>) | undefined;
}

/**
 * Variables in order of precedence, lowest first: services, `envFrom`, `env`.
 * @throws ConfigError for a missing reference that is not optional
 */
export async function containerEnvironment(
	pod: Pod,
	container: ContainerSpec,
	sources: EnvironmentSources,
): Promise<Variable[]> {
	const environment = await fromSources(pod, container, sources);
	const links = serviceEnvironment(sources.services, sources.kubernetes, pod.spec.enableServiceLinks !== false);
	// Values may refer to variables defined before them, and to those of services.
	const lookUp = (name: string) => (environment.get(name) ?? links.get(name))?.value;
	for (const variable of container.env ?? []) {
		const value = await variableValue(pod, container, variable, sources, lookUp);
		if (value !== undefined) environment.set(variable.name, { name: variable.name, value });
	}
	for (const [name, variable] of links) if (!environment.has(name)) environment.set(name, variable);
	return [...environment.values()];
}

async function fromSources(
	pod: Pod,
	container: ContainerSpec,
	{ references }: EnvironmentSources,
): Promise<Map<string, Variable>> {
	const namespace = pod.metadata.namespace ?? "default";
	const found = new Map<string, Variable>();
	const add = (name: string, value: string) => found.set(name, { name, value });
	for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
		if (configMapRef !== undefined) {
			const name = configMapRef.name ?? "";
			const configMap = await references.configMap(namespace, name);
			if (configMap === undefined && configMapRef.optional !== true) throw missing("configmap", name);
			for (const [key, value] of Object.entries(configMap?.data ?? {})) add(prefix + key, value);
		}
		if (secretRef !== undefined) {
			const name = secretRef.name ?? "";
			const secret = await references.secret(namespace, name);
			if (secret === undefined && secretRef.optional !== true) throw missing("secret", name);
			for (const [key, value] of Object.entries(secret?.data ?? {})) add(prefix + key, decode(value));
		}
	}
	return found;
}

async function variableValue(
	pod: Pod,
	container: ContainerSpec,
	{ name, value = "", valueFrom }: EnvVar,
	{ references, fields, text }: EnvironmentSources,
	lookUp: (name: string) => string | undefined,
): Promise<string | undefined> {
	const namespace = pod.metadata.namespace ?? "default";
	if (valueFrom === undefined) return expand(value, lookUp);
	if (valueFrom.fieldRef !== undefined) {
		const field = fieldValue(pod, valueFrom.fieldRef, fields);
		if (field === undefined) throw new ConfigError(`unsupported fieldPath: ${valueFrom.fieldRef.fieldPath}`);
		return field;
	}
	if (valueFrom.resourceFieldRef !== undefined) {
		const resource = resourceValue(pod, valueFrom.resourceFieldRef, container.name, fields);
		if (resource === undefined) {
			throw new ConfigError(`unsupported container resource: ${valueFrom.resourceFieldRef.resource}`);
		}
		return resource;
	}
	if (valueFrom.configMapKeyRef !== undefined) {
		const { name: source = "", key, optional } = valueFrom.configMapKeyRef;
		const configMap = await references.configMap(namespace, source);
		return keyOf(
			"ConfigMap",
			"configmap",
			namespace,
			source,
			key,
			optional === true,
			configMap,
			configMap?.data?.[key],
		);
	}
	if (valueFrom.secretKeyRef !== undefined) {
		const { name: source = "", key, optional } = valueFrom.secretKeyRef;
		const secret = await references.secret(namespace, source);
		const found = secret?.data?.[key];
		const decoded = found === undefined ? undefined : decode(found);
		return keyOf("Secret", "secret", namespace, source, key, optional === true, secret, decoded);
	}
	if (valueFrom.fileKeyRef !== undefined && text !== undefined) return fileValue(valueFrom.fileKeyRef, text);
	throw new ConfigError(
		`environment variable ${name}: ${Object.keys(valueFrom).join(", ")} is not supported by this node`,
	);
}

async function fileValue(
	{ volumeName, path, key, optional }: FileKeySelector,
	text: NonNullable<EnvironmentSources["text"]>,
): Promise<string | undefined> {
	const content = await text(volumeName, path);
	let value: string | undefined;
	try {
		value = content === undefined ? undefined : envFileValue(content, key);
	} catch (error) {
		throw new ConfigError(`couldn't parse env file ${path}: ${messageOf(error)}`);
	}
	if (value !== undefined || optional === true) return value;
	throw new ConfigError(`environment variable key "${key}" not found in file "${path}"`);
}

function keyOf(
	kind: string,
	resource: string,
	namespace: string,
	name: string,
	key: string,
	optional: boolean,
	object: object | undefined,
	value: string | undefined,
): string | undefined {
	if (value !== undefined) return value;
	if (optional) return undefined;
	if (object === undefined) throw missing(resource, name);
	throw new ConfigError(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
}

function missing(resource: string, name: string): ConfigError {
	return new ConfigError(`${resource} "${name}" not found`);
}

function decode(base64: string): string {
	return Buffer.from(base64, "base64").toString();
}
