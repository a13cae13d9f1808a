import type { PortSpan } from '../cluster.ts'
import type { ClusterFiles } from './files.ts'

/** The command lines of the control plane's programs. Everything listens on 127.0.0.1. */

export function etcdArguments(folder: string, clientPort: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${clientPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  return [
    '--name=lab',
    `--data-dir=${folder}/etcd`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=lab=${peer}`,
    // Nobody needs a lab's data after a power cut, and waiting for the disk is what slows etcd down.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]
}

export interface ApiServerRequest {
  files: ClusterFiles
  port: number
  etcdPort: number
  nodePortRange: PortSpan
  /** A kubeconfig that names a token webhook. */
  tokenWebhook?: string | undefined
}

export function apiServerArguments({ files, port, etcdPort, nodePortRange, tokenWebhook }: ApiServerRequest): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--tls-cert-file=${files.serverCert}`,
    `--tls-private-key-file=${files.serverKey}`,
    `--client-ca-file=${files.ca}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    ...(tokenWebhook === undefined ? [] : tokenWebhookArguments(tokenWebhook)),
    '--service-account-issuer=https://lab.invalid',
    // Nothing in the lab uses service accounts, but the API server wants a key to sign their tokens with: any will do.
    `--service-account-key-file=${files.serverCert}`,
    `--service-account-signing-key-file=${files.serverKey}`,
    '--service-cluster-ip-range=10.100.0.0/16',
    `--service-node-port-range=${nodePortRange.min}-${nodePortRange.max}`,
    // No controller here makes service accounts, nor takes away the taint that a new node is given until its kubelet reports.
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ...frontProxyArguments(files),
    `--kubelet-client-certificate=${files.kubeletClientCert}`,
    `--kubelet-client-key=${files.kubeletClientKey}`,
    // The simulated nodes name `localhost` as their ExternalDNS, where KWOK answers as the kubelet of all of them.
    '--kubelet-preferred-address-types=ExternalDNS,InternalIP',
    '--allow-privileged=true',
    '--endpoint-reconciler-type=none',
  ]
}

const tokenWebhookArguments = (kubeconfig: string): string[] => [
  `--authentication-token-webhook-config-file=${kubeconfig}`,
  '--authentication-token-webhook-version=v1',
  '--authentication-token-webhook-cache-ttl=1s',
]

/** With these an aggregated API server can be registered, such as Calico's. */
const frontProxyArguments = (files: ClusterFiles): string[] => [
  ...requestHeaderArguments(files),
  `--proxy-client-cert-file=${files.frontProxyCert}`,
  `--proxy-client-key-file=${files.frontProxyKey}`,
]

/** Whose word an aggregated API server takes for who is asking. */
const requestHeaderArguments = (files: ClusterFiles): string[] => [
  `--requestheader-client-ca-file=${files.frontProxyCa}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
]

export interface CalicoApiRequest {
  files: ClusterFiles
  kubeconfig: string
  port: number
  cert: string
  key: string
}

export const calicoApiArguments = ({ files, kubeconfig, port, cert, key }: CalicoApiRequest): string[] => [
  `--secure-port=${port}`,
  '--bind-address=127.0.0.1',
  `--tls-cert-file=${cert}`,
  `--tls-private-key-file=${key}`,
  `--client-ca-file=${files.ca}`,
  ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((it) => `--${it}=${kubeconfig}`),
  ...requestHeaderArguments(files),
]

const clientArguments = (kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=0',
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
]

export const controllerArguments = (kubeconfig: string): string[] => [
  ...clientArguments(kubeconfig),
  '--controllers=daemonset-controller,garbage-collector-controller,namespace-controller',
  '--concurrent-daemonset-syncs=4',
]

export const schedulerArguments = (kubeconfig: string): string[] => clientArguments(kubeconfig)

export interface KwokRequest {
  files: ClusterFiles
  kubeconfig: string
  config: string
  port: number
}

export const kwokArguments = ({ files, kubeconfig, config, port }: KwokRequest): string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--config=${config}`,
  '--manage-all-nodes=true',
  '--node-ip=127.0.0.1',
  `--node-port=${port}`,
  `--server-address=127.0.0.1:${port}`,
  `--tls-cert-file=${files.serverCert}`,
  `--tls-private-key-file=${files.serverKey}`,
  '--cidr=10.200.0.0/16',
  '--node-lease-duration-seconds=0',
]
