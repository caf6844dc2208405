/** Images that manifests of the course notes name, built of Debian's programs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
	type BuildEntry,
	type BuiltImage,
	busyboxLayer,
	dir,
	file,
	imageOf,
	link,
	programWithLibraries,
	tarOf,
} from "./image-builder.ts";

const users = (name: string, id: number): BuildEntry[] => [
	file("etc/passwd", `root:x:0:0:root:/root:/bin/sh\n${name}:x:${id}:${id}::/nonexistent:/bin/false\n`),
	file("etc/group", `root:x:0:\n${name}:x:${id}:\n`),
];
const more = "chown rm nslookup hostname tail wget".split(" ").map((name) => link(`bin/${name}`, "busybox"));

/** Lowest layer of all of them, so that it is pulled and unpacked once. */
const base = busyboxLayer([...more, dir("run"), dir("var"), dir("var/log"), dir("usr"), dir("usr/sbin")]);

/** Follows the logs that it finds, like its namesake. */
export function fluentdImage(): BuiltImage {
	const program =
		"#!/bin/sh\necho fluentd worker is now running\nexec tail -F /var/log/containers/*.log /varlog/containers/*.log\n";
	return imageOf([base, tarOf([file("bin/fluentd", program, 0o755)])], { Cmd: ["/bin/fluentd"], Env: ["PATH=/bin"] });
}

/** @param program nginx of Debian's package */
export function nginxImage(program: string): BuiltImage {
	const settings = `user nobody nogroup; daemon off; pid /run/nginx.pid; error_log /dev/stderr;
events {} http { access_log /dev/stdout; server { listen 80; location / { root /usr/share/nginx/html; } } }\n`;
	const files = [
		file("etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
		file("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
		...["usr/share", "usr/share/nginx", "usr/share/nginx/html", "var/lib", "var/lib/nginx", "var/log/nginx"].map(
			(path) => dir(path),
		),
		file("usr/share/nginx/html/index.html", "<h1>Welcome to nginx!</h1>\n"),
		file("etc/nginx.conf", settings),
	];
	const layers = [base, tarOf([...programWithLibraries("usr/sbin/nginx", program), ...files])];
	return imageOf(layers, {
		Cmd: ["nginx", "-c", "/etc/nginx.conf"],
		Env: ["PATH=/bin:/usr/sbin"],
		ExposedPorts: { "80/tcp": {} },
	});
}

const mysqlShare = "/usr/share/mysql";

/** MariaDB, with what the entrypoint of the official image does for MYSQL_ROOT_PASSWORD. */
export function mysqlImage(): BuiltImage {
	const entrypoint = `#!/bin/sh
set -e
data=/var/lib/mysql
chown mysql:mysql $data
if [ ! -d $data/mysql ]; then
	(echo "create database mysql;"; echo "use mysql;"; echo "set @auth_root_socket=NULL;"
	 cd ${mysqlShare}; cat mysql_system_tables.sql mysql_performance_tables.sql mysql_system_tables_data.sql maria_add_gis_sp_bootstrap.sql
	) | mariadbd --no-defaults --bootstrap --user=mysql --datadir=$data --skip-log-bin >/dev/null
fi
echo "alter user root@localhost identified by '$MYSQL_ROOT_PASSWORD';
create user if not exists root@'%' identified by '$MYSQL_ROOT_PASSWORD';
grant all on *.* to root@'%' with grant option;" >/run/mysqld/init.sql
exec mariadbd --no-defaults --user=mysql --datadir=$data --socket=/run/mysqld/mysqld.sock --init-file=/run/mysqld/init.sql --bind-address=0.0.0.0
`;
	const scripts = readdirSync(mysqlShare).filter((name) => name.endsWith(".sql"));
	const files = [
		...users("mysql", 100),
		{ ...dir("run/mysqld"), uid: 100, gid: 100 },
		dir("usr/share"),
		dir("usr/share/mysql"),
		...scripts.map((name) => file(`usr/share/mysql/${name}`, readFileSync(`${mysqlShare}/${name}`))),
		...shared("usr/share/mysql/english/errmsg.sys"),
		...shared("usr/share/mysql/charsets/Index.xml"),
		file("bin/entrypoint", entrypoint, 0o755),
		...["bash", "grep", "mv", "sort", "xargs"].map((name) => link(`bin/${name}`, "busybox")),
		link("bin/mariadb", "mysql"),
	];
	const programs = [
		...programWithLibraries("usr/sbin/mariadbd", "/usr/sbin/mariadbd"),
		...programWithLibraries("bin/mysql", "/usr/bin/mariadb"),
		...programWithLibraries("bin/mariadb-dump", "/usr/bin/mariadb-dump"),
		// busybox's knows no nanoseconds.
		...programWithLibraries("bin/date", "/bin/date"),
	];
	return imageOf([base, tarOf(programs), tarOf(files)], {
		Entrypoint: ["/bin/entrypoint"],
		Env: ["PATH=/bin:/usr/sbin"],
		Volumes: { "/var/lib/mysql": {} },
		ExposedPorts: { "3306/tcp": {} },
	});
}

function shared(path: string): BuildEntry[] {
	return existsSync(`/${path}`) ? [file(path, readFileSync(`/${path}`))] : [];
}
