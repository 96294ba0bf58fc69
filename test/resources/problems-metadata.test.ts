import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'no metadata',
    text: `apiVersion: v1
kind: ConfigMap
`,
    problems: ['error t.yaml:1:1: document 1: metadata.name: is required'],
  },
  {
    name: 'no name',
    text: `apiVersion: v1
kind: ConfigMap
metadata: {namespace: a}
`,
    problems: ['error t.yaml:3:11: document 1: metadata.name: is required'],
  },
  {
    name: 'names that are not DNS names',
    text: `apiVersion: v1
kind: ConfigMap
metadata:
  name: My_Map
  namespace: a.b
`,
    problems: [
      'error t.yaml:4:9: document 1: metadata.name: must be a name of lower-case letters, digits, "-" and "." (RFC 1123), at most 253 characters; is My_Map',
      'error t.yaml:5:14: document 1: metadata.namespace: must be a name of lower-case letters, digits and "-" (RFC 1123 label), at most 63 characters; is "a.b"',
    ],
  },
  {
    name: 'a Service name that starts with "-"',
    text: `apiVersion: v1
kind: Service
metadata: {name: "-a"}
`,
    problems: [
      'error t.yaml:3:18: document 1: metadata.name: must be a name of lower-case letters, digits and "-" (RFC 1123 label), at most 63 characters; is "-a"',
    ],
  },
  {
    name: 'a label that is a number',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: a, labels: {tier: 1}}
`,
    problems: ['error t.yaml:3:36: document 1: metadata.labels.tier: must be a string; is 1'],
  },
  {
    name: 'a time that is not RFC 3339',
    text: `apiVersion: v1
kind: ConfigMap
metadata: {name: a, creationTimestamp: yesterday}
`,
    problems: [
      'error t.yaml:3:40: ConfigMap/default/a: metadata.creationTimestamp: must be an RFC 3339 time in UTC such as 2026-01-31T12:00:00Z',
    ],
  },
  {
    name: 'a namespace on a cluster-scoped kind',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: a, namespace: b}
`,
    problems: [
      'warning t.yaml:3:21: Namespace/a: metadata.namespace: has no effect: Namespace is cluster-scoped',
    ],
  },
  {
    name: 'an unknown field of metadata',
    text: `apiVersion: v1
kind: ConfigMap
metadata: {name: a, lables: {}}
`,
    problems: [
      'warning t.yaml:3:21: ConfigMap/default/a: metadata.lables: is not a known field; did you mean labels?',
    ],
  },
  {
    name: 'the same resource twice',
    text: `apiVersion: v1
kind: ConfigMap
metadata: {name: x}
---
apiVersion: v1
kind: ConfigMap
metadata:
  namespace: default
  name: x
`,
    problems: [
      'error t.yaml:9:9: ConfigMap/default/x: metadata.name: is declared twice; the first is at t.yaml:3:18',
    ],
  },
]);
