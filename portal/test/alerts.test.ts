import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert, SiteLive } from '../src/api/client';
import { blockPeak, columnName, drawnKey, evidenceBlocks, rowName, reading, scopeText, evidenceSeries, inPlace, merged, nextSteps, ranked, scope } from '../src/lib/alerts';
import { blocksCsv, csvCell, evidenceCsv } from '../src/lib/evidence-csv';
import { heat, onsets } from '../src/lib/onset';

function alert(change: Partial<Alert>): Alert {
  return {
    version: 1, id: '20261122-53413udp-4f2a', time: '2026-11-22T00:10:00Z', start: '2026-11-22T00:00:00Z', end: '2026-11-22T01:00:00Z',
    kind: 'port-surge', engine: ['surge'], severity: 'notice', confidence: 0.5, title: 't', explanation: 'e', proto: 'udp', ports: [53413],
    sites: ['jp-01', 'kr-01'], countries: ['kr', 'jp'], host_count: 12, tool: null, related: [], tlp: 'amber', status: 'open', revision: 1,
    workflow: { state: 'new', note: '', by: null, changed: null, suppression: null, back: null }, hosts: [], evidence: {}, ...change,
  };
}

test('the most severe comes first, then the most certain; false alarms sink below all', () => {
  const list = [
    alert({ id: 'a', severity: 'notice', confidence: 0.9 }),
    alert({ id: 'b', severity: 'critical', workflow: { state: 'wrong', note: '', by: 'x', changed: null, suppression: null, back: null } }),
    alert({ id: 'c', severity: 'warning', confidence: 0.4 }),
    alert({ id: 'd', severity: 'warning', confidence: 0.8 }),
  ];
  assert.deepEqual(ranked(list).map((a) => a.id), ['d', 'c', 'a', 'b']);
  assert.equal(list[0]?.id, 'a', 'the list itself is left as it was');
});

test('curves of one thing at several sites are one chart, and other curves are charts of their own', () => {
  const curve = (name: string, more = {}) => ({ name, unit: 'sources', start: '2026-11-22T00:00:00Z', step_s: 600, values: [1, 2], ...more });
  const evidence = {
    growth: { series: [curve('sources at jp-01'), curve('sources at kr-01')] },
    surge: { series: [curve('sources at jp-01', { threshold: [3, 3] })] },
  } as unknown as Alert['evidence'];
  const drawn = evidenceSeries(alert({ evidence }));
  assert.deepEqual(drawn.map((d) => [d.engine, d.beside?.length ?? 0]), [['surge', 0], ['growth', 1]]);
  assert.equal(evidenceCsv(alert({ evidence })).trim().split('\r\n').length, 1 + 6);
  const joined = {
    graph: { series: [curve('drift at jp-01', { values: [1, 900], threshold: [3, 3] })] },
    surge: { series: [curve('sources of 53413/udp at jp-01', { values: [1, 9], threshold: [3, 3] })] },
  } as unknown as Alert['evidence'];
  assert.deepEqual(evidenceSeries(alert({ evidence: joined })).map((d) => d.engine), ['surge', 'graph'], 'the service before the whole site');
  assert.deepEqual(evidenceSeries(alert({ evidence: joined, engine: ['graph', 'surge'] })).map((d) => d.engine), ['graph', 'surge'],
    'before all what the engine shows that gives the title');
  const late = {
    growth: { series: [curve('sources at jp-01', { start: '2026-11-22T00:30:00Z' })] },
    screen: { series: [curve('networks that send it', { start: '2026-11-21T01:00:00Z' })] },
  } as unknown as Alert['evidence'];
  assert.deepEqual(evidenceSeries(alert({ evidence: late, engine: ['growth', 'screen'] })).map((d) => d.engine), ['screen', 'growth'],
    'how it began before its last hours');
  assert.equal(reading('nmf').limit, 'rhythm');
  assert.equal(reading('surge').limit, 'limit');
});

