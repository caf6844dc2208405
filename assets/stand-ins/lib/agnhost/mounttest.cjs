// agnhost mounttest: writes, reads and describes files, in a fixed order of its flags.
"use strict";
const fs = require("node:fs");
const { parse } = require("./flags.cjs");

const fresh = "mount-tester new file\n";
const fsTypes = new Map([[0x01021994, "tmpfs"], [0xef53, "ext2/ext3"], [0x794c7630, "overlayfs"], [0x58465342, "xfs"], [0x9123683e, "btrfs"], [0x6969, "nfs"]]);
const causes = { ENOENT: "no such file or directory", EACCES: "permission denied", EROFS: "read-only file system", EISDIR: "is a directory" };
const say = (verb, path, error) => `${verb} ${path}: ${causes[error.code] || error.message}`;
const quote = (path) => JSON.stringify(path);

/** As Go prints a file mode: type letters, then nine permission letters. */
function modeText(stat) {
	const types = { [fs.constants.S_IFDIR]: "d", [fs.constants.S_IFLNK]: "L", [fs.constants.S_IFIFO]: "p", [fs.constants.S_IFSOCK]: "S" };
	const type = (types[stat.mode & fs.constants.S_IFMT] || "") + (stat.mode & 0o4000 ? "u" : "") + (stat.mode & 0o2000 ? "g" : "") + (stat.mode & 0o1000 ? "t" : "");
	const letters = [..."rwxrwxrwx"].map((letter, index) => (stat.mode & (0o400 >> index) ? letter : "-"));
	return (type || "-") + letters.join("");
}

function content(path) {
	try {
		console.log(`content of file ${quote(path)}: ${fs.readFileSync(path, "utf8")}`);
		return true;
	} catch (error) {
		console.log(`error reading file content for ${quote(path)}: ${say("open", path, error)}`);
		return false;
	}
}

function describe(path, what, text) {
	try {
		console.log(text(path));
		return true;
	} catch (error) {
		console.log(`error ${what} ${quote(path)}: ${say("stat", path, error)}`);
		return false;
	}
}

function create(path, mode) {
	try {
		fs.writeFileSync(path, fresh, { mode });
		return content(path);
	} catch (error) {
		console.log(`error writing new file ${quote(path)}: ${say("open", path, error)}`);
		return false;
	}
}

async function contentInLoop(path, seconds, stopsWhenFresh) {
	for (let left = seconds; left > 0; left -= 2) {
		try {
			const text = fs.readFileSync(path, "utf8");
			console.log(`content of file ${quote(path)}: ${text}`);
			if (stopsWhenFresh && text === fresh) return true;
			if (stopsWhenFresh) process.stdout.write(`Unexpected content. Expected: ${fresh}. Retrying`);
		} catch (error) {
			console.log(`Error reading file ${path}: ${say("open", path, error)}, retrying`);
		}
		await new Promise((resolve) => setTimeout(resolve, 2000));
	}
	return fs.existsSync(path);
}

exports.mounttest = async function mounttest(words) {
	const flags = parse(words);
	process.umask(0);
	const steps = {
		fs_type: (path) => describe(path, "calling statfs", () => {
			const type = fs.statfsSync(path).type;
			return `mount type of ${quote(path)}: ${fsTypes.get(type) || type}`;
		}),
		new_file_0644: (path) => create(path, 0o644),
		new_file_0666: (path) => create(path, 0o666),
		new_file_0660: (path) => create(path, 0o660),
		new_file_0777: (path) => create(path, 0o777),
		file_mode: (path) => describe(path, "getting file mode for", () => `mode of file ${quote(path)}: ${modeText(fs.statSync(path))}`),
		file_perm: (path) => describe(path, "getting file perms for", () => `perms of file ${quote(path)}: ${modeText({ mode: fs.statSync(path).mode & 0o777 })}`),
		file_owner: (path) => describe(path, "getting file owner for", () => {
			const stat = fs.statSync(path);
			return `owner UID of ${quote(path)}: ${stat.uid}\nowner GID of ${quote(path)}: ${stat.gid}`;
		}),
		file_content: content,
		file_content_in_loop: (path) => contentInLoop(path, Number(flags.retry_time || 180), flags.break_on_expected_content !== "false"),
	};
	let good = true;
	for (const [flag, step] of Object.entries(steps)) if (flags[flag]) good = (await step(flags[flag])) && good;
	process.exitCode = good ? 0 : 1;
};
