// The two lists of alerts that want somebody: what is still growing, and what nobody has looked at.
import { url } from './client';

export const UNSEEN_MAX = 99;
export const UNSEEN_URL = url('/alerts', { state: 'new', severity: 'notice', suppressed: 'exclude', limit: UNSEEN_MAX });
export const OPEN_URL = url('/alerts', { status: 'open', severity: 'notice', suppressed: 'exclude', limit: UNSEEN_MAX });
