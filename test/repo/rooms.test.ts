import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roomFaults } from './support/rooms.ts';
import { readTracked, trackedFiles } from './support/tree.ts';

const SOURCES = new Map(
  trackedFiles()
    .filter(file => file.startsWith('src/') && file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map(file => [file, readTracked(file)]),
);

describe('the rooms under src/', () => {
  it('import each other by their faces, and know only whom they may', () => {
    assert.ok(SOURCES.size > 100);
    assert.deepEqual(roomFaults(SOURCES), []);
  });
});

/** Each file is put into the real tree; exactly this is found. */
const FAULTS: readonly { name: string; file: string; text: string; fault: string }[] = [
  {
    name: "an import past another room's face",
    file: 'src/calls/made-up.ts',
    text: "import { parseOffer } from '../sdp/parse.ts';",
    fault: 'src/calls/made-up.ts imports src/sdp/parse.ts past src/sdp/index.ts',
  },
  {
    name: 'an import past the face of a folder in the same room',
    file: 'src/engine/made-up.ts',
    text: "import type {\n  RtpHeader,\n} from './rtp/header.ts';",
    fault: 'src/engine/made-up.ts imports src/engine/rtp/header.ts past src/engine/rtp/index.ts',
  },
  {
    name: 'an import past the face of a neighbouring folder',
    file: 'src/engine/rtcp/made-up.ts',
    text: "export { isNewer } from '../rtp/sequence.ts';",
    fault: 'src/engine/rtcp/made-up.ts imports src/engine/rtp/sequence.ts past src/engine/rtp/index.ts',
  },
  {
    name: 'an import that is made late',
    file: 'src/sdp/made-up.ts',
    text: "const engine = await import('../engine/index.ts');",
    fault: 'src/sdp/made-up.ts imports values of src/engine/index.ts',
  },
  {
    name: 'an import for its effect alone',
    file: 'src/sdp/made-up.ts',
    text: "import '../engine/index.ts';",
    fault: 'src/sdp/made-up.ts imports values of src/engine/index.ts',
  },
  {
    name: 'the engine knowing signalling',
    file: 'src/engine/made-up.ts',
    text: "import type { IncomingCall } from '../signalling/index.ts';",
    fault: 'src/engine/made-up.ts imports types of src/signalling/index.ts',
  },
  {
    name: 'a value where only types may be known',
    file: 'src/engine/made-up.ts',
    text: "import { type Capabilities, negotiate } from '../sdp/index.ts';",
    fault: 'src/engine/made-up.ts imports values of src/sdp/index.ts',
  },
  {
    name: "a door that is another room's",
    file: 'src/channels/made-up.ts',
    text: "import type { FrameMessage } from '../transcoder/wire.ts';",
    fault: 'src/channels/made-up.ts imports src/transcoder/wire.ts past src/transcoder/index.ts',
  },
  {
    name: 'a part that constructs another',
    file: 'src/calls/made-up.ts',
    text: "import { Channels } from '../channels/index.ts';\n\nexport const channels = new Channels([]);",
    fault: 'src/calls/made-up.ts constructs Channels of src/channels/index.ts; server.ts does',
  },
  {
    name: 'the composition root being imported',
    file: 'src/http/made-up.ts',
    text: "import type { Server } from '../server.ts';",
    fault: 'src/http/made-up.ts imports types of src/server.ts',
  },
];

describe('the check of the rooms finds', () => {
  for (const { name, file, text, fault } of FAULTS) {
    it(name, () => assert.deepEqual(roomFaults(new Map([...SOURCES, [file, text]])), [fault]));
  }

  it('a room without a face that nobody listed', () => {
    const files = new Map([...SOURCES, ['src/attic/box.ts', '']]);
    assert.deepEqual(roomFaults(files), ['src/attic has no index.ts', 'src/attic is not among the rooms of rooms.ts']);
  });
});
