// Objects in memory, with revisions and watches.
"use strict";
const { randomUUID } = require("node:crypto");
const { EventEmitter } = require("node:events");

class Refusal extends Error {
	constructor(code, reason, message) {
		super(message);
		Object.assign(this, { code, reason });
	}
}
exports.Refusal = Refusal;

const remembered = 1000;

exports.createStorage = function createStorage(group) {
	const objects = new Map();
	const events = [];
	const changes = new EventEmitter().setMaxListeners(0);
	let revision = 1;
	const keyOf = (resource, namespace, name) => `${resource}/${namespace ?? ""}/${name}`;
	const missing = (resource, name) => new Refusal(404, "NotFound", `${resource}.${group} "${name}" not found`);
	const record = (type, resource, object) => {
		object.metadata.resourceVersion = String(++revision);
		const event = { type, resource, object: structuredClone(object), revision };
		events.push(event);
		if (events.length > remembered) events.shift();
		changes.emit("change", event);
		return event.object;
	};
	const find = (resource, namespace, name) => {
		const found = objects.get(keyOf(resource, namespace, name));
		if (found === undefined) throw missing(resource, name);
		return found;
	};
	const drop = (resource, object) => {
		objects.delete(keyOf(resource, object.metadata.namespace, object.metadata.name));
		return record("DELETED", resource, object);
	};
	return {
		get revision() {
			return revision;
		},
		changes,
		/** Changes after a revision. */
		since(after) {
			const [first] = events;
			if (first !== undefined && after + 1 < first.revision) throw new Refusal(410, "Expired", `too old resource version: ${after}`);
			return events.filter((event) => event.revision > after);
		},
		get: (resource, namespace, name) => structuredClone(find(resource, namespace, name)),
		list: (resource, namespace) => [...objects.entries()].filter(([key]) => key.startsWith(namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`)).map(([, object]) => object),
		create(resource, namespace, object) {
			const metadata = { ...object.metadata };
			metadata.name ??= `${metadata.generateName ?? ""}${randomUUID().slice(0, 5)}`;
			const key = keyOf(resource, namespace, metadata.name);
			if (objects.has(key)) throw new Refusal(409, "AlreadyExists", `${resource}.${group} "${metadata.name}" already exists`);
			const made = { ...object, metadata: { ...metadata, ...(namespace && { namespace }), uid: randomUUID(), creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z` } };
			objects.set(key, made);
			return record("ADDED", resource, made);
		},
		update(resource, namespace, name, object) {
			const old = find(resource, namespace, name);
			const wanted = object.metadata?.resourceVersion;
			if (wanted && wanted !== old.metadata.resourceVersion)
				throw new Refusal(409, "Conflict", `Operation cannot be fulfilled on ${resource}.${group} "${name}": the object has been modified; please apply your changes to the latest version and try again`);
			const { uid, creationTimestamp, deletionTimestamp } = old.metadata;
			const metadata = { ...object.metadata, name, ...(namespace && { namespace }), uid, creationTimestamp, ...(deletionTimestamp && { deletionTimestamp }) };
			const next = { ...object, metadata };
			objects.set(keyOf(resource, namespace, name), next);
			const written = record("MODIFIED", resource, next);
			if (deletionTimestamp && !next.metadata.finalizers?.length) drop(resource, next);
			return written;
		},
		remove(resource, namespace, name) {
			const object = find(resource, namespace, name);
			if (!object.metadata.finalizers?.length) return drop(resource, object);
			object.metadata.deletionTimestamp ??= `${new Date().toISOString().slice(0, 19)}Z`;
			return record("MODIFIED", resource, object);
		},
	};
};
