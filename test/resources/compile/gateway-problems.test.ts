import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import {
  serverCertificatePem,
  serverKeyPem,
  shortLivedCertificatePem,
  caCertificatePem,
} from '../fixtures/certificates.ts';
import { indented, secret } from '../fixtures/small-resources.ts';

/** A Gateway on line 1, so that the lines of the problems can be counted by eye. */
const gatewayWith = (spec: string, more = ''): string => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bad}
spec:
  gatewayClassName: postern
${spec}
---${more}`;

const https = (ref: string, more = ''): string =>
  gatewayWith(
    `  listeners:
  - name: https
    protocol: HTTPS
    port: 8443
    tls: {certificateRefs: [${ref}]}`,
    more,
  );

const secretWith = (certificate: string, key: string, type = 'kubernetes.io/tls'): string => `
apiVersion: v1
kind: Secret
metadata: {name: cert}
type: ${type}
stringData:
  tls.crt: |
${indented(certificate, 4)}
  tls.key: |
${indented(key, 4)}
`;

testCompileProblems([
  {
    name: 'protocols that are not supported',
    text: gatewayWith(`  listeners:
  - {name: tcp, protocol: TCP, port: 1}
  - {name: tls, protocol: TLS, port: 2, tls: {mode: Passthrough}}`),
    lines: [
      'error t.yaml:7:27: Gateway/default/bad: spec.listeners[0].protocol: protocol TCP is not supported; use HTTP or HTTPS',
      'error t.yaml:8:27: Gateway/default/bad: spec.listeners[1].protocol: protocol TLS is not supported; use HTTP or HTTPS',
    ],
  },
  {
    name: 'two protocols on one port',
    text: gatewayWith(
      `  listeners:
  - {name: plain, protocol: HTTP, port: 8443}
  - {name: tls, protocol: HTTPS, port: 8443, tls: {certificateRefs: [{name: cert}]}}`,
      secret,
    ),
    lines: [
      'error t.yaml:8:27: Gateway/default/bad: spec.listeners[1].protocol: port 8443 is used with protocol HTTP by listener plain of Gateway default/bad; one port has one protocol',
    ],
  },
  {
    name: 'one hostname twice on one port, by two Gateways',
    text: `${gatewayWith('  listeners: [{name: a, protocol: HTTP, port: 80, hostname: a.example.com}]')}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other}
spec:
  gatewayClassName: postern
  listeners:
  - {name: b, protocol: HTTP, port: 80, hostname: b.example.com}
  - {name: a, protocol: HTTP, port: 80, hostname: a.example.com}`,
    lines: [
      'error t.yaml:15:5: Gateway/default/other: spec.listeners[1]: port 80 with hostname a.example.com is used by listener a of Gateway default/bad; listeners of one port need different hostnames',
    ],
  },
  {
    name: 'two listeners without hostname on one port, by two Gateways',
    text: `${gatewayWith('  listeners: [{name: a, protocol: HTTP, port: 80}]')}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other}
spec: {gatewayClassName: postern, listeners: [{name: b, protocol: HTTP, port: 80}]}`,
    lines: [
      'error t.yaml:11:47: Gateway/default/other: spec.listeners[0]: port 80 with no hostname is used by listener a of Gateway default/bad; listeners of one port need different hostnames',
    ],
  },
  {
    name: 'one port on two addresses is fine',
    text: `${gatewayWith('  addresses: [{value: 127.0.0.1}]\n  listeners: [{name: a, protocol: HTTP, port: 80}]')}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other}
