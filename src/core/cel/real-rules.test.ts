import { expect, test } from "vitest";
import { dynType, Environment, intType, listType, mapType, objectType, stringType, type Type } from "./cel.ts";

/** Expressions as definitions and policies have them, over objects without a schema and with one. */

const self = {
	spec: {
		replicas: 3,
		minReplicas: 1,
		maxReplicas: 5,
		name: "web-1",
		ports: [
			{ name: "http", port: 80, protocol: "TCP" },
			{ name: "dns", port: 53, protocol: "UDP" },
		],
		tags: ["a", "b", "c"],
		labels: { app: "web", tier: "front" },
		weight: 1.5,
		nothing: null,
		host: "Foo.Example.com",
		created: "2024-01-15T14:30:45Z",
		url: "https://example.com:80/path?k=a",
		timeout: "1h30m",
	},
	status: { availableReplicas: 2 },
};
const variables = {
	self,
	oldSelf: { spec: { ...self.spec, name: "web-0" } },
	object: {
		metadata: { name: "web", namespace: "default", labels: { app: "web" } },
		spec: {
			template: {
				spec: {
					containers: [
						{ name: "c", image: "example.com/app:1.0" },
						{ name: "d", image: "docker.io/x" },
					],
				},
			},
		},
	},
	oldObject: null,
	request: {
		operation: "CREATE",
		userInfo: { username: "system:serviceaccount:x:y", groups: ["system:masters", "dev"] },
	},
	params: { maxReplicas: 5 },
};

const untyped = new Environment({
	variables: Object.fromEntries(Object.keys(variables).map((name) => [name, dynType])),
});

test.each([
	"self.spec.minReplicas <= self.spec.replicas && self.spec.replicas <= self.spec.maxReplicas",
	"has(self.spec.labels) && !has(self.spec.nope) && has(self.spec.nothing)",
	"self.spec.ports.all(p, p.port > 0 && p.port < 65536)",
	"self.spec.ports.all(p1, self.spec.ports.exists_one(p2, p1.name == p2.name && p1.port == p2.port))",
	"self.spec.ports.filter(p, p.port < 60).map(p, p.name).join(',') == 'dns'",
	"!object.spec.template.spec.containers.all(c, c.image.startsWith('example.com/'))",
	"object.spec.template.spec.containers.exists(c, c.image.matches('^docker\\\\.io/.+$'))",
	"request.userInfo.groups.exists(g, g == 'system:masters') && request.operation in ['CREATE', 'UPDATE']",
	"request.userInfo.username.startsWith('system:serviceaccount:') && request.userInfo.username.split(':')[2] == 'x'",
	"oldObject == null || oldObject.spec.replicas > 0",
	"self.spec.replicas <= params.maxReplicas",
	"self.spec.name == 'web-1' && oldSelf.spec.name != self.spec.name",
	"'app' in object.metadata.labels && object.metadata.labels['app'] == 'web'",
	"!has(object.metadata.annotations) || object.metadata.annotations.all(k, k.size() < 64)",
	"object.metadata.?annotations['a/b'].orValue('') == ''",
	"self.spec.labels.transformList(k, v, k + '=' + v).sort() == ['app=web', 'tier=front']",
	"self.spec.tags.all(t, self.spec.tags.exists_one(u, u == t))",
	"size(self.spec.tags) <= 16 && self.spec.tags[0] == 'a' && self.spec.tags.size() == 3",
	"self.spec.host.lowerAscii().endsWith('.example.com')",
	"timestamp(self.spec.created) < timestamp('2025-01-01T00:00:00Z') && duration(self.spec.timeout) <= duration('2h')",
	"timestamp(self.spec.created) + duration('1h30m') > timestamp('2024-01-15T16:00:00Z')",
	"timestamp('2024-01-15T23:30:00Z').getDate('+02:00') == 16 && timestamp('2024-07-01T00:00:00Z').getHours('Europe/Berlin') == 2",
	"isURL(self.spec.url) && url(self.spec.url).getHostname() == 'example.com'",
	"self.spec.weight * 2.0 == 3.0 && self.spec.weight > 1",
	"self.status.availableReplicas < self.spec.replicas ? self.spec.name != '' : false",
	"(has(self.spec.a) ? 1 : 0) + (has(self.spec.name) ? 1 : 0) == 1",
	"'%s has %d of %d replicas'.format([self.spec.name, self.status.availableReplicas, self.spec.replicas]) == 'web-1 has 2 of 3 replicas'",
	"!(self.spec.replicas in [1, 2]) // a comment\n&& true",
])("%s", (expression) => {
	const compiled = untyped.compile(expression);
	if ("refusal" in compiled) throw new Error(compiled.refusal.text);
	expect(compiled.program.evaluate(variables)).toMatchObject({ value: true });
});

