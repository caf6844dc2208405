/** Writes the audit log to a file: JSON lines, rotated by size and age like upstream's. */

import { closeSync, openSync } from "node:fs";
import { appendFile, readdir, rename, stat, truncate, unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { asError } from "../../core/errors.ts";
import { type Clock, systemClock } from "../../core/time/clock.ts";

export interface AuditLogOptions {
	file: string;
	/** A larger file is rotated. Default 100 MB. */
	maxSizeBytes?: number | undefined;
	/** The number of rotated files to keep. Default 10. */
	maxBackups?: number | undefined;
	/** How long they are kept. Default: unlimited. */
	maxAgeMs?: number | undefined;
	/** Called for write errors, with the number of events that were dropped. */
	onError(what: string, error: Error): void;
	clock?: Clock;
}

/** The limit for events that wait to be written. Events beyond it are dropped. */
const queueLimitBytes = 16 * 1024 * 1024;
/** After a failure, such as a full disk. */
const retryMs = 1000;
/** How long a closing log tries to write pending events. */
const closeLimitMs = 2000;
const defaultSizeBytes = 100 * 1024 * 1024;
const defaultBackups = 10;

/** Requests do not wait for it: `write` returns immediately and never fails. */
export class AuditLog {
	readonly #options: AuditLogOptions;
	readonly #clock: Clock;
	#lines: Buffer[] = [];
	#waitingBytes = 0;
	#sizeBytes: number | undefined;
	#droppedCount = 0;
	#writing: Promise<void> | undefined;
	#hasFailed = false;
	readonly #closing = new AbortController();

	/** @throws Error if the file cannot be opened: better at the start than a missing log later */
	constructor(options: AuditLogOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock({ unref: true });
		closeSync(openSync(options.file, "a", 0o600));
	}

	/** @param event is serialized immediately, so it may change afterwards */
	readonly write = (event: object): void => {
		const line = lineOf(event);
		if (line === undefined || this.#waitingBytes + line.length > queueLimitBytes) {
			this.#droppedCount++;
			return;
		}
		this.#lines.push(line);
		this.#waitingBytes += line.length;
		this.#writing ??= this.#writeAll().finally(() => {
			this.#writing = undefined;
		});
	};

	/** Resolves when everything is written, or cannot be. */
	async close(): Promise<void> {
		const cut = this.#clock.after(closeLimitMs, () => this.#closing.abort());
		// A failure is retried only once.
		while (this.#writing !== undefined && !this.#closing.signal.aborted) await this.#writing;
		cut.cancel();
		this.#closing.abort();
		this.#sayDropped();
	}

	/** Events that arrive in the meantime form the next batch. */
	async #writeAll(): Promise<void> {
		// One turn later, so that related events are written together.
		await Promise.resolve();
		while (this.#lines.length > 0 && !this.#closing.signal.aborted) {
			const text = Buffer.concat(this.#lines);
			const { length: count } = this.#lines;
			try {
				await this.#append(text);
			} catch (error) {
				await this.#failed(error);
				continue;
			}
			this.#hasFailed = false;
			this.#lines.splice(0, count);
			this.#waitingBytes -= text.length;
			this.#sayDropped();
		}
	}

	async #append(text: Buffer): Promise<void> {
		const { file, maxSizeBytes = defaultSizeBytes } = this.#options;
		this.#sizeBytes ??= (await stat(file).catch(() => undefined))?.size ?? 0;
		if (this.#sizeBytes > 0 && this.#sizeBytes + text.length > maxSizeBytes) await this.#rotate();
		try {
			await appendFile(file, text, { mode: 0o600 });
		} catch (error) {
			await this.#takeBack(this.#sizeBytes);
			throw error;
		}
		this.#sizeBytes += text.length;
	}

	/** A full disk may accept a part: it would be repeated, after half of a line. */
	async #takeBack(sizeBytes: number): Promise<void> {
		const { file } = this.#options;
		const stats = await stat(file).catch(() => undefined);
		if (stats?.isFile() && stats.size > sizeBytes) await truncate(file, sizeBytes).catch(() => {});
	}

	async #rotate(): Promise<void> {
		const { file } = this.#options;
		await rename(file, this.#backupName());
		this.#sizeBytes = 0;
		await this.#prune();
	}

	/** `audit-2026-01-01T00-00-00.000.log` */
	#backupName(): string {
		const { file } = this.#options;
		const time = new Date(this.#clock.now()).toISOString().slice(0, 23).replaceAll(":", "-");
		return join(dirname(file), `${stem(file)}-${time}${extname(file)}`);
	}

	/** Removes excess and old rotated files. */
	async #prune(): Promise<void> {
		const { file, maxBackups = defaultBackups, maxAgeMs = Number.POSITIVE_INFINITY } = this.#options;
		const backups = (await readdir(dirname(file)))
			.map((name) => ({ name, madeMs: madeMs(file, name) }))
			.filter(({ madeMs }) => !Number.isNaN(madeMs))
			.sort((one, other) => other.madeMs - one.madeMs);
		const nowMs = this.#clock.now();
		for (const [index, { name, madeMs }] of backups.entries())
			if (index >= maxBackups || nowMs - madeMs > maxAgeMs) await unlink(join(dirname(file), name));
	}

	async #failed(error: unknown): Promise<void> {
		this.#sizeBytes = undefined;
		// Reported once until it works again: a full disk would otherwise fill the server's log, too.
		if (!this.#hasFailed) this.#options.onError("audit log", asError(error));
		this.#hasFailed = true;
		await this.#clock.sleep(retryMs, this.#closing.signal).catch(() => {});
	}

	#sayDropped(): void {
		const unwritten = this.#closing.signal.aborted ? this.#lines.length : 0;
		const count = this.#droppedCount + unwritten;
		if (count === 0) return;
		this.#droppedCount = 0;
		this.#options.onError("audit log", new Error(`${count} events were dropped: they could not be written in time`));
	}
}

/** Undefined if it cannot be serialized: a client in this process may send anything. */
function lineOf(event: object): Buffer | undefined {
	try {
		return Buffer.from(`${JSON.stringify(event)}\n`);
	} catch {
		return undefined;
	}
}

function stem(file: string): string {
	return basename(file, extname(file));
}

/** When a file was rotated, from its name; NaN for other files. */
function madeMs(file: string, name: string): number {
	const [prefix, suffix] = [`${stem(file)}-`, extname(file)];
	if (!name.startsWith(prefix) || !name.endsWith(suffix)) return Number.NaN;
	const time = name.slice(prefix.length, name.length - suffix.length);
	const [, date, hour, minute, second] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(time) ?? [];
	return date === undefined ? Number.NaN : Date.parse(`${date}T${hour}:${minute}:${second}Z`);
}
