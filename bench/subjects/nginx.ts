import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, versionOf } from './program.ts';
import type { Subject } from './subject.ts';

export const nginx: Subject = {
  name: 'nginx',
  duties: ['plain'],
  cachesTokens: '-: verifies none (Debian has no JWT module for it)',
  version: () => versionOf('nginx', ['-v']),
  async start({ folder, port, upstreamPort, workers, accessLog, cores }) {
    const configFile = join(folder, 'nginx.conf');
    writeFileSync(
      configFile,
      `daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
worker_processes ${workers};
events { worker_connections 8192; }
http {
  access_log ${accessLog ? `${folder}/access.log combined buffer=64k flush=1s` : 'off'};
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 4m;
  client_body_buffer_size 1m;
  keepalive_requests 100000000;
  upstream mcp {
    server 127.0.0.1:${upstreamPort};
    keepalive 512;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mcp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`,
    );
    return startProgram(port, { command: 'nginx', args: ['-c', configFile], cores });
  },
};
