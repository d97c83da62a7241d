import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceTimes, firstCrossing, peak, stack, stepsOver, sum, thin } from '../src/lib/series';

const series = { name: 'sources', unit: 'sources', start: '2026-11-22T00:00:00Z', step_s: 600 };

test('stacked lines lie on those before them', () => {
  assert.deepEqual(stack([[1, 2], [10, 0], [5, 5]]), [[1, 2], [11, 2], [16, 7]]);
  assert.deepEqual(stack([]), []);
});

test('the step that is still filling is not counted, unless it is the only one', () => {
  const hour = 3_600_000;
  assert.equal(stepsOver(0, 3600, 4, 4 * hour - 1), 4);
  assert.equal(stepsOver(0, 3600, 4, 3.5 * hour), 3);
  assert.equal(stepsOver(0, 3600, 4, 3.97 * hour), 4);
  assert.equal(stepsOver(0, 3600, 4, 9 * hour), 4);
  assert.equal(stepsOver(0, 3600, 1, 0.2 * hour), 1);
});

test('thinning keeps the peak', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i === 777 ? 99 : 1));
  const thinned = thin(values, 72);
  assert.equal(thinned.length, 72);
  assert.equal(Math.max(...thinned), 99);
  assert.deepEqual(thin([1, 2, 3], 72), [1, 2, 3]);
});

test('every value lies in exactly one bucket when lines are thinned', () => {
  const values = Array.from({ length: 101 }, (_, i) => i);
  const thinned = thin(values, 10);
  assert.equal(thinned[9], 100);
  assert.deepEqual([...thinned].sort((a, b) => a - b), thinned);
});

test('evidence starts at its start and goes on step by step', () => {
  assert.deepEqual(evidenceTimes({ ...series, values: [1, null, 3] }), [1795305600, 1795306200, 1795306800]);
});

test('the first crossing is above the limit, not on it, and gaps do not count', () => {
  assert.equal(firstCrossing({ ...series, values: [1, 5, null, 6], threshold: [5, 5, 0, 5] }), 3);
  assert.equal(firstCrossing({ ...series, values: [1, 2], threshold: [5, 5] }), -1);
  assert.equal(firstCrossing({ ...series, values: [1, 2] }), -1);
});

test('the peak is the first of the largest values', () => {
  assert.equal(peak([1, 9, null, 9]), 1);
  assert.equal(peak([null, null]), -1);
  assert.equal(sum([1, 2, 3.5]), 6.5);
});
