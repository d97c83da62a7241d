// A site that runs by itself, in a real browser: its policy by questionnaire, its power, and what a partner sees. With
// a hub, a message server, a sensor on loopback and a Redfish service made here. Needs root, for capturing.
//
//   KIZASHI     the program to test; without it everything here is skipped
//   SHOTS       a folder: pictures of the pages go there
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const require = createRequire(new URL('../../portal/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const program = process.env.KIZASHI;
const nats = '/usr/sbin/nats-server';
const missing = [[program, 'KIZASHI'], [existsSync(executablePath), 'chromium'], [existsSync(nats), 'nats-server'], [process.getuid() === 0, 'root']]
  .filter(([there]) => !there).map(([, name]) => name);
const skip = missing.length > 0 ? `needs ${missing.join(', ')}` : false;
const WAIT = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'kizashi-fleet-'));
const children = [];
const complaints = [];
const resets = [];
let url;
let password;
let controller;
let browser;
let page;

const freePort = () => new Promise((resolve) => {
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
}

/** A management controller: one system that is off until it is switched on. */
function redfish() {
  let on = false;
  const server = createHttp((request, response) => {
    const say = (value) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        resets.push(JSON.parse(body).ResetType);
        on = resets.at(-1) === 'On';
        say({});
      });
    } else if (request.url.endsWith('/Systems')) {
      say({ Members: [{ '@odata.id': '/redfish/v1/Systems/1' }] });
    } else {
      say({ PowerState: on ? 'On' : 'Off', Actions: { '#ComputerSystem.Reset': { target: '/redfish/v1/reset' } } });
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

before(async () => {
  if (skip) return;
  const port = await freePort();
  const data = join(folder, 'hub');
  const bus = `nats://127.0.0.1:${port}`;
  start(nats, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', join(folder, 'nats')]);
  const hub = start(program, ['hub', '--data', data, '--listen', '127.0.0.1:0', '--bus', bus, '--engines', 'none', '--user', 'root',
    '--switch-power', '--publish', 'default']);
  url = await new Promise((resolve, reject) => {
    let said = '';
    hub.stdout.on('data', (text) => {
      said += text;
      const found = /Portal: (http:\S+)\/\n/.exec(said);
      if (found) resolve(found[1]);
    });
    hub.once('exit', (status) => reject(new Error(`the hub ended with status ${status}`)));
  });
  password = readFileSync(join(data, 'admin-password'), 'utf8').trim();
  execFileSync(program, ['site', 'add', 'jp-01', '--data', data, '--addresses', '256'], { stdio: 'ignore' });
  start(program, ['sensor', '--data', join(folder, 'site'), '--site', 'jp-01', '--bus', bus, '--interface', 'lo', '--filter', 'udp dst port 9',
    '--policy', 'keep', '--heartbeat', '1s', '--user', 'root']);
  controller = await redfish();
  browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath,
    acceptDownloads: true,
    viewport: { width: 1440, height: 900 },
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(WAIT);
  page.on('pageerror', (error) => complaints.push(error.message));
});

after(async () => {
  await browser?.close();
  controller?.close();
  for (const child of children.reverse()) {
    const gone = new Promise((resolve) => (child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve()));
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function signIn(user, word) {
  await page.goto(url);
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', word);
  await page.click('button[type=submit]');
}

/** A picture for somebody to look at, in both widths. */
async function shoot(name) {
  if (!process.env.SHOTS) return;
  mkdirSync(process.env.SHOTS, { recursive: true });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

const conflicts = '.card[aria-label="3. What does not go together"]';
const result = '.card[aria-label="4. The policy that comes of it"]';
const field = (name) => page.locator(`fieldset:has(input[name=${name}])`);

test('the questionnaire says of each answer what no longer works, and proposes what is enough', { skip }, async () => {
  await signIn('admin', password);
  await page.waitForSelector('nav[aria-label=Pages]');
  await page.goto(`${url}/#/fleet`);
  await page.waitForSelector('table[aria-label=Fleet] [data-state=up], table[aria-label=Fleet] tbody tr:has-text("up")').catch(async (error) => {
    throw new Error(`${error.message}\nthe page says: ${await page.textContent('body')}\nand complains: ${complaints.join('; ') || 'of nothing'}`);
  });
  await page.goto(`${url}/#/fleet/jp-01`);
  await page.click('a:has-text("Questionnaire")');
  await page.waitForSelector('input[name=destination_port]');
  assert.match(await field('destination_port').textContent(), /Which service was asked for\?/);
  const drop = page.locator('label:has(input[name=destination_port][value=drop])');
  assert.match(await drop.textContent(), /surge.*do not work/s);
  assert.match(await field('payload').textContent(), /Less is enough: drop/);
  await page.check('input[name=serve-payloads]');
  await page.waitForFunction(() => !/Less is enough: drop/.test(document.querySelector('fieldset:has(input[name=payload])').textContent));
  await shoot('questionnaire');
});

test('it can be answered with the keyboard alone, and no answer is wider than a phone', { skip }, async () => {
  await page.focus('input[name=destination][value=hash]');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.querySelector('input[name=destination][value=drop]').checked);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  const small = await page.$$eval('.policy-choice', (rows) => rows.filter((row) => row.getBoundingClientRect().height < 32).length);
  assert.equal(small, 0, 'answers that a thumb would miss');
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('what does not go together is asked about, and nothing is saved before it is answered', { skip }, async () => {
  const save = page.locator('button:has-text("Save and push")');
  await page.check('input[name=source][value=drop]');
  await page.waitForSelector(`${conflicts} li:has-text("equality of source,")`);
  assert.ok(await save.isDisabled());
  await shoot('conflicts');
  await page.locator(`${conflicts} li:has-text("equality of source,") button:has-text("Let out")`).first().click();
  await page.waitForFunction(() => !document.querySelector('input[name=source][value=drop]').checked);
  await page.check('input[name=place][value=drop]');
  await page.locator(`${conflicts} li:has-text("place")`).first().waitFor();
  await page.locator(`${conflicts} button:has-text("Do without all of these")`).click();
  await page.waitForFunction(() => !document.querySelector('.policy button[type=submit]').disabled);
});

test('what comes of it is a new version with its diff, pushed, and in effect after a time that the site tells', { skip }, async () => {
  assert.match(await page.textContent(result), /anonymisation\.place: "keep" → "drop"/);
  await page.fill(`${result} input[name=note]`, 'asked in the portal');
  await page.click('button:has-text("Save and push")');
  await page.waitForFunction(() => /Version 1 is in effect: the site said so after \d/.test(document.querySelector('.effect')?.textContent ?? ''));
  assert.match(await page.textContent('.effect'), /What no longer works:.*countries does not work/s);
  await shoot('saved');
  await page.goto(`${url}/#/fleet/jp-01`);
  await page.waitForSelector('.card[aria-label="What does not work here"] li:has-text("countries does not work")');
  await page.locator('summary:has-text("1 version")').click();
  assert.match(await page.textContent('.document-versions'), /admin.*asked in the portal.*in effect after/s);
});

test('an admin says where the power is switched; its password stays in a file of the hub', { skip }, async () => {
  const card = '.card[aria-label=Power]';
  const form = page.locator(`${card} .door-form`);
  await form.locator('[name=address]').fill(`http://127.0.0.1:${controller.address().port}`);
  await form.locator('[name=user]').fill('ann');
  await form.locator('[name=password]').fill('a-password');
  await form.locator('[name=confirm]').fill('kr-01');
  await form.locator('button:has-text("Save")').click();
  await page.waitForSelector(`${card} .form-error:has-text("confirm must be jp-01")`);
  await form.locator('[name=confirm]').fill('jp-01');
  await form.locator('button:has-text("Save")').click();
  await page.waitForSelector(`${card} .power-door:has-text("Over Redfish at http://127.0.0.1")`);
  const [file, ...others] = readdirSync(join(folder, 'hub/power'));
  assert.deepEqual(others, []);
  assert.equal(statSync(join(folder, 'hub/power', file)).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(folder, 'hub/power', file), 'utf8'), 'a-password\n');
  await shoot('door');
});

test('the power is switched by who types the name of the site, and it is on record', { skip }, async () => {
  const card = '.card[aria-label=Power]';
  await page.click(`${card} button:has-text("Is it on?")`);
  await page.waitForSelector(`${card} [role=status]:has-text("The power is off.")`);
  await page.selectOption(`${card} [name=power]`, 'on');
  await page.fill(`${card} [name=confirm]`, 'kr-01');
  await page.click(`${card} button:has-text("Switch")`);
  await page.waitForSelector(`${card} .form-error:has-text("confirm must be jp-01")`);
  assert.deepEqual(resets, []);
  await page.fill(`${card} [name=confirm]`, 'jp-01');
  await page.click(`${card} button:has-text("Switch")`);
  await page.waitForSelector(`${card} [role=status]:has-text("The power is on.")`);
  assert.deepEqual(resets, ['On']);
  await page.waitForSelector('table[aria-label=Actions] tr:has-text("power-on"):has-text("done")');
  await shoot('site');
});

test('what the site does by itself is one click away, as a version of its own', { skip }, async () => {
  await page.locator('.document-versions li:last-child button').click();
  await page.waitForFunction(() => /Version 2 is/.test(document.querySelector('.effect')?.textContent ?? ''));
  await page.waitForSelector('summary:has-text("2 versions")');
  assert.match(await page.textContent('.document-versions li'), /^2 .*as version 0.*anonymisation\.place: "drop" → "keep"/s);
});

test('a partner sees what is published, and has nowhere else to go', { skip }, async () => {
  await page.goto(`${url}/#/settings`);
  const users = page.locator('.card[aria-label=Users]');
  await users.locator('form [name=user]').fill('pam');
  await users.locator('form [name=password]').fill('a long password');
  await users.locator('form [name=role]').selectOption('partner');
  await users.locator('button:has-text("Add")').click();
  await users.locator('tr:has-text("pam")').waitFor();
  await page.click('button[aria-label="Sign out"]');
  await page.waitForSelector('main.login input[name=user]');
  await signIn('pam', 'a long password');
  await page.waitForSelector('h1:has-text("Published")');
  await page.waitForSelector('.state:has-text("Nothing is out yet")');
  assert.equal(await page.locator('nav[aria-label=Pages]').count(), 0);
  await page.goto(`${url}/#/fleet/jp-01`);
  await page.waitForSelector('h1:has-text("Published")');
  await shoot('partner');
  assert.deepEqual(complaints, []);
});
