// The document of a site: what it collects and how it hides it. Everybody sees it; an admin changes it.
import { useEffect, useState } from 'preact/hooks';
import { Fault, send, url, type DocumentChange, type SiteConfig, type SiteConfigured } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { duration, plural, stampFull } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { Losses } from '../ui/policy-losses';
import { Answer, Empty } from '../ui/state';

const FIELDS: { name: string; label: string; help: string; number?: boolean }[] = [
  { name: 'filter', label: 'Filter', help: 'pcap-filter(7), without names of hosts; empty: all' },
  { name: 'sample', label: 'One source in', help: '1 collects all', number: true },
  { name: 'payload', label: 'Payload bytes', help: '0 to 256', number: true },
  { name: 'batch', label: 'Sent every', help: 'such as 1s' },
  { name: 'heartbeat', label: 'Heartbeat every', help: 'such as 10s' },
];

type Said = { fault?: string; done?: SiteConfigured; tried?: boolean };

export function DocumentCard({ site }: { site: string }) {
  const path = `/fleet/${encodeURIComponent(site)}/config`;
  const config = useResource<SiteConfig>(url(path));
  const [said, setSaid] = useState<Said>({});
  const ask = async (body: object, tried: boolean) => {
    try {
      const done = await send<SiteConfigured>('POST', path, body);
      setSaid({ done, tried });
      if (!tried) invalidate('/fleet');
    } catch (error) {
      setSaid({ fault: error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error) });
    }
  };
  return (
    <Card title="Document" note="What this site collects, and how it hides it. A change is in effect between two batches of packets.">
      <Answer of={config} height={220}>
        {(data) => (
          <>
            <Form key={data.version} config={data} ask={ask} />
            {said.fault && <p class="form-error" role="alert">{said.fault}</p>}
            {said.done && (said.tried ? <Tried of={said.done} /> : <Effect site={site} of={said.done} />)}
            <Versions config={data} back={(version) => void ask({ version, note: `as version ${version}` }, false)} />
          </>
        )}
      </Answer>
    </Card>
  );
}

/** The body for the hub, or what is wrong with the text of the policy. */
function bodyOf(form: HTMLFormElement, config: SiteConfig): { document: object; base: number; note: string } {
  const data = new FormData(form);
  const document: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const text = String(data.get(field.name) ?? '');
    document[field.name] = field.number ? Number(text) : text;
  }
  document.anonymisation = JSON.parse(String(data.get('anonymisation')));
  return { document, base: config.version, note: String(data.get('note') ?? '') };
}

