/**
 * Commands in containers: no program that the container can change runs before them, and they have the container's
 * restrictions.
 */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../contract/contract.ts";
import { type ProcessFixture, processFixture } from "../testing.ts";

const never = new AbortController().signal;
const status = ["cat", "/proc/self/status"];

describe.skipIf(process.getuid?.() !== 0)("exec by the launcher (as root)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	const run = async (id: string, command: string[], tty = false) =>
		collect(await fixture.runtime.exec(id, { command, tty, stdin: false, signal: never }));
	const started = async (script: string) => {
		const container = await fixture.start({ command: ["sh", "-c", `${script}; echo ready; exec sleep 1000`] });
		await fixture.until("it is ready", () => fixture.log("main").includes("ready"));
		return container.id;
	};

	it("runs nothing of the container's but the command, whatever stands in the place of sh, env and setpriv", async () => {
		const fake = "#!/bin/bash\\necho replaced; exec /bin/cat /proc/self/status\\n";
		const places = "/usr/bin/setpriv /usr/bin/env /usr/bin/nsenter /usr/bin/script /usr/bin/unshare";
		const id = await started(
			`printf '${fake}' >/tmp/fake; chmod 755 /tmp/fake; for f in ${places}; do cp /tmp/fake $f; done; cp --remove-destination /tmp/fake /usr/bin/dash`,
		);
		for (const tty of [false, true]) {
			const { stdout } = await run(id, status, tty);
			expect(stdout).not.toContain("replaced");
			expect(stdout).toMatch(/^CapEff:\t00000000a80425fb\r?$/m);
			expect(stdout).toMatch(/^CapBnd:\t00000000a80425fb\r?$/m);
			expect(stdout).toMatch(/^CapInh:\t0000000000000000\r?$/m);
		}
	});

	it("loads a library of the container's only into the command, which has the container's capabilities", async () => {
		const id = await started("echo /lib/no-such-library.so >/etc/ld.so.preload");
		const { stdout, stderr, exitCode } = await run(id, status);
		// The loader of `cat` reports this once; no program ran before it.
		expect(stderr.match(/no-such-library/g)).toHaveLength(1);
		expect(stdout).toContain("CapEff:\t00000000a80425fb");
		expect(exitCode).toBe(0);
	});

	it("works in a container without a shell", async () => {
		const id = await started("rm /usr/bin/dash /usr/bin/env /usr/bin/setpriv /usr/bin/bash");
		expect((await run(id, ["cat", "/proc/1/comm"])).stdout).toBe("sleep\n");
	});

	it("gives a command descriptors 0 to 2, default signals and a usual umask, and no others", async () => {
		const id = await started("true");
		const { stdout } = await run(id, ["sh", "-c", "ls /proc/self/fd; umask; nice"]);
		// `ls` uses the fourth one to read the directory.
		expect(stdout).toBe("0\n1\n2\n3\n0022\n0\n");
		expect((await run(id, ["grep", "SigIgn", "/proc/self/status"])).stdout).toBe("SigIgn:\t0000000000000000\n");
	});

	it("cannot be overwritten from inside by a command that is the launcher itself", async () => {
		const id = await started("printf '#!/proc/self/exe\\n' >/tmp/self; chmod 755 /tmp/self");
		const before = readFileSync(new URL(`../../../../assets/launcher/launcher-${process.arch}`, import.meta.url));
		const { stderr } = await run(id, ["/tmp/self"]);
		expect(stderr).toContain("the plan is cut off /tmp/self");
		const write = await run(id, ["sh", "-c", "for p in /proc/[0-9]*/exe; do echo x >>$p; done"]);
		expect(write.stdout).toBe("");
		const after = readFileSync(new URL(`../../../../assets/launcher/launcher-${process.arch}`, import.meta.url));
		expect(after.equals(before)).toBe(true);
	});

	it.each([
		[["no-such-program"], 127, 'exec: "no-such-program": executable file not found in $PATH'],
		[["/no/such/file"], 127, 'exec: "/no/such/file": stat /no/such/file: no such file or directory'],
		[["/etc"], 126, 'exec: "/etc": is a directory'],
		[["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied'],
	])("says why %j cannot be run", async (command, code, words) => {
		const id = await started("true");
		const { stderr, exitCode } = await run(id, command);
		expect(stderr).toBe(`OCI runtime exec failed: exec failed: unable to start container process: ${words}\n`);
		expect(exitCode).toBe(code);
	});
});
