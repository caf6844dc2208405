/** A terminal's size in the kernel's format (ioctl_tty(2), `struct winsize`). */
export function windowSize(columns: number, rows: number): Buffer {
	return Buffer.from(Uint16Array.of(Math.min(rows, 0xffff), Math.min(columns, 0xffff), 0, 0).buffer);
}
