import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ordered } from '../src/lib/order';

test('values fall if none is larger than the one before, and not all are the same', () => {
  assert.equal(ordered([9, 7, 7, 1]), true);
  assert.equal(ordered([9, 7, 8]), false);
  assert.equal(ordered([1, 2]), false);
  assert.equal(ordered([3, 3, 3]), false);
  assert.equal(ordered(['2026-11-23', '2026-11-22']), true);
  assert.equal(ordered([5]), false);
  assert.equal(ordered([]), false);
});
