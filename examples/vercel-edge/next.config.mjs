export default {
  // Found from here, not from a lock file further up.
  turbopack: { root: import.meta.dirname }
}
