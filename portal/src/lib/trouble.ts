// What is wrong with the hub and its sites, in words: what the banner says on every page.

export interface Trouble {
  /** bad: data is being lost or nothing is taken in; warn: somebody should look. */
  grade: 'bad' | 'warn';
  what: string;
  detail: string;
  todo: string;
}

interface Reason {
  part: string;
  detail: string;
}

interface Site {
  site: string;
  state: string;
  detail?: string | undefined;
}

const PARTS: Record<string, { what: string; todo: string }> = {
  store: { what: 'The store takes nothing in', todo: 'Free space on its disk, or keep less (--keep-packets); what waits is taken in then.' },
  catalogue: { what: 'Alerts cannot be written down', todo: 'Free space on the disk of the data folder; they are kept in memory until then.' },
  ingest: { what: 'Nothing is taken in any more', todo: 'Look at the hub\'s log, mend what it names, and start the hub again.' },
  engines: { what: 'The engines cannot keep up', todo: 'They leave whole windows out. Run fewer engines (--engines) or give the hub more processors.' },
};

function names(sites: readonly Site[]): string {
  const shown = sites.slice(0, 3).map((s) => s.site).join(', ');
  return sites.length > 3 ? `${shown} and ${sites.length - 3} more` : shown;
}

function ofState(sites: readonly Site[], state: string): Site[] {
  return sites.filter((s) => s.state === state);
}

/** The worst first. */
export function troubles(reasons: readonly Reason[], sites: readonly Site[]): Trouble[] {
  const found: Trouble[] = reasons.map(({ part, detail }) => {
    const known = PARTS[part] ?? { what: `Something is wrong with: ${part}`, todo: 'Look at the hub\'s log.' };
    return { grade: part === 'engines' ? 'warn' : 'bad', detail, ...known };
  });
  const failed = ofState(sites, 'failed');
  if (failed.length > 0) {
    const detail = [...new Set(failed.map((s) => s.detail ?? '').filter(Boolean))].slice(0, 2).join('; ');
    found.push({ grade: 'bad', what: `The capture of ${names(failed)} is broken`, detail,
      todo: 'What came before is kept. Mend or replace the capture and start the hub again.' });
  }
  const lossy = ofState(sites, 'lossy');
  if (lossy.length > 0) {
    found.push({ grade: 'warn', what: `Packets of ${names(lossy)} are being lost`, detail: '',
      todo: 'The sites page says where and how many.' });
  }
  const down = ofState(sites, 'down');
  if (down.length > 0) {
    found.push({ grade: 'bad', what: `Nothing is heard of ${names(down)}`, detail: 'for a minute or more',
      todo: 'The fleet page says since when; look at the sensor there, its machine and its line.' });
  }
  const silent = ofState(sites, 'silent');
  if (silent.length > 0) {
    found.push({ grade: 'warn', what: `Nothing comes from ${names(silent)}`, detail: 'for five minutes or more',
      todo: 'Look at the line, the interface and the filter of the capture.' });
  }
  return [...found.filter((t) => t.grade === 'bad'), ...found.filter((t) => t.grade === 'warn')];
}
