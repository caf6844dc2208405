import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestApi, testApi } from "../testing.ts";

let api: TestApi;
beforeEach(async () => {
	api = await testApi();
});
afterEach(() => api.close());

const type = "application/apply-patch+yaml";

test("an apply in an older version makes, changes and leaves alone what is stored in the current one", async () => {
	const path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/h";
	const apply = (maxReplicas: number) =>
		api.ask(
			"PATCH",
			`${path}?fieldManager=kubectl`,
			{
				apiVersion: "autoscaling/v1",
				kind: "HorizontalPodAutoscaler",
				metadata: { name: "h" },
				spec: { maxReplicas, scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" } },
			},
			{ type },
		);
	const created = await apply(3);
	expect(created).toMatchObject({ status: 201, object: { apiVersion: "autoscaling/v1", spec: { maxReplicas: 3 } } });
	const again = await apply(3);
	expect(again.object.metadata.resourceVersion).toBe(created.object.metadata.resourceVersion);
	expect((await apply(4)).object.spec.maxReplicas).toBe(4);
});

test("an apply owns what it says, not the zeros of required fields that it leaves out", async () => {
	const path = "/apis/batch/v1/namespaces/default/cronjobs";
	const template = { spec: { containers: [{ name: "a", image: "b" }], restartPolicy: "Never" } };
	const cronJob = { spec: { schedule: "* * * * *", jobTemplate: { spec: { template } } } };
	await api.ask("POST", path, { metadata: { name: "c" }, ...cronJob });
	const only = { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "c", annotations: { a: "b" } } };
	const answer = await api.ask("PATCH", `${path}/c?fieldManager=x`, only, { type });
	expect(answer).toMatchObject({ status: 200, object: { spec: { schedule: "* * * * *" } } });
	const entry = answer.object.metadata.managedFields.find((found: { manager: string }) => found.manager === "x");
	expect(entry.fieldsV1).toEqual({ "f:metadata": { "f:annotations": { "f:a": {} } } });
});
