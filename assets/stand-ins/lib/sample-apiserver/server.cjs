// The sample API server as a function of its settings; it can run in any process.
"use strict";
const { createHash } = require("node:crypto");
const https = require("node:https");
const { discovery, group, isServed, openApiV2, openApiV3, resources, versions } = require("./discovery.cjs");
const { Refusal, createStorage } = require("./storage.cjs");
const { userOf } = require("./users.cjs");

const open = /^\/(healthz|readyz|livez)$/;

/**
 * @param settings.tls certificate and key
 * @param settings.proxies `{ ca, names }`: whose certificates may say who asks
 * @param settings.authorize (spec of a SubjectAccessReview) => undefined, or why not; default: everyone may
 * @param settings.review (token) => user
 * @param settings.audit called with a line for each request
 * @param settings.intercept (request, response) => true where it has answered itself
 */
exports.createServer = function createServer(settings) {
	const storage = createStorage(group);
	const server = https.createServer({ ...settings.tls, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 60_000 });
	server.on("request", (request, response) => {
		if (settings.intercept?.(request, response)) return;
		answer(request, response, settings, storage).catch((error) => {
			const { code = 500, reason = "InternalError", message } = error;
			if (response.headersSent) response.destroy();
			else send(response, code, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code });
		});
	});
	return server;
};

function send(response, status, object, type = "application/json") {
	response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-cache, private" });
	response.end(typeof object === "string" ? object : JSON.stringify(object));
}

/** An answer that need not be sent again to those who have it. */
function sendTagged(request, response, object, type) {
	const text = JSON.stringify(object);
	const etag = `"${createHash("sha256").update(text).digest("hex").toUpperCase()}"`;
	response.setHeader("ETag", etag);
	if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
	else send(response, 200, text, type);
}

async function answer(request, response, settings, storage) {
	const url = new URL(request.url, "https://localhost");
	const { pathname: path, searchParams: query } = url;
	if (open.test(path)) return send(response, 200, "ok", "text/plain");
	const user = await userOf(request, settings);
	if (user === undefined) throw new Refusal(401, "Unauthorized", "Unauthorized");
	const target = targetOf(path);
	const verb = verbOf(request.method, target, query);
	settings.audit?.(JSON.stringify({ user, verb, requestURI: request.url }));
	await permit(user, verb, target, path, settings);
	if (target !== undefined) return serve(request, response, { ...target, verb, query }, storage);
	const found = discovery(path, request.headers.accept ?? "");
	if (found !== undefined) return sendTagged(request, response, found.object, found.type);
	if (path === "/openapi/v2") return sendTagged(request, response, openApiV2(), "application/json");
	const hash = (version) => createHash("sha256").update(JSON.stringify(openApiV3(version))).digest("hex").toUpperCase();
	const key = (version) => `apis/${group}/${version}`;
	if (path === "/openapi/v3")
		return send(response, 200, { paths: Object.fromEntries(versions.map((version) => [key(version), { serverRelativeURL: `/openapi/v3/${key(version)}?hash=${hash(version)}` }])) });
	const version = versions.find((one) => path === `/openapi/v3/${key(one)}`);
	if (version !== undefined) return sendTagged(request, response, openApiV3(version), "application/json");
	throw new Refusal(404, "NotFound", "the server could not find the requested resource");
}

/** Undefined for a path that is no resource. */
function targetOf(path) {
	const [, root, ofGroup, version, ...rest] = path.split("/").map(decodeURIComponent);
	if (root !== "apis" || ofGroup !== group || !versions.includes(version) || rest.length === 0) return undefined;
	const namespace = rest[0] === "namespaces" && rest.length > 2 ? rest.splice(0, 2)[1] : undefined;
	const [resource, name] = rest;
	return isServed(version, resource) ? { version, namespace, resource, name } : undefined;
}

function verbOf(method, target, query) {
	if (target === undefined) return method.toLowerCase();
	if (method === "GET") return query.get("watch") === "true" || query.get("watch") === "1" ? "watch" : target.name === undefined ? "list" : "get";
	if (method === "DELETE") return target.name === undefined ? "deletecollection" : "delete";
	return { POST: "create", PUT: "update", PATCH: "patch" }[method] ?? method.toLowerCase();
}

async function permit({ username, uid, groups = [], extra }, verb, target, path, { authorize }) {
	if (authorize === undefined || groups.includes("system:masters")) return;
	const what =
		target === undefined
			? { nonResourceAttributes: { path, verb } }
			: { resourceAttributes: { group, version: target.version, resource: target.resource, namespace: target.namespace, name: target.name, verb } };
	const why = await authorize({ user: username, uid, groups, extra, ...what });
	if (why !== undefined) throw new Refusal(403, "Forbidden", `User "${username}" cannot ${verb} ${target === undefined ? `path "${path}"` : `resource "${target.resource}" in API group "${group}"`}: ${why}`);
}

