import { expect, test } from "vitest";
import { withoutSecrets } from "./without-secrets.ts";

const key = "kJ8fLq2Z7uW4xN1vB6tR9yP3sD5gH0aMcEiOwUzXbQk=";
const pem = `-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBq/${key}\nAAAA/BBBB\n-----END EC PRIVATE KEY-----`;
const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-bmF0_dXJl";

test.each([
	["a private key", `before\n${pem}\nafter`, "MHcCAQEE"],
	["the end of a private key that was cut off", `AAAA/BBBB\n-----END EC PRIVATE KEY-----\nafter`, "AAAA/BBBB"],
	["the beginning of a private key", `before\n-----BEGIN PRIVATE KEY-----\nAAAA/BBBB`, "AAAA/BBBB"],
	["a token", `sent ${jwt}.`, "c2ln"],
	["an Authorization header", `"authorization": "Bearer abc.def-1"`, "abc.def"],
	["a password", `DB_PASSWORD=hunter2 started`, "hunter2"],
	["a password in JSON", `{"password":"hunter2"}`, "hunter2"],
	["a password in a URL", `proxy http://me:hunter2@proxy:3128 is used`, "hunter2"],
	["a login link", `GET /dashboard/login?login=a1b2c3&x=1`, "a1b2c3"],
	["a key in base64", `read ${key}`, "kJ8fLq2Z"],
	["a known secret", "the word s3cretword somewhere", "s3cretword"],
])("%s is taken out", (_, text, secret) => {
	const left = withoutSecrets(text, ["s3cretword"]);
	expect(left).not.toContain(secret);
	expect(left).toContain("[removed]");
});

test("what helps to find a fault stays, and the home directory does not name its user", () => {
	const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
	const text = `pod web-7d9f8b7c9d-abcde of uid 0b1c2d3e-1111-2222-3333-444455556666 runs ${digest} in /home/me/x`;
	expect(withoutSecrets(text, [], "/home/me")).toBe(text.replace("/home/me", "~"));
});
