// Pictures of every page, for looking at: node dev/shots.mjs [--url URL] [--out DIR] [--user U] [--password P] [PAGE...]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const argv = process.argv.slice(2);
const take = (name, otherwise) => {
  const i = argv.indexOf(name);
  return i < 0 ? otherwise : argv.splice(i, 2)[1];
};
const url = take('--url', 'http://127.0.0.1:8900');
const out = take('--out', 'shots');
const user = take('--user', 'demo');
const password = take('--password', 'demo');
const themes = take('--themes', 'light,dark').split(',');
const widths = take('--widths', '1440,390').split(',').map(Number);

const PAGES = {
  overview: '#/', alerts: '#/alerts', ports: '#/ports', port: '#/ports/udp/53413?range=all', sources: '#/sources', sites: '#/sites', screened: '#/screened',
  fleet: '#/fleet', 'fleet-site': '#/fleet/kr-01', victims: '#/victims', settings: '#/settings', alert: undefined, source: undefined, site: undefined,
};
const wanted = argv.length > 0 ? argv : ['login', ...Object.keys(PAGES)];

const profile = await mkdtemp(join(tmpdir(), 'kizashi-shots-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(`console: ${m.text()}`));
page.on('pageerror', (e) => console.log(`page error: ${e.message}`));
await mkdir(out, { recursive: true });

async function shoot(name) {
  for (const width of widths) {
    await page.setViewportSize({ width, height: width > 800 ? 900 : 844 });
    for (const theme of themes) {
      await page.evaluate((t) => {
        localStorage.setItem('kizashi.theme', t);
        document.documentElement.dataset.theme = t;
      }, theme);
      await page.reload();
      await page.waitForTimeout(1300);
      await page.screenshot({ path: join(out, `${name}-${width}-${theme}.png`), fullPage: true });
    }
  }
}

await page.goto(url);
await page.waitForSelector('input[name=user]');
if (wanted.includes('login')) await shoot('login');
await page.fill('input[name=user]', user);
await page.fill('input[name=password]', password);
await page.click('button[type=submit]');
await page.waitForSelector('.rail');
const first = async (hash, selector) => {
  await page.goto(`${url}/${hash}`);
  await page.waitForSelector(selector);
  return page.getAttribute(selector, 'href');
};
if (wanted.includes('alert')) PAGES.alert = await first('#/alerts', '.alert-title');
if (wanted.includes('source')) PAGES.source = await first('#/sources', 'td a.mono');
if (wanted.includes('site')) PAGES.site = await first('#/sites', 'td a.strong');
for (const name of wanted) {
  if (!(name in PAGES)) continue;
  await page.goto(`${url}/${PAGES[name]}`);
  await shoot(name);
}
await browser.close();
await rm(profile, { recursive: true, force: true });
