/** For the small programs around containers: nothing of the agent's own. */
export const toolEnvironment = {
	// The usual directories first: each one looked through in vain costs time at every start of a program.
	PATH: [...new Set(["/usr/bin", "/usr/sbin", "/bin", "/sbin", ...(process.env["PATH"] ?? "").split(":")])]
		.filter(Boolean)
		.join(":"),
	LC_ALL: "C",
};
