import type { FindingCode } from '../domain/report.ts'

/**
 * The meaning of each code, the first sentence of its section in `docs/findings.md`; a test verifies that both are
 * equal.
 */
export const findingTexts: Record<FindingCode, string> = {
  RANGE_DIFFERS:
    'The ports that Felix treats as node ports on these nodes are not those that Services can have: the service range plus node ports in use outside it.',
  RANGE_TOO_WIDE: 'Felix treats ports as node ports that no Service can have.',
  RANGE_SPEC_IGNORED: 'spec.kubeNodePortRanges has a value that Felix does not use.',
  RANGE_SHADOWED:
    'A layer above FelixConfiguration/default decides the range on these nodes, and its value is wrong or cannot be seen: the environment of calico-node, /etc/calico/felix.cfg, FelixConfiguration/node.NAME, or from Calico 3.32 an object with a nodeSelector.',
  RANGE_INVALID:
    'A value that Felix rejects (warning: it uses 30000:32767 instead), or an object that must be fixed manually before anything is written (critical): an item of this or another field that cannot be decoded (32767:30000, 70000, a space), so that Felix does not start and a running Felix receives no changes; or the annotation in two spellings, of which Felix uses one at random.',
  RANGE_ASSUMED: 'The service range is not known: no EKS API answered for the cluster, and no range was given.',
  RANGE_HOST_PORTS:
    'The service range begins below 1024 or contains a port of the host itself: 22, 179, 6443 or 10250.',
  STRAY_NODE_PORT:
    'Services hold a nodePort or healthCheckNodePort outside the service range, as they do after the range was changed: ports remain until the Service is created again.',
  NODE_PORT_SCTP: 'Services have node ports of SCTP.',
  MODE_NOT_ROLLED: 'kube-proxy is configured for one mode and runs another.',
  MODE_MIXED: 'kube-proxy runs different modes on different nodes.',
  MODE_UNPROVEN:
    'There is no evidence which mode kube-proxy runs on these nodes, or whether Felix is still in IPVS mode after the mode changed; or kube-proxy is configured for a mode that it would reject, or does not run.',
  FELIX_MISSED_MODE: 'kube-proxy changed its mode and Felix has not noticed.',
  STALE_IPVS_DEVICE:
    'kube-proxy runs iptables, but the link kube-ipvs0 remains from before, and Felix is still in IPVS mode.',
  IPVS_DEPRECATED:
    "kube-proxy's IPVS mode is deprecated: 1.35 warns, 1.37 has the feature gate KubeProxyIPVS; 1.40 is planned to disable it by default, 1.43 to remove it.",
  IPVS_WITH_BPF:
    'Felix is in eBPF mode while kube-proxy runs (critical) or is configured for (warning) ipvs, or the link kube-ipvs0 remained when kube-proxy was removed (critical).',
  IPVS_WITH_NFTABLES: 'Felix programs nftables (nftablesMode: Enabled) while kube-proxy is in ipvs mode.',
  INTERFACE_EXCLUDE: 'interfaceExclude no longer covers kube-ipvs0, which has every ClusterIP as an address.',
  MARK_CAPACITY: 'In IPVS mode Felix gives each local endpoint its own packet mark.',
  MARK_OVERLAP:
    "The mask takes bits of the packet mark that others use on these nodes: kube-proxy's masquerade bit (0x4000 unless masqueradeBit says otherwise), the kubelet's 0x8000, the portmap plugin's 0x2000, and those of programs whose DaemonSet puts a pod on the node, in the node's own network: the Amazon VPC CNI (0x80, or AWS_VPC_K8S_CNI_CONNMARK), Cilium (0x0f00), Tailscale where it is not in user space (TS_USERSPACE is false; 0xff0000), Weave Net (0x20000).",
  MARK_INVALID:
    'Felix does not start with this mask: not a number it can parse, fewer than two bits, or too few for its own needs and one endpoint.',
  MARK_NOT_STORABLE:
    "The fields iptablesMarkMask and nftablesMarkMask are int32 in Calico up to 3.32, and Kubernetes from 1.36 enforces that: values above 2147483647 are rejected, Calico's own default 0xffff0000 among them.",
  MARK_TABLES_DIFFER: 'iptablesMarkMask and nftablesMarkMask differ.',
  OWNED_BY_GITOPS:
    'FelixConfiguration/default needs a change, and Argo CD, Flux, Helm or Terraform would revert a change made in the cluster.',
  OPERATOR_IGNORED:
    'An annotation tells the Tigera operator to ignore an object: it neither updates nor repairs it, not even when Calico is updated.',
  OPERATOR_BLIND: 'spec.kubeNodePortRanges is set, and the operator that installed Calico cannot read it.',
  CALICO_API_UNAVAILABLE: 'projectcalico.org/v3 is registered but does not answer.',
  CALICO_MIGRATING:
    'There are two calico-node DaemonSets, for example during a migration from manifests to the operator.',
  SELECTOR_OVERLAP:
    'Several FelixConfigurations with a nodeSelector select the same node: Felix uses only the oldest object and merges nothing.',
  NFTABLES_MODE_DIFFERS: 'nftablesMode is not the same on all nodes.',
  NODES_NOT_READY: 'calico-node is missing or not Ready on some nodes.',
  UPDATE_STRATEGY:
    'A DaemonSet has the update strategy OnDelete: a change of its template, such as a rolling restart, restarts no pod.',
  UNREACHABLE:
    'A request got no usable answer: DNS, TCP, TLS, a timeout, 429, 5xx, an answer that cannot be parsed, a list of nodes without the nodes of the listed pods, or missing CRDs of Calico.',
  ACCESS_DENIED: 'A request was denied (401 or 403).',
  CLUSTER_IDENTITY:
    'EKS describes another cluster than the connected one, for example because the kubeconfig belongs to one account and the AWS credentials to another account that has a cluster of the same name.',
  TLS_NOT_VERIFIED: 'The kubeconfig says insecure-skip-tls-verify: the identity of the server is not verified.',
  CLUSTER_UPDATING:
    'An EKS update, or a roll of kube-proxy or calico-node, is under way: the verdict is changing, and nothing is written but what a halt undoes.',
  ROLLOUT_HALTED:
    'A rollout of this tool stopped, because a node did not become Ready in time, because of an unexpected change, or because somebody paused it.',
  ROLLOUT_STATE_INVALID:
    'Our Lease kube-system/calico-ipvs-sync, or our mark calico-ipvs-sync/override on a FelixConfiguration, was not written by this tool.',
  FLAPPING:
    "The range was written today, and somebody has reverted it since: in default, or in a node's override during a rollout (deleted, emptied or changed), which then halts.",
}
