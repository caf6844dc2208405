import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readEncryptionFile } from "../encryption/at-rest.ts";
import { readAuditPolicyFile, readAuthenticationFile } from "../settings/api-settings.ts";
import { readKubeletFile } from "../settings/kubelet-file.ts";

const folder = mkdtempSync(join(tmpdir(), "cox-option-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
	const path = join(folder, name);
	writeFileSync(path, text);
	return path;
}

test.each([
	["--audit-policy", readAuditPolicyFile],
	["--oidc", readAuthenticationFile],
	["--kubelet-config", readKubeletFile],
	["--encryption-provider-config", readEncryptionFile],
])("%s names itself, the file and what is wrong with it", (option, read) => {
	const refused = (path: string, reason: string) => expect(() => read(path)).toThrow(`${option} ${path}: ${reason}`);
	refused(join(folder, "none"), "there is no such file");
	refused(folder, "it is not a file");
	refused(file("long", "#".repeat(65 * 1024)), "it has more than 65536 bytes");
});

test("what is no YAML is refused in one line", () => {
	const path = file("broken", "a: b\n`c`: d\n");
	expect(() => readKubeletFile(path)).toThrow(/: it is not YAML: .* at line 2, column 1$/);
});
