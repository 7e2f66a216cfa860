/** The chats of before: searched, grouped by time, renamed, deleted. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { problemOf } from '../api/errors';
import { deleteAllSessions, deleteSession, listSessions, renameSession } from '../api/sessions';
import type { SessionSummary } from '../api/types';
import { Confirm } from '../layout/confirm';
import { FormModal } from '../layout/form-modal';
import { Loading } from '../layout/page-states';
import { useServices } from '../services';
import { sessionGroups, titleOf } from './session-groups';

type Dialog = { kind: 'rename' | 'delete'; session: SessionSummary } | { kind: 'deleteAll' };
const SEARCH_FROM = 5; // a shorter list is seen at a glance

export function SessionList() {
  const { chat } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [search, setSearch] = useState('');
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: listSessions });
  const groups = useMemo(() => sessionGroups(sessions.data ?? [], new Date(), search), [sessions.data, search]);
  const current = /^\/chat\/(.+)/.exec(pathname)?.[1];
  const total = sessions.data?.length ?? 0;

  const refresh = () => client.invalidateQueries({ queryKey: ['sessions'] });
  const remove = async (sessionId: string) => {
    await deleteSession(sessionId);
    chat.forget(sessionId);
    client.setQueryData<SessionSummary[]>(['sessions'], (all) => all?.filter((each) => each.sessionId !== sessionId));
    await refresh();
    if (current === sessionId) await navigate('/chat');
  };
  const removeAll = async () => {
    await deleteAllSessions();
    for (const { sessionId } of sessions.data ?? []) chat.forget(sessionId);
    client.setQueryData<SessionSummary[]>(['sessions'], []);
    await refresh();
    if (current) await navigate('/chat');
  };

  return (
    <section className="sessions" aria-label="Chats">
      <div className="sessions-head">
        <Box variant="h2" fontSize="heading-s">
          Chats
        </Box>
        {total > 0 && (
          <ButtonDropdown
            variant="icon"
            expandToViewport
            ariaLabel="Actions for all chats"
            items={[{ id: 'deleteAll', text: 'Delete all chats' }]}
            onItemClick={() => setDialog({ kind: 'deleteAll' })}
          />
        )}
      </div>
      {total >= SEARCH_FROM && (
        <Input type="search" value={search} placeholder="Search chats" ariaLabel="Search chats" onChange={({ detail }) => setSearch(detail.value)} />
      )}
      {sessions.isPending && <Loading what="Loading chats" />}
      {sessions.error && !sessions.data && (
        <Alert type="error" statusIconAriaLabel="Error" action={<Button iconName="refresh" ariaLabel="Load chats again" onClick={() => void sessions.refetch()} />}>
          {problemOf(sessions.error).detail}
        </Alert>
      )}
      {sessions.data && groups.length === 0 && (
        <Box color="text-body-secondary" padding={{ vertical: 'xs' }}>
          {search ? 'No chat matches.' : 'Your chats will be listed here.'}
        </Box>
      )}
      {groups.map((group) => (
        <div key={group.label}>
          <h3 className="sessions-group">{group.label}</h3>
          <ul className="sessions-list">
            {group.sessions.map((session) => (
              <li key={session.sessionId} className="session" data-current={session.sessionId === current || undefined}>
                <a
                  href={`#/chat/${encodeURIComponent(session.sessionId)}`}
                  aria-current={session.sessionId === current ? 'page' : undefined}
                  title={titleOf(session)}
                >
                  {titleOf(session)}
                </a>
                <span className="session-menu">
                  <ButtonDropdown
                    variant="inline-icon"
                    expandToViewport
                    ariaLabel={`Actions for ${titleOf(session)}`}
                    items={[
                      { id: 'rename', text: 'Rename' },
                      { id: 'delete', text: 'Delete' },
                    ]}
                    onItemClick={({ detail }) => setDialog({ kind: detail.id as 'rename' | 'delete', session })}
                  />
                </span>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {dialog?.kind === 'rename' && (
        <RenameDialog
          session={dialog.session}
          onClose={() => setDialog(null)}
          onRename={async (name) => {
            await renameSession(dialog.session.sessionId, name);
            await refresh();
          }}
        />
      )}
      {dialog?.kind === 'delete' && (
        <Confirm title="Delete this chat?" onClose={() => setDialog(null)} onConfirm={() => remove(dialog.session.sessionId)}>
          <b>{titleOf(dialog.session)}</b> and all its messages will be deleted. This cannot be undone.
        </Confirm>
      )}
      {dialog?.kind === 'deleteAll' && (
        <Confirm title="Delete all chats?" confirmText="Delete all" onClose={() => setDialog(null)} onConfirm={removeAll}>
          All {total} chats and their messages will be deleted. This cannot be undone.
        </Confirm>
      )}
    </section>
  );
}

function RenameDialog({ session, onRename, onClose }: { session: SessionSummary; onRename: (name: string) => Promise<void>; onClose: () => void }) {
  const [name, setName] = useState(titleOf(session).slice(0, 100));
  const [error, setError] = useState('');
  const submit = async () => {
    if (!name.trim()) {
      setError('Give the chat a name.');
      return false;
    }
    await onRename(name.trim());
    return true;
  };
  return (
    <FormModal title="Rename chat" submitText="Rename" onSubmit={submit} onClose={onClose}>
      <FormField label="Name" errorText={error}>
        <Input autoFocus value={name} onChange={({ detail }) => setName(detail.value.slice(0, 100))} />
      </FormField>
    </FormModal>
  );
}
