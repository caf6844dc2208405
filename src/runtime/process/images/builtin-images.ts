/**
 * The built-in table: what containers of well-known images run. Their entrypoints behave like those of the official
 * images.
 */
export interface ImageEntry {
	/** Names without registry and tag; `*` matches any text. A name with `:` or a registry is compared as a whole. */
	names: readonly string[];
	entrypoint: readonly string[];
	args?: readonly string[];
	env?: Readonly<Record<string, string>>;
	/** The program that the machine must have, and its Debian package. */
	requires?: string;
	package?: string;
	/** Directories that are empty when a container starts, regardless of the machine's. */
	volumes?: readonly string[];
	/**
	 * Programs, and settings of programs, at absolute paths in containers, with what they refer to: a name in `bin`, or a
	 * path in the assets.
	 */
	programs?: Readonly<Record<string, string>>;
	/** Its /bin/sh supports `[[`, like busybox and unlike Debian's. */
	busyboxShell?: true;
	workingDir?: string;
	/** `USER` or `UID:GROUP`. Default: root. */
	user?: string;
	/** The user's entry is invalid: images with this name do not run. */
	problem?: string;
}

const shell = { entrypoint: [], args: ["sh"] };
const nginx = { entrypoint: [], args: ["nginx", "-g", "daemon off;"], requires: "nginx", package: "nginx" };
const httpd = { entrypoint: [], args: ["httpd-foreground"], requires: "httpd-foreground", package: "apache2" };

/** Arguments that begin with a program are a command; options are passed to the image's own program. */
const unlessCommand = (program: string) => ({ entrypoint: ["image-entrypoint", program], args: [program] });
/** Like `unlessCommand`; words that are not a program are passed, too. */
const unlessProgram = (program: string) => ({ entrypoint: ["image-entrypoint", "--any", program], args: [program] });
const needs = (program: string, packageName?: string) => ({
	requires: program,
	...(packageName === undefined ? {} : { package: packageName }),
});
/** A server of a tutorial: see assets/stand-ins/lib/demo. */
const demo = (name: string, env: Readonly<Record<string, string>> = {}) => ({ entrypoint: ["demo-server", name], env });

