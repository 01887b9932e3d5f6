export { REGISTRAR_EXTENSIONS } from './extensions.ts';
export { Registrar, type RegistrarOptions, type Target } from './registrar.ts';
