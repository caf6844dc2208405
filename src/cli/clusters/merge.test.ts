import { expect, test } from "vitest";
import { parse } from "yaml";
import { kubeconfigText } from "../../cluster/pki/kubeconfig.ts";
import { withContext, withoutContext } from "./merge.ts";

const own = (server: string) =>
	kubeconfigText({ cluster: "coxswain", server, ca: "ca", user: { cert: "cert", key: "key" } });
const others = `# mine
apiVersion: v1
kind: Config
clusters:
- name: work # the office
  cluster: { server: "https://work" }
contexts:
- name: work
  context: { cluster: work, user: me }
users:
- name: me
  user: { token: abc }
current-context: work
`;
const names = (list: { name: string }[]) => list.map(({ name }) => name);

test("a context is added beside others, whose comments stay, and becomes the current one", () => {
	const text = withContext(others, "coxswain", own("https://127.0.0.1:1"));
	const made = parse(text);
	expect(text).toContain("# the office");
	expect([names(made.clusters), names(made.users), names(made.contexts)]).toEqual([
		["work", "coxswain"],
		["me", "coxswain-admin"],
		["work", "coxswain"],
	]);
	expect(made["current-context"]).toBe("coxswain");
});

test("adding it again replaces it, and taking it out restores the text and the current context", () => {
	const once = withContext(others, "coxswain", own("https://127.0.0.1:1"));
	const twice = withContext(once, "coxswain", own("https://127.0.0.1:2"));
	expect(parse(twice).clusters[1].cluster.server).toBe("https://127.0.0.1:2");
	expect(parse(withoutContext(twice, "coxswain"))).toEqual(parse(others));
	expect(withoutContext(twice, "coxswain")).toContain("# the office");
});

test("another context that became the current one stays it", () => {
	const text = withContext(others, "coxswain", own("https://127.0.0.1:1"));
	const changed = text.replace("current-context: coxswain", "current-context: me-too");
	expect(parse(withoutContext(changed, "coxswain"))["current-context"]).toBe("me-too");
});

test.each(["", "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: []\nusers: []\n"])(
	"an empty kubeconfig gets the context: %j",
	(text) => expect(names(parse(withContext(text, "coxswain", own("https://a"))).contexts)).toEqual(["coxswain"]),
);

test("what is no kubeconfig is refused", () => {
	expect(() => withContext("[", "coxswain", own("https://a"))).toThrow(/not YAML/);
	expect(() => withContext("clusters: 3", "coxswain", own("https://a"))).toThrow("clusters is not a list");
	expect(() => withoutContext(others, "coxswain")).toThrow("it has no context coxswain");
});
