import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { AlertSummary, Page } from '../api/client';
import { UNSEEN_MAX, UNSEEN_URL } from '../api/attention';
import { useResource } from '../api/resource';
import { signOut, useMe } from '../api/session';
import { useGlobalKeys } from '../lib/keys';
import { href, useRoute } from '../lib/route';
import { HealthBanner } from './health-banner';
import { Icon, type IconName } from './icon';
import { KeysHelp } from './keys-help';
import { LiveBadge } from './live-state';
import { Mark } from './mark';
import { ThemeSwitch } from './theme-switch';

export const PLACES: { path: string[]; name: string; icon: IconName }[] = [
  { path: [], name: 'Overview', icon: 'overview' },
  { path: ['alerts'], name: 'Alerts', icon: 'alerts' },
  { path: ['ports'], name: 'Ports', icon: 'ports' },
  { path: ['sources'], name: 'Sources', icon: 'sources' },
  { path: ['screened'], name: 'Screened', icon: 'screened' },
  { path: ['sites'], name: 'Sites', icon: 'sites' },
  { path: ['victims'], name: 'Victims', icon: 'victims' },
  { path: ['settings'], name: 'Settings', icon: 'settings' },
];

function Links({ link }: { link: string }) {
  const { path } = useRoute();
  const unseen = useResource<Page<AlertSummary>>(UNSEEN_URL).data?.rows.length ?? 0;
  return (
    <>
      {PLACES.map((place) => (
        <a key={place.name} class={link} href={href(place.path)}
          aria-current={(path[0] === 'fleet' ? 'sites' : (path[0] ?? '')) === (place.path[0] ?? '') ? 'page' : undefined}>
          <Icon name={place.icon} size={19} />
          <span>{place.name}</span>
          {place.name === 'Alerts' && unseen > 0 && (
            <span class="tally" title={`${unseen === UNSEEN_MAX ? 'At least ' : ''}${unseen} that nobody has looked at`}>
              {unseen === UNSEEN_MAX ? `${unseen}+` : unseen}
            </span>
          )}
        </a>
      ))}
    </>
  );
}

function Person() {
  const session = useMe();
  if (session.state !== 'in') return null;
  return (
    <span class="row person">
      <a href={href(['settings'])} title={`Signed in, role ${session.me.role}`}>{session.me.user}</a>
      <button class="button-bare" type="button" onClick={() => void signOut()} title="Sign out" aria-label="Sign out">
        <Icon name="out" size={17} />
      </button>
    </span>
  );
}

/** The frame around every page: the rail at the left, on a phone a bar below. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { path } = useRoute();
  const place = path.join('/');
  useGlobalKeys(useCallback(() => setHelp(true), []));
  useEffect(() => scrollTo(0, 0), [place]);
  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <div class="rail">
        <a class="brand" href={href([])} aria-label="kizashi, overview">
          <Mark />
          <div>
            <b>kizashi</b>
            <span lang="ja">兆し</span>
          </div>
        </a>
        <nav aria-label="Pages">
          <Links link="rail-link" />
        </nav>
        <div class="rail-foot">
          <LiveBadge />
          <div class="row">
            <ThemeSwitch />
            <button class="button-bare wide-only" type="button" onClick={() => setHelp(true)} aria-label="Keyboard help" title="Keyboard help (?)">
              <Icon name="help" />
            </button>
            <Person />
          </div>
        </div>
      </div>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        <HealthBanner />
        {children}
      </main>
      <nav class="tabbar" aria-label="Pages">
        <Links link="tab" />
      </nav>
      {help && <KeysHelp onClose={() => setHelp(false)} />}
    </div>
  );
}
