import { expect, test } from "vitest";
import { messageOf } from "../../core/errors.ts";
import { attributesOf } from "../request/authorizer.ts";
import { parseRequestInfo } from "../request/request-info.ts";
import { auditPolicy, ruleFor } from "./policy.ts";

const head = { apiVersion: "audit.k8s.io/v1", kind: "Policy" };

function problems(document: object): string {
	try {
		auditPolicy(document);
		return "";
	} catch (error) {
		return messageOf(error);
	}
}

test("a policy that is wrong is refused with the paths of its fields", () => {
	const rules = (...list: object[]) => problems({ ...head, rules: list });
	const cases: [string, string][] = [
		[problems({}), 'apiVersion: Unsupported value: null: supported values: "audit.k8s.io/v1"'],
		[problems({ ...head, kind: "Pod" }), 'kind: Unsupported value: "Pod": supported values: "Policy"'],
		[problems({ ...head }), "rules: Required value: a policy without rules records nothing"],
		[problems({ ...head, rules: "all" }), "rules: must be a list"],
		[problems({ ...head, rule: [] }), "rule: unknown field"],
		[problems([]), "must be a mapping"],
		[rules({}), "rules[0].level: Required value"],
		[
			rules({ level: "None" }, { level: "All" }),
			'rules[1].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
		],
		[rules({ level: "None", verb: ["get"] }), "rules[0].verb: unknown field"],
		[rules({ level: "None", users: [1] }), "rules[0].users[0]: must be text"],
		[rules({ level: "None", omitManagedFields: "yes" }), "rules[0].omitManagedFields: must be true or false"],
		[
			rules({ level: "None", omitStages: ["Begin"] }),
			'rules[0].omitStages[0]: Invalid value: "Begin": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
		],
		[
			problems({ ...head, omitStages: ["x"], rules: [{ level: "None" }] }),
			'omitStages[0]: Invalid value: "x": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
		],
		[
			rules({ level: "None", nonResourceURLs: ["healthz", "/a*b"] }),
			`rules[0].nonResourceURLs[0]: Invalid value: "healthz": non-resource URL rules must begin with a '/' character; rules[0].nonResourceURLs[1]: Invalid value: "/a*b": non-resource URL wildcards '*' must be the final character of the rule`,
		],
		[
			rules({ level: "None", nonResourceURLs: ["/a"], namespaces: ["b"] }),
			'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
		],
		[
			rules({ level: "None", resources: [{ resourceNames: ["a"] }] }),
			'rules[0].resources[0].resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource',
		],
		[
			rules({ level: "None", resources: [{ group: "rbac.authorization.k8s.io/v1" }] }),
			"rules[0].resources[0].group: Invalid value",
		],
	];
	for (const [found, wanted] of cases) expect(found).toContain(wanted);
});

test("the first rule that fits a request decides", () => {
	const ann = { name: "ann", groups: ["dev", "system:authenticated"] };
	const fits = (rule: object, method: "GET" | "POST", path: string, user = ann) => {
		const request = { method, path, query: new URLSearchParams(), headers: {}, signal: new AbortController().signal };
		const policy = auditPolicy({ ...head, rules: [{ level: "Metadata", ...rule }] });
		return ruleFor(policy, attributesOf(user, parseRequestInfo(request)), user) !== undefined;
	};
	const pods = "/api/v1/namespaces/a/pods";
	const resources = (...list: string[]) => ({ resources: [{ group: "", resources: list }] });
	const yes: [object, "GET" | "POST", string][] = [
		[{}, "GET", "/healthz"],
		[{ users: ["ann"], userGroups: ["x", "dev"], verbs: ["list"], namespaces: ["a"] }, "GET", pods],
		[{ nonResourceURLs: ["/healthz*"] }, "GET", "/healthz/ping"],
		[{ nonResourceURLs: ["*"] }, "GET", "/version"],
		[resources("pods"), "GET", `${pods}/p`],
		[resources("*"), "GET", `${pods}/p/log`],
		[resources("pods/log"), "GET", `${pods}/p/log`],
		[resources("pods/*"), "GET", `${pods}/p/log`],
		[resources("*/log"), "GET", `${pods}/p/log`],
		[{ resources: [{ group: "apps" }] }, "GET", "/apis/apps/v1/deployments"],
		[{ resources: [{ group: "", resources: ["pods"], resourceNames: ["p"] }] }, "GET", `${pods}/p`],
		[{ namespaces: [""] }, "GET", "/api/v1/nodes"],
		[{ namespaces: ["a"], ...resources("namespaces") }, "GET", "/api/v1/namespaces/a"],
		[{ verbs: ["post"] }, "POST", "/healthz"],
	];
	for (const [rule, method, path] of yes) expect([rule, path, fits(rule, method, path)]).toEqual([rule, path, true]);
	const no: [object, "GET" | "POST", string][] = [
		[{ users: ["bea"] }, "GET", pods],
		[{ userGroups: ["ops"] }, "GET", pods],
		[{ verbs: ["get"] }, "GET", pods],
		[{ namespaces: ["b"] }, "GET", pods],
		[{ namespaces: ["a"] }, "GET", "/healthz"],
		[{ nonResourceURLs: ["*"] }, "GET", pods],
		[{ nonResourceURLs: ["/healthz"] }, "GET", "/healthz/ping"],
		[resources("pods"), "GET", `${pods}/p/log`],
		[resources("*/log"), "GET", pods],
		[{ resources: [{ group: "apps", resources: ["pods"] }] }, "GET", pods],
		[{ resources: [{ group: "", resources: ["pods"], resourceNames: ["p"] }] }, "GET", `${pods}/q`],
		[{ level: "None" }, "GET", pods],
	];
	for (const [rule, method, path] of no) expect([rule, path, fits(rule, method, path)]).toEqual([rule, path, false]);
});
