import assert from 'node:assert/strict';
import { test } from 'node:test';
import { share, stripText } from '../src/lib/fleet';

test('a strip is told in runs of the same state', () => {
  const strip = { from: '2026-11-22T00:00:00Z', step: 1800, cells: '..uuuudu' };
  assert.equal(stripText(strip), 'not watched 60 min, then up 2 h, then down 30 min, then up 30 min');
});

test('nothing but a whole time is 100 %', () => {
  assert.equal(share(100), '100 %');
  assert.equal(share(99.99999), '99.999 %');
  assert.equal(share(95.46), '95.4 %');
});
