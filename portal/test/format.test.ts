import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, change, clock, count, day, duration, percent, plural, quantity, short, stamp, stampFull, tickText } from '../src/lib/format';

test('counts are written in full with groups of three digits', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.equal(count(0), '0');
  assert.equal(count(undefined), '–');
  assert.equal(count(NaN), '–');
});

test('short numbers keep three digits and never round up to four', () => {
  const table: [number, string][] = [
    [0, '0'], [3, '3'], [2.5, '2.5'], [12.34, '12.3'], [999, '999'], [9999, '9,999'], [12_345, '12.3 k'],
    [999_499, '999 k'], [999_950, '1.00 M'], [4_560_000, '4.56 M'], [99_960_000, '100 M'], [7_890_000_000, '7.89 G'], [-12_345, '-12.3 k'],
  ];
  for (const [value, text] of table) assert.equal(short(value), text);
});

test('bytes are counted in thousands', () => {
  assert.equal(bytes(512), '512 B');
  assert.equal(bytes(1500), '1.50 kB');
  assert.equal(bytes(3_210_000_000), '3.21 GB');
});

test('a small part is not written as nothing, and nearly all is not all', () => {
  assert.equal(percent(0), '0 %');
  assert.equal(percent(0.00004), '< 0.01 %');
  assert.equal(percent(0.0004), '0.04 %');
  assert.equal(percent(0.0123), '1.2 %');
  assert.equal(percent(0.5), '50 %');
  assert.equal(percent(0.9999), '> 99 %');
  assert.equal(percent(1), '100 %');
});

test('a change is a factor from twice on, per cent below, and new where nothing was', () => {
  assert.equal(change(420, 100), '×4.2');
  assert.equal(change(134, 100), '+34 %');
  assert.equal(change(92, 100), '−8 %');
  assert.equal(change(100, 100), 'same');
  assert.equal(change(5, 0), 'new');
  assert.equal(change(0, 0), 'same');
  assert.equal(change(16_400, 100), '×164');
});

test('times are UTC whatever the zone of the machine', () => {
  assert.notEqual(new Date(2026, 0, 1).getTimezoneOffset(), 0, 'the test runs in another zone');
  assert.equal(stamp('2026-11-22T23:59:59Z'), '2026-11-22 23:59');
  assert.equal(stampFull('2026-11-22T23:59:59Z'), '2026-11-22 23:59:59 UTC');
  assert.equal(day('2026-01-02T00:00:00Z'), '2026-01-02');
  assert.equal(clock(0), '00:00');
});

test('what is no time is a dash', () => {
  for (const wrong of ['', 'yesterday', null, undefined]) assert.equal(stamp(wrong), '–');
});

test('durations name two units at most', () => {
  const table: [number, string][] = [
    [0, '0 s'], [45_000, '45 s'], [600_000, '10 min'], [5_400_000, '1 h 30 min'], [7_200_000, '2 h'],
    [187_200_000, '2 d 4 h'], [1_296_000_000, '15 d'],
  ];
  for (const [ms, text] of table) assert.equal(duration(ms), text);
});

test('the past is told from a given now', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  assert.equal(ago('2026-11-22T11:59:58Z', now), 'just now');
  assert.equal(ago('2026-11-22T11:59:00Z', now), '60 s ago');
  assert.equal(ago('2026-11-22T11:00:00Z', now), '60 min ago');
  assert.equal(ago('2026-11-20T12:00:00Z', now), '2 d ago');
});

test('one is singular', () => {
  assert.equal(plural(1, 'site'), '1 site');
  assert.equal(plural(2, 'site'), '2 sites');
  assert.equal(plural(3, 'country', 'countries'), '3 countries');
});

test('quantities follow their unit', () => {
  assert.equal(quantity(97, '%'), '97 %');
  assert.equal(quantity(7800, 's'), '2 h 10 min');
  assert.equal(quantity(1640, 'sources'), '1,640 sources');
  assert.equal(quantity(0.00012, ''), '1.2 × 10^-4');
});

test('a time axis names the day at midnight and the time of day between', () => {
  const midnight = Date.parse('2026-11-22T00:00:00Z') / 1000;
  assert.equal(tickText(midnight, 3600), '11-22');
  assert.equal(tickText(midnight + 3600, 3600), '01:00');
  assert.equal(tickText(midnight + 61, 1), '00:01:01');
  assert.equal(tickText(midnight + 86_400, 86_400), '11-23');
});
