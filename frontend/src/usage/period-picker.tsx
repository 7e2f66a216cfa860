/** Chooses a month, and in it the whole or one day. The choice is part of the address. */
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import type { UsagePeriod } from '../api/types';
import { daysOf, monthIn, monthsUntil, periodName, periodOf, thisMonth } from './period';

const WHOLE = { value: '', label: 'Whole month' };

export function usePeriod(): [UsagePeriod, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const period = periodOf(params.get('period'), new Date());
  const choose = useCallback(
    (value: string) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          after.set('period', value);
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [period, choose];
}

export function PeriodPicker({ period, onChoose }: { period: UsagePeriod; onChoose: (value: string) => void }) {
  const now = new Date();
  const month = monthIn(period.value);
  const months = monthsUntil(now, month).map((value) => ({
    value,
    label: periodName(value),
    ...(value === thisMonth(now) ? { description: 'This month' } : {}),
  }));
  const days = [WHOLE, ...daysOf(month, now).reverse().map((value) => ({ value, label: periodName(value) }))];
  return (
    <div className="period-picker">
      <FormField label="Month">
        <Select
          options={months}
          selectedOption={months.find((option) => option.value === month) ?? null}
          triggerVariant="label"
          onChange={({ detail }) => onChoose(detail.selectedOption.value ?? month)}
        />
      </FormField>
      <FormField label="Day">
        <Select
          options={days}
          selectedOption={(period.kind === 'day' && days.find((option) => option.value === period.value)) || WHOLE}
          onChange={({ detail }) => onChoose(detail.selectedOption.value || month)}
        />
      </FormField>
    </div>
  );
}
