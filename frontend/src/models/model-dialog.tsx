/** Creates or edits a model that runs elsewhere. */
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';
import { createModel, updateModel } from '../api/models';
import type { HostingType, Model, ModelType } from '../api/types';
import { FormModal } from '../layout/form-modal';
import { GroupsField } from '../layout/groups-field';
import { Optional } from '../layout/optional';
import { createOf, EMPTY_MODEL, errorsOf, formOf, hasEndpoint, updateOf, type ModelForm, type ModelFormErrors } from './model-form';
import { RoutingFields } from './routing-fields';

const TYPES: { value: ModelType; label: string }[] = [
  { value: 'textgen', label: 'Text generation' },
  { value: 'embedding', label: 'Embedding' },
];
const HOSTING: { value: HostingType; label: string; description: string }[] = [
  { value: 'third_party', label: 'Third party', description: 'A provider, or any OpenAI-compatible endpoint' },
  { value: 'internal_hosted', label: 'Internally hosted', description: 'Behind a load balancer of your own' },
];

interface Props {
  model?: Model;
  /** All models, to choose deployments and fallbacks from. */
  models: Model[];
  onDone: (modelId: string) => Promise<unknown>;
  onClose: () => void;
}

export function ModelDialog({ model, models, onDone, onClose }: Props) {
  const [form, setForm] = useState<ModelForm>(() => (model ? formOf(model) : EMPTY_MODEL));
  const [checked, setChecked] = useState(false);
  const errors: ModelFormErrors = checked ? errorsOf(form) : {};
  const set = (change: Partial<ModelForm>) => setForm((before) => ({ ...before, ...change }));
  const submit = async () => {
    setChecked(true);
    if (Object.keys(errorsOf(form)).length > 0) return false;
    if (model) {
      const change = updateOf(form, model);
      if (Object.keys(change).length > 0) await updateModel(model.modelId, change);
    } else {
      await createModel(createOf(form));
    }
    await onDone(form.modelId);
    return true;
  };
  return (
    <FormModal title={model ? `Edit ${model.modelId}` : 'Add a model'} submitText={model ? 'Save' : 'Add model'} onSubmit={submit} onClose={onClose}>
      {!model && (
        <SpaceBetween size="l">
          <FormField label="Model id" description="The name by which people and programs choose it." errorText={errors.modelId}>
            <Input autoFocus value={form.modelId} placeholder="gpt-4o" onChange={({ detail }) => set({ modelId: detail.value.trim() })} />
          </FormField>
          <FormField label="Type">
            <Select
              options={TYPES}
              selectedOption={TYPES.find((type) => type.value === form.modelType) ?? null}
              onChange={({ detail }) => set({ modelType: detail.selectedOption.value as ModelType })}
            />
          </FormField>
          <FormField label="Hosting">
            <Select
              options={HOSTING}
              selectedOption={HOSTING.find((hosting) => hosting.value === form.hostingType) ?? null}
              onChange={({ detail }) => set({ hostingType: detail.selectedOption.value as HostingType })}
            />
          </FormField>
        </SpaceBetween>
      )}
      {hasEndpoint(form) ? (
        <EndpointFields form={form} errors={errors} editing={model !== undefined} set={set} />
      ) : (
        <Box color="text-body-secondary">Its deployments, named below, answer for it: it needs no address and no key.</Box>
      )}
      <FormField
        label={<Optional>Description</Optional>}
      >
        <Textarea value={form.modelDescription} rows={2} onChange={({ detail }) => set({ modelDescription: detail.value })} />
      </FormField>
      {form.modelType === 'textgen' && (
        <SpaceBetween size="l">
          <FormField
            label={<Optional>Context window</Optional>}
            description="In tokens; decides how much of a chat is sent."
            errorText={errors.contextWindow}
          >
            <Input value={form.contextWindow} inputMode="numeric" placeholder="128000" onChange={({ detail }) => set({ contextWindow: detail.value.trim() })} />
          </FormField>
          <Toggle checked={form.streaming} onChange={({ detail }) => set({ streaming: detail.checked })}>
            Streams its answers
          </Toggle>
        </SpaceBetween>
      )}
      <GroupsField value={form.groups} onChange={(groups) => set({ groups })} />
      <RoutingFields
        form={form.routing}
        errors={errors.routing ?? {}}
        modelId={form.modelId}
        modelType={form.modelType}
        models={models}
        onChange={(routing) => set({ routing })}
      />
    </FormModal>
  );
}

function EndpointFields({ form, errors, editing, set }: { form: ModelForm; errors: ModelFormErrors; editing: boolean; set: (change: Partial<ModelForm>) => void }) {
  return (
    <SpaceBetween size="l">
      <FormField
        label="Provider's model name"
        description="With the provider as prefix: openai/gpt-4o, bedrock/…, or openai/<name> for an OpenAI-compatible endpoint."
        errorText={errors.modelName}
      >
        <Input value={form.modelName} placeholder="openai/gpt-4o" onChange={({ detail }) => set({ modelName: detail.value })} />
      </FormField>
      <FormField
        label={<>Address {form.hostingType === 'third_party' && <i>- optional</i>}</>}
        description="Base address of an OpenAI-compatible endpoint, with /v1."
        errorText={errors.modelUrl}
      >
        <Input value={form.modelUrl} type="url" placeholder="https://models.example.com/v1" onChange={({ detail }) => set({ modelUrl: detail.value.trim() })} />
      </FormField>
      <FormField
        label={<Optional>API key</Optional>}
        description={editing ? 'Leave it empty to keep the present one.' : 'Kept in Secrets Manager; nobody can read it here afterwards.'}
      >
        <Input value={form.apiKey} type="password" autoComplete="off" onChange={({ detail }) => set({ apiKey: detail.value })} />
      </FormField>
    </SpaceBetween>
  );
}
