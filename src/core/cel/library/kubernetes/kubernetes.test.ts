import { expect, test } from "vitest";
import {
	type AccessQuestion,
	Authorizer,
	authorizerType,
	dynType,
	Environment,
	patchFunctions,
	ResourceCheck,
	resourceCheckType,
} from "../../cel.ts";

const environment = new Environment({
	variables: { any: dynType, authorizer: authorizerType, "authorizer.requestResource": resourceCheckType },
	functions: patchFunctions,
});

function evaluated(expression: string, variables: Record<string, unknown> = {}): unknown {
	const compiled = environment.compile(expression);
	if ("refusal" in compiled) return compiled.refusal.text.split("\n")[0];
	const outcome = compiled.program.evaluate(variables);
	return outcome.error === undefined ? outcome.value : `error: ${outcome.error}`;
}

test.each([
	"ip('192.168.0.1').family() == 4 && ip('2001:db8::68').family() == 6",
	"ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('10.0.0.1').isLoopback()",
	"ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified()",
	"ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()",
	"ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
	"ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && !ip('ff00::1').isGlobalUnicast()",
	"ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8:0::abcd')",
	"string(ip('2001:db8:0:0:1:0:0:1')) == '2001:db8::1:0:0:1' && ip('2001:db8::0:1') == ip('2001:db8::1')",
	"isIP('::ffff:1.2.3.4') == false && isIP('fe80::1%eth0') == false && isIP('1.2.3.04') == false && isIP('1::2')",
	"cidr('192.168.0.0/24').containsIP('192.168.0.7') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.7'))",
	"cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
	"cidr('192.168.0.5/24').ip() == ip('192.168.0.5') && cidr('192.168.0.5/24').masked() == cidr('192.168.0.0/24')",
	"cidr('2001:db8::/32').prefixLength() == 32 && string(cidr('2001:db8::1/32')) == '2001:db8::1/32'",
	"isCIDR('1.2.3.4/33') == false && isCIDR('1.2.3.4') == false && isCIDR('::/0')",
	"url('https://user:pw@Example.com:8443/a%20b/c?k=1&k=2&e#top').getHost() == 'Example.com:8443'",
	"url('https://example.com:80/').getHostname() == 'example.com' && url('https://[::1]:80/').getHostname() == '::1'",
	"url('https://example.com:80/').getPort() == '80' && url('HTTPS://e.com').getScheme() == 'https'",
	"url('https://e.com/with space').getEscapedPath() == '/with%20space' && url('/path').getHost() == ''",
	"url('https://e.com/?k=a%20b&k=c+d').getQuery() == {'k': ['a b', 'c d']}",
	"isURL('https://e.com:80/p') && !isURL('../rel') && !isURL('https://e.com:x') && !isURL('https://a b')",
	"quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('50k').compareTo(quantity('50000')) == 0",
	"quantity('1Mi').add(20).asInteger() == 1048596 && quantity('1k').sub(quantity('1')) == quantity('999')",
	"!quantity('50m').isInteger() && quantity('1.25').asApproximateFloat() == 1.25 && sign(quantity('-1')) == -1",
	"isQuantity('1.3G') && !isQuantity('1.3 G')",
	"semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.2.3-rc.2').compareTo(semver('1.2.3-rc.10')) == -1",
	"semver('v01.02', true) == semver('1.2.0') && isSemver('v1', true) && !isSemver('v1.2.3') && !isSemver('1.2')",
	"semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
	"semver('1.0.0+a') == semver('1.0.0+b')",
	"!format.dns1123Label().validate('my-name').hasValue() && format.dns1123Label().validate('My').hasValue()",
	"format.named('uuid').hasValue() && !format.named('nope').hasValue()",
	"!format.dns1035LabelPrefix().validate('a-').hasValue() && format.dns1035Label().validate('1a').hasValue()",
	"!format.date().validate('2024-02-29').hasValue() && format.date().validate('2023-02-29').hasValue()",
	"!format.datetime().validate('2024-02-29T10:00:00Z').hasValue() && format.byte().validate('a').hasValue()",
	"[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].min() == 'a' && [1.5, 0.5].max() == 1.5 && ![2, 1].isSorted()",
	"[duration('1s'), duration('2s')].sum() == duration('3s') && [1u, 2u].sum() == 3u && [0.5, 0.5].sum() == 1.0",
	"['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2 && [1].indexOf(2) == -1",
	"'abc 123 d4'.find('[0-9]+') == '123' && '1 22 3'.findAll('[0-9]+', 2) == ['1', '22'] && 'a'.findAll('b') == []",
	"'A (?i)'.matches('(?i)a') && 'x\\ny'.matches('(?s)x.y') && '\u00e9'.matches('^\\\\pL$')",
	"sets.contains([1, 2, 3], [2]) && sets.equivalent(['a', 'b'], ['b', 'a', 'a']) && sets.intersects([1], [1, 2])",
	"jsonpatch.escapeKey('a/b~c') == 'a~1b~0c'",
	"[1, 2, 3, 4].slice(1, 3) == [2, 3] && [[1], [2, 3]].flatten() == [1, 2, 3] && [1, 2].reverse() == [2, 1]",
	"[1, 1, 2].distinct() == [1, 2] && lists.range(3) == [0, 1, 2] && ['aa', 'b'].sortBy(s, s.size()) == ['b', 'aa']",
	"[1, 2].first() == optional.of(1) && [1, 2].last().value() == 2 && ![].first().hasValue()",
	"'%s %d %.2f %x %X %o %b %e'.format(['n', -3, 1234.5, 255, 'a', 8, true, 3.14]) == 'n -3 1,234.50 ff 61 10 1 3.140000×10⁰⁰'",
	"'%s'.format([{'a': [1, b'x', null]}]) == '{\"a\":[1, b\"x\", null]}'",
	"'a😁b'.charAt(1) == '😁' && 'a😁b'.indexOf('b') == 2 && 'a😁b'.substring(2) == 'b' && size('😁') == 1",
	"'a.b.c'.split('.', 2) == ['a', 'b.c'] && 'aaa'.replace('a', 'b', 2) == 'bba' && 'ab'.replace('', '-') == '-a-b-'",
	"strings.quote('a\"\\n') == '\"a\\\\\"\\\\n\"' && ' \\u00a0x '.trim() == 'x'",
	"type(ip('::1')) == net.IP && type(quantity('1')) == kubernetes.Quantity",
])("%s", (expression) => {
	expect(evaluated(expression)).toBe(true);
});

