export { Engine, type EngineOptions } from './engine.ts';
export type { EngineEvent, EngineStats, MediaKind, StreamSpec, ViewerSpec, ViewerUpdate } from './protocol.ts';
