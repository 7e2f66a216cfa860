/** API tokens: keys for programs that speak to LISA in a person's name. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { apiUrl } from '../api/client';
import { createToken, deleteToken, listTokens } from '../api/tokens';
import type { ApiToken, CreatedToken } from '../api/types';
import { Confirm } from '../layout/confirm';
import { FormModal } from '../layout/form-modal';
import { Page } from '../layout/page';
import { Empty, Listed } from '../layout/page-states';
import { useServices } from '../services';

const DAY_S = 86_400;
const LIFETIMES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
];

export default function TokensPage() {
  const { person, config } = useServices();
  const client = useQueryClient();
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: listTokens });
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<CreatedToken | null>(null);
  const [deleting, setDeleting] = useState<ApiToken | null>(null);
  const hasOwn = (tokens.data ?? []).some((token) => token.username === person.username && !token.isSystemToken && !token.isExpired);
  const refresh = () => client.invalidateQueries({ queryKey: ['tokens'] });
  return (
    <Page title="API tokens" description="For programs that use LISA in your name, with your groups.">
      <SpaceBetween size="l">
        {created && <Secret created={created} onClose={() => setCreated(null)} />}
        {!person.mayIssueTokens && (
          <Alert type="info" header="You may not create tokens" statusIconAriaLabel="Information">
            That needs membership of the group “{config.apiGroup}”. Ask an administrator to add you, then sign in again.
          </Alert>
        )}
        {person.mayIssueTokens && hasOwn && !created && (
          <Alert type="info" header="You have a token" statusIconAriaLabel="Information">
            One at a time: delete it before you create another.
          </Alert>
        )}
        <Listed of={tokens} what="the tokens">
          {(all) => (
            <Table
              items={all}
              trackBy="tokenUUID"
              wrapLines
              header={
                <Header
                  counter={`(${all.length})`}
                  actions={
                    <Button variant="primary" disabled={!person.mayIssueTokens || hasOwn} onClick={() => setCreating(true)}>
                      Create token
                    </Button>
                  }
                >
                  {person.isAdmin ? 'Tokens of everybody' : 'Your tokens'}
                </Header>
              }
              empty={<Empty title="There are no tokens yet." />}
              columnDefinitions={[
                { id: 'name', header: 'Name', isRowHeader: true, cell: (token) => token.name, minWidth: 140 },
                ...(person.isAdmin ? [{ id: 'user', header: 'User', cell: (token: ApiToken) => token.username, minWidth: 120 }] : []),
                { id: 'created', header: 'Created', cell: (token) => day(token.createdDate), minWidth: 110 },
                {
                  id: 'expires',
                  header: 'Expires',
                  cell: (token) =>
                    token.isExpired ? <StatusIndicator type="warning">Expired</StatusIndicator> : day(token.tokenExpiration),
                  minWidth: 110,
                },
                { id: 'groups', header: 'Groups', cell: (token) => token.groups.join(', ') || '-', minWidth: 120 },
                {
                  id: 'actions',
                  header: 'Actions',
                  cell: (token) => (
                    <Button variant="inline-link" ariaLabel={`Delete ${token.name}`} onClick={() => setDeleting(token)}>
                      Delete
                    </Button>
                  ),
                  minWidth: 80,
                },
              ]}
            />
          )}
        </Listed>
        <Usage />
      </SpaceBetween>
      {creating && (
        <TokenDialog
          onClose={() => setCreating(false)}
          onDone={async (token) => {
            setCreated(token);
            await refresh();
          }}
        />
      )}
      {deleting && (
        <Confirm
          title="Delete this token?"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await deleteToken(deleting.tokenUUID);
            await refresh();
          }}
        >
          Programs that use <b>{deleting.name}</b> will be refused.
        </Confirm>
      )}
    </Page>
  );
}

function TokenDialog({ onDone, onClose }: { onDone: (created: CreatedToken) => Promise<unknown>; onClose: () => void }) {
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [checked, setChecked] = useState(false);
  const submit = async () => {
    setChecked(true);
    if (!name.trim()) return false;
    await onDone(await createToken(name.trim(), Math.floor(Date.now() / 1000) + Number(days) * DAY_S));
    return true;
  };
  return (
    <FormModal title="Create an API token" submitText="Create token" onSubmit={submit} onClose={onClose}>
      <FormField label="Name" description="What will use it." errorText={checked && !name.trim() && 'Give the token a name.'}>
        <Input autoFocus value={name} placeholder="nightly report" onChange={({ detail }) => setName(detail.value.slice(0, 100))} />
      </FormField>
      <FormField label="Expires after">
        <Select
          options={LIFETIMES}
          selectedOption={LIFETIMES.find((lifetime) => lifetime.value === days) ?? null}
          onChange={({ detail }) => setDays(detail.selectedOption.value ?? '90')}
        />
      </FormField>
    </FormModal>
  );
}

function Secret({ created, onClose }: { created: CreatedToken; onClose: () => void }) {
  return (
    <Alert type="success" dismissible onDismiss={onClose} header={`Token “${created.name}” was created`} statusIconAriaLabel="Success" dismissAriaLabel="Dismiss">
      <SpaceBetween size="xs">
        <span>Copy it now: it is shown only this once.</span>
        <div className="secret">
          <code>{created.token}</code>
          <CopyToClipboard textToCopy={created.token} copyButtonText="Copy" copyButtonAriaLabel="Copy the token" copySuccessText="Copied" copyErrorText="Copying failed" />
        </div>
      </SpaceBetween>
    </Alert>
  );
}

function Usage() {
  const base = apiUrl('v1');
  return (
    <Box color="text-body-secondary">
      <Box variant="h3">How to use one</Box>
      <p>OpenAI's libraries work with this base address and a token as the API key:</p>
      <div className="secret">
        <code>{base}</code>
        <CopyToClipboard variant="icon" textToCopy={base} copyButtonAriaLabel="Copy the address" copySuccessText="Copied" copyErrorText="Copying failed" />
      </div>
    </Box>
  );
}

/** `time`: seconds since 1970, or ISO 8601. */
function day(time: number | string): string {
  const date = new Date(typeof time === 'number' || /^\d+$/.test(time) ? Number(time) * 1000 : time);
  return Number.isNaN(date.getTime()) ? '-' : date.toLocaleDateString('en', { year: 'numeric', month: 'short', day: 'numeric' });
}
