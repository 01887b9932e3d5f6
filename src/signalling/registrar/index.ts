export { Registrar, type RegistrarOptions } from './registrar.ts';
