/** Counts and amounts of money in words. */

export const count = (value: number): string => value.toLocaleString('en');

/** `1.2M`: for places without room. */
export const shortCount = (value: number): string => value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });

/** A single call may cost a millionth of a dollar: small amounts keep the digits that say something. */
export function usd(amount: number): string {
  const digits = amount >= 1 || amount === 0 ? 2 : amount >= 0.01 ? 4 : 6;
  return amount.toLocaleString('en', { style: 'currency', currency: 'USD', minimumFractionDigits: 2, maximumFractionDigits: digits });
}
