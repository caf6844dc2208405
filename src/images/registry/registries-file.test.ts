import { expect, it } from "vitest";
import { fullReference } from "../model/reference.ts";
import { endpointsOf } from "./endpoints.ts";
import { noRegistries, parseRegistries } from "./registries-file.ts";

const bases = (image: string, text = "") => {
	const reference = fullReference(image);
	if (reference === undefined) throw new Error(image);
	return endpointsOf(reference, text === "" ? noRegistries : parseRegistries(text)).map(
		({ base, repository }) => `${base}/${repository}`,
	);
};

it("asks mirrors in order, and the registry itself last", () => {
	const file = `
mirrors:
  docker.io: { endpoint: ["https://one.example:5000", "http://two.example/v2/proxy/"], rewrite: { "^library/(.*)": "docker/$1" } }
  "*": { endpoint: [all.example] }`;
	expect(bases("nginx", file)).toEqual([
		"https://one.example:5000/v2/docker/nginx",
		"http://two.example/v2/proxy/docker/nginx",
		"https://registry-1.docker.io/v2/library/nginx",
	]);
	expect(bases("r.example/app", file)).toEqual(["https://all.example/v2/app", "https://r.example/v2/app"]);
});

it("speaks HTTP only with registries of this machine", () => {
	expect(bases("localhost:5000/app")).toEqual(["https://localhost:5000/v2/app", "http://localhost:5000/v2/app"]);
	expect(bases("127.0.0.1/app")).toHaveLength(2);
	expect(bases("r.example/app")).toEqual(["https://r.example/v2/app"]);
});

it("has settings of hosts, also of mirrors", () => {
	const { hosts } = parseRegistries(`
configs:
  "r.example:5000": { auth: { username: u, password: p }, tls: { ca_file: /ca.pem, insecure_skip_verify: true } }
  other.example: { auth: { auth: ${Buffer.from("a:b").toString("base64")} } }`);
	expect(hosts.get("r.example:5000")).toEqual({
		credential: { username: "u", password: "p" },
		tls: { caFile: "/ca.pem", insecure: true },
	});
	expect(hosts.get("other.example")?.credential).toEqual({ username: "a", password: "b" });
});

it.each([
	["mirrors: []", "mirrors: a map is wanted"],
	["mirror: {}", "mirror is not supported"],
	["configs: { r: { tls: { ca: x } } }", "configs[r].tls.ca is not supported"],
	["mirrors: { r: { endpoint: ['https://'] } }", "mirrors[r].endpoint[0]"],
	["mirrors: { r: { rewrite: { '(': x } } }", "a regular expression is wanted"],
])("refuses %s", (text, message) => {
	expect(() => parseRegistries(text)).toThrow(message);
});
