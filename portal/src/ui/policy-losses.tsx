// What does not work under a site's policy, a sentence each, with what the site would have to let out.
import { conflictKey, ruleText, type Conflict, type Rule } from '../lib/policy';

export function Losses({ of }: { of: Conflict[] }) {
  return (
    <ul class="policy-conflicts policy-losses">
      {of.map((c) => (
        <li key={conflictKey(c)}>
          <LossText of={c} />
          {c.allow && <> <span class="muted small">It would with {c.field}: {ruleText(c.allow as Rule)}.</span></>}
        </li>
      ))}
    </ul>
  );
}

export function LossText({ of: c }: { of: Conflict }) {
  return <><b>{c.who}</b> {c.vital ? 'does not work' : 'works in part'}: it needs {c.needs} of <i>{c.field}</i>, and without {c.without}.</>;
}
