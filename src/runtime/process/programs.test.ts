/** The images of a course on a machine without their programs, and MariaDB if it is installed. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../contract/contract.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

const never = new AbortController().signal;

describe.skipIf(process.getuid?.() !== 0)("programs of images (as root)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	const inside = async (id: string, script: string) => {
		const command = ["sh", "-c", script];
		return collect(await fixture.runtime.exec(id, { command, tty: false, stdin: false, signal: never }));
	};

	it.skipIf(existsSync("/usr/sbin/nginx"))(
		"nginx: a stand-in says so, serves the welcome page and ends on SIGTERM",
		async () => {
			const container = await fixture.start({ image: "nginx:1.27" });
			await fixture.until("it listens", () => fixture.log("main").includes("Coxswain's stand-in listens on port 80"));
			const stream = await fixture.runtime.connect(container.sandboxId, 80, never);
			stream.end("GET / HTTP/1.0\r\n\r\n");
			let text = "";
			for await (const chunk of stream) text += chunk.toString();
			expect(text).toContain("Welcome to nginx!");
			expect(
				await inside(container.id, "wget -qO- http://127.0.0.1/ | head -1; wget -q http://127.0.0.1:81/"),
			).toMatchObject({
				stdout: expect.stringContaining("<!DOCTYPE html>"),
			});
			await fixture.runtime.stopContainer(container.id, 10_000);
			expect((await fixture.exited(container.id)).exitCode).toBe(0);
		},
	);

	it.skipIf(existsSync("/usr/sbin/nginx"))("nginx: the stand-in serves what a pod's configuration says", async () => {
		mkdirSync(`${fixture.directory}/conf.d`);
		const file = `${fixture.directory}/conf.d/default.conf`;
		const server = (text: string) => `# mine
			upstream back { server 127.0.0.1:8081; }
			server { listen 8080; server_name _; add_header X-Mine yes;
				location / { root /srv; try_files $uri =404; }
				location = /hello { default_type text/plain; return 200 "${text} {$uri}\\n"; }
				location /api/ { proxy_pass http://back/; } }
			server { listen 8081; return 200 "behind $request_uri"; }`;
		writeFileSync(file, server("one"));
		const hostPath = `${fixture.directory}/conf.d`;
		const mounts = [{ hostPath, containerPath: "/etc/nginx/conf.d", readOnly: true, propagation: "None" as const }];
		const container = await fixture.start({ image: "nginx:1.27", mounts });
		const get = async (path: string) => (await inside(container.id, `curl -s http://127.0.0.1:8080${path}`)).stdout;
		await fixture.until("it answers", async () => (await get("/hello")) === "one {/hello}\n");
		expect(await get("/api/v1?a=b")).toBe("behind /v1?a=b");
		await inside(container.id, "mkdir -p /srv && echo text >/srv/file");
		expect(await get("/file -D -")).toMatch(/^HTTP\/1.1 200.*X-Mine: yes.*\r\n\r\ntext\n$/s);
		expect(await get("/none")).toContain("404 Not Found");
		writeFileSync(file, server("two"));
		await inside(container.id, "nginx -s reload");
		await fixture.until("it has read its file again", async () => (await get("/hello")) === "two {/hello}\n");
		writeFileSync(file, "server { listen 80");
		expect(await inside(container.id, "nginx -t 2>&1")).toMatchObject({
			exitCode: 1,
			stdout: expect.stringContaining("unexpected end of file"),
		});
	});

	it("httpd: serves its directory, by Apache where that is installed, and ends on SIGTERM", async () => {
		const container = await fixture.start({ image: "httpd:2.4" });
		const get = (path: string) => inside(container.id, `curl -s http://127.0.0.1${path}`);
		await fixture.until("it answers", async () => (await get("/")).stdout.includes("It works!"));
		await inside(container.id, "echo mine >/usr/local/apache2/htdocs/mine.txt");
		expect((await get("/mine.txt")).stdout).toBe("mine\n");
		await fixture.runtime.stopContainer(container.id, 10_000);
		expect((await fixture.exited(container.id)).exitCode).toBe(0);
	});

	it("busybox: its shell knows double brackets and random numbers", async () => {
		const script = "[[ -r /etc/passwd && $RANDOM$RANDOM != $RANDOM$RANDOM ]] && exit $((RANDOM / 32768 + 7))";
		const container = await fixture.start({ image: "busybox:1.36", command: ["/bin/sh", "-c", script] });
		expect((await fixture.exited(container.id)).exitCode).toBe(7);
	});

	it("node-exporter: the machine's, with the container's options, or a stand-in that says so", async () => {
		const args = ["--web.listen-address=:9101", "--collector.disable-defaults", "--collector.uname"];
		await fixture.start({ image: "quay.io/prometheus/node-exporter:v1.5.0", args });
		const isThere = existsSync("/usr/bin/prometheus-node-exporter");
		const says = isThere ? /Listening on.*9101/ : /not on this machine \(Debian: apt-get install/;
		await fixture.until("it says what it is", () => says.test(fixture.log("main")));
	});

	// The kernel drops signals for PID 1 of a container that it has no handler for yet.
	it.each([
		["pause", "registry.k8s.io/pause:3.10"],
		["a server", "gcr.io/google-samples/hello-app:1.0"],
	])("%s: ends when it is told to stop in the moment of its start", async (_, image) => {
		const container = await fixture.start({ image });
		await fixture.runtime.stopContainer(container.id, 60_000);
		expect((await fixture.exited(container.id)).exitCode).toBe(0);
	});

	it("sysctl: takes names with dots and with slashes, and shows them with dots", async () => {
		const container = await fixture.start({ image: "busybox", command: ["sleep", "60"] });
		const { stdout } = await inside(
			container.id,
			"/bin/sysctl kernel/ostype kernel.ostype; /bin/sysctl -n kernel/ostype",
		);
		expect(stdout).toBe("kernel.ostype = Linux\nkernel.ostype = Linux\nLinux\n");
	});

	it("wget in busybox: tries once", async () => {
		const container = await fixture.start({ image: "busybox", command: ["sleep", "60"] });
		const server = `require("net").createServer(() => console.log("asked")).listen(8090, () => console.log("up"))`;
		const { stdout } = await inside(
			container.id,
			`/usr/lib/coxswain/node -e '${server}' >/tmp/log & pid=$!; until grep -q up /tmp/log; do sleep 0.05; done
			wget -qO- --timeout=1 http://127.0.0.1:8090/; kill $pid; wait; cat /tmp/log`,
		);
		expect(stdout).toBe("up\nasked\n");
	});

	it("servers of tutorials: say that they are stand-ins, and answer as the real ones", async () => {
		const container = await fixture.start({ command: ["sleep", "1000"], image: "busybox" });
		const ask = (server: string, port: number, path = "/") =>
			inside(
				container.id,
				`${server} >/tmp/log-${port} & pid=$!; until wget -qO- http://127.0.0.1:${port}${path}; do sleep 0.05; done; kill $pid; wait; cat /tmp/log-${port}`,
			);
		const shown = await Promise.all([
			ask("demo-server hello-app", 8080),
			ask("http-echo -text=hi -listen=:5678", 5678),
			ask("demo-server whoami --port=8081", 8081, "/?a=b"),
			ask("HTTP_PORT=8082 demo-server echoserver", 8082, "/x"),
		]);
		expect(shown.map(({ stdout }) => stdout)).toEqual([
			expect.stringMatching(/^Hello, world!\nVersion: 1\.0\.0\nHostname: .*stand-in/s),
			expect.stringMatching(/^hi\n.*stand-in/s),
			expect.stringMatching(/\nGET \/\?a=b HTTP\/1\.1\nHost: 127\.0\.0\.1:8081\n.*stand-in/s),
			expect.stringMatching(/\treal path=\/x\n.*\trequest_uri=http:\/\/127\.0\.0\.1:8082\/x\n/s),
		]);
	});

	it("agnhost: has a certificate where the image has one, and serves with it", async () => {
		const args = [
			"netexec",
			"--http-port=8443",
			"--tls-cert-file=/localhost.crt",
			"--tls-private-key-file=/localhost.key",
		];
		const container = await fixture.start({ image: "agnhost", args });
		const ready = () =>
			inside(
				container.id,
				"/usr/lib/coxswain/stand-ins/bin/curl -s --cacert /localhost.crt https://localhost:8443/readyz",
			);
		await fixture.until("it is ready", async () => (await ready()).stdout === "ok");
		const { stdout } = await inside(
			container.id,
			`/agnhost net --runner nat-closewait-server --options '{"LocalAddr":"127.0.0.1:9999","PostFinTimeoutSeconds":0}' 2>&1 &
			until /agnhost net --runner nat-closewait-client --options '{"RemoteAddr":"127.0.0.1:9999","PostFinTimeoutSeconds":0}' 2>/tmp/c; do :; done
			wait; cat /tmp/c`,
		);
		expect(stdout).toMatch(/Client connected.*Server has half-closed the connection/s);
	});

	it("agnhost webhook: reviews admissions and conversions as Kubernetes' tests expect", async () => {
		const tls = ["--tls-cert-file=/localhost.crt", "--tls-private-key-file=/localhost.key"];
		const container = await fixture.start({ image: "agnhost", args: ["webhook", ...tls, "--port=8444"] });
		const post = async (place: string, request: object) => {
			const review = JSON.stringify({ apiVersion: "v1", kind: "Review", request: { uid: "1", ...request } });
			const curl = "/usr/lib/coxswain/stand-ins/bin/curl -s --cacert /localhost.crt";
			const { stdout } = await inside(container.id, `${curl} -d '${review}' https://localhost:${place}`);
			return JSON.parse(stdout || "{}").response;
		};
		const object = { metadata: {}, data: { "webhook-e2e-test": "webhook-disallow", "mutation-start": "yes" } };
		await fixture.until("it answers", async () => (await post("8444/configmaps", { object })) !== undefined);
		expect(await post("8444/configmaps", { object })).toMatchObject({
			uid: "1",
			allowed: false,
			status: { message: "the configmap contains unwanted key and value" },
		});
		const { patch } = await post("8444/mutating-configmaps", { object });
		expect(JSON.parse(Buffer.from(patch, "base64").toString())).toEqual([
			{ op: "add", path: "/data/mutation-stage-1", value: "yes" },
		]);
		await inside(container.id, `/agnhost crd-conversion-webhook ${tls.join(" ")} --port=9443 >/dev/null 2>&1 &`);
		const objects = [{ apiVersion: "stable.example.com/v1", hostPort: "localhost:80" }];
		const conversion = { desiredAPIVersion: "stable.example.com/v2", objects };
		await fixture.until("it converts", async () => (await post("9443/crdconvert", conversion)) !== undefined);
		expect(await post("9443/crdconvert", conversion)).toMatchObject({
			convertedObjects: [{ apiVersion: "stable.example.com/v2", host: "localhost", port: "80" }],
			result: { status: "Success" },
		});
	});

	it("agnhost netexec: listens once on an address that it is given twice", async () => {
		const args = ["netexec", "--udp-listen-addresses=127.0.0.1,127.0.0.1"];
		const container = await fixture.start({ image: "agnhost", args });
		const curl = "/usr/lib/coxswain/stand-ins/bin/curl -s http://127.0.0.1:8080";
		await fixture.until("it is healthy", async () => (await inside(container.id, `${curl}/healthz`)).exitCode === 0);
		const { stdout } = await inside(
			container.id,
			`${curl}'/dial?host=127.0.0.1&port=8081&protocol=udp&request=echo%20a'`,
		);
		expect(JSON.parse(stdout)).toEqual({ responses: ["a"] });
	});

	it("agnhost mounttest: describes the file that a link of a volume leads to", async () => {
		const container = await fixture.start({ command: ["sleep", "1000"], image: "agnhost" });
		await inside(container.id, "echo text >/tmp/real; chmod 400 /tmp/real; ln -s real /tmp/link");
		const { stdout } = await inside(container.id, "/agnhost mounttest --file_mode=/tmp/link --file_content=/tmp/link");
		expect(stdout).toBe('mode of file "/tmp/link": -r--------\ncontent of file "/tmp/link": text\n\n');
	});

	// As an image of its own, and as a part of agnhost, which later tests use.
	it.each([
		{ image: "registry.k8s.io/e2e-test-images/resource-consumer:1.13" },
		{ image: "registry.k8s.io/e2e-test-images/agnhost:2.63", args: ["resource-consumer"] },
	])(
		"$image resource-consumer: uses and shows what it is asked for, and says what it was not given",
		async (settings) => {
			const container = await fixture.start(settings);
			const at = "http://127.0.0.1:8080";
			await fixture.until(
				"it answers",
				async () => (await inside(container.id, `curl -s ${at}/metrics`)).exitCode === 0,
			);
			const ask = (path: string, form: string) => inside(container.id, `curl -s -d '${form}' ${at}${path}`);
			expect((await ask("/BumpMetric", "metric=QPS&delta=7&durationSec=60")).stdout).toContain("7 delta\n");
			expect((await inside(container.id, `curl -s ${at}/metrics`)).stdout).toContain("\nQPS 7.000000\n");
			expect((await ask("/ConsumeCPU", "millicores=5")).stdout).toBe("not given function argument\n");
			const usedNs = async () =>
				(await fixture.runtime.stats()).find((stats) => stats.containerId === container.id)?.cpuNanoseconds ?? 0;
			const before = await usedNs();
			await ask("/ConsumeCPU", "millicores=500&durationSec=60");
			await fixture.until("a second of the processor is used", async () => (await usedNs()) - before > 1e9);
			// Includes the program's own memory; released after a second.
			const residentKb = async () =>
				Number((await inside(container.id, "grep RssAnon /proc/1/status")).stdout.split(/\s+/)[1]);
			await ask("/ConsumeMem", "megabytes=150&durationSec=1");
			await fixture.until("the memory is used", async () => Math.abs((await residentKb()) - 150_000) < 15_000);
			await fixture.until("the memory is free again", async () => (await residentKb()) < 50_000);
		},
	);

	it("simpleservice: answers on port 9876", async () => {
		const container = await fixture.start({ image: "mhausenblas/simpleservice:0.5.0" });
		await fixture.until("it listens", () => fixture.log("main").includes("9876"));
		const { stdout } = await inside(container.id, "curl -s http://127.0.0.1:9876/endpoint0");
		expect(JSON.parse(stdout)).toMatchObject({ version: "0.5.0", result: "all is well" });
	});

	it("nslookup: fails where no server answers, so that an init container waits", async () => {
		const container = await fixture.start({ command: ["sleep", "1000"] });
		const { stdout, exitCode } = await inside(container.id, "nslookup backend.default.svc 127.0.0.1");
		expect(exitCode).toBe(1);
		expect(stdout).toContain("Server:\t\t127.0.0.1");
	});

	it("fluentd: prints lines added to the node's logs and not its own", async () => {
		const script = "echo one >>/varlog/app.log";
		const mounts = [
			{ hostPath: fixture.directory, containerPath: "/varlog", readOnly: false, propagation: "None" as const },
		];
		const image = "gcr.io/google_containers/fluentd-elasticsearch:1.3";
		const container = await fixture.start(
			{ image, mounts, logPath: `${fixture.directory}/main.log` },
			{ hostname: "main.log" },
		);
		await fixture.until("it has looked", () => fixture.log("main").includes("/varlog"));
		await inside(container.id, script);
		await fixture.until("the line is printed", () => fixture.log("main").includes("/varlog/app.log: one"));
	});

	it.each([
		["gpu-monitor", "GPU 0"],
		["monitor", "load "],
	])("%s: goes on printing until it is stopped", async (image, text) => {
		const container = await fixture.start({ image });
		await fixture.until("it prints", () => fixture.log("main").includes(text));
		await fixture.runtime.stopContainer(container.id, 10_000);
		expect((await fixture.exited(container.id)).exitCode).toBe(0);
	});

	it("backup-tool: runs the script of the course with its arguments", async () => {
		const config = { image: "backup-tool:latest", command: ["backup-script.sh"], args: ["--database", "mydb"] };
		const container = await fixture.start(config);
		expect((await fixture.exited(container.id)).exitCode).toBe(0);
		expect(fixture.log("main")).toMatch(/wrote \/tmp\/mydb-/);
	});

	it("image-processor: takes its index and completes", async () => {
		const env = [{ name: "JOB_COMPLETION_INDEX", value: "4" }];
		const container = await fixture.start({ image: "image-processor:latest", env });
		expect((await fixture.exited(container.id)).exitCode).toBe(0);
		expect(fixture.log("main")).toContain("item 4");
	});

	const noMariadb = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"].some((path) => existsSync(path))
		? ""
		: " (MariaDB is not installed)";
	it.skipIf(noMariadb !== "")(
		`mysql: makes accounts and database by the official image's variables${noMariadb}`,
		async () => {
			const value = (name: string, text: string) => ({ name: `MYSQL_${name}`, value: text });
			const env = [
				value("ROOT_PASSWORD", "it's \\ secret"),
				value("DATABASE", "shop"),
				value("USER", "anna"),
				value("PASSWORD", "anna's"),
			];
			const container = await fixture.start({ image: "mysql:8.0", env });
			const query = (account: string, sql: string) =>
				inside(container.id, `mariadb -h127.0.0.1 ${account} -Ne "${sql}"`);
			const root = `-uroot -p"it's \\\\ secret"`;
			await fixture.until("it answers", async () => (await query(root, "SELECT 1")).exitCode === 0);
			expect(
				(await query(`-uanna -p"anna's" shop`, "CREATE TABLE t (id INT); INSERT INTO t VALUES (7); SELECT id FROM t"))
					.stdout,
			).toBe("7\n");
			expect((await query("-uroot", "SELECT 1")).exitCode).not.toBe(0);
			await fixture.runtime.stopContainer(container.id, 20_000);
			expect((await fixture.exited(container.id)).exitCode).toBe(0);
		},
		60_000,
	);

	it.skipIf(!existsSync("/usr/lib/postgresql"))(
		"postgres: makes the database by the official image's variables and scripts (where it is installed)",
		async () => {
			const scripts = `${fixture.directory}/scripts`;
			mkdirSync(scripts);
			writeFileSync(`${scripts}/1.sql`, "CREATE TABLE answers (answer INT);");
			writeFileSync(
				`${scripts}/2.sh`,
				'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO answers VALUES (42)"',
			);
			const containerPath = "/docker-entrypoint-initdb.d";
			const mounts = [{ hostPath: scripts, containerPath, readOnly: true, propagation: "None" as const }];
			const env = [
				{ name: "POSTGRES_PASSWORD", value: "secret" },
				{ name: "POSTGRES_USER", value: "postgres" },
				{ name: "POSTGRES_DB", value: "shop" },
			];
			const container = await fixture.start({ image: "postgres:15", env, mounts });
			const query = () =>
				inside(container.id, "PGPASSWORD=secret psql -h 127.0.0.1 -U postgres shop -Atc 'TABLE answers'");
			await fixture.until("it answers", async () => (await query()).stdout === "42\n");
		},
		60_000,
	);

	it.skipIf(noMariadb !== "")(`mysql: says which variables are missing${noMariadb}`, async () => {
		const container = await fixture.start({ image: "mysql:8.0" });
		expect((await fixture.exited(container.id)).exitCode).toBe(1);
		expect(fixture.log("main")).toContain("MYSQL_ROOT_PASSWORD");
	});
});
