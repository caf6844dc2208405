import { Duplex } from "node:stream";

/** Two ends of one connection inside the process: what is written to one is read from the other, with backpressure. */
export function duplexPair(): [Duplex, Duplex] {
	const near = new End();
	const far = new End();
	near.other = far;
	far.other = near;
	return [near, far];
}

class End extends Duplex {
	other: End | undefined;
	/** Tells the writer at the other end that there is room again. */
	#resume: (() => void) | undefined;

	override _read(): void {
		const resume = this.#resume;
		this.#resume = undefined;
		resume?.();
	}

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		const other = this.other;
		const accepted = other === undefined || other.destroyed || chunk.length === 0 || other.push(chunk);
		if (accepted) done();
		else other.#resume = done;
	}

	override _final(done: () => void): void {
		this.other?.push(null);
		done();
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		const other = this.other;
		// As a lost connection looks from the other side: an end, without an error of ours.
		if (other !== undefined && !other.destroyed && !other.readableEnded) other.push(null);
		done(error);
	}
}
