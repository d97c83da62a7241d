import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRoute, href, parseRoute, withQuery } from '../src/lib/route';
import { url } from '../src/api/client';

test('an address is read into path and query', () => {
  const route = parseRoute('#/ports/udp/53413?range=24h&class=-survey');
  assert.deepEqual(route.path, ['ports', 'udp', '53413']);
  assert.equal(route.query.get('range'), '24h');
  assert.equal(route.query.get('class'), '-survey');
});

test('the overview has no path, however it is written', () => {
  for (const hash of ['', '#', '#/', '/']) assert.deepEqual(parseRoute(hash).path, []);
});

test('an IPv6 address in the path comes back as it went in', () => {
  const written = formatRoute({ path: ['sources', '2001:db8::1'], query: new URLSearchParams() });
  assert.equal(written, '#/sources/2001:db8::1');
  assert.deepEqual(parseRoute(written).path, ['sources', '2001:db8::1']);
});

test('a broken escape does not break the page', () => {
  assert.deepEqual(parseRoute('#/sources/%E0%A4%A').path, ['sources', '%E0%A4%A']);
});

test('empty values leave the address', () => {
  const query = withQuery(new URLSearchParams('site=jp-01&port=23'), { site: '', port: null, country: 'kr' });
  assert.equal(query.toString(), 'country=kr');
});

test('the time range follows from page to page, other filters do not', () => {
  const from = new URLSearchParams('range=7d&site=jp-01');
  assert.equal(href(['alerts'], {}, from), '#/alerts?range=7d');
  assert.equal(href(['ports'], { site: 'kr-01' }, from), '#/ports?range=7d&site=kr-01');
});

test('a link with a range of its own does not take the old one along', () => {
  const from = new URLSearchParams('from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z');
  assert.equal(href(['ports'], { range: 'all' }, from), '#/ports?range=all');
});

test('questions to the API are written the same whatever the order, without empty parameters', () => {
  assert.equal(url('/series', { to: 'b', from: 'a', site: '', port: undefined }), '/api/v1/series?from=a&to=b');
  assert.equal(url('/series', { from: 'a', to: 'b' }), url('/series', { to: 'b', from: 'a' }));
  assert.equal(url('/alerts', { q: 'a&b=c' }), '/api/v1/alerts?q=a%26b%3Dc');
});
