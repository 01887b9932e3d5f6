export { FilmCache, type FilmCacheOptions, type FilmSource } from './cache.ts';
export { type FilmProgress, Films, type FilmsOptions, sourceOf } from './films.ts';
