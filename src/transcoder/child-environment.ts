/** Only what a process needs to run, to tell the time and to find drivers; no secret of the server's. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'TZ', 'LANG', 'LD_LIBRARY_PATH', 'TMPDIR', 'NODE_COMPILE_CACHE'];
  const drivers = ['LIBVA_DRIVER_NAME', 'LIBVA_DRIVERS_PATH'];
  return Object.fromEntries(
    [...names, ...drivers].flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
