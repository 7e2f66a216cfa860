/** Everybody's usage and the limits, for admins. */
import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import type { LimitKind, LimitView, UsageKind } from '../api/types';
import { deleteLimit, listLimits } from '../api/usage';
import { Confirm } from '../layout/confirm';
import { Page } from '../layout/page';
import { useServices } from '../services';
import { useKeyNames } from './key-names';
import { LimitDialog } from './limit-dialog';
import { EMPTY_LIMIT, formOf } from './limit-form';
import { LimitsTable } from './limits-table';
import { PeriodPicker, usePeriod } from './period-picker';
import { subjectName } from './quota';
import { UsageTable } from './usage-table';

type View = UsageKind | 'limits';

const VIEWS: { id: View; label: string }[] = [
  { id: 'users', label: 'Users' },
  { id: 'groups', label: 'Groups' },
  { id: 'keys', label: 'API keys' },
  { id: 'models', label: 'Models' },
  { id: 'sessions', label: 'Sessions' },
  { id: 'limits', label: 'Limits' },
];

type Dialog = { kind: 'add'; start: typeof EMPTY_LIMIT } | { kind: 'edit' | 'remove'; limit: LimitView };

export default function UsagePage() {
  const { person } = useServices();
  return person.isAdmin ? (
    <Usage />
  ) : (
    <Page title="Usage">
      <Alert type="info" header="For administrators" statusIconAriaLabel="Information">
        This page shows everybody's usage. Yours is under <Link href="#/my-usage">My usage</Link>.
      </Alert>
    </Page>
  );
}

function Usage() {
  const client = useQueryClient();
  const [period, choose] = usePeriod();
  const [view, show] = useView();
  const limits = useQuery({ queryKey: ['limits'], queryFn: listLimits });
  const keys = useKeyNames();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const close = () => setDialog(null);
  const refresh = () => client.invalidateQueries({ queryKey: ['limits'] });
  const limit = (kind: LimitKind, name: string) => {
    const present = limits.data?.find((each) => each.kind === kind && each.name === name);
    setDialog(present ? { kind: 'edit', limit: present } : { kind: 'add', start: { ...EMPTY_LIMIT, kind, name } });
  };
  return (
    <Page
      title="Usage"
      description="What everybody has used, and the limits that are set."
      actions={view !== 'limits' && <PeriodPicker period={period} onChoose={choose} />}
    >
      <Tabs
        ariaLabel="Usage by"
        activeTabId={view}
        onChange={({ detail }) => show(detail.activeTabId as View)}
        tabs={VIEWS.map(({ id, label }) => ({
          id,
          label,
          content:
            id !== view ? null : id === 'limits' ? (
              <LimitsTable
                limits={limits}
                keys={keys}
                onAdd={() => setDialog({ kind: 'add', start: EMPTY_LIMIT })}
                onEdit={(each) => setDialog({ kind: 'edit', limit: each })}
                onRemove={(each) => setDialog({ kind: 'remove', limit: each })}
              />
            ) : (
              <UsageTable key={`${id} ${period.value}`} kind={id} period={period} onLimit={limits.data && limit} />
            ),
        }))}
      />
      {dialog?.kind === 'add' && <LimitDialog start={dialog.start} limits={limits.data ?? []} keys={keys} onDone={refresh} onClose={close} />}
      {dialog?.kind === 'edit' && <LimitDialog start={formOf(dialog.limit)} changes={dialog.limit} limits={limits.data ?? []} keys={keys} onDone={refresh} onClose={close} />}
      {dialog?.kind === 'remove' && (
        <Confirm
          title="Remove this limit?"
          confirmText="Remove limit"
          onClose={close}
          onConfirm={async () => {
            await deleteLimit(dialog.limit);
            await refresh();
          }}
        >
          <b>{subjectName(dialog.limit.subject, { keys })}</b>: {dialog.limit.name === '*' ? 'then nothing holds where no limit is set.' : 'then the default holds, if there is one.'}
        </Confirm>
      )}
    </Page>
  );
}

function useView(): [View, (view: View) => void] {
  const [params, setParams] = useSearchParams();
  const asked = params.get('show');
  const view = VIEWS.find(({ id }) => id === asked)?.id ?? 'users';
  const show = (next: View) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        after.set('show', next);
        return after;
      },
      { replace: true },
    );
  return [view, show];
}
