"""Why a document could not be ingested: each message is for the person who uploaded it.

InvalidError                       422
└── UnreadableDocumentError
    ├── EmptyDocumentError
    ├── ScannedDocumentError
    ├── EncryptedDocumentError
    ├── CorruptDocumentError
    └── ParsingTimeoutError
TooLargeError, UnsupportedTypeError   of lisa.errors
NotFoundError
└── MissingDocumentError           404
ConflictError
└── SupersededError                409  another upload or a delete took over: no failure of the document
"""

from lisa.errors import AppError, ConflictError, InvalidError, NotFoundError, TooLargeError, UnsupportedTypeError


class UnreadableDocumentError(InvalidError):
    pass


class EmptyDocumentError(UnreadableDocumentError):
    pass


class ScannedDocumentError(UnreadableDocumentError):
    pass


class EncryptedDocumentError(UnreadableDocumentError):
    pass


class CorruptDocumentError(UnreadableDocumentError):
    pass


class ParsingTimeoutError(UnreadableDocumentError):
    pass


class MissingDocumentError(NotFoundError):
    pass


class SupersededError(ConflictError):
    pass


# What the parser's child process may tell its parent, by name.
PARSING_ERRORS: dict[str, type[AppError]] = {
    kind.__name__: kind
    for kind in (
        EmptyDocumentError,
        ScannedDocumentError,
        EncryptedDocumentError,
        CorruptDocumentError,
        ParsingTimeoutError,
        TooLargeError,
        UnsupportedTypeError,
    )
}
