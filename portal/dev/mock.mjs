// A stand-in for the hub, for developing the portal: node dev/mock.mjs [--port 8900] [--old] [--empty]
// Serves dist/ and made-up data in the shapes of the API. Sign in as demo, password demo. Never part of a release.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAlerts } from './mock/alerts.mjs';
import * as answers from './mock/answers.mjs';
import * as fleet from './mock/fleet.mjs';
import { makeModel, SITES } from './mock/model.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const option = (name) => process.argv.includes(name);
const port = Number(process.argv[process.argv.indexOf('--port') + 1]) || 8900;
const model = makeModel(option('--old') ? Date.parse('2023-04-21T09:00:00Z') : Date.now());
const alerts = makeAlerts(model);
const iso = (t) => `${new Date(t).toISOString().slice(0, 19)}Z`;
const CSRF = 'mock-csrf-token';
const CSP = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };
const sessions = new Set();
const readers = new Set();
const people = [{ user: 'demo', role: 'admin', disabled: false, created: iso(model.start), last_login: iso(Date.now()) }];
let tokens = [];

class Problem extends Error {
  constructor(status, title, detail = '', field) {
    super(title);
    this.body = { type: 'about:blank', title, status, detail, ...(field ? { field } : {}) };
  }
}

let rules = [];
const summary = ({ hosts, evidence, ...rest }) => rest;
const rank = ['info', 'notice', 'warning', 'critical'];

function listAlerts(query) {
  const least = rank.indexOf(query.get('severity') ?? 'info');
  const is = (name, value) => !query.get(name) || query.get(name) === value;
  const rows = alerts.filter((a) =>
    rank.indexOf(a.severity) >= least && shows(query.get('suppressed'), a) && is('status', a.status) && is('state', a.workflow.state) && is('proto', a.proto) && is('kind', a.kind) &&
    (!query.get('engine') || a.engine.includes(query.get('engine'))) &&
    (!query.get('port') || a.ports.includes(Number(query.get('port')))) && (!query.get('site') || a.sites.includes(query.get('site'))) &&
    (!query.get('country') || a.countries.includes(query.get('country'))) &&
    (!query.get('q') || `${a.title} ${a.explanation}`.toLowerCase().includes(query.get('q').toLowerCase())) &&
    (!query.get('from') || a.end >= query.get('from')) && (!query.get('to') || a.start < query.get('to')));
  const leftOut = query.get('suppressed') === 'exclude' ? alerts.filter((a) => a.workflow.suppression !== null).length : 0;
  return { rows: rows.map(summary), next: null, left_out: leftOut };
}

function shows(how, alert) {
  const suppressed = alert.workflow.suppression !== null;
  return how === 'exclude' ? !suppressed : how === 'only' ? suppressed : true;
}

/** Only the alert itself is suppressed: the hub covers its like. */
function suppress(alert, { state, note, until, scope = 'kind,port,site' }) {
  const parts = scope.split(',');
  const rule = {
    id: rules.length + 1, alert: alert.id, severity: alert.severity, state, why: note, by: 'demo', made: iso(Date.now()), until,
    scope: { ...(parts.includes('kind') ? { kind: alert.kind } : {}), ...(parts.includes('port') ? { proto: alert.proto, ports: alert.ports } : {}), ...(parts.includes('site') ? { sites: alert.sites } : {}) },
    revoked: null, revoked_by: null, alerts: 1,
  };
  rules = [rule, ...rules];
  alert.workflow.suppression = rule.id;
}

function revoke(id) {
  const rule = rules.find((r) => r.id === Number(id) && !r.revoked);
  if (!rule) throw new Problem(404, 'There is no such suppression');
  Object.assign(rule, { revoked: iso(Date.now()), revoked_by: 'demo', alerts: 0 });
  for (const a of alerts) if (a.workflow.suppression === rule.id) Object.assign(a.workflow, { suppression: null, state: 'new', back: 'the suppression was revoked' });
}

/** What spreads is expected at the site that waits; the one before it came as was said. */
function forecasts(query) {
  const rows = alerts.filter((a) => !query.get('alert') || a.id === query.get('alert')).flatMap((a) =>
    (a.evidence.growth?.sites ?? []).slice(2).filter(() => a.ports[0] === 5000).map((s) => {
      const made = Date.parse(a.start) + 3 * 3_600_000;
      const p = { made: iso(made), expected: iso(made + 9 * 3_600_000), low: iso(made + 3 * 3_600_000), high: iso(made + 26 * 3_600_000), chance: 0.72 };
      const came = s.first && Date.parse(s.first) > made ? s.first : null;
      return { alert: a.id, site: s.site, origin: a.sites[0], began: a.start, proto: a.proto, port: a.ports[0], first: p, last: p, state: s.first ? (came ? 'came' : 'late') : 'open', came: s.first ?? null, settled: s.first ?? null };
    }));
  const wanted = rows.filter((r) => !query.get('state') || r.state === query.get('state'));
  return { rows: wanted, score: { counts: { open: 1, came: 14, late: 2, missed: 3, void: 0 }, came: 0.82, said: 0.7, in_interval: 0.86, error_median_h: 3.2 } };
}

