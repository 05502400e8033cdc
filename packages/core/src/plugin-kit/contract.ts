/** The integer that core and plugin must share; a change of it breaks plugins. */
export const CONTRACT = 1;
