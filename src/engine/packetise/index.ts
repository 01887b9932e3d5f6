export { createPacketiser, MAX_PAYLOAD_BYTES, type Packetiser, type Packets } from './packetiser.ts';