function tell(event, data) {
  for (const reader of readers) reader.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

const me = () => ({ user: 'demo', role: 'admin', csrf: CSRF, by: 'session', expires: iso(Date.now() + 43_200_000) });

function patchAlert(id, body) {
  const alert = alerts.find((a) => a.id === id);
  if (!alert) throw new Problem(404, 'There is no such alert');
  const { until, scope, ...said } = body;
  Object.assign(alert.workflow, said, { by: 'demo', changed: iso(Date.now()) });
  if (until) suppress(alert, { state: alert.workflow.state, note: alert.workflow.note, until, scope });
  tell('alert', summary(alert));
  return alert;
}

function makeToken(body) {
  const id = Math.random().toString(36).slice(2, 10);
  tokens.push({ id, label: body.label, user: 'demo', role: body.role ?? 'viewer', created: iso(Date.now()), last_used: null, expires: iso(Date.now() + 7_776_000_000) });
  return { id, token: `kz_${'x'.repeat(43)}` };
}

/** [method, path as an expression, answer] */
const ROUTES = [
  ['GET', /^\/me$/, me],
  ['POST', /^\/me\/password$/, () => undefined],
  ['GET', /^\/overview$/, (q) => answers.overview(model, q, alerts)],
  ['GET', /^\/alerts$/, listAlerts],
  ['GET', /^\/alerts\/([^/]+)$/, (_q, id) => {
    const alert = alerts.find((a) => a.id === id);
    if (!alert) throw new Problem(404, 'There is no such alert', 'It may have been removed with the store.');
    return alert;
  }],
  ['PATCH', /^\/alerts\/([^/]+)$/, (_q, id, body) => patchAlert(id, body)],
  ['GET', /^\/(series|losses|ports|movers|sources|countries|asns|tools|classes|screened|tagged|totals|sites|victims)$/, (q, name) => answers[name](model, q)],
  ['GET', /^\/sources\/([^/]+)$/, (q, src) => answers.source(model, q, decodeURIComponent(src))],
  ['GET', /^\/sites\/([^/]+)$/, (q, name) => {
    const made = answers.site(model, q, name);
    if (!made) throw new Problem(404, `There is no site "${name}"`, `Sites: ${SITES.map((s) => s.name).join(', ')}.`);
    return made;
  }],
  ['GET', /^\/suppressions$/, () => ({ rows: rules })],
  ['DELETE', /^\/suppressions\/([^/]+)$/, (_q, id) => void revoke(id)],
  ['GET', /^\/forecasts$/, (q) => forecasts(q)],
  ['GET', /^\/fleet$/, () => fleet.fleet()],
  ['GET', /^\/fleet\/([^/]+)$/, (_q, name) => {
    const made = fleet.fleetSite(name);
    if (!made) throw new Problem(404, `There is no site "${name}" that runs by itself`);
    return made;
  }],
  ['GET', /^\/fleet\/([^/]+)\/config$/, (_q, name) => fleet.siteConfig(name)],
  ['POST', /^\/fleet\/([^/]+)\/config$/, (_q, name, body) => {
    if (body.document?.payload > 256) throw new Problem(400, 'Bad Request', 'payload: must be a whole number from 0 to 256', 'document');
    return fleet.siteConfigure(name, body);
  }],
  ['GET', /^\/fleet\/[^/]+\/power$/, () => ({ kind: 'redfish', allowed: true, address: 'https://192.0.2.7', user: 'operator' })],
  ['GET', /^\/fleet\/[^/]+\/actions$/, () => ({ rows: fleet.actions })],
  ['POST', /^\/fleet\/([^/]+)\/actions$/, (_q, name, body) => {
    if (body.confirm !== name) throw new Problem(400, 'Bad Request', `confirm must be ${name}`, 'confirm');
    fleet.actions.unshift({ id: fleet.actions.length + 1, what: body.action, service: body.service ?? '', who: 'demo', asked: iso(Date.now()), finished: null, result: '' });
    return { id: fleet.actions.length };
  }],
  ['GET', /^\/datasets$/, () => ({ rows: answers.datasets() })],
  ['GET', /^\/status$/, () => ({ version: '0.1.0', now: iso(Date.now()), started: iso(Date.now() - 7.2e6), uptime_s: 7200, held: answers.held(model, option('--empty')), store: answers.storeUsage(model), retention: { packets_s: 604_800, contacts_s: 7_776_000, rollups_s: 0 }, losses: { received: 24_000_000, dropped: 18_423, sampled_out: 0, malformed: 960 }, clients: { events: readers.size, events_cut_off: 0 } })],
  ['GET', /^\/users$/, () => ({ rows: people })],
  ['POST', /^\/users$/, (_q, body) => {
    if (people.some((p) => p.user === body.user)) throw new Problem(409, `There is a user "${body.user}" already`);
    people.push({ user: body.user, role: body.role, disabled: false, created: iso(Date.now()), last_login: null });
    return people.at(-1);
  }],
  ['DELETE', /^\/users\/([^/]+)$/, (_q, name) => void people.splice(people.findIndex((p) => p.user === name), 1)],
  ['PATCH', /^\/users\/([^/]+)$/, (_q, name, body) => Object.assign(people.find((p) => p.user === name), body)],
  ['GET', /^\/tokens$/, () => ({ rows: tokens })],
  ['POST', /^\/tokens$/, (_q, body) => makeToken(body)],
  ['DELETE', /^\/tokens\/([^/]+)$/, (_q, id) => void (tokens = tokens.filter((t) => t.id !== id))],
  ['GET', /^\/packets$/, () => ({ rows: [{ ts: iso(model.end), site: 'jp-01', src: '203.0.113.9', proto: 6, dport: 23 }] })],
];

function csv(answer) {
  const rows = answer.series ? answer.series.flatMap((s) => s.values.map((value, i) => ({ time: iso(Date.parse(answer.start) + i * answer.step_s * 1000), key: s.key, value }))) : answer.rows;
  const names = Object.keys(rows[0] ?? { time: 0 }).filter((n) => typeof rows[0]?.[n] !== 'object');
  return [names.join(','), ...rows.map((r) => names.map((n) => JSON.stringify(r[n] ?? '')).join(','))].join('\r\n');
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

async function api(request, response, address) {
  const path = address.pathname.slice('/api/v1'.length);
  const body = await bodyOf(request);
  if (path === '/login') {
    if (body.user !== 'demo' || body.password !== 'demo') throw new Problem(401, 'User or password is wrong');
    const id = Math.random().toString(36).slice(2);
    sessions.add(id);
    response.setHeader('Set-Cookie', `kz_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return json(response, 200, me());
  }
  const id = /kz_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  if (!sessions.has(id)) throw new Problem(401, 'Not signed in');
  if (request.method !== 'GET' && request.headers['x-csrf-token'] !== CSRF) throw new Problem(403, 'The X-CSRF-Token header is missing or wrong');
  if (path === '/logout') {
    sessions.delete(id);
    return response.writeHead(204).end();
  }
  if (path === '/events') return listen(response);
  for (const [method, expression, answer] of ROUTES) {
    const match = expression.exec(path);
    if (!match || method !== request.method) continue;
    const said = answer(...(match.length > 1 ? [address.searchParams, decodeURIComponent(match[1]), body] : [address.searchParams, body]));
    if (said === undefined) return response.writeHead(204).end();
    if (address.searchParams.get('format') === 'csv') {
      response.writeHead(200, { 'Content-Type': 'text/csv; charset=utf-8' });
      return response.end(csv(said));
    }
    return json(response, 200, said);
  }
  throw new Problem(404, `There is no ${path}`);
}

function json(response, status, body, type = 'application/json') {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

function listen(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(`event: hello\ndata: ${JSON.stringify({ version: '0.1.0', now: iso(Date.now()) })}\n\n`);
  readers.add(response);
  response.on('close', () => readers.delete(response));
}

setInterval(() => {
  const sites = SITES.map((s, i) => answers.liveSite(model, s, i));
  tell('tick', { now: iso(Date.now()), data_time: iso(option('--old') ? model.end : Date.now()), pps: sites.reduce((a, s) => a + s.pps, 0), sites });
}, 1000);
let turn = 0;
setInterval(() => {
  const alert = alerts[turn++ % alerts.length];
  alert.revision += 1;
  if (turn % 3 === 0) tell('site', answers.liveSite(model, SITES[turn % SITES.length], turn));
  else tell('alert', summary(alert));
}, 9000);

async function file(response, path) {
  const name = normalize(path === '/' ? '/index.html' : path);
  try {
    const data = await readFile(join(dist, name));
    response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'text/plain' });
    response.end(data);
  } catch {
    response.writeHead(404).end('not found');
  }
}

createServer((request, response) => {
  const address = new URL(request.url, 'http://localhost');
  response.setHeader('Content-Security-Policy', CSP);
  if (address.pathname === '/healthz') return void response.end(JSON.stringify({ status: 'ok', reasons: [] }));
  if (!address.pathname.startsWith('/api/v1/')) return void file(response, address.pathname);
  api(request, response, address).catch((error) => {
    const body = error.body ?? { type: 'about:blank', title: String(error), status: 500 };
    json(response, body.status, body, 'application/problem+json');
  });
}).listen(port, '127.0.0.1', () => console.log(`portal on http://127.0.0.1:${port}/, user demo, password demo`));
