/** The classic: the http-proxy package with kept-alive connections. `node http-proxy.mjs JOB` */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import httpProxy from 'http-proxy';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${job.upstreamPort}`,
  agent,
});
proxy.on('error', (_error, _request, response) => response.writeHead(502).end());
http
  .createServer((request, response) => {
    if (job.accessLog) {
      response.once('finish', () => {
        process.stdout.write(`${request.method} ${request.url} ${response.statusCode}\n`);
      });
    }
    proxy.web(request, response);
  })
  .listen(job.port, '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
