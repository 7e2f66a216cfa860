/** Routing, price and guardrails of the model form as data: what is wrong with them, and what they send. */
import type { CreateModel, GuardrailConfig, GuardrailMode, Model, UpdateModel } from '../api/types';
import { groupsIn } from '../layout/groups-field';

export interface DeploymentEntry {
  modelId: string;
  weight: string;
}

export interface GuardrailEntry {
  /** Its key in `guardrailsConfig`; a new one gets its key when it is sent. */
  key?: string;
  name: string;
  identifier: string;
  version: string;
  mode: GuardrailMode;
  groups: string;
}

export interface RoutingForm {
  deployments: DeploymentEntry[];
  fallbacks: string[];
  /** US dollars per million tokens, as people read prices. */
  inputPrice: string;
  outputPrice: string;
  maxOutputTokens: string;
  guardrails: GuardrailEntry[];
}

export interface RoutingErrors {
  deployments?: { modelId?: string; weight?: string }[];
  fallbacks?: string;
  inputPrice?: string;
  outputPrice?: string;
  maxOutputTokens?: string;
  guardrails?: { name?: string; identifier?: string; version?: string }[];
}

export const EMPTY_ROUTING: RoutingForm = { deployments: [], fallbacks: [], inputPrice: '', outputPrice: '', maxOutputTokens: '', guardrails: [] };
export const NEW_DEPLOYMENT: DeploymentEntry = { modelId: '', weight: '1' };
export const NEW_GUARDRAIL: GuardrailEntry = { name: '', identifier: '', version: 'DRAFT', mode: 'pre_call', groups: '' };
export const MAX_DEPLOYMENTS = 20;
export const MAX_FALLBACKS = 5;
export const MAX_GUARDRAILS = 20;

const MILLION = 1_000_000;
const MAX_WEIGHT = 1000;
const WHOLE = /^[1-9]\d*$/;
const PRICE = /^\d+(\.\d+)?$/;
const IDENTIFIER = /^([a-z0-9]+|arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d{12}:guardrail\/[a-z0-9]+)$/;
const VERSION = /^([1-9]\d{0,7}|DRAFT)$/;

export function routingOf(model: Model): RoutingForm {
  return {
    deployments: (model.deployments ?? []).map(({ modelId, weight }) => ({ modelId, weight: String(weight) })),
    fallbacks: model.fallbacks ?? [],
    inputPrice: model.pricing ? String(perMillion(model.pricing.inputCostPerToken)) : '',
    outputPrice: model.pricing ? String(perMillion(model.pricing.outputCostPerToken)) : '',
    maxOutputTokens: model.maxOutputTokens ? String(model.maxOutputTokens) : '',
    guardrails: Object.entries(model.guardrailsConfig ?? {}).map(([key, each]) => ({
      key,
      name: each.guardrailName,
      identifier: each.guardrailIdentifier,
      version: each.guardrailVersion,
      mode: each.mode,
      groups: each.allowedGroups.join(', '),
    })),
  };
}

/** Rounded to what a price list says: a binary fraction must not show. */
export const perMillion = (costPerToken: number): number => Number((costPerToken * MILLION).toPrecision(12));
const perToken = (price: string): number => Number((Number(price) / MILLION).toPrecision(12));

/** Of each list, either nothing or one entry for each of its rows. */
export function routingErrorsOf(form: RoutingForm): RoutingErrors {
  const errors: RoutingErrors = {};
  const deployments = form.deployments.map((entry, index) => deploymentErrors(entry, form.deployments.slice(0, index)));
  if (deployments.some(isWrong)) errors.deployments = deployments;
  if (form.fallbacks.length > MAX_FALLBACKS) errors.fallbacks = `Choose ${MAX_FALLBACKS} at most.`;
  const inputPrice = priceError(form.inputPrice, form.outputPrice);
  const outputPrice = priceError(form.outputPrice, form.inputPrice);
  if (inputPrice) errors.inputPrice = inputPrice;
  if (outputPrice) errors.outputPrice = outputPrice;
  if (form.maxOutputTokens && !WHOLE.test(form.maxOutputTokens)) errors.maxOutputTokens = 'Give a number of tokens, or leave it empty.';
  const guardrails = form.guardrails.map(guardrailErrors);
  if (guardrails.some(isWrong)) errors.guardrails = guardrails;
  return errors;
}

export const isWrong = (errors: object): boolean => Object.keys(errors).length > 0;

