// One function for each question of the API, over the made-up model.
import { address, iso } from './alerts.mjs';
import { asName, ASNS, CLASSES, COUNTRIES, countryShare, noise, SERVICES, SITES, STEP, TOOLS } from './model.mjs';

function span(model, query) {
  const at = (name, otherwise) => {
    const text = query.get(name);
    if (!text) return otherwise;
    if (text.startsWith('-')) return model.end - Number.parseInt(text.slice(1), 10) * 3_600_000;
    return Date.parse(text);
  };
  return { from: Math.max(model.start, at('from', model.start)), to: Math.min(model.end, at('to', model.end)) };
}

function part(query) {
  let share = 1;
  const country = query.get('country');
  if (country) share *= countryShare(country);
  const tool = query.get('tool');
  if (tool) share *= TOOLS[tool] ?? 0;
  const asn = query.get('asn');
  if (asn) share *= ASNS.find(([n]) => n === Number(asn))?.[2] ?? 0;
  const klass = query.get('class');
  if (klass) share *= klass.startsWith('-') ? 1 - (CLASSES[klass.slice(1)] ?? 0) : (CLASSES[klass] ?? 0);
  share *= tagShare(query.get('tag'));
  if (query.get('src')) share *= 0.0005;
  return share;
}

function chosen(query) {
  const [port, proto, site] = [query.get('port'), query.get('proto'), query.get('site')];
  return {
    services: SERVICES.filter((s) => (!port || s.port === Number(port)) && (!proto || s.proto === proto)),
    sites: SITES.filter((s) => !site || s.name === site),
  };
}

const packetsOf = (service) => (service.proto === 'icmp' ? 1.4 : 1.6 + noise(service.id) * 4);
const weight = (measure, service) => (measure === 'sources' ? 1 : packetsOf(service) * (measure === 'bytes' ? 44 + Math.round(noise(service.id, 'len') * 60) : 1));

function total(model, query, { from, to }, measure, service) {
  const { sites } = chosen(query);
  let sum = 0;
  for (const site of sites) {
    const values = model.cube.get(`${service.id} ${site.name}`);
    for (let i = 0; i < values.length; i += 1) {
      const t = model.start + i * STEP;
      if (t >= from && t < to) sum += values[i];
    }
  }
  const distinct = measure === 'sources' ? 0.21 : 1;
  return Math.round(sum * weight(measure, service) * part(query) * distinct);
}

function keysOf(by, query) {
  const { services, sites } = chosen(query);
  if (by === 'site') return sites.map((s) => [s.name, 1, [s], services]);
  if (by === 'port') return services.map((s) => [`${s.port}/${s.proto}`, 1, sites, [s]]);
  const table = { country: COUNTRIES.map(([c]) => [c, countryShare(c)]), class: Object.entries(CLASSES), tool: Object.entries(TOOLS), asn: ASNS.map(([n, , w]) => [String(n), w]) }[by];
  return (table ?? [['', 1]]).map(([key, share]) => [key, share, sites, services]);
}

export function series(model, query) {
  const { from, to } = span(model, query);
  const measure = query.get('measure') ?? 'packets';
  const by = query.get('by') || null;
  const steps = [600, 1800, 3600, 7200];
  const step = steps.find((s) => (to - from) / 1000 / s <= 600) ?? 7200;
  const start = Math.floor(from / (step * 1000)) * step * 1000;
  const length = Math.max(0, Math.ceil((to - start) / (step * 1000)));
  let lines = keysOf(by, query).map(([key, share, sites, services]) => {
    const values = new Array(length).fill(0);
    for (const service of services) {
      for (const site of sites) {
        model.cube.get(`${service.id} ${site.name}`).forEach((value, i) => {
          const at = Math.floor((model.start + i * STEP - start) / (step * 1000));
          if (at >= 0 && at < length) values[at] += value * share * weight(measure, service) * part(query) * (by ? 0.9 + 0.2 * noise(key, i) : 1);
        });
      }
    }
    const round = values.map(Math.round);
    return { key, ...(by === 'asn' ? { as_name: asName(key) } : {}), total: round.reduce((a, b) => a + b, 0), values: round };
  });
  lines.sort((a, b) => b.total - a.total);
  const limit = Number(query.get('limit') ?? 8);
  if (by && lines.length > limit) {
    const rest = lines.slice(limit);
    const values = Array.from({ length }, (_, i) => rest.reduce((a, l) => a + l.values[i], 0));
    lines = [...lines.slice(0, limit), { key: 'other', total: values.reduce((a, b) => a + b, 0), values }];
  }
  return { from: iso(from), to: iso(to), start: iso(start), step_s: step, measure, by, series: lines };
}