test('a block names its rows and columns, and its cells are lines of a CSV', () => {
  const block = {
    name: 'hosts by time', unit: 'visits', across: 'time', columns: ['2026-11-22T00:01:20Z', '2026-11-22T00:12:30Z'], cells: [[1, 3], [0, null]],
    rows_in: 1, columns_in: 2, hosts: ['192.0.2.0/24', ''], row_weights: [1, null],
  };
  const of = (b: object) => alert({ evidence: { nmf: { blocks: [b] } } as unknown as Alert['evidence'] });
  const [drawn] = evidenceBlocks(of(block));
  assert.ok(drawn);
  assert.equal(blockPeak(drawn.block), 3);
  assert.deepEqual([0, 1].map((row) => rowName(drawn.block, row)), ['192.0.2.0/24', 'not seen now']);
  assert.equal(columnName(drawn.block, 1), '00:12:30');
  const lines = blocksCsv(of(block)).trim().split('\r\n');
  assert.equal(lines.length, 1 + 4);
  assert.equal(lines[2], 'nmf,hosts by time,visits,192.0.2.0/24,1,1,2026-11-22T00:12:30Z,,3');
  assert.match(lines[3] ?? '', /^nmf,hosts by time,visits,not seen now,0,,/);
  const { hosts, ...hidden } = block;
  assert.equal(rowName(evidenceBlocks(of(hidden))[0]!.block, 1), 'host 2');
  assert.deepEqual(evidenceBlocks(alert({})), []);
});

test('a suppression says in words what it covers', () => {
  assert.equal(scopeText({ kind: 'port-surge', proto: 'tcp', ports: [9200], sites: ['us-01'] }), 'port-surge 9200/tcp at us-01');
  assert.equal(scopeText({ engine: 'nmf', network: '192.0.2.0/24' }), 'by nmf alone from 192.0.2.0/24');
});

test('charts keep their places when a stronger curve comes; what is new comes after them', () => {
  const drawn = (engine: string, name = 'a curve') => ({ engine, index: 0, series: { name, unit: '', start: '2026-11-22T00:00:00Z', step_s: 600, values: [1] } });
  const places = [drawn('surge', 'at one site'), drawn('glasso')].map(drawnKey);
  const grown = [drawn('growth'), drawn('glasso'), drawn('nmf'), drawn('surge', 'at another site')];
  assert.deepEqual(inPlace(grown, places).map((d) => d.engine), ['surge', 'glasso', 'growth', 'nmf']);
  assert.deepEqual(inPlace(grown, []).map((d) => d.engine), ['growth', 'glasso', 'nmf', 'surge']);
});

test('the scope names services, sites and sources', () => {
  assert.equal(scope(alert({})), '53413/udp · 2 sites · 12 sources');
  assert.equal(scope(alert({ ports: [1, 2, 3, 4, 5] })), '1/udp, 2/udp, 3/udp and 2 more · 2 sites · 12 sources');
  assert.equal(scope(alert({ proto: null, ports: [], sites: [], host_count: 0 })), '');
});

test('the curve that passed its limit furthest is drawn first', () => {
  const base = { start: '2026-11-22T00:00:00Z', step_s: 600 };
  const drawn = evidenceSeries(alert({ evidence: {
    growth: { series: [{ ...base, name: 'plain', values: [1, 2] }, { ...base, name: 'near', values: [1, 6], threshold: [5, 5] }] },
    surge: { series: [{ ...base, name: 'far', values: [1, 50], threshold: [5, 5] }, { ...base, name: 'empty', values: [] }] },
  } }));
  assert.deepEqual(drawn.map((d) => d.series.name), ['far', 'near', 'plain']);
  assert.equal(drawn[0]?.engine, 'surge');
});

test('an alert of one site asks that site first, one of one country its CERT', () => {
  assert.match(nextSteps(alert({ sites: ['de-01'] }))[0]?.text ?? '', /^The engines saw it only at de-01: ask that site/);
  assert.match(nextSteps(alert({ countries: ['kr'] }))[0]?.text ?? '', /South Korea: tell its national CERT/);
  assert.match(nextSteps(alert({}))[0]?.text ?? '', /your own that send to 53413\/udp/);
});