function Form({ config, ask }: { config: SiteConfig; ask: (body: object, tried: boolean) => Promise<void> }) {
  const [wrong, setWrong] = useState('');
  const document = config.document as Record<string, unknown>;
  const admin = isAdmin();
  const go = (form: HTMLFormElement, check: boolean) => {
    setWrong('');
    try {
      void ask({ ...bodyOf(form, config), ...(check ? { check } : {}) }, check);
    } catch {
      setWrong('The anonymisation is not JSON.');
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    go(event.currentTarget as HTMLFormElement, false);
  };
  return (
    <form class="document-form" onSubmit={submit}>
      {FIELDS.map((field) => (
        <label key={field.name} class={field.name === 'filter' ? 'field document-wide' : 'field'} title={field.help}>
          {field.label}
          <input class="input" name={field.name} defaultValue={String(document[field.name] ?? '')} disabled={!admin} spellcheck={false}
            inputMode={field.number ? 'numeric' : undefined} placeholder={field.help} autocomplete="off" />
        </label>
      ))}
      <label class="field document-wide">
        <span>Anonymisation <a class="small" href={href(['fleet', config.site, 'policy'])}>Questionnaire</a></span>
        <textarea class="input mono" name="anonymisation" rows={8} disabled={!admin} spellcheck={false}
          defaultValue={JSON.stringify(document.anonymisation, null, 2)} />
      </label>
      {admin && (
        <>
          <label class="field document-wide">Why<input class="input" name="note" maxLength={200} autocomplete="off" /></label>
          <div class="row document-wide">
            <button class="button" type="button" onClick={(e) => e.currentTarget.form && go(e.currentTarget.form, true)}>Check</button>
            <button class="button button-main" type="submit">Save and push</button>
          </div>
        </>
      )}
      {wrong && <p class="form-error document-wide" role="alert">{wrong}</p>}
    </form>
  );
}

function Tried({ of }: { of: SiteConfigured }) {
  return (
    <div class="banner banner-quiet" role="status">
      <p>{of.same ? `Nothing differs from version ${of.version}.` : 'It would do. It changes:'}</p>
      <Changes of={of.changed} />
      <Lost of={of} head="What would no longer work:" />
    </div>
  );
}

const LOOK_MS = 1000;
const LOOK_MOST = 120;

/** What became of a change: pushed, in effect after so long, or refused by the site, as soon as that is known. */
export function Effect({ site, of }: { site: string; of: SiteConfigured }) {
  const config = useResource<SiteConfig>(url(`/fleet/${encodeURIComponent(site)}/config`));
  const [looks, setLooks] = useState(0);
  const version = config.data?.versions.find((v) => v.version === of.version);
  const known = of.same || (version !== undefined && (version.refused !== '' || version.took_ms !== null));
  useEffect(() => {
    if (known || looks >= LOOK_MOST) return;
    const timer = setTimeout(() => {
      setLooks(looks + 1);
      invalidate(`/fleet/${encodeURIComponent(site)}/config`);
    }, LOOK_MS);
    return () => clearTimeout(timer);
  }, [known, looks, site]);
  return (
    <div class="banner banner-quiet effect" role="status">
      <p>{effectText(of, version)}</p>
      <Changes of={of.changed} />
      <Lost of={of} head="What no longer works:" />
    </div>
  );
}

function Lost({ of, head }: { of: SiteConfigured; head: string }) {
  if (of.losses.length === 0) return null;
  return <><p>{head}</p><Losses of={of.losses} /></>;
}

function effectText(of: SiteConfigured, version: SiteConfig['versions'][number] | undefined): string {
  if (of.same) return `Nothing differs from version ${of.version}.`;
  if (version?.refused) return `The site refuses version ${of.version}: ${version.refused}.`;
  if (version && version.took_ms !== null) return `Version ${of.version} is in effect: the site said so after ${tookText(version.took_ms)}.`;
  return of.pushed ? `Version ${of.version} is on its way; the site has yet to say that it is in effect.`
    : `Version ${of.version} is kept and pushed as soon as that is possible: ${of.trouble}.`;
}

function tookText(ms: number): string {
  return ms < 1000 ? `${ms} ms` : duration(ms);
}

export function Changes({ of }: { of: DocumentChange[] | null }) {
  if (!of || of.length === 0) return null;
  return (
    <ul class="document-changes mono small">
      {of.map((c) => <li key={c.member}>{c.member}: {JSON.stringify(c.before)} → {JSON.stringify(c.after)}</li>)}
    </ul>
  );
}

function Versions({ config, back }: { config: SiteConfig; back: (version: number) => void }) {
  if (config.versions.length === 0) return <Empty small title="No version yet">The site runs with the defaults.</Empty>;
  return (
    <details>
      <summary>{plural(config.versions.length, 'version')}</summary>
      <ol class="document-versions">
        {config.versions.map((v) => (
          <li key={v.version}>
            <p>
              <b>{v.version}</b> {v.who}, {stampFull(v.time)}{v.note && `: ${v.note}`}{' '}
              <span class="muted small">
                {v.refused ? `refused: ${v.refused}` : v.took_ms === null ? 'not in effect yet' : `in effect after ${tookText(v.took_ms)}`}
              </span>{' '}
              {isAdmin() && v.version !== config.version && (
                <button class="button button-small" type="button" onClick={() => back(v.version)}>Take it back to this</button>
              )}
            </p>
            <Changes of={v.changed} />
          </li>
        ))}
        <li>
          <p>
            <b>0</b> What the site does by itself.{' '}
            {isAdmin() && <button class="button button-small" type="button" onClick={() => back(0)}>Take it back to this</button>}
          </p>
        </li>
      </ol>
    </details>
  );
}
