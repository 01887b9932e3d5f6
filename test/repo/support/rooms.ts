import { facePassed, type Import, readImports, roomOf } from './imports.ts';

/** How much of another room one may know: its types alone, or what it does as well. */
type Knowledge = 'types' | 'all';

/** Who may know whom (docs/architecture.md). Every room may know errors.ts. */
const KNOWN: Readonly<Record<string, Readonly<Record<string, Knowledge>>>> = {
  config: {},
  observe: {},
  sdp: { observe: 'types', config: 'types' },
  signalling: { observe: 'types', config: 'types' },
  transcoder: { observe: 'types', config: 'types' },
  guide: { observe: 'types', config: 'types' },
  films: { observe: 'types', config: 'types', transcoder: 'types' },
  engine: { observe: 'types', config: 'types', sdp: 'types' },
  channels: { observe: 'types', config: 'types', transcoder: 'types' },
  calls: { observe: 'types', config: 'types', channels: 'all', sdp: 'all', engine: 'types', signalling: 'types' },
  http: { observe: 'types' },
};

/** The command, the composition roots that it starts, and what the server's has in files of their own. */
const ROOTS: readonly string[] = ['cli.ts', 'server.ts', 'prepare.ts', 'listings.ts', 'certificates.ts'];

/** Doors beside a face: the engine's thread loads the frame protocol, on the wire and on disk, and nothing else. */
const DOORS: readonly { readonly room: string; readonly file: string }[] = [
  { room: 'engine', file: 'src/transcoder/wire.ts' },
  { room: 'engine', file: 'src/transcoder/film/rendition-folder.ts' },
];

/** What is wrong with the imports under src/, tests aside; `files` holds texts by path. */
export function roomFaults(files: ReadonlyMap<string, string>): string[] {
  const paths = new Set(files.keys());
  const rooms = new Set([...paths].filter(path => path.split('/').length > 2).map(roomOf));
  const faceless = [...rooms].filter(room => !paths.has(`src/${room}/index.ts`));
  return [
    ...faceless.map(room => `src/${room} has no index.ts`),
    ...[...rooms].filter(room => !(room in KNOWN)).map(room => `src/${room} is not among the rooms of rooms.ts`),
    ...[...files].flatMap(([path, text]) => fileFaults(path, text, paths)),
  ];
}

function fileFaults(path: string, text: string, files: ReadonlySet<string>): string[] {
  const imports = readImports(path, text);
  return imports.flatMap(each => {
    const room = roomOf(each.from);
    if (DOORS.some(door => door.room === room && door.file === each.to)) return [];
    const face = facePassed(each, files);
    return [
      ...(face === null ? [] : [`${path} imports ${each.to} past ${face}`]),
      ...(mayKnow(each) ? [] : [`${path} imports ${each.kind === 'type' ? 'types' : 'values'} of ${each.to}`]),
      ...(ROOTS.includes(room) ? [] : constructed(each, text)),
    ];
  });
}

function mayKnow({ from, to, kind }: Import): boolean {
  const [room, other] = [roomOf(from), roomOf(to)];
  if (room === other || other === 'errors.ts' || ROOTS.includes(room)) return true;
  const knowledge = KNOWN[room]?.[other];
  return knowledge === 'all' || (knowledge === 'types' && kind === 'type');
}

/** server.ts alone constructs: nobody else makes an object of another room's class. */
function constructed({ from, to, names }: Import, text: string): string[] {
  if (roomOf(from) === roomOf(to) || roomOf(to) === 'errors.ts') return [];
  const made = names.filter(name => new RegExp(`\\bnew ${name}\\b`).test(text));
  return made.map(name => `${from} constructs ${name} of ${to}; server.ts does`);
}
