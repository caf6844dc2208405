/** Converts custom resources between versions, as their definition says: by another name alone, or by a webhook. */
import { type Cause, messageOf } from "../../core/errors.ts";
import { isRecord, type KubeObject, type ObjectMeta } from "../../core/object.ts";
import { checkJsonBytes, mostValues, type Weight, weigh } from "../../core/text/json-limits.ts";
import { changeableMetadataCauses } from "../../core/validation/metadata-checks.ts";
import { newUid } from "../../core/validation/uid.ts";
import { reviewVersions } from "../../kinds/apiextensions/validate-conversion.ts";
import type { CustomForm } from "../../kinds/engine/kind.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import { WebhookClient } from "../backends/webhook-client.ts";
import type { Server } from "../server/server.ts";

export interface Converter {
	convert: CustomForm["convert"];
	close(): void;
}

/** A conversion takes no longer, whatever the webhook does. */
const timeoutMs = 30_000;
/** The number of objects in one review. */
const largestReview = 200;
/** What they weigh together: what the webhook makes of them must not be too large for an answer. */
const heaviestReview: Weight = { valueCount: mostValues / 4, byteCount: 2 * 1024 * 1024 };

export function converterOf(server: Server, { spec }: CustomResourceDefinition): Converter {
	const { strategy, webhook } = spec.conversion ?? {};
	if (strategy !== "Webhook" || webhook?.clientConfig === undefined) return { convert: renamed, close() {} };
	const client = new WebhookClient(server, webhook.clientConfig);
	const review = webhook.conversionReviewVersions.find((version) => reviewVersions.includes(version)) ?? "v1";
	return {
		async convert(objects, apiVersion) {
			// What is in the version already is not sent.
			const others = objects.filter((object) => object.apiVersion !== apiVersion);
			const converted = new Map<KubeObject, KubeObject>();
			for (const batch of batchesOf(others)) {
				const results = await reviewed(server, client, review, batch, apiVersion);
				for (const [index, object] of batch.entries()) converted.set(object, results[index] ?? object);
			}
			return objects.map((object) => converted.get(object) ?? object);
		},
		close: () => client.close(),
	};
}

function* batchesOf(objects: readonly KubeObject[]): Generator<readonly KubeObject[]> {
	let batch: KubeObject[] = [];
	let weight: Weight = { valueCount: 0, byteCount: 0 };
	for (const object of objects) {
		if (batch.length === largestReview || !fits(object, weight)) {
			if (batch.length > 0) yield batch;
			batch = [];
			weight = { valueCount: 0, byteCount: 0 };
			fits(object, weight);
		}
		batch.push(object);
	}
	if (batch.length > 0) yield batch;
}

/** Adds what the object weighs. */
function fits(object: KubeObject, weight: Weight): boolean {
	try {
		const { valueCount, byteCount } = weigh(object, weight);
		return valueCount <= heaviestReview.valueCount && byteCount <= heaviestReview.byteCount;
	} catch {
		// It is beyond any limit, together with the others at least.
		return false;
	}
}

function renamed(objects: readonly KubeObject[], apiVersion: string): KubeObject[] {
	return objects.map((object) => Object.assign({}, object, { apiVersion }));
}

