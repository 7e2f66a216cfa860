/** The list of sessions: searched, newest first, under headings of time. */
import type { SessionSummary } from '../api/types';

export interface SessionGroup {
  label: string;
  sessions: SessionSummary[];
}

const DAY_MS = 86_400_000;
const UNTITLED = 'New chat';

export function titleOf(session: SessionSummary): string {
  return session.name?.trim() || session.firstHumanMessage?.trim().replace(/\s+/g, ' ') || UNTITLED;
}

export function sessionGroups(sessions: SessionSummary[], now: Date, search = ''): SessionGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = sessions
    .filter((session) => words.every((word) => `${titleOf(session)} ${session.firstHumanMessage ?? ''}`.toLowerCase().includes(word)))
    .sort((a, b) => timeOf(b) - timeOf(a));
  const groups = new Map<string, SessionSummary[]>();
  for (const session of shown) {
    const label = ageLabel(timeOf(session), now);
    groups.set(label, [...(groups.get(label) ?? []), session]);
  }
  return [...groups].map(([label, members]) => ({ label, sessions: members }));
}

function timeOf(session: SessionSummary): number {
  const time = Date.parse(session.lastUpdated ?? session.startTime ?? session.createTime ?? '');
  return Number.isNaN(time) ? 0 : time;
}

function ageLabel(time: number, now: Date): string {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (time >= midnight) return 'Today';
  if (time >= midnight - DAY_MS) return 'Yesterday';
  if (time >= midnight - 7 * DAY_MS) return 'Previous 7 days';
  if (time >= midnight - 30 * DAY_MS) return 'Previous 30 days';
  if (time === 0) return 'Older';
  return new Date(time).toLocaleDateString('en', { month: 'long', year: 'numeric' });
}
