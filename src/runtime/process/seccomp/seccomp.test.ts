import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer, type Comparison, encode, type Operator, whenAll } from "./bpf.ts";
import { compileProfile, numbersOf } from "./compile.ts";
import { defaultProfile } from "./default-profile.ts";
import { createSeccompFilters } from "./filters.ts";
import { actions } from "./profile.ts";
import { parseProfile } from "./profile-file.ts";
import { runFilter } from "./testing.ts";

const audits = { x86_64: 0xc000003e, x32: 0xc000003e, x86: 0x40000003, aarch64: 0xc00000b7, arm: 0x40000028 };
type Table = keyof typeof audits;

const EPERM = actions.error(1);
const ENOSYS = actions.error(38);
const allowed = actions.allow;

/** What container engines grant by default. */
const usual = new Set(
	"AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
		.split(" ")
		.map((name) => `CAP_${name}`),
);
const conditions = { capabilities: usual, architecture: "amd64", kernel: "6.1" };

function verdict(program: Buffer, table: Table, name: string, ...args: readonly (number | bigint)[]): number {
	const number = numbersOf(table).get(name);
	if (number === undefined) throw new Error(`${table} has no ${name}`);
	const base = table === "x32" ? 0x40000000 : 0;
	return runFilter(program, { audit: audits[table], number: base + number, arguments: args.map(BigInt) });
}

describe("the default seccomp profile", () => {
	const x64 = compileProfile(defaultProfile(conditions), "x64");
	const arm64 = compileProfile(defaultProfile({ ...conditions, architecture: "arm64" }), "arm64");
	const newUser = 0x10000000;
	const cases: [name: string, args: (number | bigint)[], wanted: number][] = [
		["read", [], allowed],
		["openat2", [], allowed],
		["ptrace", [], allowed],
		["chroot", [], allowed],
		["keyctl", [], EPERM],
		["add_key", [], EPERM],
		["bpf", [], EPERM],
		["mount", [], EPERM],
		["umount2", [], EPERM],
		["move_mount", [], EPERM],
		["pivot_root", [], EPERM],
		["unshare", [newUser], EPERM],
		["setns", [], EPERM],
		["kexec_load", [], EPERM],
		["init_module", [], EPERM],
		["finit_module", [], EPERM],
		["perf_event_open", [], EPERM],
		["userfaultfd", [], EPERM],
		["io_uring_setup", [], EPERM],
		["open_by_handle_at", [], EPERM],
		["reboot", [], EPERM],
		["swapon", [], EPERM],
		["settimeofday", [], EPERM],
		["syslog", [], EPERM],
		["sethostname", [], EPERM],
		["quotactl", [], EPERM],
		["acct", [], EPERM],
		["mbind", [], EPERM],
		["clone3", [], ENOSYS],
		["open_tree_attr", [], ENOSYS],
		["clone", [0x01200011], allowed],
		["clone", [newUser | 17], EPERM],
		["clone", [0x00020000], EPERM],
		["clone", [0x02000000], EPERM],
		// The kernel uses only the lower half, and no namespace is requested.
		["clone", [0x7_0000_0011n], allowed],
		["personality", [0], allowed],
		["personality", [0xffffffff], allowed],
		["personality", [0x0400000], EPERM],
		["socket", [1], allowed],
		["socket", [16], allowed],
		["socket", [12], EPERM],
		["socket", [38], EPERM],
		["socket", [40], EPERM],
		["socket", [0x1_0000_0028n], EPERM],
	];

	for (const [program, table] of [
		[x64, "x86_64"],
		[x64, "x32"],
		[x64, "x86"],
		[arm64, "aarch64"],
		[arm64, "arm"],
	] as const) {
		it(`answers calls of ${table} as engines do`, () => {
			const known = cases.filter(([name]) => numbersOf(table).has(name));
			expect(known.length).toBeGreaterThan(cases.length - 5);
			// The calls that only x32 and ARM have come after all others, so none is newer than the profile there.
			const hasOwn = table === "x32" || table === "arm";
			const wrong = known.filter(
				([name, args, wanted]) =>
					verdict(program, table, name, ...args) !== (hasOwn && name === "open_tree_attr" ? EPERM : wanted),
			);
			expect(wrong).toEqual([]);
		});
	}

	it("allows nothing that its table does not name, on any number up to the last known one", () => {
		const profile = defaultProfile(conditions);
		const named = new Set(profile.rules.filter(({ action }) => action === allowed).flatMap(({ names }) => names));
		for (const table of ["x86_64", "x32", "x86"] as const) {
			const numbers = numbersOf(table);
			const open = [...numbers].filter(([name]) => verdict(x64, table, name) === allowed).map(([name]) => name);
			expect(open.filter((name) => !named.has(name))).toEqual([]);
			const taken = new Set(numbers.values());
			const base = table === "x32" ? 0x40000000 : 0;
			for (let number = 0; number < 1200; number++)
				if (!taken.has(number))
					expect(runFilter(x64, { audit: audits[table], number: base + number })).not.toBe(allowed);
		}
	});

	it("says of calls that are newer than itself that the kernel lacks them", () => {
		expect(runFilter(x64, { audit: audits.x86_64, number: 600 })).toBe(ENOSYS);
		expect(runFilter(x64, { audit: audits.x86_64, number: 0xffffffff })).toBe(ENOSYS);
		expect(runFilter(x64, { audit: audits.x86_64, number: 450 })).toBe(EPERM);
	});

	it("kills programs of an architecture it does not know", () => {
		expect(runFilter(x64, { audit: audits.aarch64, number: 0 })).toBe(actions.killProcess);
		expect(runFilter(arm64, { audit: audits.x86_64, number: 0 })).toBe(actions.killProcess);
	});

	it("goes with the container's capabilities", () => {
		const program = (...names: string[]) =>
			compileProfile(defaultProfile({ ...conditions, capabilities: new Set(names) }), "x64");
		const granted: [capability: string, calls: string[]][] = [
			["CAP_SYS_ADMIN", ["mount", "unshare", "setns", "bpf", "clone3", "syslog", "perf_event_open"]],
			["CAP_SYS_MODULE", ["init_module", "finit_module", "delete_module"]],
			["CAP_SYS_TIME", ["settimeofday", "clock_settime"]],
			["CAP_SYS_BOOT", ["reboot"]],
			["CAP_SYS_NICE", ["mbind", "set_mempolicy"]],
			["CAP_BPF", ["bpf"]],
			["CAP_DAC_READ_SEARCH", ["open_by_handle_at"]],
			["CAP_SYS_PTRACE", ["kcmp", "pidfd_getfd"]],
			["CAP_SYSLOG", ["syslog"]],
			["CAP_SYS_CHROOT", ["chroot"]],
		];
		for (const [capability, calls] of granted) {
			for (const call of calls) {
				expect(verdict(program(capability), "x86_64", call), `${call} with ${capability}`).toBe(allowed);
				expect(verdict(program(), "x86_64", call), `${call} without`).not.toBe(allowed);
			}
		}
		expect(verdict(program("CAP_SYS_ADMIN"), "x86_64", "clone", newUser)).toBe(allowed);
	});
});