function deploymentErrors({ modelId, weight }: DeploymentEntry, before: DeploymentEntry[]) {
  return {
    ...(modelId === '' ? { modelId: 'Choose a model, or remove this line.' } : {}),
    ...(modelId !== '' && before.some((each) => each.modelId === modelId) ? { modelId: 'This model is named twice.' } : {}),
    ...(!WHOLE.test(weight) || Number(weight) > MAX_WEIGHT ? { weight: `A number from 1 to ${MAX_WEIGHT}.` } : {}),
  };
}

function guardrailErrors({ name, identifier, version }: GuardrailEntry) {
  return {
    ...(name.trim() ? {} : { name: 'Give it a name.' }),
    ...(IDENTIFIER.test(identifier) ? {} : { identifier: 'The id (small letters and digits) or the ARN, as Bedrock shows it.' }),
    ...(VERSION.test(version) ? {} : { version: 'A number, or DRAFT.' }),
  };
}

function priceError(price: string, other: string): string | undefined {
  if (price === '') return other === '' ? undefined : 'Give both prices, or neither. 0 means free.';
  return PRICE.test(price) && perToken(price) <= 1 ? undefined : 'Give a price in US dollars, for example 0.15.';
}

export function createRoutingOf(form: RoutingForm): Partial<CreateModel> {
  const guardrails = guardrailsOf(form, {});
  return {
    ...(form.deployments.length > 0 ? { deployments: deploymentsOf(form) } : {}),
    ...(form.fallbacks.length > 0 ? { fallbacks: form.fallbacks } : {}),
    ...(form.inputPrice ? { pricing: pricingOf(form) } : {}),
    ...(form.maxOutputTokens ? { maxOutputTokens: Number(form.maxOutputTokens) } : {}),
    ...(Object.keys(guardrails).length > 0 ? { guardrailsConfig: guardrails } : {}),
  };
}

/** Only what differs from `model`: "" takes a price away, 0 a limit of tokens, `markedForDeletion` a guardrail. */
export function updateRoutingOf(form: RoutingForm, model: Model): UpdateModel {
  const before = routingOf(model);
  const guardrails = guardrailsOf(form, model.guardrailsConfig ?? {});
  const differs = (of: (form: RoutingForm) => unknown) => JSON.stringify(of(form)) !== JSON.stringify(of(before));
  return {
    ...(differs(deploymentsOf) ? { deployments: deploymentsOf(form) } : {}),
    ...(differs((each) => each.fallbacks) ? { fallbacks: form.fallbacks } : {}),
    ...(differs(pricingOf) ? { pricing: pricingOf(form) ?? ('' as const) } : {}),
    ...(form.maxOutputTokens !== before.maxOutputTokens ? { maxOutputTokens: Number(form.maxOutputTokens) } : {}),
    ...(Object.keys(guardrails).length > 0 ? { guardrailsConfig: guardrails } : {}),
  };
}

const deploymentsOf = (form: RoutingForm) => form.deployments.map(({ modelId, weight }) => ({ modelId, weight: Number(weight) }));

const pricingOf = (form: RoutingForm) =>
  form.inputPrice ? { inputCostPerToken: perToken(form.inputPrice), outputCostPerToken: perToken(form.outputPrice) } : undefined;

/** What changes about the guardrails: new, different, and removed ones. */
function guardrailsOf(form: RoutingForm, before: Record<string, GuardrailConfig>): Record<string, GuardrailConfig> {
  const changes: Record<string, GuardrailConfig> = {};
  const kept = new Set(form.guardrails.flatMap((entry) => entry.key ?? []));
  for (const [key, config] of Object.entries(before)) {
    if (!kept.has(key)) changes[key] = { ...config, markedForDeletion: true };
  }
  for (const entry of form.guardrails) {
    const old = entry.key === undefined ? undefined : before[entry.key];
    const config: GuardrailConfig = {
      ...old,
      guardrailName: entry.name.trim(),
      guardrailIdentifier: entry.identifier,
      guardrailVersion: entry.version,
      mode: entry.mode,
      allowedGroups: groupsIn(entry.groups),
      markedForDeletion: false,
    };
    if (!old || !isSame(old, config)) changes[entry.key ?? freeKey(entry.name, { ...before, ...changes })] = config;
  }
  return changes;
}

function isSame(one: GuardrailConfig, other: GuardrailConfig): boolean {
  const told = (each: GuardrailConfig) => [each.guardrailName, each.guardrailIdentifier, each.guardrailVersion, each.mode, each.allowedGroups];
  return JSON.stringify(told(one)) === JSON.stringify(told(other));
}

function freeKey(name: string, taken: Record<string, unknown>): string {
  const base = name.trim().toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 80) || 'guardrail';
  let key = base;
  for (let number = 2; key in taken; number += 1) key = `${base}-${number}`;
  return key;
}
