/** The attack that a bundle is made for: see bundles.mjs. */
declare module "attack";
