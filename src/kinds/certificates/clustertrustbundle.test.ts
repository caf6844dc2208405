import { webcrypto } from "node:crypto";
import "reflect-metadata";
import { BasicConstraintsExtension, X509CertificateGenerator } from "@peculiar/x509";
import { beforeAll, expect, test } from "vitest";
import { cells, createFrom } from "../testing.ts";
import { trustBundleProblems, unitedAnchors } from "./trust-anchors.ts";

let authority = "";
let leaf = "";
beforeAll(async () => {
	const make = async (isAuthority: boolean) => {
		const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
		const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
		const extensions = [new BasicConstraintsExtension(isAuthority)];
		const made = await X509CertificateGenerator.createSelfSigned(
			{ serialNumber: "01", name: "CN=test", keys, signingAlgorithm: algorithm, extensions },
			// Its types are those of browsers.
			webcrypto as never,
		);
		return `${made.toString("pem")}\n`;
	};
	[authority, leaf] = await Promise.all([make(true), make(false)]);
});

const bundle = (name: string, signerName?: string, trustBundle = authority) =>
	createFrom({
		apiVersion: "certificates.k8s.io/v1beta1",
		kind: "ClusterTrustBundle",
		metadata: { name },
		spec: { trustBundle, ...(signerName === undefined ? {} : { signerName }) },
	});

test("a bundle is named after its signer, if it has one", () => {
	expect(bundle("roots").problems).toEqual([]);
	const made = bundle("example.com:serving:a", "example.com/serving");
	expect(made.problems).toEqual([]);
	expect(cells(made.object, 0)).toMatchObject({ SignerName: "example.com/serving" });
	expect(cells(bundle("roots").object, 0)).toMatchObject({ SignerName: "<none>" });
	expect(bundle("example.com:serving:a").problems[0]).toContain('without signer name must not have ":" in its name');
	expect(bundle("roots", "example.com/serving").problems[0]).toContain(
		"ClusterTrustBundle for signerName example.com/serving must be named with prefix example.com:serving:",
	);
	expect(bundle("nobody:a", "nobody").problems[0]).toContain("must be a fully qualified domain and path");
});

test("its anchors are certificates of authorities, each once, without headers", () => {
	const problems = (text: string) => trustBundleProblems(text, "spec.trustBundle").map(({ message }) => message);
	expect(problems(`roots of the company\n${authority}`)).toEqual([]);
	expect(problems("nothing")).toEqual([expect.stringContaining("at least one trust anchor must be provided")]);
	expect(problems(leaf)).toEqual([expect.stringContaining("entry 0 does not have the CA bit set")]);
	expect(problems(authority + authority)).toEqual([expect.stringContaining("duplicate trust anchor (indices [0 1])")]);
	const key = authority.replaceAll("CERTIFICATE", "PRIVATE KEY");
	expect(problems(authority + key)).toEqual([expect.stringContaining("entry 1 has bad block type: PRIVATE KEY")]);
	const headed = authority.replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n");
	expect(problems(authority + headed)).toEqual([expect.stringContaining("entry 1 has PEM block headers")]);
	expect(problems("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).toEqual([
		expect.stringContaining("entry 0 does not parse as X.509"),
	]);
	expect(problems("-----BEGIN CERTIFICATE-----\n".repeat(40_000))).toEqual([expect.stringContaining("Too long")]);
	expect(problems("-----BEGIN CERTIFICATE-----\n".repeat(30_000))).toHaveLength(1);
});

test("bundles are united without what they have in common", () => {
	expect(
		unitedAnchors([`# a comment\n${authority}`, authority])
			.trim()
			.split("BEGIN"),
	).toHaveLength(2);
	expect(unitedAnchors([])).toBe("");
});
