/** What operations cost, in upstream's units: a unit is about 50 ns of its time. */

/** Of naming a variable or selecting a field. */
export const accessCost = 1;
export const newListCost = 10;
export const newMapCost = 30;
export const newObjectCost = 40;
/** The cost of a call whose function declares none. */
export const callCost = 1;
/** Of each character that an operation visits. */
export const perCharacter = 0.1;
/** Of each character of a pattern, for each unit that visiting the text costs. */
export const perPatternCharacter = 0.25;