test('an alert of one site does not claim that for others whose packets the engines did not see', () => {
  const of = alert({ sites: ['de-01'], start: '2026-11-22T01:00:00Z', end: '2026-11-22T02:00:00Z' });
  const late = (unseen_first: string, unseen_last: string): SiteLive =>
    ({ site: 'kr-01', state: 'done', since: '2026-11-23T00:00:00Z', pps: 0, received: 9, dropped: 0, malformed: 0, unseen: 9, unseen_first, unseen_last });
  const during = nextSteps(of, [late('2026-11-22T01:30:00Z', '2026-11-22T09:00:00Z')])[0]?.text ?? '';
  assert.match(during, /^Whether only de-01 sees it is not known: packets of kr-01 /);
  const before = nextSteps(of, [late('2026-11-22T00:00:00Z', '2026-11-22T00:59:59Z')])[0]?.text ?? '';
  assert.match(before, /^The engines saw it only at de-01/);
});

test('an alert without port, site or host still says what to do', () => {
  const steps = nextSteps(alert({ proto: null, ports: [], sites: [], countries: [], host_count: 0 }));
  assert.equal(steps.length, 1);
});

test('evidence becomes CSV, quoted where it must be', () => {
  const evidence = { surge: { series: [{ name: 'sources, all', unit: 'n', start: '2026-11-22T00:00:00Z', step_s: 600, values: [1, null], threshold: [5, 5] }] } };
  assert.equal(evidenceCsv(alert({ evidence })),
    'engine,series,unit,time,seen,normal,limit\r\n' +
    'surge,"sources, all",n,2026-11-22T00:00:00Z,1,,5\r\n' +
    'surge,"sources, all",n,2026-11-22T00:10:00Z,,,5\r\n');
});

test('a text that a spreadsheet would compute is defused', () => {
  assert.equal(csvCell('=HYPERLINK("x")'), '"\'=HYPERLINK(""x"")"');
  assert.equal(csvCell('@sum'), "'@sum");
  assert.equal(csvCell(-5), '-5');
});

test('sites come in the order in which they saw it, quiet ones last', () => {
  const flat = Array.from({ length: 20 }, () => 5);
  const from = (step: number) => flat.map((v, i) => (i >= step ? 100 : v));
  const rows = onsets([{ site: 'late', values: from(12) }, { site: 'quiet', values: flat }, { site: 'early', values: from(7) }], 6);
  assert.deepEqual(rows.map((r) => [r.site, r.step]), [['early', 7], ['late', 12], ['quiet', -1]]);
});

test('what an engine says of a site counts more than what its curve looks like', () => {
  const flat = Array.from({ length: 20 }, () => 5);
  const lines = ['calm', 'later', 'waits', 'first'].map((site) => ({ site, values: flat }));
  const stands = [
    { site: 'first', state: 'first', first: '3' },
    { site: 'later', state: 'rising', first: '900' },
    { site: 'waits', state: 'waiting' },
  ];
  const rows = onsets(lines, 2, stands, Number);
  assert.deepEqual(rows.map((r) => [r.site, r.step, r.waiting]), [['first', 3, false], ['later', 19, false], ['waits', -1, true], ['calm', -1, false]]);
});

test('sites that wait are to be warned first of all', () => {
  const sites = [{ site: 'th-01', state: 'waiting' as const, sources: 1, normal: 1 }];
  assert.match(nextSteps(alert({ evidence: { growth: { sites } } }))[0]?.text ?? '', /^Not yet seen at th-01: warn it now/);
});

test('a site with a handful of sources is quiet, whatever the ratio', () => {
  const [row] = onsets([{ site: 'tiny', values: [0, 0, 0, 0, 3, 3] }], 4);
  assert.equal(row?.step, -1);
});

test('a quiet strip stays pale', () => {
  const [row] = onsets([{ site: 'quiet', values: Array.from({ length: 20 }, () => 5) }], 6);
  assert.ok(heat(5, row?.scale ?? 0) <= 3);
  assert.equal(heat(0, 10), 0);
  assert.equal(heat(10, 10), 5);
});

test('an alert that is open and unseen is listed once', () => {
  const [a, b, c] = [alert({ id: 'a' }), alert({ id: 'b' }), alert({ id: 'c' })];
  assert.deepEqual(merged([a, b], [b, c]).map((x) => x.id), ['a', 'b', 'c']);
});
