export const name = "package";
