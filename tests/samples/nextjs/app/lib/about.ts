/** What a test asks the running container. */
export function about() {
  return {
    node: process.versions.node.split(".")[0],
    uid: process.getuid?.(),
    environment: process.env.NODE_ENV,
  }
}
