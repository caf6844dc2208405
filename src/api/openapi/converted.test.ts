import { expect, test } from "vitest";
import { convertedDocument } from "./converted.ts";

test("bodies, parameters, answers and references of v2 stand where v3 has them", () => {
	const $ref = "#/definitions/com.example.Boat";
	const put = {
		operationId: "replaceBoat",
		consumes: ["*/*"],
		produces: ["application/json", "application/yaml"],
		parameters: [
			{ name: "body", in: "body", required: true, schema: { $ref } },
			{ name: "dryRun", in: "query", type: "string", uniqueItems: true, description: "Nothing is stored." },
		],
		responses: { 200: { description: "OK", schema: { $ref } }, 401: { description: "Unauthorized" } },
		"x-kubernetes-action": "put",
	};
	const parameters = [{ name: "name", in: "path", required: true, type: "string" }];
	const properties = {
		crew: { type: "array", items: { $ref: "#/definitions/com.example.Sailor" } },
		owner: { description: "Whose it is.", $ref: "#/definitions/com.example.Sailor" },
		sails: { type: "object", additionalProperties: { $ref } },
	};
	const paths = { "/apis/example.com/v1/boats/{name}": { put, parameters } };
	const definitions = { "com.example.Boat": { type: "object", properties }, "com.example.Sailor": { type: "string" } };
	const boat = { $ref: "#/components/schemas/com.example.Boat" };
	const sailor = { $ref: "#/components/schemas/com.example.Sailor" };
	expect(convertedDocument({ paths, definitions }, "v1.36.0")).toEqual({
		openapi: "3.0.0",
		info: { title: "Kubernetes", version: "v1.36.0" },
		paths: {
			"/apis/example.com/v1/boats/{name}": {
				put: {
					operationId: "replaceBoat",
					parameters: [
						{
							name: "dryRun",
							in: "query",
							description: "Nothing is stored.",
							schema: { type: "string", uniqueItems: true },
						},
					],
					requestBody: { content: { "*/*": { schema: boat } }, required: true },
					responses: {
						200: {
							description: "OK",
							content: { "application/json": { schema: boat }, "application/yaml": { schema: boat } },
						},
						401: { description: "Unauthorized" },
					},
					"x-kubernetes-action": "put",
				},
				parameters: [{ name: "name", in: "path", required: true, schema: { type: "string" } }],
			},
		},
		components: {
			schemas: {
				"com.example.Boat": {
					type: "object",
					properties: {
						crew: { type: "array", items: sailor },
						owner: { description: "Whose it is.", allOf: [sailor] },
						sails: { type: "object", additionalProperties: boat },
					},
				},
				"com.example.Sailor": { type: "string" },
			},
		},
	});
});
