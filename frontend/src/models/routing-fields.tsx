/** The part of the model form that most models do without: who answers, what it costs, what is checked. */
import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useId, useState, type ReactNode } from 'react';
import type { GuardrailMode, Model, ModelType } from '../api/types';
import { Optional } from '../layout/optional';
import {
  EMPTY_ROUTING,
  isWrong,
  MAX_DEPLOYMENTS,
  MAX_FALLBACKS,
  MAX_GUARDRAILS,
  NEW_DEPLOYMENT,
  NEW_GUARDRAIL,
  type DeploymentEntry,
  type GuardrailEntry,
  type RoutingErrors,
  type RoutingForm,
} from './routing-form';

export const MODES: Record<GuardrailMode, string> = { pre_call: 'Before the call', during_call: 'During the call', post_call: 'After the call' };
const MODE_OPTIONS = Object.entries(MODES).map(([value, label]) => ({ value, label }));

interface Props {
  form: RoutingForm;
  errors: RoutingErrors;
  modelId: string;
  modelType: ModelType;
  models: Model[];
  onChange: (form: RoutingForm) => void;
}

export function RoutingFields({ form, errors, modelId, modelType, models, onChange }: Props) {
  const [opened, setOpened] = useState(() => JSON.stringify(form) !== JSON.stringify(EMPTY_ROUTING));
  const set = (change: Partial<RoutingForm>) => onChange({ ...form, ...change });
  const others = models.filter((model) => model.modelId !== modelId && model.modelType === modelType);
  const optionOf = (id: string) => ({ value: id, label: id });
  return (
    <ExpandableSection
      headerText="Routing, price and guardrails"
      headerDescription="Optional: several deployments, fallbacks, limits of an answer"
      expanded={opened || isWrong(errors)} // an error is never hidden
      onChange={({ detail }) => setOpened(detail.expanded)}
    >
      <SpaceBetween size="l">
        <Deployments
          entries={form.deployments}
          errors={errors.deployments}
          choices={others.filter((model) => (model.deployments ?? []).length === 0).map((model) => optionOf(model.modelId))}
          onChange={(deployments) => set({ deployments })}
        />
        <FormField
          label={<Optional>Fallbacks</Optional>}
          description="Models that are tried in the order chosen here when this one fails."
          constraintText={`${MAX_FALLBACKS} at most.`}
          errorText={errors.fallbacks}
        >
          <Multiselect
            options={others.map((model) => optionOf(model.modelId))}
            selectedOptions={form.fallbacks.map(optionOf)}
            placeholder="Choose models"
            empty="There are no other models of this type."
            expandToViewport
            deselectAriaLabel={(option) => `Remove ${option.label}`}
            onChange={({ detail }) => set({ fallbacks: detail.selectedOptions.flatMap((option) => option.value ?? []) })}
          />
        </FormField>
        <ColumnLayout columns={2}>
          <FormField label={<Optional>Price of input</Optional>} description="US dollars per million tokens." errorText={errors.inputPrice}>
            <Input value={form.inputPrice} inputMode="decimal" placeholder="0.15" onChange={({ detail }) => set({ inputPrice: detail.value.trim() })} />
          </FormField>
          <FormField label={<Optional>Price of output</Optional>} description="US dollars per million tokens." errorText={errors.outputPrice}>
            <Input value={form.outputPrice} inputMode="decimal" placeholder="0.60" onChange={({ detail }) => set({ outputPrice: detail.value.trim() })} />
          </FormField>
        </ColumnLayout>
        {modelType === 'textgen' && (
          <FormField
            label={<Optional>Longest answer</Optional>}
            description="In tokens. Budgets set aside this much for each running call."
            errorText={errors.maxOutputTokens}
          >
            <Input value={form.maxOutputTokens} inputMode="numeric" placeholder="4096" onChange={({ detail }) => set({ maxOutputTokens: detail.value.trim() })} />
          </FormField>
        )}
        <Guardrails entries={form.guardrails} errors={errors.guardrails} onChange={(guardrails) => set({ guardrails })} />
      </SpaceBetween>
    </ExpandableSection>
  );
}

