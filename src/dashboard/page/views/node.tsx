import type { Node } from "../../../kinds/generated/types.ts";
import { PodTable } from "../parts/pod-table.tsx";
import { Badge } from "../parts/status.tsx";
import { all } from "../state/objects.ts";
import { words } from "../text/words.ts";
import { CordonAction, nodeStatus } from "./cluster.tsx";
import { Frame } from "./frame.tsx";

export function NodeView({ node }: { node: Node }) {
	const w = words();
	const { name } = node.metadata;
	const pods = all("pods").filter(({ spec }) => spec.nodeName === name);
	const { allocatable = {}, nodeInfo } = node.status ?? {};
	return (
		<Frame type="node" plural="nodes" object={node} pods={[]} actions={<CordonAction node={node} />}>
			<dl class="facts">
				<dt>{w.status}</dt>
				<dd>
					<Badge {...nodeStatus(node)} />
				</dd>
				<dt>{w.capacity}</dt>
				<dd>
					cpu {allocatable["cpu"]}, memory {allocatable["memory"]}, pods {allocatable["pods"]}
				</dd>
				<dt>kubelet</dt>
				<dd>{nodeInfo?.kubeletVersion}</dd>
			</dl>
			<h2>{w.pods}</h2>
			<PodTable pods={pods} />
		</Frame>
	);
}