describe("comparisons of 64-bit arguments", () => {
	const edges = [0n, 1n, 0xffffffffn, 0x100000000n, 0x100000001n, 0x1ffffffffn, 0x200000000n, 0xffffffffffffffffn];
	const holds: Record<Operator, (argument: bigint, value: bigint) => boolean> = {
		EQ: (argument, value) => argument === value,
		NE: (argument, value) => argument !== value,
		LT: (argument, value) => argument < value,
		LE: (argument, value) => argument <= value,
		GT: (argument, value) => argument > value,
		GE: (argument, value) => argument >= value,
		MASKED_EQ: (argument, value) => (argument & value) === (0x1_0000_0001n & value),
	};
	for (const operator of Object.keys(holds) as Operator[]) {
		it(`${operator} looks at both halves`, () => {
			for (const value of edges) {
				const comparison: Comparison = { index: 3, operator, value, masked: 0x1_0000_0001n & value };
				const program = encode([...whenAll([comparison], actions.allow), answer(EPERM)]);
				for (const argument of edges) {
					const given = runFilter(program, { audit: 0, number: 0, arguments: [0n, 0n, 0n, argument] });
					expect(given === allowed, `${argument} ${operator} ${value}`).toBe(holds[operator](argument, value));
				}
			}
		});
	}
});

