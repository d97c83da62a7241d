// The hub's HTTP interface, typed from its OpenAPI file. Nothing else in the portal calls fetch().
import type { components } from '../generated/api';

type Schemas = components['schemas'];
export type Alert = Schemas['Alert'];
export type AlertSummary = Schemas['AlertSummary'];
export type AlertState = Schemas['AlertState'];
export type AsnRow = Schemas['AsnRow'];
export type ClassRow = Schemas['ClassRow'];
export type CountryRow = Schemas['CountryRow'];
export type Dataset = Schemas['Dataset'];
export type DocumentChange = Schemas['DocumentChange'];
export type Evidence = Schemas['Evidence'];
export type Fleet = Schemas['Fleet'];
export type FleetEvent = Schemas['FleetEvent'];
export type FleetFigures = Schemas['FleetFigures'];
export type FleetRow = Schemas['FleetRow'];
export type FleetSite = Schemas['FleetSite'];
export type FleetStrip = Schemas['FleetStrip'];
export type Forecast = Schemas['Forecast'];
export type Forecasts = Schemas['Forecasts'];
export type ForecastScore = Forecasts['score'];
export type Me = Schemas['Me'];
export type MoverRow = Schemas['MoverRow'];
export type Overview = Schemas['Overview'];
export type PortRow = Schemas['PortRow'];
export type Series = Schemas['Series'];
export type Published = Schemas['Published'];
export type PublishedRow = Schemas['PublishedRow'];
export type Severity = Schemas['Severity'];
export type ScreenedRow = Schemas['ScreenedRow'];
export type SiteAnswer = Schemas['SiteAnswer'];
export type SiteAction = Schemas['SiteActions']['rows'][number];
export type SiteConfig = Schemas['SiteConfig'];
export type SiteConfigured = Schemas['SiteConfigured'];
export type SiteLive = Schemas['SiteLive'];
export type SitePower = Schemas['SitePower'];
export type SiteRow = Schemas['SiteRow'];
export type SourceEvent = Schemas['SourceEvent'];
export type SourceRow = Schemas['SourceRow'];
export type Status = Schemas['Status'];
export type Suppression = Schemas['Suppression'];
export type TaggedRow = Schemas['TaggedRow'];
export type Tick = Schemas['Tick'];
export type Token = Schemas['Token'];
export type Totals = Schemas['Totals'];
export type ToolRow = Schemas['ToolRow'];
export type User = Schemas['User'];
export type VictimRow = Schemas['VictimRow'];

export interface Page<Row> {
  from: string | null;
  to: string | null;
  rows: Row[];
  next: string | null;
  left_out?: number;
}
export type Rows<Row> = { rows: Row[] };
export type Source = Page<SourceEvent> & { address: string; summary: SourceRow | null };

export type Query = Record<string, string | number | null | undefined>;

const ROOT = '/api/v1';
const TIMEOUT = 30_000;

/** What went wrong, in words for the person: the hub's own problem document where there is one. */
export class Fault extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly detail = '',
    readonly field = '',
  ) {
    super(message);
  }
  /** The hub could not be reached at all. */
  get away(): boolean {
    return this.status === 0;
  }
}

/** The address of a question, parameters in order of name; empty ones are left out. */
export function url(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const name of Object.keys(query).sort()) {
    const value = query[name];
    if (value !== null && value !== undefined && value !== '') words.set(name, String(value));
  }
  const text = words.toString();
  return `${ROOT}${path}${text ? `?${text}` : ''}`;
}

/** The same question's answer as a file. */
export function csvUrl(path: string, query: Query = {}): string {
  return url(path, { ...query, format: 'csv' });
}

let csrf: string | null = null;
let signedOut: () => void = () => undefined;

/** Set by the session: the token for requests that change something, and whom to tell of a 401. */
export function useSession(token: string | null, onSignedOut: () => void): void {
  csrf = token;
  signedOut = onSignedOut;
}

export async function get<T>(address: string, signal?: AbortSignal): Promise<T> {
  return (await ask('GET', address, undefined, signal)) as T;
}

export async function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return (await ask(method, url(path), body)) as T;
}

export interface Reason {
  part: string;
  detail: string;
}

/** What is wrong with the hub; empty when all is well. It answers 503 when something is, which is no fault of asking. */
export async function health(): Promise<Reason[]> {
  const answer = await fetch('/healthz', { credentials: 'same-origin', signal: AbortSignal.timeout(TIMEOUT) });
  if (answer.status !== 200 && answer.status !== 503) throw await problem(answer);
  return ((await answer.json()) as { reasons: Reason[] }).reasons;
}

async function ask(method: string, address: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), TIMEOUT);
  const give = () => late.abort();
  signal?.addEventListener('abort', give);
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      headers,
      signal: late.signal,
      credentials: 'same-origin',
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (answer.ok) return answer.status === 204 ? undefined : await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw late.signal.aborted
      ? new Fault(0, 'The hub took too long to answer', 'Ask for a shorter time range, or try again.')
      : new Fault(0, 'The hub cannot be reached', 'Check that "kizashi hub" runs and that the network is up.');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', give);
  }
  const fault = await problem(answer);
  if (answer.status === 401 && !address.endsWith('/login')) signedOut();
  throw fault;
}

async function problem(answer: Response): Promise<Fault> {
  try {
    const said = (await answer.json()) as Schemas['Problem'];
    const allowed = said.allowed ? `Allowed: ${said.allowed}` : '';
    const wait = answer.headers.get('Retry-After');
    const again = wait ? `Try again in ${wait} seconds.` : '';
    const detail = [said.detail ?? '', allowed, again].filter(Boolean).join(' ');
    return new Fault(answer.status, said.title, detail, said.field ?? '');
  } catch {
    return new Fault(answer.status, `The hub answered with status ${answer.status}`);
  }
}