function fields(types: Readonly<Record<string, Type>>): Type {
	return objectType("object", {
		field: (key) => {
			const type = Object.hasOwn(types, key) ? types[key] : undefined;
			return type && { key, type };
		},
	});
}

/** As the Gateway API declares routes. */
const parent = fields({ name: stringType, namespace: stringType, sectionName: stringType, port: intType });
const route = fields({
	parentRefs: listType(parent),
	rules: listType(
		fields({
			matches: listType(fields({ path: fields({ type: stringType, value: stringType }) })),
			filters: listType(fields({ type: stringType, requestRedirect: fields({ path: fields({ type: stringType }) }) })),
			backendRefs: listType(fields({ name: stringType, weight: intType })),
			timeouts: fields({ request: stringType, backendRequest: stringType }),
		}),
	),
	options: mapType(stringType, stringType),
});
const routes = new Environment({ variables: { self: route, oldSelf: route } });

const routeObject = {
	parentRefs: [
		{ name: "a", sectionName: "x" },
		{ name: "a", sectionName: "y" },
	],
	rules: [
		{
			matches: [{ path: { type: "PathPrefix", value: "/" } }],
			filters: [{ type: "RequestRedirect", requestRedirect: { path: { type: "ReplacePrefixMatch" } } }],
			timeouts: { request: "10s", backendRequest: "5s" },
		},
	],
	options: { "example.com/a": "b" },
};

test.each([
	"self.parentRefs.all(p1, self.parentRefs.exists_one(p2, p1.name == p2.name && (((!has(p1.sectionName) || " +
		"p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && " +
		"has(p2.sectionName) && p1.sectionName == p2.sectionName))))",
	"self.rules.all(r, !(has(r.timeouts.request) && has(r.timeouts.backendRequest)) || " +
		"duration(r.timeouts.request) == duration('0s') || duration(r.timeouts.backendRequest) <= duration(r.timeouts.request))",
	"self.rules.all(r, r.filters.exists_one(f, has(f.requestRedirect) && has(f.requestRedirect.path) && " +
		"f.requestRedirect.path.type == 'ReplacePrefixMatch') ? (size(r.matches) == 1 && has(r.matches[0].path) && " +
		"r.matches[0].path.type == 'PathPrefix') : true)",
	"self.rules.all(r, !has(r.backendRefs) || size(r.backendRefs) == 0 || r.backendRefs.map(b, b.weight).sum() > 0)",
	"self.rules.all(r, r.matches.all(m, m.path.value.startsWith('/') && !m.path.value.contains('//') && " +
		'm.path.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&\'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""")))',
	"self == oldSelf || self.options != oldSelf.options",
	"self.options.all(k, k.split('/').size() == 2)",
])("of a route: %s", (expression) => {
	const compiled = routes.compile(expression);
	if ("refusal" in compiled) throw new Error(compiled.refusal.text);
	expect(compiled.program.evaluate({ self: routeObject, oldSelf: routeObject })).toMatchObject({ value: true });
});