function page(model, query, rows, limit = 100) {
  const { from, to } = span(model, query);
  const most = Number(query.get('limit') ?? limit);
  const skip = Number(query.get('cursor') ?? 0);
  return { from: iso(from), to: iso(to), rows: rows.slice(skip, skip + most), next: rows.length > skip + most ? String(skip + most) : null };
}

export function ports(model, query) {
  const range = span(model, query);
  const rows = chosen(query).services.map((s) => ({
    proto: s.proto, port: s.port, packets: total(model, query, range, 'packets', s), sources: total(model, query, range, 'sources', s),
    countries: Math.min(COUNTRIES.length - 1, 3 + Math.round(s.base / 3)), share: 0,
  }));
  const all = rows.reduce((a, r) => a + r.packets, 0) || 1;
  for (const row of rows) row.share = row.packets / all;
  return page(model, query, rows.sort((a, b) => b.packets - a.packets));
}

export function movers(model, query) {
  const range = span(model, query);
  const before = { from: range.from - (range.to - range.from), to: range.from };
  const rows = before.to <= model.start ? [] : chosen(query).services.map((s) => {
    const now = total(model, query, range, 'sources', s);
    const then = total(model, query, before, 'sources', s);
    return { proto: s.proto, port: s.port, sources: now, before: then, ratio: then ? now / then : null, packets: total(model, query, range, 'packets', s) };
  });
  return page(model, query, rows.sort((a, b) => (b.ratio ?? 99) - (a.ratio ?? 99)));
}

const sumOver = (model, query, measure) => chosen(query).services.reduce((a, s) => a + total(model, query, span(model, query), measure, s), 0);

function shares(model, query, table, row) {
  const [sources, packets] = [sumOver(model, query, 'sources'), sumOver(model, query, 'packets')];
  const rows = table.map(([key, share, extra]) => ({ ...row(key, extra), sources: Math.round(sources * share), packets: Math.round(packets * share), ports: Math.min(SERVICES.length, 4 + Math.round(share * 300)) }));
  return page(model, query, rows.filter((r) => r.sources > 0).sort((a, b) => b.sources - a.sources));
}

export const countries = (m, q) => shares(m, q, COUNTRIES.filter(([c]) => !q.get('country') || c === q.get('country')).map(([c]) => [c, q.get('country') ? 1 : countryShare(c)]), (country) => ({ country }));
export const asns = (m, q) => shares(m, q, ASNS.map(([n, c, w]) => [n, w, c]), (asn, country) => ({ asn, as_name: asName(asn), country }));
export const tools = (m, q) => shares(m, q, Object.entries(TOOLS), (tool) => ({ tool }));
export const classes = (m, q) => shares(m, q, Object.entries(CLASSES), (name) => ({ class: name }));

/** The row with the name of its network. */
const named = (row) => ({ ...row, as_name: asName(row.asn) });

function sourceRow(model, query, i, src = address('source', i)) {
  const country = query.get('country') || COUNTRIES[Math.floor(noise('c', src) * 20)][0];
  const tool = Object.keys(TOOLS)[Math.floor(noise('t', src) * 5)];
  const first = model.start + Math.floor(noise('f', src) * 300) * STEP;
  return named({
    src, country, asn: query.get('asn') ? Number(query.get('asn')) : ASNS[Math.floor(noise('a', src) * 14)][0],
    packets: Math.round(90000 / (i + 1) ** 0.8), ports: 1 + Math.floor(noise('p', src) * 40), sites: 1 + Math.floor(noise('s', src) * 8),
    first: iso(first), last: iso(model.end - Math.floor(noise('l', src) * 40) * STEP), tool, class: query.get('class')?.replace(/^-.*/, 'scan') || ['scan', 'scan', 'worm', 'survey', 'other'][Math.floor(noise('k', src) * 5)],
  });
}

export const sources = (m, q) => page(m, q, Array.from({ length: 180 }, (_, i) => sourceRow(m, q, i)));

export function source(model, query, src) {
  const summary = sourceRow(model, query, 3, src);
  const rows = Array.from({ length: 130 }, (_, i) => {
    const service = SERVICES[Math.floor(noise(src, 'port', i) * 7)];
    return {
      start: iso(model.end - (i + 1) * 3 * STEP), site: SITES[Math.floor(noise(src, 'site', i) * 8)].name, proto: service.proto, port: service.port,
      class: summary.class, tool: summary.tool, packets: 1 + Math.floor(noise(src, i) * 60),
    };
  });
  return { ...page(model, query, rows), address: src, summary };
}

