import { createServer } from "node:https";
import { listening, sharedCertificates } from "../../testing/clients.ts";
import type { Json } from "../../testing/test-api.ts";
import { definition, version } from "./definitions.ts";
import { integer, schema } from "./widgets.ts";

export type Convert = (object: Json, desired: string) => Json;

/** v1 says `size`, v2 says `width` and has an annotation. */
export const bySize: Convert = (object, apiVersion) => {
	const { size, width, ...rest } = object;
	const number = size ?? width;
	const isNew = apiVersion.endsWith("v2");
	const annotations = isNew ? { converted: "yes" } : {};
	return { ...rest, apiVersion, metadata: { ...rest.metadata, annotations }, [isNew ? "width" : "size"]: number };
};

export interface Hook {
	spec: ReturnType<typeof definition>["spec"];
	reviews: Json[];
	/** What it does, for a time. */
	answer: (review: Json) => object | undefined;
	convert: Convert;
}

/** @returns a definition whose objects it converts */
export async function hook(): Promise<Hook> {
	const certificates = await sharedCertificates();
	const made: Hook = {
		reviews: [],
		convert: bySize,
		answer: ({ request, apiVersion }) => ({
			apiVersion,
			kind: "ConversionReview",
			response: {
				uid: request.uid,
				result: { status: "Success" },
				convertedObjects: request.objects.map((object: Json) => made.convert(object, request.desiredAPIVersion)),
			},
		}),
		spec: undefined as never,
	};
	const server = createServer(certificates.server, async (request, response) => {
		let text = "";
		for await (const part of request) text += part;
		const review = JSON.parse(text);
		made.reviews.push(review);
		const answer = made.answer(review);
		if (answer !== undefined) response.end(JSON.stringify(answer));
	});
	const port = await listening(server);
	const caBundle = Buffer.from(certificates.ca).toString("base64");
	const { spec } = definition({
		versions: [
			version("v1", { schema: schema({ size: integer }) }),
			version("v2", { storage: false, schema: schema({ width: integer }) }),
		],
		conversion: {
			strategy: "Webhook",
			webhook: {
				clientConfig: { url: `https://localhost:${port}/convert`, caBundle },
				conversionReviewVersions: ["v1"],
			},
		},
	});
	made.spec = spec;
	return made;
}
