import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossPart } from '../src/lib/loss';

test('dropped and malformed packets are part of a whole that they are not in', () => {
  assert.equal(lossPart({ packets: 90, dropped: 9, malformed: 1, sampled_out: 0 }), 0.1);
});

test('sampled packets are in the whole already', () => {
  assert.equal(lossPart({ packets: 100, dropped: 0, malformed: 0, sampled_out: 25 }), 0.25);
});

test('a site that saw nothing lost nothing', () => {
  assert.equal(lossPart({ packets: 0, dropped: 0, malformed: 0, sampled_out: 0 }), 0);
});
