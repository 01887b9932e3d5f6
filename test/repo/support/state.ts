/** Statements at the left margin are the module's own: the formatter indents all others. */
const VARIABLE = /^(?:export )?(?:let|var) (\w+)/gm;
const COLLECTION = /^(?:export )?const (\w+)[^=\n]*= (?:new (?:Map|Set|WeakMap|WeakSet)\b|\[|\{)/gm;
const TIMER = /^(?:(?:export )?const \w+ = |void |await )?(setTimeout|setInterval|setImmediate)\(/gm;

const MUTATORS = 'set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill';

/** What a module keeps or starts by being loaded: variables, collections that are changed, timers. */
export function moduleState(text: string): string[] {
  const variables = [...text.matchAll(VARIABLE)].map(([, name]) => `variable ${name}`);
  const collections = [...text.matchAll(COLLECTION)].flatMap(([, name]) => {
    const changed = new RegExp(`\\b${name}(?:\\.(?:${MUTATORS})\\(|(?:\\.\\w+|\\[[^\\]]*\\])+ [-+*/|&?]*=[^=>])`);
    return changed.test(text) ? [`collection ${name}`] : [];
  });
  const timers = [...text.matchAll(TIMER)].map(([, name]) => `timer of ${name}`);
  return [...variables, ...collections, ...timers];
}
