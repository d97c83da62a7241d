import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOut, viewOf, VIEWS } from '../src/lib/screen';

test('every view is found again by its filter', () => {
  for (const view of VIEWS) assert.equal(viewOf(view.tag), view.key);
  assert.equal(viewOf('-known'), undefined);
});

test('the words say which tags do not count', () => {
  assert.match(leftOut(''), /Nothing is left out/);
  assert.match(leftOut('-known,-survey-like'), /^Left out: contacts tagged known or survey-like\. Only windows that screening has looked at/);
  assert.match(leftOut('-known'), /^Left out: contacts tagged known\./);
  assert.match(leftOut('known'), /^Left out: all but contacts tagged known\./);
});
