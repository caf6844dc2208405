import { expect, it } from "vitest";
import { fullReference } from "../model/reference.ts";
import { dockerConfigOfSecret, matchingCredentials, parseDockerConfig } from "./docker-config.ts";

const auth = (user: string) => ({ auth: Buffer.from(`${user}:secret:with:colons`).toString("base64") });

function usersFor(image: string, ...registries: string[]): string[] {
	const auths = Object.fromEntries(registries.map((username) => [username, { username, password: "p" }]));
	const reference = fullReference(image);
	if (reference === undefined) throw new Error(image);
	return matchingCredentials(parseDockerConfig(JSON.stringify({ auths })).auths, reference).map(
		({ username }) => username,
	);
}

it("gives the credentials of an image's registry and path, the longest first", () => {
	expect(usersFor("r.example/team/app", "r.example", "r.example/team", "r.example/other")).toEqual([
		"r.example/team",
		"r.example",
	]);
	expect(usersFor("r.example:5000/app", "r.example", "r.example:5000")).toEqual(["r.example:5000"]);
	expect(usersFor("r.example/app", "https://r.example/v2/")).toHaveLength(1);
});

it("knows the names of Docker's own registry", () => {
	for (const name of ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
		expect(usersFor("nginx", name), name).toEqual([name]);
	expect(usersFor("nginx", "r.example")).toEqual([]);
});

it("takes a wildcard for one part of a host's name", () => {
	expect(usersFor("a.example.com/x", "*.example.com")).toHaveLength(1);
	expect(usersFor("abc.example.com/x", "a*.example.com")).toHaveLength(1);
	expect(usersFor("a.b.example.com/x", "*.example.com")).toEqual([]);
	expect(usersFor("a.example.com/x", "*.example.com:5000")).toEqual([]);
});

it("places any number of wildcards, in time in proportion to the pattern", () => {
	expect(usersFor("abcba.example/x", "a*b*a.example")).toHaveLength(1);
	expect(usersFor("aba.example/x", "ab*ba.example")).toEqual([]);
	expect(usersFor("ABC.example/x", "*b*.example")).toHaveLength(1);
	expect(usersFor(`${"a".repeat(200)}.example/x`, `${"*a".repeat(100)}*b.example`)).toEqual([]);
});

it("reads both kinds of Secrets, user names with passwords, and identity tokens", () => {
	const data = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
	const json = dockerConfigOfSecret({
		".dockerconfigjson": data({ auths: { "r.example": { username: "u", password: "p" } } }),
	});
	expect(json?.auths.get("r.example")).toEqual({ username: "u", password: "p" });
	const bare = dockerConfigOfSecret({ ".dockercfg": data({ "r.example": auth("u") }) });
	expect(bare?.auths.get("r.example")).toEqual({ username: "u", password: "secret:with:colons" });
	expect(dockerConfigOfSecret({ password: "x" })).toBeUndefined();
	const token = parseDockerConfig(JSON.stringify({ auths: { r: { identitytoken: "t" } } }));
	expect(token.auths.get("r")).toMatchObject({ identityToken: "t" });
});

it("says what is wrong without what is secret", () => {
	expect(() => parseDockerConfig('{"auths": {"r": {"auth": "c2VjcmV0')).toThrow(/^it is not JSON$/);
	expect(() => parseDockerConfig('{"auths": {"r": "secret"}}')).toThrow('auths["r"] is not a map');
});
