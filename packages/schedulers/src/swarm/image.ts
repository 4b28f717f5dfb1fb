/** An image's name without the digest, and with the tag that a name without one means: `nginx` is `nginx:latest`. */
export function tagOf(image: string): string {
  const name = image
    .replace(/@.*$/, "")
    .replace(/^(docker\.io\/)?(library\/)?(?=[^/]+$)/, "")
    .replace(/^docker\.io\//, "");
  return /:[^/]*$/.test(name) ? name : `${name}:latest`;
}

export function hasDigest(image: string): boolean {
  return image.includes("@");
}
