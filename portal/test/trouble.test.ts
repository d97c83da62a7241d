import assert from 'node:assert/strict';
import { test } from 'node:test';
import { troubles } from '../src/lib/trouble';

test('a hub that is well has no trouble', () => {
  assert.deepEqual(troubles([], [{ site: 'jp-01', state: 'live' }, { site: 'kr-01', state: 'replaying' }]), []);
});

test('a full store is told with what the hub says and what to do, before what is less bad', () => {
  const found = troubles([{ part: 'store', detail: 'the disk is full' }], [{ site: 'jp-01', state: 'silent' }]);
  assert.deepEqual(found.map((t) => t.grade), ['bad', 'warn']);
  assert.match(found[0]?.what ?? '', /store/);
  assert.equal(found[0]?.detail, 'the disk is full');
  assert.match(found[0]?.todo ?? '', /--keep-packets/);
});

test('captures that broke are named, with the reason once', () => {
  const site = (n: number) => ({ site: `s-${n}`, state: 'failed', detail: 'a.pcap: offset 24: cut' });
  const found = troubles([], [1, 2, 3, 4, 5].map(site));
  assert.equal(found.length, 1);
  assert.match(found[0]?.what ?? '', /s-1, s-2, s-3 and 2 more/);
  assert.equal(found[0]?.detail, 'a.pcap: offset 24: cut');
});

test('a part that nobody has words for is still told', () => {
  assert.match(troubles([{ part: 'moon', detail: 'is down' }], [])[0]?.what ?? '', /moon/);
});

test('a site that is down is told before one that is silent', () => {
  const found = troubles([], [{ site: 'jp-01', state: 'silent' }, { site: 'kr-01', state: 'down' }]);
  assert.deepEqual(found.map((t) => t.what), ['Nothing is heard of kr-01', 'Nothing comes from jp-01']);
});
