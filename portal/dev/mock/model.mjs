// Four days of made-up telescope traffic in the shapes of the API, the same at every start: what the portal is
// developed against when no hub runs. Every figure here is invented.
const MINUTE = 60_000;
export const STEP = 10 * MINUTE;
const STEPS = 4 * 144;

/** A number in [0, 1) that depends on the words only. */
export function noise(...words) {
  let h = 2166136261;
  for (const c of words.join('|')) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h ^= h >>> 13;
  h = Math.imul(h, 0x5bd1e995);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

export const SITES = [
  { name: 'jp-01', size: 1.3, addresses: 4096 },
  { name: 'jp-02', size: 0.7, addresses: 1024 },
  { name: 'kr-01', size: 1.0, addresses: 2048 },
  { name: 'tw-01', size: 0.6, addresses: 1024 },
  { name: 'th-01', size: 0.5, addresses: 512 },
  { name: 'de-01', size: 1.1, addresses: 4096 },
  { name: 'us-01', size: 1.6, addresses: 8192 },
  { name: 'br-01', size: 0.8, addresses: 2048 },
];

export const SERVICES = [
  ['tcp', 23, 210], ['tcp', 445, 160], ['tcp', 22, 150], ['tcp', 80, 120], ['tcp', 443, 110], ['tcp', 8080, 90],
  ['tcp', 3389, 60], ['tcp', 2323, 55], ['udp', 123, 40], ['udp', 53, 44], ['udp', 1900, 30], ['udp', 5060, 48],
  ['tcp', 5555, 36], ['tcp', 1433, 34], ['tcp', 6379, 30], ['tcp', 8443, 26], ['tcp', 81, 24], ['tcp', 37215, 22],
  ['tcp', 52869, 18], ['tcp', 7547, 17], ['udp', 161, 15], ['udp', 11211, 9], ['tcp', 5900, 14], ['tcp', 3306, 13],
  ['tcp', 5000, 9], ['tcp', 20012, 2], ['udp', 53413, 3], ['udp', 33434, 4], ['icmp', 8, 70], ['udp', 427, 3],
  ['tcp', 9200, 8], ['tcp', 27017, 7], ['tcp', 2375, 5], ['udp', 389, 6], ['tcp', 8291, 6],
].map(([proto, port, base]) => ({ proto, port, base, id: `${proto}/${port}` }));

export const COUNTRIES = [
  ['cn', 17], ['us', 12], ['in', 9], ['br', 8], ['ru', 6.5], ['vn', 5.4], ['kr', 5], ['tw', 4.2], ['id', 4], ['ir', 3.4],
  ['tr', 3], ['th', 2.4], ['ua', 2], ['de', 2], ['mx', 1.9], ['eg', 1.7], ['ar', 1.6], ['it', 1.5], ['jp', 1.4], ['pk', 1.3],
  ['gb', 1.2], ['fr', 1.1], ['nl', 1.1], ['pl', 0.9], ['ro', 0.8], ['sg', 0.8], ['hk', 0.8], ['za', 0.7], ['es', 0.6],
  ['ph', 0.6], ['bd', 0.6], ['my', 0.5], ['co', 0.5], ['ve', 0.4], ['gr', 0.4], ['bg', 0.3], ['cl', 0.3], ['ng', 0.3],
  ['ke', 0.2], ['kz', 0.2], ['se', 0.2], ['ca', 0.5], ['au', 0.3], ['ma', 0.2], ['sa', 0.2], ['', 1.2],
];
const COUNTRY_SUM = COUNTRIES.reduce((a, [, w]) => a + w, 0);
export const countryShare = (code) => (COUNTRIES.find(([c]) => c === code)?.[1] ?? 0) / COUNTRY_SUM;
export const CLASSES = { scan: 0.62, other: 0.12, worm: 0.09, backscatter: 0.08, survey: 0.07, misconfiguration: 0.02 };
export const TOOLS = { '': 0.52, mirai: 0.2, masscan: 0.11, zmap: 0.13, nmap: 0.03, unicornscan: 0.01 };
export const ASNS = [
  [4134, 'cn', 0.11], [4837, 'cn', 0.07], [9829, 'in', 0.05], [4766, 'kr', 0.04], [3462, 'tw', 0.035], [45899, 'vn', 0.034],
  [14061, 'us', 0.03], [16509, 'us', 0.028], [7713, 'id', 0.025], [28573, 'br', 0.022], [12389, 'ru', 0.02], [9121, 'tr', 0.018],
  [24940, 'de', 0.012], [2497, 'jp', 0.004], [0, '', 0.02],
];

/** Made up, long, and what somebody might write into a database of networks. */
const AS_NAMES = { 4134: 'CHINANET-BACKBONE', 4837: 'CHINA169-BACKBONE Example Unicom', 9829: 'BSNL-NIB National Internet Backbone', 4766: 'Korea Telecom',
  3462: 'HINET Data Communication Business Group', 14061: 'DIGITALOCEAN-ASN', 16509: '<b>AMAZON</b>', 2497: '株式会社インターネットイニシアティブ' };
export const asName = (asn) => AS_NAMES[asn] ?? '';

/** What happens: sources added a step at a site of size 1, by service. */
export const EVENTS = [
  { id: 'tcp/3389', from: 250, rise: 260, peak: 150, lag: () => 0 },
  { id: 'udp/53413', from: 430, rise: 14, peak: 220, lag: (i) => i * 5 },
  { id: 'tcp/5000', from: 330, rise: 8, peak: 95, lag: (i) => i * 13, length: 150 },
  { id: 'tcp/23', from: 505, rise: 5, peak: 130, lag: () => 0 },
  { id: 'tcp/20012', from: 505, rise: 5, peak: 120, lag: () => 0 },
  { id: 'udp/33434', from: 468, rise: 3, peak: 26, lag: () => 0, length: 40 },
  { id: 'udp/427', from: 540, rise: 3, peak: 30, lag: () => 0, only: 'de-01' },
];

function added(service, siteIndex, step) {
  let total = 0;
  for (const event of EVENTS) {
    if (event.id !== service.id || (event.only && event.only !== SITES[siteIndex].name)) continue;
    const since = step - event.from - event.lag(siteIndex);
    if (since < 0 || (event.length && since > event.length)) continue;
    total += event.peak * (1 - Math.exp(-since / event.rise));
  }
  return total;
}

/** Expected sources of a step without any event. */
export function usual(service, site, step) {
  const hour = ((step % 144) / 144) * 2 * Math.PI;
  return service.base * site.size * (1 + 0.28 * Math.sin(hour - 1.2));
}

export function makeModel(now = Date.now()) {
  const end = Math.floor(now / STEP) * STEP;
  const start = end - (STEPS - 1) * STEP;
  const cube = new Map();
  SERVICES.forEach((service) =>
    SITES.forEach((site, i) => {
      const values = Array.from({ length: STEPS }, (_, step) => {
        const level = usual(service, site, step) + added(service, i, step) * site.size;
        const jitter = (noise(service.id, site.name, step) - 0.5) * 2.4 * Math.sqrt(level + 1);
        return Math.max(0, Math.round(level + jitter));
      });
      cube.set(`${service.id} ${site.name}`, values);
    }),
  );
  return { start, end: end + STEP, now, cube };
}
