export type { ChannelConfig, Config } from './config.ts';
