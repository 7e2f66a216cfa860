/** Short messages at the top of a page: what worked, what did not. */
import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';
import { problemOf } from '../api/errors';
import { newId } from '../new-id';

interface Notices {
  tell(text: string): void;
  fail(error: unknown, what?: string): void;
}

const NoticesContext = createContext<Notices>({ tell: () => undefined, fail: () => undefined });
const ItemsContext = createContext<FlashbarProps.MessageDefinition[]>([]);
const SHOWN_MS = 6000; // successes leave by themselves, failures stay until they are dismissed

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const add = useCallback((item: FlashbarProps.MessageDefinition) => {
    const id = newId();
    const dismiss = () => setItems((all) => all.filter((each) => each.id !== id));
    setItems((all) => [{ ...item, id, dismissible: true, dismissLabel: 'Dismiss', onDismiss: dismiss }, ...all].slice(0, 4));
    if (item.type === 'success') setTimeout(dismiss, SHOWN_MS);
  }, []);
  const notices = useMemo<Notices>(
    () => ({
      tell: (text) => add({ type: 'success', content: text, statusIconAriaLabel: 'Success' }),
      fail: (error, what) => {
        const problem = problemOf(error);
        const id = problem.requestId ? ` Request id: ${problem.requestId}` : '';
        add({ type: 'error', header: what ?? problem.title, content: problem.detail + id, statusIconAriaLabel: 'Error' });
      },
    }),
    [add],
  );
  return (
    <NoticesContext value={notices}>
      <ItemsContext value={items}>{children}</ItemsContext>
    </NoticesContext>
  );
}

export const useNotices = (): Notices => useContext(NoticesContext);

export function NoticeBar({ first }: { first?: FlashbarProps.MessageDefinition[] }) {
  const items = useContext(ItemsContext);
  return <Flashbar items={[...(first ?? []), ...items]} />;
}