function Deployments({
  entries,
  errors,
  choices,
  onChange,
}: {
  entries: DeploymentEntry[];
  errors: RoutingErrors['deployments'];
  choices: { value: string; label: string }[];
  onChange: (entries: DeploymentEntry[]) => void;
}) {
  const change = (index: number, part: Partial<DeploymentEntry>) => onChange(replaced(entries, index, part));
  return (
    <Group
      label="Deployments"
      description="Models that answer for this one, each as often as its weight says. This model then has no address and key of its own."
    >
      <AttributeEditor
        items={entries}
        addButtonText="Add deployment"
        removeButtonText="Remove"
        removeButtonAriaLabel={(entry) => `Remove deployment ${entry.modelId}`}
        disableAddButton={entries.length >= MAX_DEPLOYMENTS}
        i18nStrings={{ itemRemovedAriaLive: 'The deployment was removed.' }}
        gridLayout={[{ breakpoint: 'xxs', rows: [[3, 1]], removeButton: { width: 'auto' } }, { rows: [[1], [1]] }]}
        definition={[
          {
            label: 'Model',
            errorText: (_, index) => errors?.[index]?.modelId,
            control: (entry, index) => (
              <Select
                options={choices}
                selectedOption={entry.modelId ? { value: entry.modelId, label: entry.modelId } : null}
                placeholder="Choose a model"
                empty="There are no other models of this type."
                expandToViewport
                onChange={({ detail }) => change(index, { modelId: detail.selectedOption.value ?? '' })}
              />
            ),
          },
          {
            label: 'Weight',
            errorText: (_, index) => errors?.[index]?.weight,
            control: (entry, index) => <Input value={entry.weight} inputMode="numeric" onChange={({ detail }) => change(index, { weight: detail.value.trim() })} />,
          },
        ]}
        onAddButtonClick={() => onChange([...entries, NEW_DEPLOYMENT])}
        onRemoveButtonClick={({ detail }) => onChange(entries.filter((_, index) => index !== detail.itemIndex))}
      />
    </Group>
  );
}

function Guardrails({ entries, errors, onChange }: { entries: GuardrailEntry[]; errors: RoutingErrors['guardrails']; onChange: (entries: GuardrailEntry[]) => void }) {
  const change = (index: number, part: Partial<GuardrailEntry>) => onChange(replaced(entries, index, part));
  return (
    <Group
      label="Guardrails"
      description="Guardrails of Amazon Bedrock that calls of this model pass. Groups: whose calls; empty: everybody's."
    >
      <AttributeEditor
        items={entries}
        addButtonText="Add guardrail"
        removeButtonText="Remove"
        removeButtonAriaLabel={(entry) => `Remove guardrail ${entry.name}`}
        disableAddButton={entries.length >= MAX_GUARDRAILS}
        i18nStrings={{ itemRemovedAriaLive: 'The guardrail was removed.' }}
        gridLayout={[
          { breakpoint: 'xxs', rows: [[3, 3, 2], [4, 4]], removeButton: { ownRow: true } },
          { rows: [[1], [1], [1], [1], [1]] },
        ]}
        definition={[
          {
            label: 'Name',
            errorText: (_, index) => errors?.[index]?.name,
            control: (entry, index) => <Input value={entry.name} placeholder="no-secrets" onChange={({ detail }) => change(index, { name: detail.value })} />,
          },
          {
            label: 'Identifier',
            errorText: (_, index) => errors?.[index]?.identifier,
            control: (entry, index) => <Input value={entry.identifier} placeholder="abc123def456" onChange={({ detail }) => change(index, { identifier: detail.value.trim() })} />,
          },
          {
            label: 'Version',
            errorText: (_, index) => errors?.[index]?.version,
            control: (entry, index) => <Input value={entry.version} onChange={({ detail }) => change(index, { version: detail.value.trim() })} />,
          },
          {
            label: 'When',
            control: (entry, index) => (
              <Select
                options={MODE_OPTIONS}
                selectedOption={{ value: entry.mode, label: MODES[entry.mode] }}
                expandToViewport
                onChange={({ detail }) => change(index, { mode: detail.selectedOption.value as GuardrailMode })}
              />
            ),
          },
          {
            label: <Optional>Groups</Optional>,
            control: (entry, index) => <Input value={entry.groups} placeholder="research, legal" onChange={({ detail }) => change(index, { groups: detail.value })} />,
          },
        ]}
        onAddButtonClick={() => onChange([...entries, NEW_GUARDRAIL])}
        onRemoveButtonClick={({ detail }) => onChange(entries.filter((_, index) => index !== detail.itemIndex))}
      />
    </Group>
  );
}

/** A form field of many controls: in Cloudscape's own, each would also bear the label of all. */
function Group({ label, description, children }: { label: string; description: string; children: ReactNode }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <Box variant="awsui-key-label" display="block">
        <span id={id}>
          <Optional>{label}</Optional>
        </span>
      </Box>
      <Box variant="small" display="block" margin={{ bottom: 'xs' }}>
        {description}
      </Box>
      {children}
    </div>
  );
}

const replaced = <T,>(entries: T[], index: number, part: Partial<T>): T[] => entries.map((entry, at) => (at === index ? { ...entry, ...part } : entry));