export function liveSite(model, site, i) {
  const state = site.name === 'th-01' ? 'lossy' : site.name === 'tw-01' ? 'silent' : site.name === 'jp-02' ? 'replaying' : 'live';
  const received = Math.round(3.1e6 * site.size);
  return {
    site: site.name, state, since: iso(model.start), source: state === 'replaying' ? 'jp-02.pcap.zst' : `eth${i}`, addresses: site.addresses,
    ...(state === 'silent' ? { detail: 'no packet for 14 minutes: is the route to the telescope still announced?' } : {}),
    pps: state === 'silent' ? 0 : Math.round(site.size * (140 + 60 * Math.random())), received, dropped: state === 'lossy' ? 18423 : 0,
    dropped_kernel: state === 'lossy' ? 17000 : 0, dropped_queue: state === 'lossy' ? 1423 : 0, sampled_out: 0, snapped: 12, malformed: Math.round(received * 0.00004), non_ip: 210,
    last: iso(state === 'silent' ? model.end - 840_000 : Date.now()),
  };
}

export function siteRow(model, query, site, i) {
  const own = new URLSearchParams(query);
  own.set('site', site.name);
  const live = liveSite(model, site, i);
  return {
    site: site.name, first: iso(model.start), last: live.last, packets: sumOver(model, own, 'packets'), sources: sumOver(model, own, 'sources'),
    dropped: live.dropped, malformed: live.malformed, sampled_out: 0, live,
  };
}

export const sites = (m, q) => ({ ...page(m, q, SITES.map((s, i) => siteRow(m, q, s, i))), next: null });

/** Losses in bursts, by two causes. */
export function losses(model, query) {
  const own = new URLSearchParams(query);
  own.delete('by');
  const all = series(model, own);
  const values = all.series[0].values;
  const lines = [['dropped_kernel', 0.02], ['malformed', 0.0004]].map(([key, part]) => {
    const lost = values.map((value, i) => Math.round(value * part * Math.max(0, noise(key, Math.floor(i / 6)) - 0.6)));
    return { key, total: lost.reduce((a, b) => a + b, 0), values: lost };
  });
  return { ...all, measure: 'packets', by: 'cause', series: lines.filter((line) => line.total > 0) };
}

export function site(model, query, name) {
  const i = SITES.findIndex((s) => s.name === name);
  if (i < 0) return undefined;
  const own = new URLSearchParams(query);
  own.set('site', name);
  own.set('by', 'class');
  const { from, to } = span(model, query);
  return { from: iso(from), to: iso(to), site: siteRow(model, query, SITES[i], i), ports: ports(model, own).rows.slice(0, 10), countries: countries(model, own).rows.slice(0, 10), series: series(model, own), losses: losses(model, own) };
}

const REASONS = [
  ['known', 'mirai:23-tcp:40', 'signature of mirai; pattern: 23/tcp, 40 bytes, mirai; 2323/tcp, 40 bytes, mirai', 0.12],
  ['known', 'hajime-1', 'hajime: only 23/tcp(size=60,flags=S,tool=) 5358/tcp(size=60,flags=S,tool=)', 0.06],
  ['survey-like', 'survey-fleet', 'survey: neighbours >= 4; services >= 10; unless class worm', 0.05],
  ['survey-like', 'survey-broad', 'survey: services >= 50; places >= 32; hours >= 3; unless class worm', 0.02],
];

/** Of the traffic, what a filter by tag leaves. */
function tagShare(tag) {
  if (!tag) return 1;
  const names = tag.split(',').map((name) => name.replace('-', ''));
  const share = REASONS.filter((r) => names.includes(r[0])).reduce((sum, r) => sum + r[3], 0);
  return tag.startsWith('-') ? 1 - share : share;
}

const reasonsOf = (q) => REASONS.filter(([tag, reason]) => (!q.get('tag') || q.get('tag').split(',').includes(tag)) && (!q.get('reason') || q.get('reason') === reason));

export function screened(m, q) {
  const own = new URLSearchParams(q);
  own.delete('tag');
  const all = sumOver(m, own, 'packets');
  return page(m, q, reasonsOf(q).map(([tag, reason, what, share]) => ({
    tag, reason, what, sources: Math.round(all * share * 0.04), packets: Math.round(all * share), contacts: Math.round(all * share * 0.3), first: iso(m.start), last: iso(m.end - STEP),
  })));
}

export const totals = (m, q) => page(m, q, [{
  packets: sumOver(m, q, 'packets'), bytes: sumOver(m, q, 'bytes'), sources: sumOver(m, q, 'sources'), sites: SITES.length, ports: SERVICES.length,
}]);

