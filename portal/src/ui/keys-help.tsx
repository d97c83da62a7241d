import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon';

export const KEYS: [string[], string][] = [
  [['g', 'o'], 'Overview'],
  [['g', 'a'], 'Alerts'],
  [['g', 'p'], 'Ports'],
  [['g', 's'], 'Sources'],
  [['g', 't'], 'Sites'],
  [['g', 'f'], 'Fleet'],
  [['g', 'n'], 'Screened: known noise, new patterns'],
  [['g', 'v'], 'Victims'],
  [['j'], 'Next alert in the list'],
  [['k'], 'Alert before it'],
  [['Enter'], 'Open the alert'],
  [['/'], 'To the first filter'],
  [['t'], 'Dark or light'],
  [['?'], 'This help'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" aria-label="Keyboard" onClose={onClose}
      onClick={(e) => e.target === dialog.current && dialog.current?.close()}>
      <div class="card-head">
        <h2>Keyboard</h2>
        <button class="button-bare" type="button" onClick={() => dialog.current?.close()} aria-label="Close">
          <Icon name="cross" />
        </button>
      </div>
      <dl class="card-body keys-list">
        {KEYS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