/** @throws Error in upstream's words */
async function reviewed(
	server: Server,
	client: WebhookClient,
	reviewVersion: string,
	objects: readonly KubeObject[],
	apiVersion: string,
): Promise<KubeObject[]> {
	const [first] = objects;
	const what = `conversion webhook for ${first?.apiVersion}, Kind=${first?.kind}`;
	const uid = newUid(server.clock);
	const review = {
		kind: "ConversionReview",
		apiVersion: `apiextensions.k8s.io/${reviewVersion}`,
		request: { uid, desiredAPIVersion: apiVersion, objects },
	};
	let converted: readonly unknown[];
	try {
		const answer = await client.post(Buffer.from(JSON.stringify(review)), timeoutMs);
		converted = convertedObjects(answer, review.apiVersion, uid);
	} catch (error) {
		throw new Error(`${what} failed: ${messageOf(error)}`);
	}
	if (converted.length !== objects.length)
		throw new Error(`${what} returned ${converted.length} objects, expected ${objects.length}`);
	return objects.map((object, index) => {
		const problem = (error: string) => new Error(`${what} returned ${error}`);
		const result = converted[index];
		const place = `invalid object at index ${index}`;
		if (!isRecord(result)) throw problem(`${place}: invalid type, expected an object`);
		if (result["apiVersion"] !== apiVersion)
			throw problem(
				`${place}: invalid groupVersion (expected ${apiVersion}, received ${String(result["apiVersion"])})`,
			);
		if (result["kind"] !== object.kind)
			throw problem(`${place}: invalid kind (expected ${object.kind}, received ${String(result["kind"])})`);
		const { metadata, apiVersion: _, kind: __, ...rest } = result;
		if (!isRecord(metadata)) throw problem("invalid metadata: missing metadata in converted object");
		const changed = changedIdentity(object.metadata, metadata);
		if (changed !== undefined) throw problem(`invalid object: ${changed}`);
		return { apiVersion, kind: object.kind, metadata: restored(object.metadata, metadata, problem), ...rest };
	});
}

/** @throws Error when there are none */
function convertedObjects(answer: Buffer, apiVersion: string, uid: string): readonly unknown[] {
	checkJsonBytes(answer);
	const review: unknown = JSON.parse(answer.toString());
	const isOld = apiVersion.endsWith("v1beta1");
	const found = isRecord(review) ? `${String(review["apiVersion"])}, Kind=${String(review["kind"])}` : "nothing";
	if (!isRecord(review) || (!isOld && found !== `${apiVersion}, Kind=ConversionReview`))
		throw new Error(`expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${found}`);
	const { response } = review;
	if (!isRecord(response)) throw new Error("no response provided");
	// The old version did not check it.
	if (!isOld && response["uid"] !== uid)
		throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`);
	const result = isRecord(response["result"]) ? response["result"] : {};
	if (result["status"] !== "Success") {
		const { message } = result;
		if (typeof message === "string" && message !== "") throw new Error(message);
		throw new Error(`response.result.status was '${String(result["status"] ?? "")}', not 'Success'`);
	}
	return Array.isArray(response["convertedObjects"]) ? response["convertedObjects"] : [];
}

function changedIdentity(before: ObjectMeta, after: Readonly<Record<string, unknown>>): string | undefined {
	const fields = [
		["name", "name"],
		["namespace", "namespace"],
		["uid", "UID"],
	] as const;
	for (const [field, name] of fields) {
		const [expected, found] = [before[field] ?? "", after[field] ?? ""];
		if (expected !== found) return `must have the same ${name}: ${expected} != ${String(found)}`;
	}
	return undefined;
}

/** Metadata as it was, but for labels and annotations, which a webhook may change. */
function restored(
	before: ObjectMeta,
	after: Readonly<Record<string, unknown>>,
	problem: (text: string) => Error,
): ObjectMeta {
	const metadata: ObjectMeta = Object.assign({}, before);
	for (const field of ["labels", "annotations"] as const) {
		const value = after[field];
		delete metadata[field];
		if (value === undefined || value === null) continue;
		if (!isRecord(value)) throw problem(`invalid metadata: invalid metadata.${field} in converted object`);
		for (const [key, text] of Object.entries(value))
			if (typeof text !== "string")
				throw problem(`invalid metadata: metadata.${field}[${key}] must be a string in converted object`);
		// All values are strings, as was checked above.
		metadata[field] = value as Record<string, string>;
	}
	const { labels, annotations } = metadata;
	const causes: Cause[] = changeableMetadataCauses({ ...(labels && { labels }), ...(annotations && { annotations }) });
	if (causes.length > 0)
		throw problem(`invalid metadata: ${causes.map(({ field, message }) => `${field}: ${message}`).join(", ")}`);
	return metadata;
}
