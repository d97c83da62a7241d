// The questionnaire about a site's anonymisation: what must go on working, what may leave at most, what does not go
// together, and the least revealing policy that comes of it. The hub works it out (POST /anonymisation), with the
// code of `kizashi site policy`; here are only the questions.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Fault, send, url, type SiteConfig, type SiteConfigured } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { conflictKey, lossSentences, lossText, MEASURES, methodOf, ruleText, type Conflict, type PolicyField, type Proposal, type Questionnaire, type Rule } from '../lib/policy';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { Head } from '../ui/head';
import { Answer, Empty } from '../ui/state';
import { LossText } from '../ui/policy-losses';
import { Changes, Effect } from './fleet-document';

type Policy = Record<string, Rule | number | boolean>;
const EPOCHS: [string, string][] = [['1h', 'an hour'], ['1d', 'a day'], ['7d', 'a week'], ['30d', '30 days'], ['366d', 'a year'], ['never', 'for ever']];

function words(error: unknown): string {
  return error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error);
}

export function FleetPolicyPage({ name }: { name: string }) {
  const config = useResource<SiteConfig>(url(`/fleet/${encodeURIComponent(name)}/config`));
  const questionnaire = useResource<Questionnaire>(url('/anonymisation'));
  return (
    <>
      <Head title="What may leave" back={{ href: href(['fleet', name]), label: name }}
        text="A few questions about this site. What comes of it is the least that still serves; nothing changes before you save." />
      <Answer of={config} height={420}>
        {(data) => (
          <Answer of={questionnaire} height={420}>
            {(asked) => <Questions site={name} config={data} asked={asked} />}
          </Answer>
        )}
      </Answer>
    </>
  );
}

/** What the hub proposes for the answers of now; the proposal before stays until the next one is there. */
function useProposal(most: Policy, serve: string): { proposal: Proposal | undefined; fault: string } {
  const [proposal, setProposal] = useState<Proposal>();
  const [fault, setFault] = useState('');
  const round = useRef(0);
  const body = JSON.stringify({ most, serve });
  useEffect(() => {
    const mine = ++round.current;
    send<Proposal>('POST', '/anonymisation', JSON.parse(body)).then(
      (answer) => {
        if (mine !== round.current) return;
        setProposal(answer);
        setFault('');
      },
      (error: unknown) => mine === round.current && setFault(words(error)),
    );
  }, [body]);
  return { proposal, fault };
}

