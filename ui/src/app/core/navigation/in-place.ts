/** `info` of a navigation that only gives what is shown its own address: nobody is taken anywhere, focus stays. */
export const IN_PLACE = 'in place';
