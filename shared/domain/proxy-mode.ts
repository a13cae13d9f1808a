/** Which mode kube-proxy is told, which it runs on each node, and whose logs settle a doubt. */
export type { ProxyConfiguration } from './proxy-mode/configured.ts'
export { commonMode, configuredModes, isRolledOut } from './proxy-mode/configured.ts'
export { logsWorthReading } from './proxy-mode/logs.ts'
export type { RunningMode } from './proxy-mode/running.ts'
export { runningModes, tookPresentMode } from './proxy-mode/running.ts'
export { logOf, nodePods, podId } from './proxy-mode/samples.ts'