/** The first matching entry counts. */
export const builtinImages: readonly ImageEntry[] = [
	{ names: ["pause"], entrypoint: ["/pause"], programs: { "/pause": "pause" } },
	{ names: ["curl", "alpine-curl"], ...unlessProgram("curl") },
	{
		names: ["busybox", "alpine", "busyboxplus", "busybox-curl"],
		...shell,
		busyboxShell: true,
		programs: {
			// Debian has it in /sbin, if at all.
			"/bin/sysctl": "sysctl",
			// Theirs tries once, GNU's twenty times.
			"/etc/wgetrc": "lib/programs/wgetrc",
		},
	},
	{ names: ["debian", "ubuntu", "centos", "fedora", "rockylinux", "amazonlinux"], ...shell },
	{ names: ["dnsutils", "toolbox", "netshoot", "network-multitool"], ...shell },
	// Kubernetes' own test images.
	{
		names: ["agnhost"],
		entrypoint: ["/agnhost"],
		args: ["pause"],
		programs: { "/agnhost": "agnhost", "/agnhost-2": "agnhost" },
		busyboxShell: true,
	},
	{ names: ["sample-apiserver"], entrypoint: ["sample-apiserver"] },
	// It keeps what it serves in memory: its database has nothing to do.
	{ names: ["etcd"], entrypoint: ["pause"], programs: { "/usr/local/bin/etcd": "pause" } },
	{ names: ["serve_hostname", "serve-hostname"], entrypoint: ["agnhost", "serve-hostname"] },
	{ names: ["liveness"], entrypoint: ["agnhost", "liveness"], programs: { "/server": "liveness-server" } },
	{ names: ["nautilus"], entrypoint: ["nautilus"], requires: "nautilus" },
	{ names: ["resource-consumer"], entrypoint: ["/consumer"], programs: { "/consumer": "resource-consumer" } },
	{ names: ["nonewprivs"], entrypoint: ["nonewprivs"], requires: "nonewprivs" },
	{ names: ["jessie-dnsutils", "ipc-utils"], ...shell },
	{ names: ["nonroot"], entrypoint: ["id", "-u"], user: "1234" },
	{ names: ["bash"], ...unlessCommand("bash"), requires: "bash" },
	// Those of Kubernetes' tests are based on alpine's.
	{ names: ["e2e-test-images/nginx"], ...nginx, busyboxShell: true },
	{ names: ["e2e-test-images/httpd"], ...httpd, busyboxShell: true },
	{ names: ["nginx", "nginx-unprivileged", "nginx-slim"], ...nginx },
	{ names: ["httpd", "apache"], ...httpd },
	{
		names: ["mysql", "mariadb", "mysql-server"],
		entrypoint: ["mysql-entrypoint"],
		args: ["mysqld"],
		requires: "mariadbd",
		package: "mariadb-server",
		volumes: ["/var/lib/mysql"],
	},
	{
		names: ["redis", "valkey"],
		...unlessCommand("redis-server"),
		...needs("redis-server", "redis-server"),
		programs: { "/usr/local/sbin/redis-server": "lib/programs/redis-server" },
		volumes: ["/data"],
		workingDir: "/data",
	},
	{
		names: ["gb-redis-follower", "gb-redisslave"],
		entrypoint: ["redis-follower"],
		...needs("redis-server", "redis-server"),
		programs: { "/usr/local/sbin/redis-server": "lib/programs/redis-server" },
	},
	{
		names: ["postgres", "postgresql"],
		entrypoint: ["postgres-entrypoint"],
		args: ["postgres"],
		requires: "postgres",
		package: "postgresql",
		volumes: ["/var/lib/postgresql/data"],
		env: { PGDATA: "/var/lib/postgresql/data" },
	},
	{ names: ["memcached"], ...unlessCommand("memcached"), ...needs("memcached", "memcached") },
	{ names: ["mongo"], ...unlessCommand("mongod"), ...needs("mongod"), volumes: ["/data/db"] },
	{ names: ["rabbitmq"], ...unlessCommand("rabbitmq-server"), ...needs("rabbitmq-server", "rabbitmq-server") },
	{ names: ["python"], entrypoint: [], args: ["python3"], ...needs("python3", "python3") },
	{ names: ["node"], ...unlessProgram("node") },
	{ names: ["perl"], entrypoint: [], args: ["perl", "-de0"], ...needs("perl", "perl") },
	{ names: ["golang"], entrypoint: [], args: ["bash"], ...needs("go", "golang-go") },
	{ names: ["ruby"], entrypoint: [], args: ["irb"], ...needs("ruby", "ruby") },
	{ names: ["php"], ...unlessCommand("php"), args: ["php", "-a"], ...needs("php", "php-cli") },
	{ names: ["kubectl", "k8s-kubectl"], entrypoint: ["kubectl"], ...needs("kubectl") },
	{ names: ["git-sync"], entrypoint: ["git-sync"], programs: { "/git-sync": "git-sync" }, ...needs("git", "git") },
	{ names: ["stress", "cpustress"], entrypoint: ["stress"] },
	// Servers of the official tutorials and of well-known courses.
	...["1.0", "2.0"].map((version) => ({
		names: [`hello-app:${version}`],
		...demo("hello-app", { HELLO_VERSION: `${version}.0` }),
	})),
	{ names: ["hello-app"], ...demo("hello-app") },
	{ names: ["echoserver:1.3", "echoserver:1.4"], ...demo("echoserver-1.4") },
	{ names: ["echoserver"], ...demo("echoserver") },
	{ names: ["echo-server"], ...demo("echo-server") },
	{ names: ["http-echo"], ...demo("http-echo"), programs: { "/http-echo": "http-echo" } },
	{ names: ["hpa-example"], ...demo("hpa-example") },
	{ names: ["whoami"], ...demo("whoami") },
	{ names: ["kubernetes-bootcamp:v2"], ...demo("kubernetes-bootcamp", { BOOTCAMP_VERSION: "2" }) },
	{ names: ["kubernetes-bootcamp"], ...demo("kubernetes-bootcamp") },
	{ names: ["node-hello"], ...demo("node-hello") },
	{ names: ["hello-kubernetes"], ...demo("hello-kubernetes") },
	{ names: ["hello-go-gke"], ...demo("hello-go-gke") },
	{ names: ["hello-frontend"], ...demo("hello-frontend") },
	{ names: ["goproxy"], ...demo("goproxy") },
	{ names: ["gb-frontend"], ...demo("gb-frontend") },
	{ names: ["webapp-color"], ...demo("webapp-color") },
	{ names: ["podinfo"], ...demo("podinfo") },
	{ names: ["wordpress"], ...demo("wordpress"), volumes: ["/var/www/html"] },
	{ names: ["hello-world"], entrypoint: ["hello-world"] },
	{ names: ["event-simulator"], entrypoint: ["event-simulator"] },
	// The images of the course notes.
	{ names: ["fluentd", "fluentd-elasticsearch", "fluent-bit"], entrypoint: ["fluentd"], requires: "fluentd" },
	{ names: ["simpleservice"], entrypoint: ["simpleservice"], requires: "simpleservice" },
	{ names: ["gpu-monitor"], entrypoint: ["gpu-monitor"], requires: "gpu-monitor" },
	{ names: ["monitor"], entrypoint: ["monitor"], requires: "monitor" },
	{ names: ["node-exporter"], entrypoint: ["node-exporter"], programs: { "/bin/node_exporter": "node-exporter" } },
	{ names: ["backup-tool"], entrypoint: ["backup-script.sh"], requires: "backup-script.sh" },
	{ names: ["image-processor"], entrypoint: ["image-processor"], requires: "image-processor" },
];