async function bodyOf(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const text = Buffer.concat(chunks).toString();
	try {
		return text === "" ? undefined : JSON.parse(text);
	} catch {
		throw new Refusal(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json");
	}
}

async function serve(request, response, target, storage) {
	const { resource, namespace, name, verb, version, query } = target;
	const { kind } = resources[resource];
	const shown = (object) => ({ ...object, apiVersion: `${group}/${version}`, kind });
	const isChosen = chosenBy(query);
	if (verb === "watch") return watch(request, response, target, storage, shown, isChosen);
	const body = verb === "get" || verb === "list" ? undefined : await bodyOf(request);
	const accept = request.headers.accept ?? "";
	if (verb === "list" || verb === "deletecollection") {
		const items = storage.list(resource, namespace).filter(isChosen);
		const metadata = { resourceVersion: String(storage.revision) };
		if (/as=Table/.test(accept) && verb === "list") return send(response, 200, tableOf(items.map(shown), metadata));
		if (verb === "deletecollection") for (const { metadata: one } of items) storage.remove(resource, one.namespace, one.name);
		return send(response, 200, { kind: `${kind}List`, apiVersion: `${group}/${version}`, metadata, items: items.map(shown) });
	}
	if (verb === "get") {
		const object = shown(storage.get(resource, namespace, name));
		return send(response, 200, /as=Table/.test(accept) ? tableOf([object], { resourceVersion: object.metadata.resourceVersion }) : object);
	}
	if (verb === "create") return send(response, 201, shown(storage.create(resource, namespace, body)));
	if (verb === "update") return send(response, 200, shown(storage.update(resource, namespace, name, body)));
	if (verb === "patch") {
		if (!/^application\/(strategic-)?merge-patch\+json/.test(request.headers["content-type"] ?? ""))
			throw new Refusal(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
		return send(response, 200, shown(storage.update(resource, namespace, name, merged(storage.get(resource, namespace, name), body))));
	}
	if (verb === "delete") return send(response, 200, shown(storage.remove(resource, namespace, name)));
	throw new Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

/** RFC 7386 */
function merged(value, patch) {
	if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
	const next = typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
	for (const [key, one] of Object.entries(patch)) {
		if (one === null) delete next[key];
		else next[key] = merged(next[key], one);
	}
	return next;
}

/** Selectors with `=`, `==` and `!=`, of labels and names. */
function chosenBy(query) {
	const requirements = (text) => (text ?? "").split(",").filter(Boolean).map((one) => /^(.*?)(!=|==?)(.*)$/.exec(one) ?? [one, one, "exists", ""]);
	const labels = requirements(query.get("labelSelector"));
	const fields = requirements(query.get("fieldSelector"));
	const holds = (value, [, , sign, wanted]) => (sign === "exists" ? value !== undefined : (value === wanted) === (sign !== "!="));
	return ({ metadata }) => labels.every((one) => holds(metadata.labels?.[one[1]], one)) && fields.every((one) => holds(metadata[one[1].replace("metadata.", "")], one));
}

function tableOf(objects, metadata) {
	const columnDefinitions = [
		{ name: "Name", type: "string", format: "name", description: "Name of the object.", priority: 0 },
		{ name: "Created At", type: "date", format: "", description: "When it was created.", priority: 0 },
	];
	const rows = objects.map((object) => ({
		cells: [object.metadata.name, object.metadata.creationTimestamp],
		object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata },
	}));
	return { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata, columnDefinitions, rows };
}

function watch(request, response, { resource, namespace, query }, storage, shown, isChosen) {
	const isMeant = (event) => event.resource === resource && (namespace === undefined || event.object.metadata.namespace === namespace) && isChosen(event.object);
	const after = Number(query.get("resourceVersion") ?? 0);
	const first = after === 0 ? storage.list(resource, namespace).filter(isChosen).map((object) => ({ type: "ADDED", object })) : storage.since(after).filter(isMeant);
	response.writeHead(200, { "Content-Type": "application/json" });
	response.flushHeaders();
	const tell = ({ type, object }) => response.write(`${JSON.stringify({ type, object: shown(object) })}\n`);
	first.forEach(tell);
	const follow = (event) => isMeant(event) && tell(event);
	storage.changes.on("change", follow);
	const seconds = Number(query.get("timeoutSeconds") ?? 0);
	const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined;
	response.on("close", () => {
		storage.changes.off("change", follow);
		clearTimeout(timer);
	});
}
