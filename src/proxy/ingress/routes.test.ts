import { expect, it } from "vitest";
import type { HTTPIngressPath, Ingress, IngressSpec } from "../../kinds/generated/types.ts";
import { plainPath, Routes } from "./routes.ts";

let age = 0;
const ingress = (spec: IngressSpec, namespace = "shop"): Ingress => ({
	apiVersion: "networking.k8s.io/v1",
	kind: "Ingress",
	metadata: {
		name: `i${age}`,
		namespace,
		uid: "",
		resourceVersion: "1",
		creationTimestamp: `2026-01-01T00:00:${String(age++).padStart(2, "0")}Z`,
	},
	spec,
});
const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
const path = (pathType: string, text: string | undefined, name: string): HTTPIngressPath => ({
	pathType,
	backend: backend(name),
	...(text === undefined ? {} : { path: text }),
});
const rules = (host: string | undefined, ...paths: HTTPIngressPath[]) => ({
	...(host === undefined ? {} : { host }),
	http: { paths },
});

const table: [IngressSpec, [string, string, string | undefined][]][] = [
	// The examples of the documentation.
	[{ rules: [rules(undefined, path("Prefix", "/", "a"))] }, [["any", "/x/y", "a"]]],
	[
		{ rules: [rules(undefined, path("Exact", "/foo", "a"))] },
		[
			["", "/foo", "a"],
			["", "/bar", undefined],
			["", "/foo/", undefined],
		],
	],
	[{ rules: [rules(undefined, path("Exact", "/foo/", "a"))] }, [["", "/foo", undefined]]],
	[
		{ rules: [rules(undefined, path("Prefix", "/foo/", "a"))] },
		[
			["", "/foo", "a"],
			["", "/foo/", "a"],
			["", "/Foo", undefined],
		],
	],
	[{ rules: [rules(undefined, path("Prefix", "/aaa/bb", "a"))] }, [["", "/aaa/bbb", undefined]]],
	[{ rules: [rules(undefined, path("Prefix", "/aaa/bbb", "a"))] }, [["", "/aaa/bbbxyz", undefined]]],
	[{ rules: [rules(undefined, path("Prefix", "/aaa/bbb/", "a"))] }, [["", "/aaa/bbb/ccc", "a"]]],
	[
		{
			rules: [
				rules(
					undefined,
					path("Prefix", "/", "a"),
					path("Prefix", "/aaa", "b"),
					path("Prefix", "/foo", "c"),
					path("Exact", "/foo", "d"),
				),
			],
		},
		[
			["", "/aaa/ccc", "b"],
			["", "/ccc", "a"],
			["", "/foo", "d"],
			["", "/foo/x", "c"],
		],
	],
	[
		{
			rules: [
				rules(undefined, path("ImplementationSpecific", "/a", "a"), path("ImplementationSpecific", undefined, "b")),
			],
		},
		[
			["", "/a/b", "a"],
			["", "/", "b"],
		],
	],
	[
		{
			rules: [
				rules("*.foo.com", path("Prefix", "/", "wild")),
				rules("bar.foo.com", path("Prefix", "/only", "exact")),
				rules(undefined, path("Prefix", "/all", "all")),
			],
		},
		[
			["bar.foo.com", "/only", "exact"],
			["bar.foo.com", "/else", "wild"],
			["baz.foo.com", "/only", "wild"],
			["baz.bar.foo.com", "/", undefined],
			["foo.com", "/", undefined],
			["foo.com", "/all", "all"],
		],
	],
	[
		{ defaultBackend: backend("default"), rules: [rules("foo.com", path("Prefix", "/a", "a"))] },
		[
			["foo.com", "/a", "a"],
			["foo.com", "/b", "default"],
			["bar.com", "/a", "default"],
		],
	],
	[{ defaultBackend: backend("default") }, [["any", "/", "default"]]],
];

it.each(table)("finds the backend of %j", (spec, requests) => {
	const routes = new Routes([ingress(spec)]);
	for (const [host, at, name] of requests)
		expect([host, at, routes.backendOf(host, at)?.service]).toEqual([host, at, name]);
});

it("prefers the older Ingress where two say the same, and its default backend", () => {
	const older = ingress({ defaultBackend: backend("old"), rules: [rules("foo.com", path("Prefix", "/a", "a"))] });
	const newer = ingress(
		{ defaultBackend: backend("new"), rules: [rules("foo.com", path("Prefix", "/a", "b"))] },
		"ops",
	);
	const routes = new Routes([newer, older]);
	expect(routes.backendOf("foo.com", "/a")).toEqual({ namespace: "shop", service: "a", port: 80 });
	expect(routes.backendOf("foo.com", "/")?.service).toBe("old");
	expect(routes.backendOf("bar.com", "/")?.service).toBe("old");
});

it.each([
	["/a/%62/c", "/a/b/c"],
	["/a%2Fb", "/a%2Fb"],
	["/a//b", "/a//b"],
	["/%zz", "/%zz"],
	["/..a/b..", "/..a/b.."],
	["/a/../b", undefined],
	["/a/%2e%2E/b", undefined],
	["/a/..%2fb", undefined],
	["/a/.\\b", undefined],
	["/a/.", undefined],
])("compares %s as %s", (raw, plain) => expect(plainPath(raw)).toBe(plain));
