/** Escapes a path for overlayfs options. */
export function escaped(path: string): string {
	return path.replace(/[\\,:]/g, (character) => `\\${character}`);
}
