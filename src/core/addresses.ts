/**
 * IPv4 addresses and CIDR blocks as arithmetic. Addresses are dotted quads outside and unsigned 32-bit numbers inside.
 */

export interface Cidr {
	/** First address of the block. */
	base: number;
	/** Prefix length, 0 to 32. */
	bits: number;
}

/** The number of a dotted quad; undefined when it is none (leading zeros are refused, as upstream does). */
export function parseIPv4(text: string): number | undefined {
	const parts = text.split(".");
	if (parts.length !== 4) return undefined;
	let address = 0;
	for (const part of parts) {
		if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
		const octet = Number(part);
		if (octet > 255) return undefined;
		address = address * 256 + octet;
	}
	return address;
}

export function formatIPv4(address: number): string {
	return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join(".");
}

/** The block of `ADDRESS/BITS`, with host bits cleared; undefined when it is none. */
export function parseCidr(text: string): Cidr | undefined {
	const [address, bits, ...rest] = text.split("/");
	if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,2}$/.test(bits)) return undefined;
	const base = parseIPv4(address);
	const prefix = Number(bits);
	if (base === undefined || prefix > 32) return undefined;
	return { base: base - (base % cidrSize({ base, bits: prefix })), bits: prefix };
}

export function formatCidr(cidr: Cidr): string {
	return `${formatIPv4(cidr.base)}/${cidr.bits}`;
}

/** How many addresses the block has. */
export function cidrSize(cidr: Cidr): number {
	return 2 ** (32 - cidr.bits);
}

export function cidrContains(cidr: Cidr, address: number): boolean {
	return address >= cidr.base && address < cidr.base + cidrSize(cidr);
}

/** The `index`th block of `bits` inside `cidr`, for example the pod subnet of node number 3; undefined past the end. */
export function subnet(cidr: Cidr, bits: number, index: number): Cidr | undefined {
	const size = 2 ** (32 - bits);
	if (bits < cidr.bits || index < 0 || (index + 1) * size > cidrSize(cidr)) return undefined;
	return { base: cidr.base + index * size, bits };
}

/**
 * Addresses of one block, handed out in turn, so that one that was given back rests as long as possible before it is
 * used again. `skipFirst` and `skipLast` addresses are never given (network, gateway, broadcast).
 */
export class AddressPool {
	readonly #cidr: Cidr;
	readonly #first: number;
	readonly #count: number;
	readonly #used = new Set<number>();
	#next = 0;

	constructor(cidr: Cidr, options: { skipFirst?: number; skipLast?: number } = {}) {
		const skipFirst = options.skipFirst ?? 0;
		this.#cidr = cidr;
		this.#first = cidr.base + skipFirst;
		this.#count = Math.max(cidrSize(cidr) - skipFirst - (options.skipLast ?? 0), 0);
	}

	get free(): number {
		return this.#count - this.#used.size;
	}

	has(address: number): boolean {
		return this.#used.has(address);
	}

	/** Marks one address as used; false when it was used before or lies outside. */
	take(address: number): boolean {
		if (!cidrContains(this.#cidr, address) || this.#used.has(address)) return false;
		if (address < this.#first || address >= this.#first + this.#count) return false;
		this.#used.add(address);
		return true;
	}

	/** The next free address; undefined when all are used. */
	allocate(): number | undefined {
		if (this.free <= 0) return undefined;
		for (;;) {
			const address = this.#first + this.#next;
			this.#next = (this.#next + 1) % this.#count;
			if (this.take(address)) return address;
		}
	}

	release(address: number): void {
		this.#used.delete(address);
	}
}