function Questions({ site, config, asked }: { site: string; config: SiteConfig; asked: Questionnaire }) {
  const [most, setMost] = useState<Policy>(() => (config.document as Record<string, unknown>).anonymisation as Policy);
  const [serve, setServe] = useState(() => asked.analyses.filter((a) => a.usual).map((a) => a.name));
  const [without, setWithout] = useState<string[]>([]);
  const { proposal, fault } = useProposal(most, serve.join(','));
  if (!proposal) return fault ? <Empty title="The hub cannot say">{fault}</Empty> : <div class="loading" style={{ height: '420px' }} role="status" />;
  const answer = (field: string, rule: Rule) => setMost({ ...most, [field]: rule });
  const open = proposal.conflicts.filter((c) => !without.includes(conflictKey(c)));
  return (
    <div class="stack policy">
      <Serve asked={asked} serve={serve} set={setServe} />
      <Card title="2. What may leave at most" note="Each answer says what no longer works if it is given. Less leaves where less is enough.">
        {fault && <p class="form-error" role="alert">{fault}</p>}
        <div class="policy-fields">
          {proposal.fields.map((field) => <Field key={field.field} of={field} held={most[field.field] as Rule} answer={(rule) => answer(field.field, rule)} />)}
        </div>
        <label class="field policy-epoch">A pseudonym stays the same for
          <select class="input" name="epoch" value={String(most.epoch)} onChange={(e) => setMost({ ...most, epoch: e.currentTarget.value })}>
            {!EPOCHS.some(([value]) => value === most.epoch) && <option>{String(most.epoch)}</option>}
            {EPOCHS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
          <span class="small muted">Then the site draws new keys and overwrites the old ones.</span>
        </label>
      </Card>
      <Conflicts of={proposal.conflicts} open={open} allow={(c) => c.allow && answer(c.field ?? '', c.allow as Rule)}
        doWithout={(rows) => setWithout([...without, ...rows.map(conflictKey)])} />
      <Save site={site} config={config} policy={proposal.policy as Policy} open={open.length} />
    </div>
  );
}

function Serve({ asked, serve, set }: { asked: Questionnaire; serve: string[]; set: (names: string[]) => void }) {
  const flip = (name: string, on: boolean) => set(on ? [...serve, name] : serve.filter((n) => n !== name));
  return (
    <Card title="1. What must go on working" note="Nothing leaves that none of these needs.">
      {(['engine', 'view'] as const).map((kind) => (
        <fieldset key={kind} class="policy-serve">
          <legend>{kind === 'engine' ? 'Engines' : 'Views'}</legend>
          {asked.analyses.filter((a) => a.kind === kind).map((a) => (
            <label key={a.name} class="policy-choice">
              <input type="checkbox" name={`serve-${a.name}`} checked={serve.includes(a.name)} onChange={(e) => flip(a.name, e.currentTarget.checked)} />
              <span><b>{a.name}</b> <span class="muted small">{a.text}</span></span>
            </label>
          ))}
        </fieldset>
      ))}
    </Card>
  );
}

/** `held` is the answer of now; what the hub says of it may be about the one before, for a moment. */
function Field({ of, held, answer }: { of: PolicyField; held: Rule; answer: (rule: Rule) => void }) {
  const chosen = of.answers.find((a) => a.method === methodOf(held));
  const less = ruleText(of.proposed as Rule) !== ruleText(held);
  return (
    <fieldset class="policy-field">
      <legend>{of.question}</legend>
      {of.answers.map((a) => (
        <label key={a.method} class="policy-choice">
          <input type="radio" name={of.field} value={a.method} checked={a.method === methodOf(held)} onChange={() => answer(a.rule as Rule)} />
          <span>
            {a.text} <span class="muted small mono">{a.method}</span>
            {a.losses.length > 0 && <span class="policy-loss">{lossText(a.losses)}</span>}
          </span>
        </label>
      ))}
      <Measures field={of.field} rule={held} answer={answer} />
      {chosen && chosen.losses.length > 0 && (
        <ul class="small policy-sentences">{lossSentences(chosen.losses).map((s) => <li key={s}>{s}</li>)}</ul>
      )}
      {less && <p class="small policy-less">Less is enough: <b>{ruleText(of.proposed as Rule)}</b></p>}
    </fieldset>
  );
}

/** How much of it: shown for the answer that is chosen. */
function Measures({ field, rule, answer }: { field: string; rule: Rule; answer: (rule: Rule) => void }) {
  const measures = MEASURES[methodOf(rule)];
  if (!measures || typeof rule === 'string') return null;
  return (
    <div class="row policy-measures">
      {measures.map((m) => (
        <label key={m.name} class="field">{m.label}
          <input class="input" name={`${field}-${m.name}`} type={m.number ? 'number' : 'text'} min={m.number?.least} max={m.number?.most}
            value={String(rule[m.name])} autocomplete="off"
            onChange={(e) => answer({ ...rule, [m.name]: m.number ? Number(e.currentTarget.value) : e.currentTarget.value.trim() })} />
        </label>
      ))}
    </div>
  );
}

interface ConflictsProps {
  of: Conflict[];
  open: Conflict[];
  allow: (c: Conflict) => void;
  doWithout: (rows: Conflict[]) => void;
}

/** Where what may leave and what must work do not go together, somebody has to say which of them gives way. */
function Conflicts({ of, open, allow, doWithout }: ConflictsProps) {
  return (
    <Card title="3. What does not go together" note={open.length > 0 ? 'Say of each which gives way: the site, or the analysis.' : undefined}
      tools={open.length > 1 && <button class="button button-small" type="button" onClick={() => doWithout(open)}>Do without all of these</button>}>
      {of.length === 0 && <Empty small title="Everything that must go on working does" />}
      <ul class="policy-conflicts">
        {of.map((c) => (
          <li key={conflictKey(c)} class={open.includes(c) ? '' : 'policy-settled'}>
            <p><LossText of={c} /></p>
            <div class="row">
              {open.includes(c)
                ? <button class="button button-small" type="button" onClick={() => doWithout([c])}>Do without</button>
                : <span class="small muted">Done without.</span>}
              {c.allow && (
                <button class="button button-small" type="button" onClick={() => allow(c)}>Let out: {ruleText(c.allow as Rule)}</button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Save({ site, config, policy, open }: { site: string; config: SiteConfig; policy: Policy; open: number }) {
  const path = `/fleet/${encodeURIComponent(site)}/config`;
  const document = { ...(config.document as object), anonymisation: policy };
  const [changes, setChanges] = useState<SiteConfigured>();
  const [saved, setSaved] = useState<SiteConfigured>();
  const [fault, setFault] = useState('');
  const text = JSON.stringify(document);
  useEffect(() => {
    if (!isAdmin()) return;
    let current = true;
    send<SiteConfigured>('POST', path, { document: JSON.parse(text), check: true }).then(
      (answer) => current && setChanges(answer),
      (error: unknown) => current && setFault(words(error)),
    );
    return () => void (current = false);
  }, [text, path]);
  const save = async (event: Event) => {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget as HTMLFormElement).get('note') ?? '');
    setFault('');
    try {
      setSaved(await send<SiteConfigured>('POST', path, { document, base: config.version, note }));
      invalidate('/fleet');
    } catch (error) {
      setFault(words(error));
    }
  };
  return (
    <Card title="4. The policy that comes of it" note={`Beside version ${config.version} of the document`}>
      {changes && (changes.changed.length === 0 ? <p class="policy-same">It is the one that the site has.</p> : <Changes of={changes.changed} />)}
      <details>
        <summary>The whole policy</summary>
        <pre class="mono small policy-text">{JSON.stringify(policy, null, 2)}</pre>
      </details>
      {isAdmin() ? (
        <form class="document-form" onSubmit={(e) => void save(e)}>
          <label class="field document-wide">Why<input class="input" name="note" maxLength={200} autocomplete="off" /></label>
          <div class="row document-wide">
            <button class="button button-main" type="submit" disabled={open > 0 || !changes || changes.changed.length === 0}>Save and push</button>
            {open > 0 && <span class="small muted">First say of each conflict which gives way.</span>}
          </div>
        </form>
      ) : <p class="muted">An admin can save it.</p>}
      {fault && <p class="form-error" role="alert">{fault}</p>}
      {saved && <Effect site={site} of={saved} />}
    </Card>
  );
}
