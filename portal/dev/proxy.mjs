// Serves dist/ before a running hub, so that a change of the portal is seen without building the program:
// node dev/proxy.mjs --hub http://127.0.0.1:8480 [--port 8901]
import { createServer, request } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const option = (name, otherwise) => {
  const i = process.argv.indexOf(name);
  return i < 0 ? otherwise : process.argv[i + 1];
};
const hub = new URL(option('--hub', 'http://127.0.0.1:8480'));
const port = Number(option('--port', '8901'));
const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** The hub believes requests only that come from its own pages. */
function pass(incoming, response) {
  const headers = { ...incoming.headers, host: hub.host };
  if (headers.origin) headers.origin = hub.origin;
  const outgoing = request(new URL(incoming.url, hub), { method: incoming.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

async function file(response, path) {
  const name = normalize(path === '/' ? '/index.html' : path);
  try {
    const data = await readFile(join(dist, name));
    response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'text/plain', 'Content-Security-Policy': "default-src 'self'" });
    response.end(data);
  } catch {
    response.writeHead(404).end('not found');
  }
}

createServer((incoming, response) => {
  const { pathname } = new URL(incoming.url, hub);
  if (/^\/(api\/|metrics$|healthz$)/.test(pathname)) pass(incoming, response);
  else void file(response, pathname);
}).listen(port, '127.0.0.1', () => console.log(`portal on http://127.0.0.1:${port}/ before ${hub.origin}`));
