// Alerts of the made-up traffic, with evidence as the engines give it.
import { COUNTRIES, noise, SITES, SERVICES, STEP, usual } from './model.mjs';

const iso = (t) => `${new Date(t).toISOString().slice(0, 19)}Z`;

function series(model, id, siteName, from) {
  const service = SERVICES.find((s) => s.id === id);
  const sites = SITES.filter((s) => !siteName || s.name === siteName);
  const begin = Math.max(0, from - 150);
  const values = [];
  const expected = [];
  const threshold = [];
  for (let step = begin; step < 576; step += 1) {
    let seen = 0;
    let normal = 0;
    for (const site of sites) {
      seen += model.cube.get(`${id} ${site.name}`)[step];
      normal += usual(service, site, step);
    }
    values.push(seen);
    expected.push(Math.round(normal * 10) / 10);
    threshold.push(Math.round((normal + 5.2 * Math.sqrt(normal + 4)) * 10) / 10);
  }
  const name = siteName ? `sources on ${service.port}/${service.proto} at ${siteName}` : `sources on ${service.port}/${service.proto}, all sites`;
  return { name, unit: 'sources per 10 min', start: iso(model.start + begin * STEP), step_s: 600, values, expected, threshold };
}

const TABLE = [
  {
    port: ['udp', [53413]], from: 430, warned: 432, severity: 'critical', confidence: 0.97, engines: ['surge', 'growth'], kind: 'global-growth', tool: 'mirai',
    title: '53413/udp is looked for by many new sources, at site after site',
    explanation: 'Sources on 53413/udp grew from about 24 to 1,640 in ten minutes at 8 of 8 sites; jp-01 saw it first, br-01 5 h 50 min later. The chance of this under the usual traffic is below 10^-60.',
    hosts: 11840, sites: 8, countries: 22, numbers: [['p_value', 300, '', 'Strangeness: -log10 of the chance under normal traffic'], ['sources', 11840, 'sources', 'Distinct sources since the start'], ['growth', 68.3, 'times', 'Sources a window, now against normal'], ['sites', 8, 'sites', 'Sites over their limit'], ['early_warning', 21000, 's', 'Warning of the last site before its own alert']],
  },
  {
    port: ['tcp', [23, 20012]], from: 505, warned: 506, severity: 'critical', confidence: 0.92, engines: ['surge'], kind: 'port-surge', tool: 'mirai',
    title: 'About a thousand hosts in South Korea began to look for 23/tcp and 20012/tcp together',
    explanation: '1,012 sources, 97 % of them in South Korea, send to 23/tcp and 20012/tcp in the same minutes at all sites. 20012/tcp had 2 sources a window before.',
    hosts: 1012, sites: 8, countries: 1, only: 'kr', numbers: [['p_value', 118.2, '', 'Strangeness: -log10 of the chance under normal traffic'], ['sources', 1012, 'sources', 'Distinct sources since the start'], ['share_country', 97, '%', 'Part of them in South Korea']],
  },
  {
    port: ['tcp', [3389]], from: 250, warned: 312, severity: 'warning', confidence: 0.88, engines: ['growth'], kind: 'global-growth', tool: '',
    title: '3389/tcp grows slowly everywhere: a worm would look like this',
    explanation: 'Sources on 3389/tcp grow by 9 % an hour at 8 sites at once, for 43 hours now. No tool is recognised; each source looks for few addresses.',
    hosts: 8210, sites: 8, countries: 31, numbers: [['growth_rate', 9.1, '% an hour', 'Growth of sources'], ['p_value', 22.4, '', 'Strangeness: -log10 of the chance under normal traffic'], ['sources', 8210, 'sources', 'Distinct sources since the start']],
  },
  {
    port: ['tcp', [5000]], from: 330, warned: 333, severity: 'warning', confidence: 0.81, engines: ['growth', 'surge'], kind: 'global-growth', tool: 'masscan',
    title: '5000/tcp spreads from site to site',
    explanation: 'Sources on 5000/tcp passed the limit at 8 sites one after the other, about two hours apart. Four sites were warned before their own alert.',
    hosts: 2630, sites: 8, countries: 14, closed: true, state: 'right', note: 'NAS flaw of last week, vendor bulletin sent to members.', numbers: [['sources', 2630, 'sources', 'Distinct sources since the start'], ['lag', 7800, 's', 'Median lag between sites']],
  },
  {
    port: ['udp', [33434]], from: 468, warned: 470, severity: 'notice', confidence: 0.64, engines: ['surge'], kind: 'port-surge', tool: '',
    title: '33434/udp is probed in step from 20 countries',
    explanation: '208 sources in 20 countries send to 33434/udp in the same minutes. The number of hosts is small; that they keep step is not.',
    hosts: 208, sites: 8, countries: 20, numbers: [['sources', 208, 'sources', 'Distinct sources since the start'], ['countries', 20, 'countries', 'Countries in step']],
  },
  {
    port: ['udp', [427]], from: 540, warned: 541, severity: 'notice', confidence: 0.57, engines: ['surge'], kind: 'port-surge', tool: 'zmap', oneSite: 'de-01',
    title: '427/udp at de-01 alone has ten times its usual sources',
    explanation: '33 sources a window where 3 are normal, at de-01 only. 27 of them carry the marks of ZMap.',
    hosts: 96, sites: 1, countries: 6, numbers: [['sources', 96, 'sources', 'Distinct sources since the start'], ['p_value', 9.7, '', 'Strangeness: -log10 of the chance under normal traffic']],
  },
  {
    port: ['tcp', [9200]], from: 380, warned: 381, severity: 'info', confidence: 0.31, engines: ['surge'], kind: 'port-surge', tool: 'zmap', closed: true, state: 'known', note: 'Survey of a university.',
    title: '9200/tcp was somewhat busier than usual at us-01', oneSite: 'us-01',
    explanation: '29 sources a window where 13 are normal; most are on a list of announced surveys.', hosts: 41, sites: 1, countries: 3, numbers: [['sources', 41, 'sources', 'Distinct sources since the start']],
  },
];

