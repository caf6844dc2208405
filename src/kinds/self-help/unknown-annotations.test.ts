import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { selfHelpProblems } from "./annotations.ts";
import { unknownAnnotations } from "./unknown-annotations.ts";

function annotated(kind: string, annotations: Record<string, string>, spec: object = {}): KubeObject {
	return {
		apiVersion: "v1",
		kind,
		metadata: { name: "a", uid: "a", resourceVersion: "1", creationTimestamp: "", annotations },
		spec,
	} as KubeObject;
}

test("a mistyped annotation of ours is named with those that there are", () => {
	expect(unknownAnnotations(annotated("StatefulSet", { "coxswain.io/grow-claim": "true" }), undefined)).toEqual([
		"metadata.annotations[coxswain.io/grow-claim]: means nothing on a StatefulSet; known there are coxswain.io/after, coxswain.io/grow-claims, coxswain.io/recover-rollout, notify.coxswain.io/events, notify.coxswain.io/webhook",
	]);
});

test("one that stands at the wrong place is told where it belongs", () => {
	const template = (annotations: Record<string, string>) => ({ template: { metadata: { annotations } } });
	const job = annotated(
		"Job",
		{ "simulate.coxswain.io/duration": "5s", "coxswain.io/jitter": "5m" },
		template({ "notify.coxswain.io/webhook": "hook", "exit-code.simulate.coxswain.io/main": "1" }),
	);
	expect(unknownAnnotations(job, undefined)).toEqual([
		"metadata.annotations[simulate.coxswain.io/duration]: means nothing on a Job; it belongs to the template of the pods",
		"metadata.annotations[coxswain.io/jitter]: means nothing on a Job; it belongs on a CronJob",
		"spec.template.metadata.annotations[notify.coxswain.io/webhook]: means nothing on a Pod; it belongs on a Job or CronJob or StatefulSet or DaemonSet or Deployment",
	]);
	const cronJob = annotated(
		"CronJob",
		{},
		{ jobTemplate: { metadata: { annotations: { "coxswain.io/per-nodes": "true" } } } },
	);
	expect(unknownAnnotations(cronJob, undefined)).toHaveLength(1);
});

test("nothing is said of what was there before, of others' annotations, and of what the cluster writes", () => {
	const old = annotated("Job", { "coxswain.io/per-nodes": "true" });
	expect(unknownAnnotations(old, old)).toEqual([]);
	const fine = {
		"coxswain.io/per-node": "true",
		"coxswain.io/nodes": "a",
		"coxswain.io/started-by": "a",
		"example.com/jitter": "a",
	};
	expect(unknownAnnotations(annotated("Job", fine), undefined)).toEqual([]);
});

test("where images come from is said on pods", () => {
	const images = (kind: string, source: string) => annotated(kind, { "coxswain.io/images": source });
	expect(unknownAnnotations(images("Pod", "registry"), undefined)).toEqual([]);
	expect(selfHelpProblems(images("Pod", "registry"), undefined)).toEqual([]);
	expect(selfHelpProblems(images("Pod", "hub"), undefined)).toMatchObject([
		{ field: "metadata.annotations[coxswain.io/images]", reason: "FieldValueNotSupported" },
	]);
	expect(unknownAnnotations(images("Deployment", "registry"), undefined)).toEqual([
		"metadata.annotations[coxswain.io/images]: means nothing on a Deployment; it belongs to the template of the pods",
	]);
});
