/** What a model's card tells of its routing, price and guardrails; nothing when it has none. */
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import type { Model } from '../api/types';
import { MODES } from './routing-fields';
import { perMillion } from './routing-form';

export function RoutingFacts({ model }: { model: Model }) {
  const items = factsOf(model).map(([label, value]) => ({ label, value: <span className="wrap">{value}</span> }));
  return items.length > 0 ? <KeyValuePairs columns={1} items={items} /> : null;
}

export function factsOf({ deployments = [], fallbacks = [], pricing, maxOutputTokens, guardrailsConfig = {} }: Partial<Model>): [label: string, value: string][] {
  const weights = deployments.reduce((sum, each) => sum + each.weight, 0);
  const guardrails = Object.values(guardrailsConfig);
  const facts: [string, string][] = [];
  if (deployments.length > 0) facts.push(['Answered by', deployments.map((each) => `${each.modelId} (${Math.round((100 * each.weight) / weights)} %)`).join(', ')]);
  if (fallbacks.length > 0) facts.push(['When it fails', fallbacks.join(', then ')]);
  if (pricing) facts.push(['Price per million tokens', `$${perMillion(pricing.inputCostPerToken)} in, $${perMillion(pricing.outputCostPerToken)} out`]);
  if (maxOutputTokens) facts.push(['Longest answer', `${maxOutputTokens.toLocaleString('en')} tokens`]);
  if (guardrails.length > 0) facts.push(['Guardrails', guardrails.map((each) => `${each.guardrailName} (${MODES[each.mode].toLowerCase()})`).join(', ')]);
  return facts;
}
