import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickClass, formatClasses, parseClasses } from '../src/lib/classes';

test('a filter by class is read and written as it was', () => {
  for (const value of ['', 'scan', 'scan,worm', '-survey', '-survey,-backscatter']) {
    assert.equal(formatClasses(parseClasses(value)), value);
  }
  assert.deepEqual(parseClasses('-survey,-scan'), { out: true, names: ['survey', 'scan'] });
});

test('a click shows only the class, another leaves it out, a third shows all', () => {
  assert.equal(clickClass('', 'scan'), 'scan');
  assert.equal(clickClass('scan', 'scan'), '-scan');
  assert.equal(clickClass('-scan', 'scan'), '');
});

test('a click on another class adds it, or takes it away again', () => {
  assert.equal(clickClass('scan', 'worm'), 'scan,worm');
  assert.equal(clickClass('scan,worm', 'scan'), 'worm');
  assert.equal(clickClass('-survey', 'backscatter'), '-survey,-backscatter');
  assert.equal(clickClass('-survey,-backscatter', 'survey'), '-backscatter');
});
