// Compiles the unit tests and runs them with node's own runner; prints TAP.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(join(tmpdir(), 'kizashi-portal-test-'));
const names = (await readdir(here)).filter((name) => name.endsWith('.test.ts'));
await build({
  entryPoints: names.map((name) => join(here, name)),
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  outExtension: { '.js': '.mjs' },
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
});
const made = (await readdir(out)).filter((name) => name.endsWith('.mjs')).map((name) => join(out, name));
const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...made], {
  stdio: 'inherit',
  env: { ...process.env, TZ: 'Pacific/Auckland' },
});
await rm(out, { recursive: true, force: true });
process.exit(run.status ?? 1);
