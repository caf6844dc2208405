// Stands in for web servers that are not on this machine: static files, a welcome page, and simpleservice's endpoints.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");

const [name, defaultPort] = process.argv.slice(2);
const port = Number((name === "simpleservice" && (process.env.PORT0 || process.env.PORT)) || defaultPort);
const homes = { "httpd-foreground": "/usr/local/apache2/htdocs", nginx: "/usr/share/nginx/html" };
const types = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png" };
const welcome = {
	nginx: "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>Coxswain's stand-in for nginx serves this page.</p>\n</body>\n</html>\n",
	"httpd-foreground": "<html><body><h1>It works!</h1></body></html>\n",
};

/** The image has its page as a file, so that taking it away makes the server answer 404, unless a volume of the pod's is there. */
function makePage(root) {
	try {
		if (fs.existsSync(root)) return;
		fs.mkdirSync(root, { recursive: true });
		fs.writeFileSync(`${root}/index.html`, welcome[name]);
	} catch {
		// A read-only root: the page comes from here.
	}
}

if (homes[name] !== undefined) makePage(homes[name]);
const roots = (homes[name] === undefined ? Object.values(homes) : [homes[name]]).concat("/var/www/html").filter((root) => fs.existsSync(root));

function simpleservice(request, response) {
	const host = request.headers.host || "";
	const version = process.env.SIMPLE_SERVICE_VERSION || "0.5.0";
	const answers = {
		"/env": () => ({ version, env: JSON.stringify(process.env) }),
		"/info": () => ({ host, version, from: request.socket.remoteAddress.replace("::ffff:", "") }),
		"/health": () => ({ healthy: true }),
		"/endpoint0": () => ({ host, version, result: "all is well" }),
	};
	const answer = answers[new URL(request.url, "http://localhost").pathname];
	send(response, answer ? 200 : 404, "application/json", answer ? JSON.stringify(answer()) : "{}");
}

function staticFile(request, response) {
	const wanted = path.posix.normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
	for (const root of roots) {
		const file = path.join(root, wanted.endsWith("/") ? `${wanted}index.html` : wanted);
		if (!file.startsWith(`${root}/`) || !fs.existsSync(file) || !fs.statSync(file).isFile()) continue;
		return send(response, 200, types[path.extname(file)] || "application/octet-stream", fs.readFileSync(file));
	}
	if (name === "nautilus" && wanted === "/data.json") return send(response, 200, "application/json", '{"image": "nautilus.jpg"}\n');
	const served = homes[name] !== undefined && fs.existsSync(homes[name]);
	if ((wanted === "/" || wanted === "/index.html") && !served) return send(response, 200, "text/html", welcome[name] || "");
	const isDirectory = name === "nginx" && wanted.endsWith("/") && roots.some((root) => fs.existsSync(path.join(root, wanted)));
	if (isDirectory) return send(response, 403, "text/html", "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>\n");
	return send(response, 404, "text/html", "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\n");
}

function send(response, status, type, body) {
	response.sentBytes = Buffer.byteLength(body);
	response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body), Server: name === "nginx" ? "nginx (coxswain stand-in)" : "coxswain stand-in" });
	response.end(response.req.method === "HEAD" ? undefined : body);
}

function logged(request, response) {
	const started = new Date();
	response.on("finish", () => {
		const when = started.toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (.*) GMT$/, "$1/$2/$3:$4 +0000");
		console.log(`${(request.socket.remoteAddress || "-").replace(/^::ffff:/, "")} - - [${when}] "${request.method} ${request.url} HTTP/${request.httpVersion}" ${response.statusCode} ${response.sentBytes ?? "-"} "-" "${request.headers["user-agent"] || "-"}"`);
	});
}

/** Listeners with their ports: as the pod's own configuration of nginx says, else one. */
function listeners() {
	if (name === "nginx") {
		const file = process.argv[process.argv.indexOf("-c") + 1];
		const servers = require("./nginx-config.cjs").servers(process.argv.includes("-c") ? file : undefined);
		if (servers !== undefined) return require("./nginx-serve.cjs").serve(servers, { send, logged, types });
	}
	const server = http.createServer((request, response) => {
		logged(request, response);
		try {
			(name === "simpleservice" ? simpleservice : staticFile)(request, response);
		} catch (error) {
			send(response, 400, "text/plain", `${error.message}\n`);
		}
	});
	return [Object.assign(server, { port })];
}

const [, order] = / -s (\w+)/.exec(process.argv.join(" ")) || [];
if (name === "nginx" && order !== undefined) {
	process.kill(1, order === "reload" ? "SIGHUP" : "SIGTERM");
	process.exit(0);
}
let servers = [];
try {
	servers = listeners();
} catch (error) {
	console.error(`${name}: [emerg] ${error.message}`);
	process.exit(1);
}
if (process.argv.includes("-v") || process.argv.includes("-t")) {
	console.error(`${name}: Coxswain's stand-in; the real program is not on this machine`);
	if (process.argv.includes("-t")) console.error(`${name}: configuration file test is successful`);
	process.exit(0);
}
const start = () => {
	for (const server of servers) {
		server.on("error", (error) => {
			console.error(`${name}: ${error.message}`);
			process.exit(1);
		});
		server.listen(server.port, () => console.log(`${name} is not on this machine: Coxswain's stand-in listens on port ${server.port} of ${os.hostname()}`));
	}
};
const stop = (done) => {
	let open = servers.length;
	for (const server of servers) {
		server.close(() => --open > 0 || done());
		server.closeIdleConnections();
	}
};
start();
for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"]) {
	process.on(signal, () => {
		stop(() => process.exit(0));
		setTimeout(() => process.exit(0), 2000).unref();
	});
}
process.on("SIGHUP", () => {
	try {
		const next = listeners();
		stop(() => {
			servers = next;
			start();
		});
	} catch (error) {
		console.error(`${name}: [emerg] ${error.message}`);
	}
});
