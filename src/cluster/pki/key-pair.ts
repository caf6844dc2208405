/** PEM texts. */
export interface KeyPair {
	key: string;
	cert: string;
}