export const tagged = (m, q) => page(m, q, reasonsOf(q).flatMap(([tag, reason]) => Array.from({ length: q.get('src') ? 1 : 30 }, (_, i) => named({
  src: q.get('src') ?? address(reason, i), country: COUNTRIES[Math.floor(noise(reason, i) * 30)][0], asn: ASNS[Math.floor(noise(reason, i, 'a') * 14)][0], tag, reason,
  packets: 10 + Math.floor(9000 / (i + 1)), ports: 1 + Math.floor(noise(reason, i, 'p') * 4), first: iso(m.start), last: iso(m.end - STEP * (1 + i)),
}))).sort((a, b) => b.packets - a.packets));

export const victims = (m, q) => page(m, q, Array.from({ length: 70 }, (_, i) => {
  const victim = address('victim', i);
  const [proto, port] = [['tcp', 80], ['tcp', 443], ['tcp', 22], ['udp', 53], ['tcp', 25565], ['icmp', 3]][Math.floor(noise('vp', i) * 6)];
  const start = m.end - Math.floor(noise('vs', i) * 560) * STEP;
  return named({
    victim, country: COUNTRIES[Math.floor(noise('vc', i) * 30)][0], asn: ASNS[Math.floor(noise('va', i) * 14)][0], site: SITES[Math.floor(noise('vx', i) * 8)].name,
    proto, port, start: iso(start), end: iso(start + 60_000 + Math.floor(noise('ve', i) * 9e6)), packets: 25 + Math.floor(60000 / (i + 1)), peak_ppm: 30 + Math.floor(9000 / (i + 1)), targets: 3 + Math.floor(noise('vt', i) * 400),
  });
}).sort((a, b) => (a.start < b.start ? 1 : -1)));

export const datasets = () => [
  { name: 'country of IPv4', kind: 'country', state: 'loaded', origin: '/usr/share/tor/geoip', date: '2026-10-15', entries: 412_233, attribution: 'IPFire Location Database, CC BY-SA 4.0.' },
  { name: 'network', kind: 'asn', state: 'old', detail: 'four years old: give a newer one with --asn-mmdb', origin: '/var/lib/location/database.db', date: '2022-09-01', entries: 96_000, attribution: 'IPFire Location Database, CC BY-SA 4.0.' },
  { name: 'surveys', kind: 'list', state: 'missing', detail: 'no list of announced scanners: surveys are not told from scans; add one with --survey-list FILE', date: null },
  { name: 'fingerprints', kind: 'signatures', state: 'loaded', origin: 'built in', date: '2026-11-01', entries: 14 },
];

export const storeUsage = (model) => ({ engine: 'chdb 26.7.3', disk_bytes: 812_345_678, disk_free: 41_234_567_890, packets: sumOver(model, new URLSearchParams(), 'packets'), contacts: 8_120_000 });

export const held = (model, empty = false) =>
  empty ? { first: null, last: null, packets: 0 } : { first: iso(model.start), last: iso(model.end - 1000), packets: storeUsage(model).packets };

export function overview(model, query, alerts) {
  const hours = { d: 24, h: 1, m: 1 / 60 }[(query.get('last') ?? '24h').slice(-1)] * Number.parseInt(query.get('last') ?? '24', 10);
  const from = Math.max(model.start, model.end - hours * 3_600_000);
  const own = new URLSearchParams({ from: iso(from), to: iso(model.end) });
  const before = new URLSearchParams({ from: iso(Math.max(model.start, from - hours * 3_600_000)), to: iso(from) });
  const totals = (q) => ({ packets: sumOver(model, q, 'packets'), bytes: sumOver(model, q, 'bytes'), sources: sumOver(model, q, 'sources'), sites: SITES.length, ports: SERVICES.length });
  const open = { info: 0, notice: 0, warning: 0, critical: 0 };
  for (const a of alerts) if (a.status === 'open') open[a.severity] += 1;
  const byClass = new URLSearchParams(own);
  byClass.set('by', 'class');
  return {
    now: iso(Date.now()), held: held(model),
    span: { from: iso(from), to: iso(model.end), before_from: iso(from - hours * 3_600_000), before_to: iso(from), before_complete: from - hours * 3_600_000 >= model.start },
    totals: { now: totals(own), before: from > model.start ? totals(before) : null }, series: series(model, byClass),
    alerts: { open, unseen: alerts.filter((a) => a.workflow.state === 'new' && a.severity !== 'info').length, latest: alerts.slice(0, 8) },
    movers: movers(model, own).rows.slice(0, 10), sites: sites(model, own).rows, datasets: datasets(), store: storeUsage(model),
  };
}