describe("profiles of one's own", () => {
	const parse = (document: object, changes = {}) =>
		compileProfile(parseProfile(JSON.stringify(document), { ...conditions, ...changes }), "x64");

	it("are read in the OCI form", () => {
		const program = parse({
			defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [
				{ names: ["mkdir", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 13 },
				{
					names: ["socket"],
					action: "SCMP_ACT_KILL_PROCESS",
					args: [
						{ index: 0, value: 2, op: "SCMP_CMP_EQ" },
						{ index: 1, value: 15, valueTwo: 3, op: "SCMP_CMP_MASKED_EQ" },
					],
				},
				{
					names: ["kill"],
					action: "SCMP_ACT_ERRNO",
					args: [
						{ index: 1, value: 9, op: "SCMP_CMP_EQ" },
						{ index: 1, value: 15, op: "SCMP_CMP_EQ" },
					],
				},
			],
		});
		expect(verdict(program, "x86_64", "mkdir")).toBe(actions.error(13));
		expect(verdict(program, "x86_64", "read")).toBe(allowed);
		expect(verdict(program, "x86_64", "socket", 2, 0x80003)).toBe(actions.killProcess);
		expect(verdict(program, "x86_64", "socket", 2, 1)).toBe(allowed);
		expect(verdict(program, "x86_64", "socket", 1, 3)).toBe(allowed);
		expect(verdict(program, "x86_64", "kill", 1, 9)).toBe(EPERM);
		expect(verdict(program, "x86_64", "kill", 1, 15)).toBe(EPERM);
		expect(verdict(program, "x86_64", "kill", 1, 1)).toBe(allowed);
		// Calls that are allowed by default stay allowed if they are new, and calls of unnamed architectures are killed.
		expect(runFilter(program, { audit: audits.x86_64, number: 600 })).toBe(allowed);
		expect(verdict(program, "x86", "read")).toBe(actions.killProcess);
		expect(verdict(program, "x32", "read")).toBe(actions.killProcess);
	});

	it("are read in Docker's form, with its conditions", () => {
		const document = {
			defaultAction: "SCMP_ACT_ERRNO",
			archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
			syscalls: [
				{ names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
				{ names: ["umount2"], action: "SCMP_ACT_ALLOW", excludes: { caps: ["CAP_SYS_ADMIN"] } },
				{ names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.2" } },
				{ names: ["read"], action: "SCMP_ACT_ALLOW", includes: { arches: ["amd64"] } },
				{ names: ["write"], action: "SCMP_ACT_ALLOW", includes: { arches: ["arm64"] } },
				{ names: ["cachestat"], action: "SCMP_ACT_ALLOW" },
			],
		};
		const verdicts = (changes: object) =>
			["mount", "umount2", "ptrace", "read", "write"].map((name) => verdict(parse(document, changes), "x86_64", name));
		expect(verdicts({})).toEqual([EPERM, allowed, EPERM, allowed, EPERM]);
		const capabilities = new Set(["CAP_SYS_ADMIN"]);
		expect(verdicts({ capabilities, kernel: "6.12.1" })).toEqual([allowed, EPERM, allowed, allowed, EPERM]);
		expect(verdict(parse(document), "x86", "read")).toBe(allowed);
	});

	it("are refused with the field that cannot be honoured", () => {
		expect(() => parse({})).toThrow("defaultAction undefined is not supported");
		expect(() => parse({ defaultAction: "SCMP_ACT_NOTIFY" })).toThrow('defaultAction "SCMP_ACT_NOTIFY"');
		const rule = { names: ["read"], action: "SCMP_ACT_ERRNO" };
		const args = (argument: object) =>
			parse({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ ...rule, args: [argument] }] });
		expect(() => args({ index: 6, value: 0, op: "SCMP_CMP_EQ" })).toThrow("index 6 is not one of an argument");
		expect(() => args({ index: 0, value: 2 ** 60, op: "SCMP_CMP_EQ" })).toThrow("value 1152921504606847000");
		expect(() => args({ index: 0, value: 0, op: "SCMP_CMP_LIKE" })).toThrow('op "SCMP_CMP_LIKE" is not supported');
	});
});

describe("the filters of a node", () => {
	let directory: string;
	beforeAll(() => {
		directory = mkdtempSync(`${tmpdir()}/cox-seccomp-`);
		mkdirSync(`${directory}/profiles`);
		writeFileSync(`${directory}/profiles/audit.json`, JSON.stringify({ defaultAction: "SCMP_ACT_LOG" }));
		writeFileSync(`${directory}/profiles/broken.json`, "{");
		writeFileSync(`${directory}/outside.json`, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW" }));
	});
	afterAll(() => rmSync(directory, { recursive: true, force: true }));

	it("are none without a profile, the default one by name, and files by theirs", () => {
		const filters = createSeccompFilters(`${directory}/profiles`, "x64");
		expect(filters.program(undefined, usual)).toBeUndefined();
		expect(filters.program("Unconfined", usual)).toBeUndefined();
		const program = filters.program("RuntimeDefault", usual);
		expect(program && verdict(program, "x86_64", "keyctl")).toBe(EPERM);
		expect(filters.program("RuntimeDefault", new Set(usual))).toBe(program);
		const local = filters.program("Localhost/audit.json", usual);
		expect(local && verdict(local, "x86_64", "keyctl")).toBe(actions.log);
	});

	it("are refused when the file is missing, broken or elsewhere", () => {
		const filters = createSeccompFilters(`${directory}/profiles`, "x64");
		const refused = (name: string) => () => filters.program(`Localhost/${name}`, usual);
		expect(refused("none.json")).toThrow(/cannot load seccomp profile ".*none.json": ENOENT/);
		expect(refused("broken.json")).toThrow(/cannot load seccomp profile ".*broken.json"/);
		for (const name of ["../outside.json", "", "/etc/passwd", "x/../../outside.json"])
			expect(refused(name), name).toThrow("names no file below the node's directory of profiles");
		expect(() => createSeccompFilters(directory, "riscv64").program("Localhost/outside.json", usual)).toThrow(
			"riscv64",
		);
		expect(createSeccompFilters(directory, "riscv64").program("RuntimeDefault", usual)).toBeUndefined();
	});
});

/** Loads a filter and makes calls with it: `NAME RESULT`, each in a process of its own. */
const loader = `
my ($file, %calls) = @ARGV;
open my $in, '<:raw', $file or die; local $/; my $program = <$in>;
my $header = pack 'S x6 P', length($program) / 8, $program;
syscall(157, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall(317, 1, 0, $header) == 0 or die "seccomp: $!";
for my $name (sort keys %calls) {
	my ($number, @args) = map { $_ + 0 } split /,/, $calls{$name};
	my $result = syscall($number, @args);
	printf "%s %d\\n", $name, $result == -1 ? $!+0 : 0;
}
`;
const canLoad = process.arch === "x64" && existsSync("/usr/bin/perl");

describe.skipIf(!canLoad)("the default profile in the running kernel", () => {
	it("is loaded, refuses what it should and lets programs run", () => {
		const directory = mkdtempSync(`${tmpdir()}/cox-seccomp-`);
		try {
			const file = `${directory}/filter`;
			writeFileSync(file, compileProfile(defaultProfile(conditions), "x64"));
			const call = (name: string, ...args: number[]) => [numbersOf("x86_64").get(name) ?? -1, ...args].join(",");
			const calls = {
				keyctl: call("keyctl", 0, 0, 0, 0, 0),
				bpf: call("bpf", 0, 0, 0),
				mount: call("mount", 0, 0, 0, 0, 0),
				unshare: call("unshare", 0x10000000),
				clone3: call("clone3", 0, 0),
				// PTRACE_DETACH without a tracee: the call is executed.
				ptrace: call("ptrace", 17, 0, 0, 0),
				vsock: call("socket", 40, 1, 0),
				unix: call("socket", 1, 1, 0),
				new: call("open_tree_attr", 0, 0, 0, 0, 0),
				getpid: call("getpid"),
			};
			const said = execFileSync("perl", ["-e", loader, file, ...Object.entries(calls).flat()], { encoding: "utf8" });
			const results = Object.fromEntries(
				said
					.trim()
					.split("\n")
					.map((line) => line.split(" ")),
			);
			const [notPermitted, noSuchProcess, notImplemented] = ["1", "3", "38"];
			expect(results).toEqual({
				keyctl: notPermitted,
				bpf: notPermitted,
				mount: notPermitted,
				unshare: notPermitted,
				clone3: notImplemented,
				ptrace: noSuchProcess,
				vsock: notPermitted,
				unix: "0",
				new: notImplemented,
				getpid: "0",
			});
			const run = `${loader}\nexec @program`.replace(
				"my ($file, %calls) = @ARGV",
				"my ($file, @program) = @ARGV; my %calls",
			);
			const program = ["sh", "-c", "echo shell; node -p 6*7; unshare --user true"];
			const { stdout, stderr } = spawnSync("perl", ["-e", run, file, ...program], { encoding: "utf8" });
			expect(stdout).toBe("shell\n42\n");
			expect(stderr).toMatch(/unshare.*Operation not permitted/);
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});
});
