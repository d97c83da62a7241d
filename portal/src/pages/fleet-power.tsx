// The power of a site's machine, by its management controller. What was switched stands with the other actions.
import { useState } from 'preact/hooks';
import { Fault, send, url, type SitePower } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { Card } from '../ui/card';
import { Answer, Empty } from '../ui/state';

const WAYS: Record<string, string> = { ipmi: 'IPMI', redfish: 'Redfish' };
const ACTIONS: [string, string][] = [
  ['on', 'switch it on'],
  ['shutdown', 'ask its system to shut down'],
  ['off', 'switch it off at once'],
  ['cycle', 'switch it off and on again'],
  ['reset', 'reset it without switching it off'],
];

export function PowerCard({ site }: { site: string }) {
  const power = useResource<SitePower>(url(`/fleet/${encodeURIComponent(site)}/power`));
  return (
    <Card title="Power" note="Of its machine, by the management controller there">
      <Answer of={power} height={80}>
        {(p) => {
          if (p.kind === null) return <Empty small title="Nobody said where it is switched">On the hub: <code>kizashi site power {site} --ipmi HOST --user NAME --secret-file FILE</code></Empty>;
          if (!p.allowed) return <Empty small title={`Over ${WAYS[p.kind]}, at the shell of the hub`}>From here where the hub runs with <code>--switch-power</code>.</Empty>;
          return isAdmin() ? <Switch site={site} way={WAYS[p.kind] ?? p.kind} /> : <p class="muted">Over {WAYS[p.kind]}; an admin can switch it.</p>;
        }}
      </Answer>
    </Card>
  );
}

function Switch({ site, way }: { site: string; way: string }) {
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const ask = async (body: object) => {
    setBusy(true);
    setFault('');
    setSaid('');
    try {
      const { on } = await send<{ on: boolean }>('POST', `/fleet/${encodeURIComponent(site)}/power`, body);
      setSaid(`The power is ${on ? 'on' : 'off'}.`);
    } catch (error) {
      setFault(error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));
    } finally {
      setBusy(false);
      invalidate('/actions');
    }
  };
  const act = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    void ask({ action: String(data.get('power')), confirm: String(data.get('confirm')) }).then(() => form.reset());
  };
  return (
    <>
      <div class="row">
        <button class="button" type="button" disabled={busy} onClick={() => void ask({ action: 'status' })}>Is it on?</button>
        <span role="status">{busy ? `Asking over ${way} …` : said}</span>
      </div>
      <form class="filters inline-form power-form" onSubmit={act}>
        <label class="field">What
          <select class="input" name="power">{ACTIONS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>
        </label>
        <label class="field">Type {site} to confirm
          <input class="input" name="confirm" required autocomplete="off" spellcheck={false} autocapitalize="none" />
        </label>
        <button class="button" type="submit" disabled={busy}>Switch</button>
      </form>
      {fault && <p class="form-error" role="alert">{fault}</p>}
    </>
  );
}
