/** Sets a limit, or changes one. */
import Alert from '@cloudscape-design/components/alert';
import Checkbox from '@cloudscape-design/components/checkbox';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { LimitKind, LimitView } from '../api/types';
import { putLimit } from '../api/usage';
import { FormModal } from '../layout/form-modal';
import { Optional } from '../layout/optional';
import { errorsOf, hasDefault, limitOf, targetOf, type LimitErrors, type LimitForm } from './limit-form';
import { subjectName } from './quota';

const KINDS: { value: LimitKind; label: string; description: string }[] = [
  { value: 'user', label: 'User', description: 'One user, with all of their API keys' },
  { value: 'group', label: 'Group', description: 'The members of a group, together' },
  { value: 'key', label: 'API key', description: 'One API key' },
];
const PERIODS = [
  { value: 'day', label: 'a day' },
  { value: 'month', label: 'a month' },
];
const DEFAULTS: Record<string, string> = {
  user: 'For every user without a limit of their own',
  key: 'For every API key without a limit of its own',
};

interface Props {
  start: LimitForm;
  /** The limit that is changed; then its subject stays. */
  changes?: LimitView;
  limits: LimitView[];
  keys: ReadonlyMap<string, string>;
  onDone: () => Promise<unknown>;
  onClose: () => void;
}

export function LimitDialog({ start, changes, limits, keys, onDone, onClose }: Props) {
  const [form, setForm] = useState(start);
  const [checked, setChecked] = useState(false);
  const taken = changes ? [] : limits;
  const errors: LimitErrors = checked ? errorsOf(form, taken) : {};
  const set = (change: Partial<LimitForm>) => setForm((before) => ({ ...before, ...change }));
  const submit = async () => {
    setChecked(true);
    if (Object.keys(errorsOf(form, taken)).length > 0) return false;
    await putLimit(targetOf(form), limitOf(form));
    await onDone();
    return true;
  };
  return (
    <FormModal
      title={changes ? `Limit: ${subjectName(changes.subject, { keys })}` : 'Add a limit'}
      submitText={changes ? 'Save' : 'Add limit'}
      onSubmit={submit}
      onClose={onClose}
    >
      {!changes && <Target form={form} error={errors.name} keys={keys} set={set} />}
      <FormField label={<Optional>Requests per minute</Optional>} errorText={errors.requestsPerMinute}>
        <Input value={form.requestsPerMinute} inputMode="numeric" placeholder="No limit" onChange={({ detail }) => set({ requestsPerMinute: detail.value.trim() })} />
      </FormField>
      <FormField label={<Optional>Tokens per minute</Optional>} description="Those in and those out, together." errorText={errors.tokensPerMinute}>
        <Input value={form.tokensPerMinute} inputMode="numeric" placeholder="No limit" onChange={({ detail }) => set({ tokensPerMinute: detail.value.trim() })} />
      </FormField>
      <ColumnLayout columns={2}>
        <FormField label={<Optional>Budget in US dollars</Optional>} description="0 leaves only models that cost nothing." errorText={errors.budgetUsd}>
          <Input value={form.budgetUsd} inputMode="decimal" placeholder="No budget" onChange={({ detail }) => set({ budgetUsd: detail.value.trim() })} />
        </FormField>
        <FormField label="The budget is for" description="It begins anew at midnight UTC.">
          <Select
            options={PERIODS}
            selectedOption={PERIODS.find((period) => period.value === form.budgetPeriod) ?? null}
            onChange={({ detail }) => set({ budgetPeriod: detail.selectedOption.value as LimitForm['budgetPeriod'] })}
          />
        </FormField>
      </ColumnLayout>
      {errors.all && (
        <Alert type="error" statusIconAriaLabel="Error">
          {errors.all}
        </Alert>
      )}
    </FormModal>
  );
}

function Target({ form, error, keys, set }: { form: LimitForm; error?: string; keys: ReadonlyMap<string, string>; set: (change: Partial<LimitForm>) => void }) {
  const named = !(form.isDefault && hasDefault(form.kind));
  const options = [...keys].map(([value, label]) => ({ value, label, description: value }));
  return (
    <SpaceBetween size="l">
      <FormField label="Applies to">
        <Select
          options={KINDS}
          selectedOption={KINDS.find((kind) => kind.value === form.kind) ?? null}
          onChange={({ detail }) => set({ kind: detail.selectedOption.value as LimitKind, name: '' })}
        />
      </FormField>
      {hasDefault(form.kind) && (
        <FormField errorText={named ? undefined : error}>
          <Checkbox checked={form.isDefault} onChange={({ detail }) => set({ isDefault: detail.checked })}>
            {DEFAULTS[form.kind]}
          </Checkbox>
        </FormField>
      )}
      {named && form.kind !== 'key' && (
        <FormField
          label={form.kind === 'user' ? 'User name' : 'Group name'}
          description="Written as the sign-in tells it."
          errorText={error}
        >
          <Input value={form.name} placeholder={form.kind === 'user' ? 'alice' : 'research'} onChange={({ detail }) => set({ name: detail.value })} />
        </FormField>
      )}
      {named && form.kind === 'key' && (
        <FormField label="Key" errorText={error}>
          <Select
            options={options}
            selectedOption={options.find((option) => option.value === form.name) ?? null}
            placeholder="Choose an API key"
            empty="There are no API keys."
            filteringType="auto"
            filteringPlaceholder="Find a key"
            filteringAriaLabel="Find a key"
            expandToViewport
            onChange={({ detail }) => set({ name: detail.selectedOption.value ?? '' })}
          />
        </FormField>
      )}
    </SpaceBetween>
  );
}
