// Webhooks of agnhost: admission as Kubernetes' tests expect it, and conversion of one custom resource.
"use strict";
const fs = require("node:fs");
const { body, endOnSignal, listen } = require("./http.cjs");
const { log, parse } = require("./flags.cjs");

const disallowed = "webhook-disallow";
const key = "webhook-e2e-test";
const denied = (message) => ({ allowed: false, status: { message } });
const allowed = { allowed: true };
const patched = (operations) =>
	operations.length === 0 ? allowed : { allowed: true, patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operations)).toString("base64") };

const denies = (says, isUnwanted) => ({ object }) => (isUnwanted(object) ? denied(says) : allowed);
const hasUnwantedData = (object) => object?.data?.[key] === disallowed;
const stages = ({ object }) => {
	const data = object?.data ?? {};
	const next = { "mutation-start": "mutation-stage-1", "mutation-stage-1": "mutation-stage-2" };
	return patched(Object.entries(next).filter(([from]) => data[from] === "yes").map(([, stage]) => ({ op: "add", path: `/data/${stage}`, value: "yes" })));
};

const admission = {
	"/always-allow-delay-5s": () => new Promise((resolve) => setTimeout(() => resolve(allowed), 5000)),
	"/always-deny": () => denied("this webhook denies all requests"),
	"/add-label": ({ object }) => {
		const { labels } = object.metadata;
		if (labels === undefined) return patched([{ op: "add", path: "/metadata/labels", value: { "added-label": "yes" } }]);
		if (labels["added-label"] === "yes") return allowed;
		return patched([{ op: "add", path: "/metadata/labels/added-label", value: "yes" }]);
	},
	"/pods": async ({ object }) => {
		const said = [];
		const label = object?.metadata.labels?.[key];
		if (label === disallowed) said.push("the pod contains unwanted label;");
		if (label === "wait-forever") await new Promise(() => {});
		for (const { name } of object?.spec.containers ?? []) if (name.includes(disallowed)) said.push("the pod contains unwanted container name;");
		return said.length === 0 ? allowed : denied(said.join(" "));
	},
	"/pods/attach": ({ name }) => (name === "to-be-attached-pod" ? denied("attaching to pod 'to-be-attached-pod' is not allowed") : allowed),
	"/mutating-pods": ({ object }) =>
		patched(object.spec.initContainers?.length > 0 ? [] : [{ op: "add", path: "/spec/initContainers", value: [{ image: "webhook-added-image", name: "webhook-added-init-container", resources: {} }] }]),
	"/configmaps": denies("the configmap contains unwanted key and value", hasUnwantedData),
	"/mutating-configmaps": stages,
	"/custom-resource": denies("the custom resource contains unwanted data", hasUnwantedData),
	"/mutating-custom-resource": stages,
	"/crd": denies("the crd contains unwanted label", (object) => object?.metadata.labels?.[key] === disallowed),
};

/** @param answers path => (review) => the same review with a response */
function serve(words, answers) {
	endOnSignal();
	const flags = parse(words);
	const tls = { cert: fs.readFileSync(flags["tls-cert-file"]), key: fs.readFileSync(flags["tls-private-key-file"]) };
	listen(
		flags.port ?? 443,
		async (request, response, { pathname }) => {
			if (pathname === "/readyz") return "ok";
			const answer = answers[pathname];
			if (answer === undefined) {
				response.statusCode = 404;
				return "404 page not found\n";
			}
			const review = JSON.parse((await body(request)).toString());
			log(`${pathname} ${review.request?.uid}`);
			response.setHeader("Content-Type", "application/json");
			const { apiVersion, kind } = review;
			return JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, ...(await answer(review.request)) } });
		},
		tls,
	);
}

exports.webhook = (words) => serve(words, admission);

/** v1 has `hostPort`, v2 has `host` and `port`. */
function converted(object, desired) {
	const from = object.apiVersion.split("/")[1];
	const to = desired.split("/")[1];
	const { hostPort, host, port, ...rest } = object;
	if (from === to) throw new Error(`conversion from a version to itself should not call the webhook: ${desired}`);
	if (from === "v1" && to === "v2") {
		const parts = (hostPort ?? "").split(":");
		return { ...rest, apiVersion: desired, ...(hostPort !== undefined && { host: parts[0], port: parts[1] }) };
	}
	if (from === "v2" && to === "v1") return { ...rest, apiVersion: desired, ...(host !== undefined && port !== undefined && { hostPort: `${host}:${port}` }) };
	throw new Error(`unexpected conversion version ${from}`);
}

exports["crd-conversion-webhook"] = (words) =>
	serve(words, {
		"/crdconvert": ({ objects, desiredAPIVersion }) => {
			try {
				return { convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)), result: { status: "Success" } };
			} catch ({ message }) {
				return { result: { status: "Failure", message } };
			}
		},
	});
