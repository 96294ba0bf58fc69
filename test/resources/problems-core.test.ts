import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'Service',
    text: `apiVersion: v1
kind: Service
metadata: {name: x}
spec:
  type: clusterIP
  clusterIPs: [10.0.0.1]
  ports:
  - {port: 0, targetPort: {}}
  - {name: A_B, targetPort: http}
`,
    problems: [
      'error t.yaml:5:9: Service/default/x: spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName; is clusterIP',
      'error t.yaml:8:12: Service/default/x: spec.ports[0].port: must be a whole number from 1 to 65535; is 0',
      'error t.yaml:8:27: Service/default/x: spec.ports[0].targetPort: must be a whole number or a string; is a mapping',
      'error t.yaml:9:5: Service/default/x: spec.ports[1].port: is required',
      'error t.yaml:9:12: Service/default/x: spec.ports[1].name: must be a name of lower-case letters, digits and "-" (RFC 1123 label), at most 63 characters; is A_B',
    ],
  },
  {
    name: 'Secret: text that is not base64, and values that stay secret',
    text: `apiVersion: v1
kind: Secret
metadata: {name: x}
type: kubernetes.io/tls
data:
  tls.crt: "not base64!"
  tls.key: c2VjcmV0
`,
    problems: [
      'error t.yaml:6:12: Secret/default/x: data["tls.crt"]: must be base64 (RFC 4648 section 4); use stringData for plain text',
    ],
  },
  {
    name: 'Secret: values of a wrong type',
    text: `apiVersion: v1
kind: Secret
metadata: {name: x}
data: hunter2
stringData: {password: 12345}
dta: {}
`,
    problems: [
      'error t.yaml:4:7: Secret/default/x: data: must be a mapping',
      'error t.yaml:5:24: Secret/default/x: stringData.password: must be a string',
      'warning t.yaml:6:1: Secret/default/x: dta: is not a known field; did you mean data?',
    ],
  },
  {
    name: 'ConfigMap',
    text: `apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {ca.crt: [a]}
binaryData: {x: "?"}
`,
    problems: [
      'error t.yaml:4:16: ConfigMap/default/x: data["ca.crt"]: must be a string; is a list',
    ],
  },
  {
    name: 'ReferenceGrant',
    text: `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: x}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute}]
  to: []
`,
    problems: [
      'error t.yaml:5:10: ReferenceGrant/default/x: spec.from[0].namespace: is required',
      'error t.yaml:6:7: ReferenceGrant/default/x: spec.to: must have at least 1 item; has 0',
    ],
  },
  {
    name: 'GatewayClass',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: x}
spec: {parametersRef: {name: a}}
`,
    problems: [
      'error t.yaml:4:7: GatewayClass/x: spec.controllerName: is required',
      'warning t.yaml:4:8: GatewayClass/x: spec.parametersRef: is not implemented in this version and has no effect',
    ],
  },
]);
