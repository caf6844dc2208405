import { expect, test } from "vitest";
import type { APIService } from "../generated/types.ts";
import { apiServices } from "./apiservice.ts";
import { withAvailability } from "./availability.ts";

const service = { namespace: "wardle", name: "api", port: 443 };

function apiService(spec: object = {}, name = "v1alpha1.wardle.example.com"): APIService {
	return {
		apiVersion: "apiregistration.k8s.io/v1",
		kind: "APIService",
		metadata: { name, uid: "u", resourceVersion: "1", creationTimestamp: "" },
		spec: {
			group: "wardle.example.com",
			version: "v1alpha1",
			groupPriorityMinimum: 2000,
			versionPriority: 200,
			service,
			...spec,
		},
	};
}

const problems = (spec: object, name?: string) =>
	apiServices.validate?.(apiService(spec, name)).map(({ field, message }) => `${field}: ${message}`);
const local = { service: undefined };

test.each([
	[{}, undefined, []],
	[local, undefined, []],
	[{ group: "", version: "v1" }, "v1.", []],
	[
		{},
		"wardle",
		['metadata.name: Invalid value: "wardle": must be `spec.version+"."+spec.group`: "v1alpha1.wardle.example.com"'],
	],
	[
		{ group: "", version: "v2" },
		"v2.",
		["spec.group: Required value: only v1 may have an empty group and it better be legacy kube"],
	],
	[
		{ groupPriorityMinimum: 0 },
		undefined,
		["spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"],
	],
	[
		{ versionPriority: 1001 },
		undefined,
		["spec.versionPriority: Invalid value: 1001: must be positive and less than 1000"],
	],
	[
		{ ...local, caBundle: "YWJj" },
		undefined,
		['spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle'],
	],
	[
		{ ...local, insecureSkipTLSVerify: true },
		undefined,
		["spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify"],
	],
	[
		{ service: { port: 0 } },
		undefined,
		[
			"spec.service.namespace: Required value",
			"spec.service.name: Required value",
			"spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
		],
	],
	[
		{ insecureSkipTLSVerify: true, caBundle: "YWJj" },
		undefined,
		["spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"],
	],
])("%j named %s", (spec, name, expected) => {
	expect(problems(spec, name)).toEqual(expected);
});

test("a local one is available from the start, another when it has been asked", () => {
	const context = { now: "2026-01-01T00:00:00Z", requester: { name: "ann", groups: [] } };
	const cells = (object: APIService) => {
		apiServices.prepareForCreate?.(object, context);
		return apiServices.columns.slice(0, 3).map(({ cell }) => cell(object, 0));
	};
	expect(cells(apiService(local))).toEqual(["v1alpha1.wardle.example.com", "Local", "True"]);
	const remote = apiService();
	expect(cells(remote)).toEqual(["v1alpha1.wardle.example.com", "wardle/api", "Unknown"]);
	const failed = { status: "False", reason: "ServiceNotFound", message: "gone" } as const;
	remote.status = withAvailability(remote.status, failed, "2026-01-01T00:00:01Z");
	expect(apiServices.columns[2]?.cell(remote, 0)).toBe("False (ServiceNotFound)");
	expect(withAvailability(remote.status, failed, "2026-01-01T00:00:02Z")).toBe(remote.status);
	const other = withAvailability(remote.status, { ...failed, message: "still" }, "2026-01-01T00:00:02Z");
	expect(other.conditions?.[0]?.lastTransitionTime).toBe("2026-01-01T00:00:01Z");
});
