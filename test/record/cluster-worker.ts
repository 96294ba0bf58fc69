/** A worker for the cluster test: counts two requests, says so, and waits. */

import { createMetrics } from '../../src/record/metrics.ts';

const metrics = createMetrics({ accessLog: { dropped: 1, failures: 0 } });
const series = metrics.requests.series({ gateway: 'g', listener: 'l', route: 'r', backend: 'b' });
series.observe('GET', 200, null, 1, 1);
series.observe('GET', 200, null, 1, 1);
process.send?.({ type: 'counted' });
