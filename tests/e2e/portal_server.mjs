// Starts what the portal is tested on: the real hub if the KIZASHI environment variable names the program,
// the portal's stand-in otherwise.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const portal = join(dirname(fileURLToPath(import.meta.url)), '../../portal');
const START_MS = 120_000;
/** The demonstration takes days of history in before it has much to show. */
const HISTORY_MS = 300_000;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function until(what, check, ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not come within ${ms / 1000} s`);
}

/** @returns {Promise<{url: string, user: string, password: string, ask: (path: string) => Promise<any>, stop: () => Promise<void>}>} */
export async function startServer() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = process.env.KIZASHI;
  const data = mkdtempSync(join(tmpdir(), 'kizashi-e2e-'));
  const child = program
    ? spawn(program, ['hub', '--demo', '--data', data, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn(process.execPath, [join(portal, 'dev/mock.mjs'), '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said = (said + text).slice(-20_000)));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await until('the server', async () => {
      if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
      return fetch(url).then((answer) => answer.ok, () => false);
    }, START_MS);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}; it said:\n${said}`);
  }
  const who = credentials(program, data);
  const cookie = await signIn(url, who);
  const ask = async (path) => (await fetch(`${url}/api/v1${path}`, { headers: { cookie } })).json();
  try {
    await until('the first alert', async () => (await ask('/alerts?status=open&severity=notice')).rows?.length > 0, HISTORY_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, ask, ...who };
}

/** Until the demonstration is live at every site. */
export async function history(ask) {
  if (!process.env.KIZASHI) return; // what is made up has all its history
  await until('the end of the history', async () => {
    const { rows } = await ask('/sites');
    return rows.length > 0 && rows.every(({ live }) => live?.state !== 'replaying');
  }, HISTORY_MS);
}

async function signIn(url, { user, password }) {
  const body = JSON.stringify({ user, password });
  const answer = await fetch(`${url}/api/v1/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  if (!answer.ok) throw new Error(`signing in as ${user}: ${await answer.text()}`);
  return answer.headers.get('Set-Cookie').split(';')[0];
}

/** The hub leaves the password of its first user in its data folder. */
function credentials(program, data) {
  if (!program) return { user: 'demo', password: 'demo' };
  return { user: 'admin', password: readFileSync(join(data, 'admin-password'), 'utf8').trim() };
}
