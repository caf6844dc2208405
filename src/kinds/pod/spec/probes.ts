/** Probes and lifecycle hooks. */
import type { Cause } from "../../../core/errors.ts";
import { nonNegative, oneOf, portNumber, positive } from "../../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, required } from "../../../core/validation/field-errors.ts";
import { portNameProblems } from "../../../core/validation/names.ts";
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from "../../generated/types.ts";

type ProbedContainer = Pick<Container, "livenessProbe" | "readinessProbe" | "startupProbe" | "lifecycle">;

/** @param graceSeconds the pod's termination grace period, which limits how long a hook may sleep */
export function validateProbesAndHooks(container: ProbedContainer, graceSeconds: number, path: string): Cause[] {
	const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
	const causes = [
		...probe(livenessProbe, `${path}.livenessProbe`),
		...probe(readinessProbe, `${path}.readinessProbe`),
		...probe(startupProbe, `${path}.startupProbe`),
	];
	for (const [name, checked] of Object.entries({ livenessProbe, startupProbe }))
		if (checked !== undefined && (checked.successThreshold ?? 1) !== 1)
			causes.push(invalidValue(`${path}.${name}.successThreshold`, checked.successThreshold, "must be 1"));
	if (readinessProbe?.terminationGracePeriodSeconds !== undefined)
		causes.push(
			invalidValue(
				`${path}.readinessProbe.terminationGracePeriodSeconds`,
				readinessProbe.terminationGracePeriodSeconds,
				"must not be set for readinessProbes",
			),
		);
	if (lifecycle?.postStart !== undefined)
		causes.push(...handler(lifecycle.postStart, graceSeconds, `${path}.lifecycle.postStart`));
	if (lifecycle?.preStop !== undefined)
		causes.push(...handler(lifecycle.preStop, graceSeconds, `${path}.lifecycle.preStop`));
	return causes;
}

function probe(value: Probe | undefined, path: string): Cause[] {
	if (value === undefined) return [];
	return [
		...handler(value, 0, path),
		...nonNegative(value.initialDelaySeconds, `${path}.initialDelaySeconds`),
		...nonNegative(value.timeoutSeconds, `${path}.timeoutSeconds`),
		...nonNegative(value.periodSeconds, `${path}.periodSeconds`),
		...nonNegative(value.successThreshold, `${path}.successThreshold`),
		...nonNegative(value.failureThreshold, `${path}.failureThreshold`),
		...positive(value.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
	];
}

function handler(value: Probe | LifecycleHandler, graceSeconds: number, path: string): Cause[] {
	const causes: Cause[] = [];
	let count = 0;
	const take = (name: string, check: () => Cause[]) => {
		count++;
		if (count > 1) causes.push(forbidden(`${path}.${name}`, "may not specify more than 1 handler type"));
		else causes.push(...check());
	};
	const { exec, httpGet, tcpSocket } = value;
	if (exec !== undefined)
		take("exec", () => ((exec.command ?? []).length === 0 ? [required(`${path}.exec.command`)] : []));
	if (httpGet !== undefined) take("httpGet", () => http(httpGet, `${path}.httpGet`));
	if (tcpSocket !== undefined) take("tcpSocket", () => port(tcpSocket.port, `${path}.tcpSocket.port`));
	if ("grpc" in value && value.grpc !== undefined) {
		const { grpc } = value;
		take("grpc", () => portNumber(grpc.port, `${path}.grpc.port`));
	}
	if ("sleep" in value && value.sleep !== undefined) {
		const { seconds } = value.sleep;
		take("sleep", () =>
			seconds >= 0 && seconds <= graceSeconds
				? []
				: [
						invalidValue(
							`${path}.sleep`,
							seconds,
							`must be non-negative and less than or equal to terminationGracePeriodSeconds (${graceSeconds})`,
						),
					],
		);
	}
	if (count === 0) causes.push(required(path, "must specify a handler type"));
	return causes;
}

function http(action: HTTPGetAction, path: string): Cause[] {
	const causes = [
		...(action.path ? [] : [required(`${path}.path`)]),
		...port(action.port, `${path}.port`),
		...oneOf(action.scheme, ["HTTP", "HTTPS"], `${path}.scheme`),
	];
	for (const [index, { name }] of (action.httpHeaders ?? []).entries())
		if (!/^[-A-Za-z0-9]+$/.test(name))
			causes.push(
				invalidValue(
					`${path}.httpHeaders[${index}].name`,
					name,
					"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
				),
			);
	return causes;
}

function port(value: number | string, path: string): Cause[] {
	return typeof value === "number" ? portNumber(value, path) : invalidEach(path, value, portNameProblems(value));
}
