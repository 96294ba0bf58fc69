import { describe } from 'node:test';
import { createHttp1Upstream } from '../../../src/forward/http1/http1-upstream.ts';
import { testUpstream } from '../upstream-behaviour.ts';

describe('as every client', () =>
  testUpstream({
    create: createHttp1Upstream,
    protocolSwitch: 'UPSTREAM_PROTOCOL',
    addedField: '',
  }));
