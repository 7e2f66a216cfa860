/** The pages about usage, as one file of their own: charts are heavy, and few people look at them each day. */
export { default as MyUsagePage } from './usage/my-usage-page';
export { default as UsagePage } from './usage/usage-page';
export { default as UserUsagePage } from './usage/user-usage-page';
