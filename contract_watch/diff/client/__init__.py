"""The effect of a document's change on the generated client: the symbols, the code that breaks, the next version.

`api` and `types` read a package's public API as plain data from its source, with griffe; nothing of it is imported.
`class_uses` derives which classes code sets (requests) and which it reads (responses). `compare` lists the changes of
symbols, defined in `symbol_changes`, and `version` derives the next version from them.

`symbol_index` and `schema_symbols` map a location of the document to symbols, through the generator's own parser.
`correlation` joins each change of the document to the changes of symbols that it causes. A change without such a symbol
(a length, a description: the client checks neither) is reported as `correlation.NO_SYMBOL` with the symbols of its
location. A change of a symbol without a cause in the document (titles, tags and operation ids name classes and modules)
is reported separately and counts for the version. `impact` does all of it, `document_impact` generates both clients first.
"""
