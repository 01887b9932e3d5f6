export type { ChannelConfig, Config } from './config.ts';
export { DEMO_FILM, withDemoChannels } from './demo.ts';
export { defaultConfig, type LoadOptions, loadConfig, parseConfig } from './load.ts';
