/** Moments for people: in words, and counted down to. */
import { useEffect, useState } from 'react';

const SECOND_MS = 1000;

/** Whole seconds until `moment` (ISO 8601), each second anew; 0 when it has passed or is not given. */
export function useSecondsUntil(moment?: string): number {
  const [now, setNow] = useState(Date.now);
  const seconds = moment ? Math.max(0, Math.ceil((Date.parse(moment) - now) / SECOND_MS)) : 0;
  const waiting = seconds > 0;
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS);
    return () => clearInterval(timer);
  }, [waiting]);
  return seconds;
}

/** `today at 14:05`, `tomorrow at 00:00`, `on 1 December at 01:00`, in the reader's time zone. */
export function momentOf(moment: string, now = new Date()): string {
  const date = new Date(moment);
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (days === 0) return `today at ${time}`;
  if (days === 1) return `tomorrow at ${time}`;
  return `on ${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })} at ${time}`;
}

const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
