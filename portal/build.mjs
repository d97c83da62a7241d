// Builds the portal: API types from the OpenAPI file, the world map's data, then one bundle into
// dist/ with hashed names. Usage: node build.mjs [types|watch]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { context, build } from 'esbuild';
import { worldByCode } from './world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);
const mode = process.argv[2] ?? 'build';

/** The API's contract, wherever this checkout keeps it. */
function openapiFile() {
  for (const file of ['../docs/formats/openapi.yaml', '../src/api/openapi.yaml']) {
    if (existsSync(at(file))) return at(file);
  }
  throw new Error('portal: no docs/formats/openapi.yaml: the API types are made from it');
}

async function generate() {
  await mkdir(at('src/generated'), { recursive: true });
  const tool = at('node_modules/openapi-typescript/bin/cli.js');
  execFileSync(process.execPath, [tool, openapiFile(), '-o', at('src/generated/api.ts')], {
    cwd: here,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await writeFile(at('src/generated/world.json'), JSON.stringify(await worldByCode()));
}

const options = {
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx', theme: 'src/theme-early.ts' },
  outdir: 'dist/assets',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  sourcemap: false,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
};

/** index.html names the hashed files of this build. */
async function writePage(metafile) {
  const made = Object.entries(metafile.outputs);
  const find = (entry) => made.find(([, output]) => output.entryPoint === entry);
  const [app, appOutput] = find('src/main.tsx');
  const [theme] = find('src/theme-early.ts');
  const url = (file) => file.replace(/^dist\//, '');
  const page = (await readFile(at('index.html'), 'utf8'))
    .replace('@STYLE@', url(appOutput.cssBundle))
    .replace('@THEME@', url(theme))
    .replace('@APP@', url(app));
  await writeFile(at('dist/index.html'), page);
  for (const file of await readdir(at('public'))) {
    await writeFile(at('dist', file), await readFile(at('public', file)));
  }
}

async function report() {
  let total = 0;
  for (const file of await readdir(at('dist/assets'))) {
    if (file.endsWith('.txt')) continue;
    const size = gzipSync(await readFile(at('dist/assets', file)), { level: 9 }).length;
    total += size;
    console.log(`${String(size).padStart(8)}  ${file}`);
  }
  console.log(`${String(total).padStart(8)}  bytes gzipped in all`);
}

await generate();
if (mode === 'build') {
  await rm(at('dist'), { recursive: true, force: true });
  const result = await build(options);
  await writePage(result.metafile);
  await report();
} else if (mode === 'watch') {
  const page = {
    name: 'page',
    setup: (b) => b.onEnd((r) => r.metafile && writePage(r.metafile)),
  };
  const watching = await context({ ...options, minify: false, sourcemap: true, plugins: [page] });
  await watching.watch();
} else if (mode !== 'types') {
  console.error(`build.mjs: '${mode}' is not a mode; allowed: types, watch, or nothing to build`);
  process.exit(2);
}
