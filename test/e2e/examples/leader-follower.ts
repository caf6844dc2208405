/** examples/leader-follower: a leader that takes writes and followers that serve reads. */
import { expect, test } from "vitest";
import { describeWith } from "../../../src/core/testing/programs.ts";
import { eventually, type TestCluster } from "../cluster.ts";
import { Readme } from "../readme.ts";

export function leaderFollowerExamples(cluster: () => TestCluster, isWhole: boolean): void {
	const readme = new Readme("examples/leader-follower/README.md", cluster, "## MariaDB");

	/** What the image's administrator gets for a query, as for programs. */
	async function query(pod: string, sql: string): Promise<string> {
		const shell = `mariadb -uroot -p"$MARIADB_ROOT_PASSWORD" -NBe '${sql}'`;
		return (await cluster().kubectl("exec", pod, "--", "sh", "-c", shell)).trimEnd();
	}

	/** Waits until the followers have what the leader has, then compares them row by row. */
	async function expectSame(leader: string, followers: readonly string[]): Promise<void> {
		const position = await query(leader, "select @@gtid_binlog_pos");
		const contents = "select * from shop.orders order by id; checksum table shop.orders";
		const original = await query(leader, contents);
		for (const pod of followers) {
			await eventually(async () => expect(await query(pod, `select master_gtid_wait("${position}", 20)`)).toBe("0"));
			expect(await query(pod, contents)).toBe(original);
		}
	}
	const wholeTest = test.runIf(isWhole);

	describeWith(["mariadbd", "mariadb-dump"], "examples/leader-follower with MariaDB", () => {
		test("each pod gets its role by its ordinal, and followers are cloned from their predecessors", async () => {
			expect(await readme.step("set up")).toMatch(
				/mariadb-2 is a follower\ncloned from mariadb-1\.mariadb at position 0-100-\d+/,
			);
			expect(await query("mariadb-0", "select @@server_id, @@read_only")).toBe("100\t0");
			expect(await query("mariadb-2", "select @@server_id, @@read_only")).toBe("102\t1");
		});

		test("what the leader takes is read from every follower, which take nothing themselves", async () => {
			await readme.step("write to the leader");
			await expectSame("mariadb-0", ["mariadb-1", "mariadb-2"]);
			const shown = await readme.step("read from each follower, and from any replica");
			for (const pod of ["mariadb-1", "mariadb-2"]) expect(shown).toContain(`${pod}\t3\tcompass`);
			await readme.step("a follower refuses writes");
		});

		test("a follower that is killed while the leader takes writes has all of them afterwards", async () => {
			const insert = 'mariadb -h mariadb-write -ushop -p"$MARIADB_PASSWORD" shop';
			const writes = 'for i in $(seq 400); do echo "insert into orders (item) values (\\"item $i\\");"; done';
			const writing = cluster().kubectl("exec", "mariadb-0", "--", "sh", "-c", `${writes} | ${insert}`);
			await readme.step("kill a follower: it catches up with the writes that it missed");
			await cluster().kubectl("exec", "mariadb-2", "--", "sh", "-c", "kill -9 $(pidof mariadbd)");
			await writing;
			await expectSame("mariadb-0", ["mariadb-1", "mariadb-2"]);
			expect(await query("mariadb-1", "select count(*) from shop.orders")).toBe("404");
		});

		wholeTest("it grows to five, each new follower cloned from the one before it, and shrinks again", async () => {
			await readme.step("five replicas: mariadb-3 is cloned from mariadb-2, mariadb-4 from mariadb-3");
			await expectSame("mariadb-0", ["mariadb-1", "mariadb-2", "mariadb-3", "mariadb-4"]);
			const claims = await readme.step(
				"and back to three; the claims of the two that went stay, and so would their data",
			);
			expect(claims.match(/^data-mariadb-\d/gm)).toHaveLength(5);
		});

		wholeTest("the leader moves by hand, and the old one follows", async () => {
			await readme.step("1. the leader takes no more writes");
			await readme.step(
				"2. the next leader has all that the leader has (0; -1 says that it had not within 30 seconds: stop here)",
			);
			await readme.step("3. it leads: it follows nobody, takes writes, and gets them");
			await readme.step("4. all others follow it");
			const last = await readme.step(
				"5. what is written to the new leader arrives at the old one, also after a restart of all",
			);
			expect(last).toMatch(/^mariadb-0\t1\tsextant$/m);
			await expectSame("mariadb-1", ["mariadb-0", "mariadb-2"]);
			expect(await query("mariadb-1", "select @@read_only")).toBe("0");
		});

		wholeTest("no step of the README was left out", async () => {
			await readme.step("clean up");
			expect(readme.leftOut).toEqual([]);
		});
	});
}

/** The same with PostgreSQL; only where all is run. */
export function postgresqlExample(cluster: () => TestCluster): void {
	const readme = new Readme("examples/leader-follower/README.md", cluster, "## PostgreSQL");
	const query = async (pod: string, sql: string) =>
		(await cluster().kubectl("exec", pod, "--", "psql", "-U", "postgres", "-At", "-c", sql, "shop")).trimEnd();
	const contents = (pod: string) => query(pod, "select id, item from orders order by id");
	const expectSame = async (...pods: string[]) => {
		const [leader = "", ...followers] = pods;
		for (const pod of followers) {
			await eventually(async () => expect(await contents(pod)).toBe(await contents(leader)));
			expect(await query(pod, "select pg_is_in_recovery()")).toBe("t");
		}
	};

	describeWith(["psql", "postgres"], "examples/leader-follower with PostgreSQL", () => {
		test("followers are cloned from their predecessors, serve reads and refuse writes", async () => {
			expect(await readme.step("set up")).toMatch(/postgresql-2 is a follower\ncloned from postgresql-1\.postgresql/);
			await readme.step("write to the leader");
			await expectSame("postgresql-0", "postgresql-1", "postgresql-2");
			expect(await readme.step("read from each follower")).toContain("compass");
			await readme.step("a follower refuses writes");
		});

		test("a follower that is killed catches up, and it grows and shrinks", async () => {
			await readme.step("kill a follower: it catches up with the writes that it missed");
			await expectSame("postgresql-0", "postgresql-1", "postgresql-2");
			expect(await readme.step("five replicas, and back to three")).toContain("lantern");
		});

		test("the leader moves by hand, and the old one follows", async () => {
			await readme.step("1. postgresql-1 is to lead; the old leader comes back as its follower");
			await readme.step("2. the others follow it, too");
			await expectSame("postgresql-1", "postgresql-0", "postgresql-2");
			expect(await contents("postgresql-1")).toMatch(/\|sextant$/);
		});

		test("no step of the README was left out", async () => {
			await readme.step("clean up PostgreSQL");
			expect(readme.leftOut).toEqual([]);
		});
	});
}