test.each([
	[
		"ip('1.2.3')",
		'error: IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short',
	],
	["ip('::ffff:1.2.3.4')", 'error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
	["ip('fe80::1%eth0')", 'error: IP address "fe80::1%eth0" with zone value is not allowed'],
	["url('x')", 'error: URL parse error during conversion from string: parse "x": invalid URI for request'],
	["quantity('1').add(quantity('0.5')).asInteger()", "error: cannot convert value to integer"],
	["semver('1.2')", "error: No Major.Minor.Patch elements found"],
	["semver('01.2.3')", 'error: Major number must not contain leading zeroes "01"'],
	["['a'].slice(1, 0)", "error: cannot slice(1, 0), start index must be less than or equal to end index"],
	["[].min()", "error: min called on empty list"],
	["'a'.find('(')", "error: Illegal regex: error parsing regexp: missing closing ): `(`"],
	["'abc'.charAt(4)", "error: index out of range: 4"],
	[
		"'%d'.format(['a'])",
		"ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string",
	],
	["'%d %d'.format([1])", "ERROR: <input>:1:15: index 1 out of range"],
	["'%d'.format([1, 2])", "ERROR: <input>:1:12: too many arguments supplied to string.format (expected 1, got 2)"],
	["'%y'.format([1])", 'ERROR: <input>:1:12: could not parse formatting clause: unrecognized formatting clause "y"'],
	["math.abs(-1)", "ERROR: <input>:1:1: undeclared reference to 'math' (in container '')"],
	["base64.encode(b'a')", "ERROR: <input>:1:1: undeclared reference to 'base64' (in container '')"],
	["'ab'.reverse()", "ERROR: <input>:1:13: found no matching overload for 'reverse' applied to 'string.()'"],
	["[1].includes(1)", "ERROR: <input>:1:13: undeclared reference to 'includes' (in container '')"],
])("%s: %s", (expression, message) => {
	expect(evaluated(expression)).toBe(message);
});

test("an authorizer is asked about what an expression puts together", () => {
	const questions: AccessQuestion[] = [];
	const answer = (question: AccessQuestion) => {
		questions.push(question);
		return { allowed: question.verb === "create", reason: "because", error: question.path };
	};
	const variables = {
		authorizer: new Authorizer(answer),
		"authorizer.requestResource": new ResourceCheck(answer, { group: "apps", resource: "deployments", name: "web" }),
	};
	expect(evaluated("authorizer.path('/healthz').check('get').error()", variables)).toBe("/healthz");
	expect(
		evaluated(
			"authorizer.serviceAccount('shop', 'robot').group('').resource('pods').subresource('log').namespace('shop')" +
				".name('web-1').labelSelector('a=b').fieldSelector('c=d').check('create').allowed()",
			variables,
		),
	).toBe(true);
	expect(evaluated("authorizer.requestResource.check('delete').reason()", variables)).toBe("because");
	expect(questions).toEqual([
		{ path: "/healthz", verb: "get" },
		{
			group: "",
			resource: "pods",
			subresource: "log",
			namespace: "shop",
			name: "web-1",
			labelSelector: "a=b",
			fieldSelector: "c=d",
			verb: "create",
			serviceAccount: { namespace: "shop", name: "robot" },
		},
		{ group: "apps", resource: "deployments", name: "web", verb: "delete" },
	]);
	expect(evaluated("authorizer.path(' ').check('get').allowed()", variables)).toBe("error: path must not be empty");
});