spec: {gatewayClassName: postern, addresses: [{value: "::1"}], listeners: [{name: b, protocol: HTTP, port: 80}]}`,
    lines: [],
  },
  {
    name: 'addresses that are none',
    text: gatewayWith(`  addresses: [{type: Hostname, value: a.example.com}, {value: localhost}, {}]
  listeners: [{name: a, protocol: HTTP, port: 80}]`),
    lines: [
      'error t.yaml:6:22: Gateway/default/bad: spec.addresses[0].type: address type Hostname is not supported; use IPAddress',
      'error t.yaml:6:63: Gateway/default/bad: spec.addresses[1].value: an IP address is needed, such as 127.0.0.1',
      'error t.yaml:6:75: Gateway/default/bad: spec.addresses[2].value: an IP address is needed, such as 127.0.0.1',
    ],
  },
  {
    name: 'routes of another kind',
    text: gatewayWith(
      '  listeners: [{name: a, protocol: HTTP, port: 80, allowedRoutes: {kinds: [{kind: HTTPRoute}, {kind: GRPCRoute}]}}]',
    ),
    lines: [
      'error t.yaml:6:94: Gateway/default/bad: spec.listeners[0].allowedRoutes.kinds[1]: routes of kind GRPCRoute (group "gateway.networking.k8s.io") are not supported; use HTTPRoute',
    ],
  },
  {
    name: 'a Secret that is not there',
    text: https('{name: cart}', secret),
    lines: [
      'error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].name: Secret default/cart not found; did you mean cert?',
    ],
  },
  {
    name: 'a Secret in another namespace without a grant',
    text: https(
      '{name: cert, namespace: certs}',
      secret.replace('name: cert', 'name: cert, namespace: certs'),
    ),
    lines: [
      'error t.yaml:10:29: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0]: Secret certs/cert is in another namespace and no ReferenceGrant there allows it; add one in certs from Gateway of default to Secret',
    ],
  },
  {
    name: 'a certificate that is no Secret',
    text: https('{kind: ConfigMap, name: cert}'),
    lines: [
      'error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].kind: a certificateRef names a Secret of the core group',
    ],
  },
  {
    name: 'two certificates',
    text: https('{name: cert}, {name: cert}', secret),
    lines: [
      'error t.yaml:10:43: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[1]: a listener has one certificate; add a listener with a hostname for each further one',
    ],
  },
  {
    name: 'a Secret of another type',
    text: https('{name: cert}', secretWith(serverCertificatePem, serverKeyPem, 'Opaque')),
    lines: [
      "error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].name: Secret default/cert can't be used: see the problems of the Secret",
      "error t.yaml:15:7: Secret/default/cert: type: a listener's certificate needs type kubernetes.io/tls; the type is Opaque",
    ],
  },
  {
    name: 'a Secret without a key',
    text: https('{name: cert}', secret.replace('tls.key', 'key')),
    lines: [
      "error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].name: Secret default/cert can't be used: see the problems of the Secret",
      'error t.yaml:12:1: Secret/default/cert: data: the entries tls.crt and tls.key are needed, at most 1 MiB each',
    ],
  },
  {
    name: 'a Secret whose certificate and key do not parse',
    text: https('{name: cert}', secretWith('certificate', 'key')),
    lines: [
      "error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].name: Secret default/cert can't be used: see the problems of the Secret",
      'error t.yaml:17:12: Secret/default/cert: stringData["tls.crt"]: there is no PEM certificate in it',
      'error t.yaml:19:12: Secret/default/cert: stringData["tls.key"]: it is not a PEM private key, or it is encrypted',
    ],
  },
  {
    name: 'a Secret whose key is that of another certificate',
    text: https('{name: cert}', secretWith(caCertificatePem, serverKeyPem)),
    lines: [
      "error t.yaml:10:36: Gateway/default/bad: spec.listeners[0].tls.certificateRefs[0].name: Secret default/cert can't be used: see the problems of the Secret",
      'error t.yaml:29:12: Secret/default/cert: stringData["tls.key"]: the private key does not belong to the certificate',
    ],
  },
  {
    name: 'a certificate for another hostname',
    text: https('{name: cert}', secretWith(serverCertificatePem, serverKeyPem)).replace(
      'port: 8443',
      'port: 8443\n    hostname: "*.example.org"',
    ),
    lines: [
      'warning t.yaml:18:12: Secret/default/cert: stringData["tls.crt"]: the certificate is not valid for the listener\'s hostname *.example.org',
    ],
  },
  {
    name: 'a certificate for the hostname is fine, also for a wildcard',
    text: https('{name: cert}', secretWith(shortLivedCertificatePem, serverKeyPem)).replace(
      'port: 8443',
      'port: 8443\n    hostname: "*.tools.example.com"',
    ),
    lines: [],
  },
]);
