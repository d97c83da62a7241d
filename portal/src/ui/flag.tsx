import { countryCode, countryName } from '../lib/countries';

/** "JP Japan"; only the code where there is little room. */
export function Country({ code, short }: { code: string; short?: boolean }) {
  return (
    <span class="country" title={short ? countryName(code) : undefined}>
      <b class="mono">{countryCode(code)}</b>
      {!short && <span>{countryName(code)}</span>}
    </span>
  );
}
