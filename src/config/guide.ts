import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Static } from 'typebox';
import type { GuideConfig } from './config.ts';
import type { Problem } from './problems.ts';
import type { GUIDE_SCHEMA } from './schema.ts';

type GuideFile = Static<typeof GUIDE_SCHEMA>;

const FIRST_NUMBER = 1001;
const REFRESH_HOURS = 12;

const REMEDY = 'write a path, or a URL that begins with http:// or https://';

/** The section with its defaults; paths are relative to `base`. */
export function completeGuide({ xmltv = [], playlists = [], refreshHours = REFRESH_HOURS }: GuideFile, base: string) {
  return {
    xmltv: xmltv.map(place => absolute(place, base)),
    playlists: playlists.map(({ source, firstNumber = FIRST_NUMBER }) => ({
      source: absolute(source, base),
      firstNumber,
    })),
    refreshHours,
  } satisfies GuideConfig;
}

/** Places that nothing can be read from. What a web server has to say is not asked. */
export function guideProblems({ xmltv = [], playlists = [] }: GuideFile, base: string): Problem[] {
  return [
    ...xmltv.flatMap((place, index) => placeProblems(place, base, ['guide', 'xmltv', index])),
    ...playlists.flatMap(({ source }, index) => placeProblems(source, base, ['guide', 'playlists', index, 'source'])),
  ];
}

function placeProblems(place: string, base: string, path: Problem['path']): Problem[] {
  if (isWeb(place)) return URL.canParse(place) ? [] : [{ path, fault: `${place} is no URL`, remedy: REMEDY }];
  if (place.includes('://')) return [{ path, fault: `${place} is on no web server`, remedy: REMEDY }];
  try {
    accessSync(resolve(base, place), constants.R_OK);
    return [];
  } catch (error) {
    const fault = `${resolve(base, place)} cannot be read (${(error as NodeJS.ErrnoException).code})`;
    return [{ path, fault, remedy: 'check the path and the permissions' }];
  }
}

function absolute(place: string, base: string): string {
  return isWeb(place) ? place : resolve(base, place);
}

function isWeb(place: string): boolean {
  return /^https?:\/\//.test(place);
}
