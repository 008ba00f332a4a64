import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relatedpapers.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("id", "reader_id", "paper_id", "type", "event_time", "value", "attribution_token", "surface", "rank", "origin", "retracted_event_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    READER_ID_FIELD_NUMBER: _ClassVar[int]
    PAPER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    reader_id: str
    paper_id: str
    type: str
    event_time: _timestamp_pb2.Timestamp
    value: float
    attribution_token: str
    surface: str
    rank: int
    origin: str
    retracted_event_id: str
    def __init__(self, id: _Optional[str] = ..., reader_id: _Optional[str] = ..., paper_id: _Optional[str] = ..., type: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., value: _Optional[float] = ..., attribution_token: _Optional[str] = ..., surface: _Optional[str] = ..., rank: _Optional[int] = ..., origin: _Optional[str] = ..., retracted_event_id: _Optional[str] = ...) -> None: ...

class EventResult(_message.Message):
    __slots__ = ("status", "retryable", "duplicate")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.ItemStatus
    retryable: bool
    duplicate: bool
    def __init__(self, status: _Optional[_Union[_status_pb2.ItemStatus, _Mapping]] = ..., retryable: _Optional[bool] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class WriteFeedbackRequest(_message.Message):
    __slots__ = ("events", "validate_only")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    validate_only: bool
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WriteFeedbackResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EventResult]
    def __init__(self, results: _Optional[_Iterable[_Union[EventResult, _Mapping]]] = ...) -> None: ...

class StreamFeedbackRequest(_message.Message):
    __slots__ = ("sequence_number", "events")
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    sequence_number: int
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, sequence_number: _Optional[int] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class StreamFeedbackResponse(_message.Message):
    __slots__ = ("acknowledged_sequence_number", "failures", "duplicate_count")
    ACKNOWLEDGED_SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence_number: int
    failures: _containers.RepeatedCompositeFieldContainer[EventFailure]
    duplicate_count: int
    def __init__(self, acknowledged_sequence_number: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[EventFailure, _Mapping]]] = ..., duplicate_count: _Optional[int] = ...) -> None: ...

class EventFailure(_message.Message):
    __slots__ = ("sequence_number", "event_index", "event_id", "status", "retryable")
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    sequence_number: int
    event_index: int
    event_id: str
    status: _status_pb2.ItemStatus
    retryable: bool
    def __init__(self, sequence_number: _Optional[int] = ..., event_index: _Optional[int] = ..., event_id: _Optional[str] = ..., status: _Optional[_Union[_status_pb2.ItemStatus, _Mapping]] = ..., retryable: _Optional[bool] = ...) -> None: ...

class ExportReaderRequest(_message.Message):
    __slots__ = ("reader_id", "page_size", "page_token")
    READER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reader_id: str
    page_size: int
    page_token: str
    def __init__(self, reader_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportReaderResponse(_message.Message):
    __slots__ = ("events", "next_page_token", "library", "reader_revision")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_FIELD_NUMBER: _ClassVar[int]
    READER_REVISION_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    next_page_token: str
    library: _containers.RepeatedCompositeFieldContainer[LibraryPaper]
    reader_revision: str
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., library: _Optional[_Iterable[_Union[LibraryPaper, _Mapping]]] = ..., reader_revision: _Optional[str] = ...) -> None: ...

class LibraryPaper(_message.Message):
    __slots__ = ("paper_id", "weight", "trained")
    PAPER_ID_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FIELD_NUMBER: _ClassVar[int]
    paper_id: str
    weight: float
    trained: bool
    def __init__(self, paper_id: _Optional[str] = ..., weight: _Optional[float] = ..., trained: _Optional[bool] = ...) -> None: ...

class DeleteReaderRequest(_message.Message):
    __slots__ = ("reader_id",)
    READER_ID_FIELD_NUMBER: _ClassVar[int]
    reader_id: str
    def __init__(self, reader_id: _Optional[str] = ...) -> None: ...

class DeleteReaderResponse(_message.Message):
    __slots__ = ("deleted_event_count", "gone", "remaining")
    DELETED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    deleted_event_count: int
    gone: _containers.RepeatedCompositeFieldContainer[ReaderTrace]
    remaining: _containers.RepeatedCompositeFieldContainer[ReaderTrace]
    def __init__(self, deleted_event_count: _Optional[int] = ..., gone: _Optional[_Iterable[_Union[ReaderTrace, _Mapping]]] = ..., remaining: _Optional[_Iterable[_Union[ReaderTrace, _Mapping]]] = ...) -> None: ...

class ReaderTrace(_message.Message):
    __slots__ = ("name", "description", "expire_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
