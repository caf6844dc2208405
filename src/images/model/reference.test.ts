import { expect, it } from "vitest";
import { fullReference, referenceText } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

it.each([
	["nginx", "docker.io/library/nginx:latest"],
	["index.docker.io/nginx:1", "docker.io/library/nginx:1"],
	["team/app", "docker.io/team/app:latest"],
	["localhost/app", "localhost/app:latest"],
	["localhost:5000/app", "localhost:5000/app:latest"],
	["[::1]:5000/app", "[::1]:5000/app:latest"],
	["r.example/a/b/c:v1", "r.example/a/b/c:v1"],
	[`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
	[`nginx:1@${digest}`, `docker.io/library/nginx:1@${digest}`],
])("%s is %s", (image, whole) => {
	const reference = fullReference(image);
	expect(reference && referenceText(reference)).toBe(whole);
});

it.each(["", "Nginx", "a b", "r.example/", "a//b", "../a", `a@sha256:xyz`, `${"a".repeat(300)}`])(
	"%j is no name",
	(image) => {
		expect(fullReference(image)).toBeUndefined();
	},
);
