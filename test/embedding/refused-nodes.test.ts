import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { configMaps, nodes, startCluster, validatingAdmissionPolicyBindings } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "cox-refused-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

test("a cluster whose policy refuses everything starts again, so that the policy can be taken away", async () => {
	const options = { nodes: 1, store: { folder } };
	{
		await using cluster = await startCluster(options);
		await cluster.apply(refusesEverything);
		// A new node is refused, with the reason.
		await expect(cluster.nodes.add({ name: "late" })).rejects.toThrow("with binding 'never' denied request");
	}
	await using cluster = await startCluster(options);
	const { client } = cluster;
	const draft = { metadata: { namespace: "default", name: "a" } };
	await expect(client.create(configMaps, draft)).rejects.toThrow("denied request");
	await client.delete(validatingAdmissionPolicyBindings, { name: "never" });
	await client.create(configMaps, draft);
	await cluster.waitFor(nodes, "node-1", "Ready");
});
