/** A policy that refuses everything, by mistake: the cluster can be stopped and started, and freed of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./cluster.ts";

const refusesEverything = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: never }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }]
  validations: [{ expression: "false" }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: never }
spec: { policyName: never, validationActions: [Deny] }
`;

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start("--runtime", "simulated");
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

test("a node that is refused is not added, and does not prevent the next start", async () => {
	await cluster.kubectlInput(refusesEverything, "apply", "-f", "-");
	const refused = await cluster.cox("node", "add");
	expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("binding 'never' denied request")]);
	await cluster.coxOk("down");
	await cluster.coxOk("up");
	await cluster.kubectl("delete", "validatingadmissionpolicybinding", "never");
	await cluster.coxOk("node", "add");
	expect(await cluster.kubectl("get", "nodes", "-o", "name")).toBe("node/node-1\nnode/node-2\n");
});
