import { expect, test } from "vitest";
import { type InProcessWebhook, startCluster } from "../../src/index.ts";

const webhook: InProcessWebhook = {
	name: "w",
	type: "validating",
	rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["*"], resources: ["pods"] }],
	handle: () => undefined,
};

test.each([
	[{ type: "other" }, "the webhook w: type: other is neither mutating nor validating"],
	[{ rules: undefined }, "the webhook w has no rules"],
	[{ rules: [{ ...webhook.rules[0], operations: ["CRATE"] }] }, "the webhook w: rules[0].operations[0]: Unsupported"],
	[{ failurePolic: "Ignore" }, "the webhook w has no option failurePolic"],
])("a webhook with %j is refused: it would never be asked", async (change, message) => {
	// As programs without types may write it.
	const wrong = { ...webhook, ...change } as InProcessWebhook;
	await expect(startCluster({ nodes: 0, webhooks: [wrong] })).rejects.toThrow(message);
});
