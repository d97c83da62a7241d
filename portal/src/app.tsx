import { useEffect } from 'preact/hooks';
import { HeldProvider } from './api/held';
import { connect, disconnect } from './api/live';
import { isPartner, resume, useMe } from './api/session';
import { href, useRoute } from './lib/route';
import { AlertPage } from './pages/alert';
import { AlertsPage } from './pages/alerts';
import { FleetPage } from './pages/fleet';
import { FleetPolicyPage } from './pages/fleet-policy';
import { FleetSitePage } from './pages/fleet-site';
import { LoginPage } from './pages/login';
import { OverviewPage } from './pages/overview';
import { PartnerApp } from './pages/published';
import { PortsPage } from './pages/ports';
import { ScreenedPage } from './pages/screened';
import { SettingsPage } from './pages/settings';
import { SitePage } from './pages/site';
import { SitesPage } from './pages/sites';
import { SourcePage } from './pages/source';
import { SourcesPage } from './pages/sources';
import { SuppressionsPage } from './pages/suppressions';
import { VictimsPage } from './pages/victims';
import { Head } from './ui/head';
import { Shell } from './ui/shell';
import { Splash } from './ui/splash';
import { Empty, Failed } from './ui/state';

function Page() {
  const { path } = useRoute();
  const [place, detail, extra] = path;
  if (!place) return <OverviewPage />;
  if (place === 'alerts') return detail ? <AlertPage id={detail} /> : <AlertsPage />;
  if (place === 'ports') return <PortsPage key={path.join()} proto={detail} port={extra} />;
  if (place === 'sources') return detail ? <SourcePage key={detail} address={detail} /> : <SourcesPage />;
  if (place === 'sites') return detail ? <SitePage key={detail} name={detail} /> : <SitesPage />;
  if (place === 'fleet' && detail && extra === 'policy') return <FleetPolicyPage key={detail} name={detail} />;
  if (place === 'fleet') return detail ? <FleetSitePage key={detail} name={detail} /> : <FleetPage />;
  if (place === 'suppressions') return <SuppressionsPage />;
  if (place === 'screened') return <ScreenedPage />;
  if (place === 'victims') return <VictimsPage />;
  if (place === 'settings') return <SettingsPage />;
  return (
    <>
      <Head title="No such page" />
      <Empty title={`There is no page "${path.join('/')}"`}>
        Go to the <a href={href([])}>overview</a>.
      </Empty>
    </>
  );
}

function SignedIn() {
  useEffect(() => {
    connect();
    return disconnect;
  }, []);
  return (
    <Shell>
      <HeldProvider>
        <Page />
      </HeldProvider>
    </Shell>
  );
}

export function App() {
  const session = useMe();
  useEffect(() => void resume(), []);
  if (session.state === 'in') return isPartner() ? <PartnerApp /> : <SignedIn />;
  if (session.state === 'out') return <LoginPage ended={session.ended} />;
  if (session.state === 'failed') return <Failed fault={session.fault} retry={() => void resume()} />;
  return <Splash />;
}
