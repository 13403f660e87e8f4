/** `session:user:{…}` of a user: the scope keeps equal ids of different clients apart. Neither part has a `:`. */
export function userKeyOf(scope: string, userId: string): string {
  return scope === '' ? userId : `${scope}:${userId}`;
}
