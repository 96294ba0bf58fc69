import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'a tab that indents',
    text: `kind: Gateway
spec:
	listeners: []
`,
    problems: [
      'error t.yaml:3:1: document 1: is not valid YAML: a tab must not be used to indent; use spaces',
    ],
  },
  {
    name: 'a quote that is not closed',
    text: `kind: "Gateway
`,
    problems: [
      'error t.yaml:2:1: document 1: is not valid YAML: a closing bracket, quote, comma, ":" or space is missing',
    ],
  },
  {
    name: 'a bracket that is not closed',
    text: `kind: Gateway
spec: {listeners: [1, 2}
`,
    problems: [
      'error t.yaml:2:24: document 1: is not valid YAML: the indentation must match the surrounding fields',
      'error t.yaml:2:25: document 1: is not valid YAML: the indentation must match the surrounding fields',
    ],
  },
  {
    name: 'a field that is given twice',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: {}
spec: {}
`,
    problems: ['error t.yaml:5:1: document 1: spec: is given twice; remove one'],
  },
  {
    name: 'a field name that is a number',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
8080: x
`,
    problems: [
      'error t.yaml:4:1: document 1: has a field name that is not a string; put it in quotes',
    ],
  },
  {
    name: 'a field name that would change the object itself',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: {__proto__: {polluted: true}}
`,
    problems: [
      'error t.yaml:4:8: document 1: spec.__proto__: is not a field name that can be used',
    ],
  },
  {
    name: 'a tag',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: {a: !secret b}
`,
    problems: [
      'error t.yaml:4:11: document 1: is not valid YAML: a tag such as !name must not be used',
    ],
  },
  {
    name: 'an alias without anchor',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: {a: *b}
`,
    problems: ['error t.yaml:4:11: document 1: spec.a: must refer to an anchor set before it'],
  },
  {
    name: 'an alias inside itself',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: &b {a: *b}
`,
    problems: [
      'error t.yaml:4:14: document 1: spec.a: must not refer to a value that it is part of',
    ],
  },
  {
    name: 'a control character',
    text: `kind: Gateway
`,
    problems: ['error t.yaml:1:11: document 1: holds a control character; remove it'],
  },
  {
    name: 'JSON with a missing comma',
    text: `{"kind": "Gateway"
 "apiVersion": "v1"}
`,
    problems: [
      'error t.yaml:2:2: document 1: is not valid YAML: a closing bracket, quote, comma, ":" or space is missing',
    ],
  },
  {
    name: 'a variable in braces that YAML reads as a mapping',
    text: `apiVersion: v1
kind: Namespace
metadata: {name: x}
spec: {a: \${B}}
`,
    problems: [
      'error t.yaml:4:12: document 1: is not valid YAML: this must not stand here; check indentation and quotes',
      'error t.yaml:4:13: document 1: is not valid YAML: this must not stand here; check indentation and quotes',
      'error t.yaml:4:15: document 1: is not valid YAML: this must not stand here; check indentation and quotes',
    ],
  },
]);
