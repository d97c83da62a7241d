import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Forecast, SourceEvent } from '../src/api/client';
import { blockOf } from '../src/lib/block';
import { scoreText, wayRows, wayText } from '../src/lib/forecast';

const hour = 3_600_000;
const t0 = Date.parse('2026-11-22T00:00:00Z');
const at = (h: number) => `${new Date(t0 + h * hour).toISOString().slice(0, 19)}Z`;

function forecast(site: string, change: Partial<Forecast> = {}): Forecast {
  const p = { made: at(4), expected: at(10), low: at(6), high: at(20), chance: 0.7 };
  return { alert: 'a', site, origin: 'jp-01', began: at(0), proto: 'tcp', port: 5000, first: p, last: p, state: 'open', came: null, settled: null, ...change };
}

test('sites come in the order in which it came to them, then those where it is expected', () => {
  const rows = wayRows([{ site: 'kr-01', at: t0 + 4 * hour }, { site: 'jp-01', at: t0 }],
    [forecast('us-01', { last: { made: at(5), expected: at(12), low: at(6), high: at(20), chance: 0.7 } }), forecast('br-01'), forecast('de-01', { state: 'came', came: at(9) })]);
  assert.deepEqual(rows.map((r) => r.site), ['jp-01', 'kr-01', 'de-01', 'br-01', 'us-01']);
  const say = (i: number, now: number) => wayText(rows[i]!, t0, t0 + now * hour);
  assert.equal(say(0, 5), 'first');
  assert.match(say(1, 5), /^\+4\s?h/);
  assert.match(say(2, 9), /said 5\s?h ahead$/);
  assert.match(say(3, 5), /^in about 5\s?h, 70 %$/);
  assert.match(say(3, 12), /^overdue by 2\s?h/);
});

test('a forecast that failed says how', () => {
  const say = (change: Partial<Forecast>) => wayText(wayRows([], [forecast('us-01', change)])[0]!, t0, t0 + 60 * hour);
  assert.equal(say({ state: 'missed' }), 'did not come');
  assert.equal(say({ state: 'void' }), 'the site did not watch');
  assert.match(say({ state: 'came', came: at(30) }), /outside of the interval/);
  assert.match(say({ state: 'late', came: at(3) }), /before it was said/);
});

test('the score says what was meant beside what came', () => {
  const counts = { open: 1, came: 8, late: 1, missed: 2, void: 0 };
  const text = scoreText({ counts, came: 0.8, said: 0.7, in_interval: 0.75, error_median_h: 2.5 });
  assert.equal(text, '8 of 10 settled forecasts came (70 % was said); off by 2.5 h in the median; the interval held in 75 % (80 % is meant); 1 more were said too late.');
  assert.match(scoreText({ counts: { ...counts, came: 0, missed: 0 }, came: null, said: null, in_interval: null, error_median_h: null }), /No forecast/);
});

test('the block has the services that most hosts asked, and what each host did when', () => {
  const event = (h: number, port: number, packets: number): SourceEvent => ({ start: at(h), site: 'jp-01', proto: 'tcp', port, class: 'scan', tool: '', packets });
  const block = blockOf([{ host: 'a', events: [event(0, 23, 5), event(1, 80, 1)] }, { host: 'b', events: [event(1, 80, 2)] }], t0, t0 + 2 * hour, 2);
  assert.deepEqual(block.ports, ['80/tcp', '23/tcp']);
  assert.deepEqual(block.rows.map((r) => r.packets), [[1, 5], [2, 0]]);
  assert.deepEqual(block.rows.map((r) => r.times), [[5, 1], [0, 2]]);
  assert.equal(block.most, 5);
});
