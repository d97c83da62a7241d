// Sites that run by themselves, made up: one of each state.
import { iso } from './alerts.mjs';

const CELLS = 48;
const reasonOf = {
  degraded: ['disk', '93 % of the disk are in use'],
  late: ['behind', 'its oldest record has waited 42s for the hub'],
  down: ['silent', 'nothing heard for 2h 10m'],
};
const ROWS = [
  ['jp-01', 'up', 'u'.repeat(CELLS)],
  ['kr-01', 'down', `${'u'.repeat(43)}lddddd`.slice(0, CELLS)],
  ['de-01', 'degraded', `${'u'.repeat(30)}dd${'u'.repeat(10)}gggggg`],
  ['br-01', 'late', `${'.'.repeat(20)}${'u'.repeat(26)}ll`],
  ['fr-01', 'new', '.'.repeat(CELLS)],
];

function figures(cells, seconds) {
  const part = (letter) => Math.round(([...cells].filter((c) => c === letter).length / CELLS) * seconds);
  const watched = seconds - part('.');
  const outages = (cells.match(/d+/g) ?? []).length;
  const repaired = (cells.match(/d+[^d]/g) ?? []).length;
  const mean = repaired ? Math.round(part('d') / outages) : null;
  return { watched, down: part('d'), late: part('l'), available: watched ? 100 - (100 * part('d')) / watched : 100, healthy: watched ? (100 * part('u')) / watched : 100, outages, repaired, repair_mean: mean, repair_longest: mean };
}

function row([site, state, cells], now) {
  const reason = reasonOf[state];
  const heartbeat = {
    site, sent: iso(now - 4000), version: '0.1.0', started: iso(now - 9 * 86_400_000), interval: 10, received: 81_234_567, dropped_kernel: 120, dropped_queue: 0,
    newest: iso(now - 4000), oldest_us: state === 'late' ? 42_000_000 : 0, spool_bytes: 3_000_000, spool_cap: 8_589_934_592, config_version: 4, clock_offset_us: -180,
    disk_free: state === 'degraded' ? 7e9 : 61e9, disk_size: 1e11, memory_free: 3e9, memory_size: 8e9, temperature: 47, smart_failing: 0, uptime: 2_300_000,
  };
  return {
    site, state, since: iso(now - 7_800_000), heard: state === 'new' ? null : iso(state === 'down' ? now - 7_800_000 : now - 4000),
    reasons: reason ? [{ reason: reason[0], since: iso(now - 7_700_000), text: reason[1] }] : [],
    heartbeat: state === 'new' ? null : heartbeat, day: figures(cells, 86_400), month: figures(cells, 2_592_000),
    config: { version: 0, in_effect: state === 'new' ? null : 0, pushed: true, took_ms: null, refused: '' },
    strip: { from: iso(now - 86_400_000), step: 1800, cells },
  };
}

export const actions = [];
const versions = [];
const DEFAULTS = {
  filter: '', sample: 1, payload: 64, batch: '1s', heartbeat: '10s',
  anonymisation: { source: 'keep', destination: 'hash', payload: { method: 'first', bytes: 64 }, time: 'keep' },
};

export const siteConfig = (site) => ({ site, version: versions.length, document: versions[0]?.document ?? DEFAULTS, versions: versions.map(({ document, ...rest }) => rest) });

export function siteConfigure(site, body) {
  const before = siteConfig(site).document;
  const document = body.document ?? versions.find((v) => v.version === body.version)?.document ?? DEFAULTS;
  const changed = Object.keys(DEFAULTS).filter((k) => JSON.stringify(before[k]) !== JSON.stringify(document[k]))
    .map((member) => ({ member, before: before[member], after: document[member] }));
  if (!body.check && changed.length > 0) {
    versions.unshift({ version: versions.length + 1, time: iso(Date.now()), who: 'demo', note: body.note ?? '', applied: iso(Date.now()), took_ms: 42, refused: '', changed, document });
  }
  return { version: versions.length, same: changed.length === 0, pushed: true, trouble: '', changed, losses: [] };
}

export const fleet = () => ({ now: iso(Date.now()), rows: ROWS.map((r) => row(r, Date.now())) });

export function fleetSite(name) {
  const now = Date.now();
  const of = ROWS.find(([site]) => site === name);
  if (!of) return undefined;
  const made = row(of, now);
  const event = (ago, state, reason, text) => ({ time: iso(now - ago), since: iso(now - ago - 60_000), state, reason, text });
  return {
    ...made, range: made.month, history: { from: iso(now - 30 * 86_400_000), step: 54_000, cells: of[2] },
    losses: [],
    events: [event(7_700_000, made.state, made.reasons[0]?.reason ?? '', made.reasons[0]?.text ?? ''), event(9 * 86_400_000, 'up', '', '')],
  };
}
