// Replaces bits-ui in the tests, with only the two components that the window uses. The library's entry point loads all
// components, which takes ten seconds or more in each test file.
export { AlertDialog } from "../../node_modules/bits-ui/dist/bits/alert-dialog";
export { Dialog } from "../../node_modules/bits-ui/dist/bits/dialog";
