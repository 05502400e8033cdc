export interface SealedSecret {
  readonly id: string;
  readonly sealed: string;
}
