export { Engine, type EngineOptions } from './engine.ts';
export type {
  EngineEvent,
  EngineStats,
  MediaKind,
  ReelMove,
  ReelState,
  StreamSpec,
  ViewerSpec,
  ViewerUpdate,
} from './protocol.ts';
