import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countryCode, countryName } from '../src/lib/countries';
import { parsePort, portText, serviceName } from '../src/lib/ports';
import { shade, SHADES } from '../src/lib/shade';
import { checkAddress, checkAsn, checkCountry } from '../src/lib/traffic';

test('ports are read as people write them', () => {
  assert.deepEqual(parsePort('3389'), { port: 3389 });
  assert.deepEqual(parsePort('53413/UDP'), { proto: 'udp', port: 53413 });
  assert.deepEqual(parsePort(' tcp/23 '), { proto: 'tcp', port: 23 });
  for (const wrong of ['', 'ssh', '65536', '-1', '23/sctp']) assert.equal(parsePort(wrong), undefined);
});

test('an ICMP type is not written as a port', () => {
  assert.equal(portText('icmp', 8), 'icmp type 8');
  assert.equal(portText('tcp', 23), '23/tcp');
  assert.equal(serviceName('tcp', 3389), 'RDP');
  assert.equal(serviceName('udp', 3389), '');
});

test('countries have names; what is no country stays what it is', () => {
  assert.equal(countryName('kr'), 'South Korea');
  assert.equal(countryName(''), 'unknown country');
  assert.equal(countryName('other'), 'other');
  assert.equal(countryCode(''), '??');
});

test('shades go from nothing over the smallest to the largest', () => {
  assert.equal(shade(0, 1, 100), 0);
  assert.equal(shade(1, 1, 10_000), 1);
  assert.equal(shade(10_000, 1, 10_000), SHADES);
  assert.equal(shade(7, 7, 7), SHADES);
  const steps = [1, 10, 100, 1000, 10_000].map((v) => shade(v, 1, 10_000));
  assert.deepEqual([...steps].sort(), steps);
});

test('a field says what it wants when the text is of no use', () => {
  assert.equal(checkAddress('192.0.2.0/24'), undefined);
  assert.equal(checkAddress('2001:db8::1'), undefined);
  assert.match(checkAddress('example.org') ?? '', /192\.0\.2\.0\/24/);
  assert.equal(checkAsn('AS2497'), undefined);
  assert.match(checkAsn('two') ?? '', /number/);
  assert.match(checkCountry('korea') ?? '', /Two letters/);
});