function address(...words) {
  const part = (i) => 1 + Math.floor(noise('ip', i, ...words) * 254);
  return `${[45, 58, 91, 103, 114, 121, 175, 189, 203, 222][Math.floor(noise(...words) * 10)]}.${part(1)}.${part(2)}.${part(3)}`;
}

/** The last site of what spreads slowly has not seen it yet. */
function stand(row, site, i, model) {
  const lag = row.kind === 'global-growth' && ports5000(row) ? i * 13 : row.port[1][0] === 53413 ? i * 5 : 0;
  const state = i === 0 ? 'first' : 'rising';
  if (ports5000(row) && i === SITES.length - 1) return { site: site.name, state: 'waiting', sources: 7, normal: 7.2 };
  return { site: site.name, state, sources: 95, normal: 9, first: iso(model.start + (row.from + lag + 2) * STEP), lag_s: lag * 600 };
}

const ports5000 = (row) => row.port[1][0] === 5000;

export function makeAlerts(model) {
  return TABLE.map((row) => {
    const [proto, ports] = row.port;
    const day = iso(model.start + row.from * STEP).slice(0, 10).replace(/-/g, '');
    const id = `${day}-${ports[0]}${proto}-${Math.floor(noise(row.title) * 65536).toString(16).padStart(4, '0')}`;
    const from = `${proto}/${ports[0]}`;
    const all = { surge: {}, growth: {} };
    all.growth = {
      numbers: [],
      series: [series(model, from, row.oneSite, row.from)],
      sites: SITES.map((site, i) => stand(row, site, i, model)),
    };
    all.surge = {
      numbers: [],
      series: ports.length > 1 ? ports.map((p) => series(model, `${proto}/${p}`, undefined, row.from)) : [series(model, from, row.oneSite ?? 'jp-01', row.from)],
    };
    const evidence = Object.fromEntries(row.engines.map((e) => [e, all[e]]));
    evidence[row.engines[0]].numbers = row.numbers.map(([name, value, unit, text]) => ({ name, value, unit, text }));
    return {
      id, time: iso(model.start + row.warned * STEP), start: iso(model.start + row.from * STEP),
      end: iso(row.closed ? model.start + (row.from + 160) * STEP : model.end - STEP), kind: row.kind, engine: row.engines, version: 1,
      severity: row.severity, confidence: row.confidence, title: row.title, explanation: row.explanation, proto, ports,
      sites: row.oneSite ? [row.oneSite] : SITES.slice(0, row.sites).map((s) => s.name),
      countries: row.only ? [row.only] : COUNTRIES.slice(0, row.countries).map(([c]) => c).filter(Boolean),
      host_count: row.hosts, tool: row.tool || null, related: [], tlp: 'amber', status: row.closed ? 'closed' : 'open', revision: 7,
      workflow: row.state ? { state: row.state, note: row.note, by: 'akiko', changed: iso(model.end - 5 * STEP), suppression: null, back: null } : { state: 'new', note: '', by: null, changed: null, suppression: null, back: null },
      hosts: Array.from({ length: 24 }, (_, i) => address(row.title, i)), evidence,
    };
  }).sort((a, b) => (a.time < b.time ? 1 : -1));
}

export { address, iso };
