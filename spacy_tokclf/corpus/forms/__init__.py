"""Forms of files: one module each with its reader and its writer, and the table of them all."""
