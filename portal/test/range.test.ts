import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultKey, isOld, parseUtc, rangeQuery, rangeText, resolveRange } from '../src/lib/range';

const at = (text: string) => Date.parse(text);
const NOW = at('2026-11-22T12:00:30Z');
const LIVE = { first: at('2026-11-12T00:00:20Z'), last: at('2026-11-22T12:00:10Z') };
const OLD = { first: at('2023-04-05T00:00:00Z'), last: at('2023-04-20T10:00:00Z') };
const none = new URLSearchParams();

test('a live store shows the last 24 hours, an old capture all that there is', () => {
  assert.equal(isOld(LIVE, NOW), false);
  assert.equal(isOld(OLD, NOW), true);
  assert.equal(defaultKey(LIVE, NOW), '24h');
  assert.equal(defaultKey(OLD, NOW), 'all');
});

test('a short store is shown whole', () => {
  assert.equal(defaultKey({ first: at('2026-11-21T00:00:00Z'), last: LIVE.last }, NOW), 'all');
});

test('ranges count back from the newest packet, not from the clock', () => {
  const range = resolveRange(new URLSearchParams('range=1h'), OLD, NOW);
  assert.deepEqual(rangeQuery(range), { from: '2023-04-20T09:01:00Z', to: '2023-04-20T10:01:00Z' });
});

test('the newest packet is inside the range even on a full minute', () => {
  const range = resolveRange(new URLSearchParams('range=all'), OLD, NOW);
  assert.ok(range.to > OLD.last);
  assert.ok(range.from <= OLD.first);
});

test('the end stays the same within a minute, so that answers can be kept', () => {
  const later = { ...LIVE, last: LIVE.last + 20_000 };
  assert.equal(resolveRange(none, LIVE, NOW).to, resolveRange(none, later, NOW).to);
});

test('a range of its own wins over a named one', () => {
  const query = new URLSearchParams('range=7d&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z');
  const range = resolveRange(query, LIVE, NOW);
  assert.equal(range.key, 'custom');
  assert.equal(rangeText(range), '2026-11-20 00:00 to 2026-11-21 00:00 UTC');
});

test('a range that ends before it begins, or of no times, is as if it were not there', () => {
  for (const text of ['from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z', 'from=x&to=y', 'range=3w']) {
    assert.equal(resolveRange(new URLSearchParams(text), LIVE, NOW).key, '24h');
  }
});

test('times that people write are taken as UTC', () => {
  assert.equal(parseUtc('2026-11-22 14:05'), at('2026-11-22T14:05:00Z'));
  assert.equal(parseUtc(' 2026-11-22T14:05:09Z '), at('2026-11-22T14:05:09Z'));
  assert.equal(parseUtc('2026-11-22'), at('2026-11-22T00:00:00Z'));
  for (const wrong of ['22.11.2026', 'now', '2026-11-22 1405', '']) assert.ok(Number.isNaN(parseUtc(wrong)));
});
