import { expect, test } from "vitest";
import { parse } from "yaml";
import { podSecurityConfiguration } from "./configuration-file.ts";

/**
 * As the Kubernetes documentation has it ("Enforce Pod Security Standards by Configuring the Built-in Admission
 * Controller").
 */
const file = (rest: string) => `
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
${rest}`;

test("the file says what holds for namespaces without labels, and for whom nothing does", () => {
	const text = file(`
      defaults: { enforce: baseline, enforce-version: v1.29, audit: restricted, warn: restricted, warn-version: latest }
      exemptions: { usernames: [installer], runtimeClasses: [vm], namespaces: [kube-system] }
`);
	expect(podSecurityConfiguration(parse(text))).toEqual({
		defaults: {
			enforce: { level: "baseline", version: 29 },
			audit: { level: "restricted", version: "latest" },
			warn: { level: "restricted", version: "latest" },
		},
		exemptions: { usernames: ["installer"], runtimeClasses: ["vm"], namespaces: ["kube-system"] },
	});
});

test("everything that is wrong with it is named", () => {
	const text = file(`
      defaults: { enforce: strict, audit-version: "1.2", enfroce: x }
      exemptions: { usernames: [""], namespaces: [a_b, c, c] }
  - { name: ImagePolicyWebhook, path: x.yaml }
`);
	expect(() => podSecurityConfiguration(parse(text))).toThrow(
		/enfroce: unknown field.*defaults\.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted.*audit-version: Invalid value: "1.2".*usernames\[0\].*namespaces\[0\].*namespaces\[2\]: Duplicate value.*plugins\[1\]\.name: Unsupported value: "ImagePolicyWebhook": supported values: "PodSecurity"/s,
	);
	expect(() => podSecurityConfiguration(parse("kind: Policy"))).toThrow("apiVersion: Unsupported value");
});
