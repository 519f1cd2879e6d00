// Stands for bits-ui in the tests. Its only entry point loads all its components, which takes ten seconds or more in
// each test file; these are the two that the window uses.
export { AlertDialog } from "../../node_modules/bits-ui/dist/bits/alert-dialog";
export { Dialog } from "../../node_modules/bits-ui/dist/bits/dialog";
